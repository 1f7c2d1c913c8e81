"""The wheels of an export: metier, its plugins and all that they require, at the versions that are installed here."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from metier_contracts import PluginError
from packaging.requirements import Requirement
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from metier.environments import installer
from metier.environments.environment import normalized
from metier.environments.installer import Report
from metier.environments.origin import requirement_of
from metier.locking.comparing import Difference, file_difference
from metier.locking.export import writing
from metier.locking.inventory import Inventory
from metier.locking.lockfile import Lock, LockedFile
from metier.weights import sha256_of
from metier.weights.folder import clear_partials, partial_folder, publish

_WHEELS, _REQUIREMENTS = "wheels", "requirements.txt"


def with_wheels(lock: Lock, inventory: Inventory, export: Path, report: Report) -> Lock:
    """Put the wheels of metier, of the plugins, and of all that they require into an export; return the lock with them.

    They take the place of those that the export has. Beside them lies a file of requirements with the digest of each,
    so that pip installs these and no others. They are for machines like this one: of its system, processor and Python.
    Plugins in environments of their own are left out.

    Args:
        lock: the lock.
        inventory: of this machine.
        export: the folder of the export.
        report: gets each line that pip prints.

    Raises:
        PluginError: something is not installed here, or pip can neither fetch nor build its wheel.
        WeightsError: there is no pip. StorageError: the folder cannot be written.
    """
    records = ((plugin, inventory.host.find(plugin.name)) for plugin in lock.plugins)
    plugins = [plugin.requirement for plugin, record in records if record is None or record.environment is None]
    needed, folder = closure([f"metier=={lock.metier}", *plugins]), export / _WHEELS
    with writing(folder):
        clear_partials(folder)
        return lock.replaced(wheels=_gather(needed, folder, report))


def _gather(needed: Sequence[Distribution], folder: Path, report: Report) -> tuple[LockedFile, ...]:
    with partial_folder(folder) as partial:
        installer.wheels([requirement_of(one) for one in needed], partial, report)
        wheels = tuple(
            LockedFile(name=path.name, sha256=sha256_of(path), bytes=path.stat().st_size)
            for path in sorted(partial.iterdir())
        )
        _check_versions(needed, wheels)
        (partial / _REQUIREMENTS).write_text("".join(map(_pinned, wheels)), encoding="utf-8")
        publish(partial, folder)
    return wheels


def closure(requirements: Iterable[str]) -> list[Distribution]:
    """Return the distributions that requirements name, and all that those require here, by name and each once.

    Raises:
        PluginError: one is not installed.
    """
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = [(Requirement(text), "the lock") for text in requirements]
    while waiting:
        wanted, whose = waiting.pop()
        name, extras = normalized(wanted.name), frozenset(wanted.extras)
        if (name, extras) not in seen:
            seen.add((name, extras))
            found[name] = _installed(wanted, whose)
            waiting += [(requirement, found[name].name) for requirement in _required(found[name], extras)]
    return [found[name] for name in sorted(found)]


def wheel_differences(lock: Lock, export: Path) -> Iterator[Difference]:
    """Yield which wheels of an export are absent, or not as they are locked."""
    for wheel in lock.wheels:
        path = export / _WHEELS / wheel.name
        digest = sha256_of(path) if path.is_file() else None
        fix = "write the export anew on the connected machine, or copy it again"
        yield from file_difference(path, wheel.sha256, digest, fix)


def install_line(export: Path) -> str:
    """Return what installs the wheels of an export, without network: those that are locked, and no others."""
    folder = export / _WHEELS
    places = shlex.quote(str(folder)), shlex.quote(str(folder / _REQUIREMENTS))
    return "python -m pip install --no-index --find-links {} --requirement {}".format(*places)


def _required(distribution: Distribution, extras: frozenset[str]) -> Iterator[Requirement]:
    for requirement in map(Requirement, distribution.requires or ()):
        marker = requirement.marker
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or ("",)):
            yield requirement


def _installed(wanted: Requirement, whose: str) -> Distribution:
    try:
        return distribution(wanted.name)
    except PackageNotFoundError:
        raise PluginError(
            f"no wheel of {wanted.name}: it is not installed here",
            expected=f"{wanted}, which {whose} requires",
            got="no such distribution",
            blame="this environment, whose versions the wheels have",
            hint=f'pip install "{wanted.name}{wanted.specifier}"',
        ) from None


def _check_versions(needed: Sequence[Distribution], wheels: Sequence[LockedFile]) -> None:
    """Raise where a wheel that was built from a checkout is of another version than what is installed from there."""
    built = {normalized(name): version for name, version, *_ in (parse_wheel_filename(one.name) for one in wheels)}
    for one in needed:
        found = built.get(normalized(one.name))
        if found != Version(one.version):
            raise PluginError(
                f"the wheel of {one.name} is of another version than what is installed here",
                expected=one.version,
                got=str(found),
                blame=f"{requirement_of(one)}, which has changed since it was installed",
                hint=f'pip install "{requirement_of(one)}"',
            )


def _pinned(wheel: LockedFile) -> str:
    name, version, *_ = parse_wheel_filename(wheel.name)
    return f"{name}=={version} --hash=sha256:{wheel.sha256}\n"
