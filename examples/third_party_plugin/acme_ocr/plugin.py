"""The plugin's hook."""

from metier_contracts import Model, ModelCard, ModelLoadError, Placement, hookimpl


@hookimpl
def metier_load(card: ModelCard, placement: Placement) -> Model:
    """Return the reader whose networks lie in the folder of the card's weights."""
    from acme_ocr.reader import Reader  # heavy libraries are imported when a model is loaded

    if placement.directory is None:
        raise ModelLoadError(f"the card {card.id} has no source", expected="a folder of networks", got="none")
    return Reader(card, placement.directory)
