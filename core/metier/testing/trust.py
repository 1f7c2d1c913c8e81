"""Non-functional checks of what users rely on unseen: no network, no pickle, and the licence that the card states."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from metier.testing.check import Check, Failure, NotApplicable
from metier.testing.subject import Subject

_WORDS = re.compile(r"[a-z0-9.+-]+")
_LICENCE_FIELD = re.compile(r"^license:\s*(\S+)", re.MULTILINE)


def _offline(subject: Subject) -> None:
    if subject.card.remote:
        raise NotApplicable("the model is remote")
    _use(subject)
    if subject.guard.sockets:
        raise Failure(f"while it loaded and answered, the model asked for {', '.join(subject.guard.sockets[:3])}")


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
    for origin, other in _other_licences(subject):
        if not _terms(other) & _terms(stated):
            raise Failure(f"the card says {stated}, and {origin} {other}")


def _other_licences(subject: Subject) -> list[tuple[str, str]]:
    """Return where else the licence of the model stands, and what is said there."""
    if subject.directory is not None:
        readme = subject.directory / "README.md"
        found = _LICENCE_FIELD.search(_text(readme)) if readme.is_file() else None
        return [] if found is None or found[1] == "other" else [("the weights' README.md", found[1])]
    if subject.card.source is not None:
        return []  # a remote service, whose terms no file here states
    try:
        stated = metadata(subject.record.package).json.get("license_expression")
    except PackageNotFoundError:
        stated = None
    return [] if stated is None else [(f"the metadata of {subject.record.package}", str(stated))]


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
        "Name on the card the SPDX licence that the weights' README or the distribution's metadata states.",
        _licence,
    ),
)
