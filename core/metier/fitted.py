"""Fitted models as they are kept on this machine: a folder for each, with its card."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from metier_contracts import (
    CascadeFit,
    ConfigError,
    ExampleSet,
    FitRequest,
    Lineage,
    MetierError,
    ModelCard,
    StorageError,
)

from metier.paths import fitted_folder
from metier.weights.checksum import sha256_of

_CARD = "metier-card.json"
_SETTINGS = {
    *("method", "epochs", "learning_rate", "batch_size", "seed", "architecture", "level"),
    *("cheap", "strong", "max_loss", "confidence"),
}


def fitted_cards() -> list[ModelCard]:
    """Return the cards of the fitted models on this machine; a card that cannot be read keeps none of the others."""
    return [found for found in _found() if isinstance(found, ModelCard)]


def unreadable_cards() -> list[ConfigError]:
    """Return what is wrong with each fitted model on this machine whose card cannot be read."""
    return [found for found in _found() if isinstance(found, ConfigError)]


def folder_of(model: str) -> Path:
    """Return the folder of a fitted model, whether or not it is there."""
    return fitted_folder() / _slug(model)


def card_file(model: str) -> Path:
    """Return the file that holds the card of a fitted model; it is written after its weights."""
    return folder_of(model) / _CARD


def _found() -> Iterator[ModelCard | ConfigError]:
    # A folder with a dot in front is one that a fit is writing, or that a killed one has left.
    return map(_read, sorted(fitted_folder().glob(f"[!.]*/{_CARD}")))


def _read(path: Path) -> ModelCard | ConfigError:
    try:
        card = ModelCard.from_json(path.read_bytes())
        if card.source is None:
            return card
        return card.model_copy(update={"source": f"path:{path.parent}"})  # the folder may have been moved since
    except (OSError, MetierError) as error:
        return ConfigError(
            f"the card of a fitted model cannot be read: {path}",
            got=str(error),
            blame=str(path),
            hint=f"fit the model again, or remove {path.parent}",
        )


@contextmanager
def fitting_folder(model: str) -> Iterator[Path]:
    """Yield an empty folder to write a fitted model into; it is removed where the block fails."""
    root = fitted_folder()
    with _storage_errors(model):
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{_slug(model)}-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(folder: Path, card: ModelCard, request: FitRequest, base: str) -> ModelCard:
    """Move a written folder to its place, with its card completed by source, digests and lineage; return the card."""
    home = folder_of(request.id)
    with _storage_errors(request.id):
        digests = {
            path.relative_to(folder).as_posix(): sha256_of(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path != folder / _CARD
        }
        finished = card.model_copy(
            update={
                "id": request.id,
                "source": f"path:{home}" if digests else None,
                "sha256": digests or None,
                "lineage": _lineage(request, base),
                # That the plugin proposes the base for a task says nothing of what is fitted from it.
                "tasks": {task: table.model_copy(update={"default": False}) for task, table in card.tasks.items()},
            }
        )
        (folder / _CARD).write_text(finished.to_json(), encoding="utf-8")
        _take_place(folder, home)
    return finished


@contextmanager
def _storage_errors(model: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"the fitted model {model!r} cannot be written",
            expected=f"a folder that can be written at {fitted_folder()}",
            got=str(error),
            blame="the user data folder",
            hint="free some space there, or set METIER_DATA to another folder",
        ) from error


def _take_place(folder: Path, home: Path) -> None:
    """Put a folder where another may stand; the other is gone only once the new one is there."""
    if home.exists():
        aside = folder.with_name(f"{folder.name}-old")
        home.replace(aside)
        try:
            folder.replace(home)
        except BaseException:
            aside.replace(home)
            raise
        shutil.rmtree(aside, ignore_errors=True)
    else:
        folder.replace(home)


def _lineage(request: FitRequest, base: str) -> Lineage:
    examples = getattr(request, "examples", getattr(request, "labelled", None))
    data = examples.digest if isinstance(examples, ExampleSet) else _digest(request)
    settings = request.model_dump(include=_SETTINGS)
    method = "cascade" if isinstance(request, CascadeFit) else "fine-tune"
    return Lineage(
        base=base,
        method=str(settings.pop("method", settings.pop("architecture", method))),
        examples_sha256=data,
        num_examples=_number_of_examples(request),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=settings,
    )


def _number_of_examples(request: FitRequest) -> int:
    """Return how many examples the request has: its texts, or what its graphs have targets or values for."""
    given = (getattr(request, name, None) for name in ("examples", "labelled", "targets", "values"))
    return next((len(examples) for examples in given if examples is not None), 1)


def _digest(request: FitRequest) -> str:
    return hashlib.sha256(request.to_json().encode()).hexdigest()


def _slug(model: str) -> str:
    """Return the folder's name. No id holds a "%", so no two ids share a folder."""
    return model.replace("/", "%2F")
