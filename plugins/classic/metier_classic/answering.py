"""What the classifiers of this plugin answer alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from metier_contracts import Classification, Classify, InputError, ModelCard, Request
from metier_contracts.authoring import unsupported


def text_to_classify(request: Request[Classification], card: ModelCard) -> tuple[Classify, str]:
    """Return a request to classify and its text; raise `UnsupportedError` where it is another, or of an image."""
    if not isinstance(request, Classify) or request.text is None:
        raise unsupported(request, card)
    return request, request.text


def labels_among(request: Classify, known: Sequence[str], card: ModelCard) -> Sequence[str]:
    """Return the labels to score, of a model that knows the labels `known`; raise `InputError` for another one."""
    chosen = known if request.choices is None else request.choices
    if strangers := [label for label in chosen if label not in known]:
        raise InputError(
            f"{card.id} has learned nothing of the label {strangers[0]!r}",
            expected=f"labels among {', '.join(known)}",
            got=", ".join(chosen),
            blame="labels of the request",
        )
    return chosen


def classification(scores: Mapping[str, float]) -> Classification:
    """Return the answer with these scores; of equal ones the first label wins."""
    return Classification(label=max(scores, key=scores.__getitem__), scores=scores)
