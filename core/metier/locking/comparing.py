"""What differs between a lock and a machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from metier_contracts import CONTRACT_VERSION, Contract, MetierError

from metier._version import __version__
from metier.catalog import Entry
from metier.locking.inventory import Inventory
from metier.locking.lockfile import Lock, LockedModel, LockedPlugin


class Difference(Contract):
    """One thing that is not as the lock has it. `fix`: what to type."""

    kind: Literal["metier", "plugin", "model", "file"]
    name: str
    locked: str
    found: str
    fix: str = ""

    def __str__(self) -> str:
        """Return it in a line, and in a second one what to type."""
        said = f"{self.kind} {self.name}: locked {self.locked}, found {self.found}"
        return f"{said}\n  fix: {self.fix}" if self.fix else said


def differences(lock: Lock, inventory: Inventory) -> list[Difference]:
    """Return all that differs: metier, plugins by version, models by card, files by sha256. Each file is read."""
    found = installed_differences(lock, inventory)
    for model in lock.models:
        found += model_differences(model, inventory)
    return found


def installed_differences(lock: Lock, inventory: Inventory, install: str | None = None) -> list[Difference]:
    """Return what of metier and its plugins is absent or of another version.

    `install`: the line that installs the wheels of an export; what has none there is installed from an index.
    """
    found = [*_metier(lock, install)]
    for plugin in lock.plugins:
        found += _plugin(plugin, inventory, install if lock.has_wheel(plugin.package) else None)
    return found


def model_differences(model: LockedModel, inventory: Inventory) -> list[Difference]:
    """Return how a model differs in its card, or else in its files."""
    return card_differences(model, inventory) or file_differences(model, inventory)


def card_differences(model: LockedModel, inventory: Inventory) -> list[Difference]:
    """Return what the card here says otherwise, or that there is none."""
    if model.id in inventory.catalog:
        return list(_card(model, inventory.catalog.get(model.id)))
    fixes = {"fitted": "metier sync --offline DIR", "config": "add its card to metier.toml"}
    fix = fixes.get(model.origin, f"install the plugin {model.plugin!r}")
    return [Difference(kind="model", name=model.id, locked=_kind(model), found="no such model", fix=fix)]


def file_differences(model: LockedModel, inventory: Inventory) -> list[Difference]:
    """Return which files of a model that is known here are absent, or not as they are locked."""
    return list(_files(model, inventory.catalog.get(model.id), inventory))


def _metier(lock: Lock, install: str | None) -> Iterator[Difference]:
    fix = install if install and lock.has_wheel("metier") else f'pip install "metier=={lock.metier}"'
    if lock.metier != __version__:
        yield Difference(kind="metier", name="metier", locked=lock.metier, found=__version__, fix=fix)
    if lock.contract != CONTRACT_VERSION:
        yield Difference(kind="metier", name="contract", locked=lock.contract, found=CONTRACT_VERSION, fix=fix)


def _plugin(plugin: LockedPlugin, inventory: Inventory, install: str | None) -> Iterator[Difference]:
    record = inventory.host.find(plugin.name)
    locked, fix = f"{plugin.package} {plugin.version}", install or f'pip install "{plugin.requirement}"'
    if record is None:
        yield Difference(kind="plugin", name=plugin.name, locked=locked, found="not installed", fix=fix)
    elif (found := f"{record.package} {record.version}") != locked:
        yield Difference(kind="plugin", name=plugin.name, locked=locked, found=found, fix=fix)
    elif record.state != "ready":
        found = f"{record.state}, {record.cause}"
        mend = install if install and record.state == "available" else record.fix
        yield Difference(kind="plugin", name=plugin.name, locked=locked, found=found, fix=mend)


def _kind(model: LockedModel) -> str:
    return "a fitted model" if model.origin == "fitted" else f"a model of plugin {model.plugin!r}"


def _card(model: LockedModel, entry: Entry) -> Iterator[Difference]:
    """Yield what the card here says otherwise. Where a path lies is each machine's own affair."""
    card = entry.card
    fitted = entry.origin == "fitted"
    if fitted != (model.origin == "fitted"):
        other = "a fitted model" if fitted else f"a model of plugin {card.plugin!r}"
        yield Difference(kind="model", name=model.id, locked=_kind(model), found=other)
        return
    on_paths = all((source or "").startswith("path:") for source in (model.source, card.source))
    pairs: list[tuple[str, str | None, str | None]] = [
        ("plugin", model.plugin, card.plugin),
        ("licence", model.licence, card.licence),
    ]
    if not fitted and not on_paths:
        pairs += [("source", model.source, card.source), ("revision", model.revision, card.revision)]
    for name, locked, found in pairs:
        if locked != found:
            yield Difference(kind="model", name=model.id, locked=f"{name} {locked}", found=f"{name} {found}")


def _files(model: LockedModel, entry: Entry, inventory: Inventory) -> Iterator[Difference]:
    holding = inventory.holding(entry)
    fetch = "metier sync" if (model.source or "").startswith(("hf:", "wheel:")) else "metier sync --offline DIR"
    if holding is None:
        if model.files:
            said = f"{len(model.files)} files, {model.bytes:,} bytes"
            yield Difference(kind="model", name=model.id, locked=said, found="absent", fix=fetch)
        return
    locked, digests = {file.name: file.sha256 for file in model.files}, holding.digests()
    for name in sorted(locked.keys() | digests.keys()):
        yield from file_difference(holding.folder / name, locked.get(name), digests.get(name), fetch)


def file_difference(path: Path, locked: str | None, found: str | None, fix: str) -> Iterator[Difference]:
    """Yield that a file is not of the sha256 that is locked, where it is not. None is for no file. `fix` brings it."""
    if locked != found:
        yield Difference(
            kind="file",
            name=str(path),
            locked=f"sha256 {locked}" if locked else "no such file",
            found=f"sha256 {found}" if found else "absent",
            fix=fix if locked else "remove the file",
        )


def failure(error: MetierError, model: LockedModel) -> Difference:
    """Return what kept a model from being brought here."""
    return Difference(
        kind="model", name=model.id, locked=_kind(model), found=f"{error.summary}: {error.got}", fix=error.hint or ""
    )
