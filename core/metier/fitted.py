"""Fitted models: made by `Runtime.fit`, kept on this machine, used by id."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from metier_contracts import ClassifyFit, ConfigError, FitRequest, Lineage, MetierError, ModelCard, StorageError

from metier.paths import fitted_folder

_CARD = "metier-card.json"


def fitted_cards() -> list[ModelCard]:
    """Return the cards of all fitted models on this machine."""
    return [_read(path) for path in sorted(fitted_folder().glob(f"*/{_CARD}"))]


def _read(path: Path) -> ModelCard:
    try:
        return ModelCard.from_json(path.read_bytes())
    except (OSError, MetierError) as error:
        raise ConfigError(
            f"the card of a fitted model cannot be read: {path}",
            got=str(error),
            blame=str(path),
            hint=f"fit the model again, or remove {path.parent}",
        ) from None


@contextmanager
def fitting_folder(model: str) -> Iterator[Path]:
    """Yield an empty folder to write a fitted model into; it is removed where the block fails."""
    root = fitted_folder()
    try:
        root.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f".{_slug(model)}-", dir=root))
    except OSError as error:
        raise StorageError(
            f"the fitted model {model!r} cannot be written",
            expected=f"a folder that can be written at {root}",
            got=str(error),
            blame="the user data folder",
            hint="free some space there, or set METIER_DATA to another folder",
        ) from None
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def keep(folder: Path, card: ModelCard, request: FitRequest, base: str) -> ModelCard:
    """Move a written folder to its place, with its card completed by source, digests and lineage; return the card."""
    home = fitted_folder() / _slug(request.id)
    digests = {
        path.relative_to(folder).as_posix(): _sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }
    finished = card.model_copy(
        update={
            "id": request.id,
            "source": f"path:{home}",
            "sha256": digests,
            "lineage": _lineage(request, base),
        }
    )
    (folder / _CARD).write_text(finished.to_json(), encoding="utf-8")
    _take_place(folder, home)
    return finished


def _take_place(folder: Path, home: Path) -> None:
    """Put a folder where another may stand; the other is gone only once the new one is there."""
    if home.exists():
        aside = folder.with_name(f"{folder.name}-old")
        home.replace(aside)
        folder.replace(home)
        shutil.rmtree(aside, ignore_errors=True)
    else:
        folder.replace(home)


def _lineage(request: FitRequest, base: str) -> Lineage:
    data = request.examples.digest if isinstance(request, ClassifyFit) else _digest(request)
    settings = request.model_dump(include={"method", "epochs", "learning_rate", "batch_size", "seed"})
    return Lineage(
        base=base,
        method=str(settings.pop("method", "fine-tune")),
        examples_sha256=data,
        num_examples=len(getattr(request, "examples", ()) or (request,)),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        settings=settings,
    )


def _digest(request: FitRequest) -> str:
    return hashlib.sha256(request.to_json().encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _slug(model: str) -> str:
    return model.replace("/", "--")
