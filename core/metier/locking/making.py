"""Making a lock of what is on this machine."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from metier_contracts import CONTRACT_VERSION, InputError

from metier._version import __version__
from metier.catalog import Entry
from metier.locking.inventory import Inventory
from metier.locking.lockfile import Lock, LockedFile, LockedModel, LockedPlugin
from metier.weights import terminal_progress


def models_in_use(inventory: Inventory) -> list[str]:
    """Return the models that this machine uses, by what it tells: the settings name them, or they are here.

    These are the defaults and cards of the settings, the fitted models, and those whose weights have been pulled.
    """
    config, catalog = inventory.config, inventory.catalog
    named = {*config.defaults.values(), *(card.id for card in config.cards)}
    here = {entry.card.id for entry in catalog.entries if entry.origin == "fitted" or inventory.holding(entry)}
    return sorted(named | here)


def make_lock(inventory: Inventory, models: Collection[str] = ()) -> Lock:
    """Return a lock of these models and of their plugins; without any, of `models_in_use`.

    Weights that are not here are fetched first, since only what is here has digests; all are compared with their cards.

    Raises:
        InputError: no model is named, and none is in use. UnknownModelError: an id is no model's.
        WeightsError: weights cannot be had, or are not what the card says.
    """
    entries = inventory.whole(models or models_in_use(inventory))
    if not entries:
        raise InputError(
            "there is nothing to lock",
            expected="the ids of models, or models in use: pulled, fitted, or named in metier.toml",
            got="none",
            blame="the arguments of lock",
            hint="name models: `metier lock ID...`; `metier models` lists them",
        )
    return Lock(
        contract=CONTRACT_VERSION,
        metier=__version__,
        plugins=tuple(_plugins(inventory, entries)),
        models=tuple(_locked(inventory, entry) for entry in entries),
    )


def _plugins(inventory: Inventory, entries: Sequence[Entry]) -> list[LockedPlugin]:
    names = sorted({entry.card.plugin for entry in entries if entry.card.cascade is None})
    records = [record for name in names if (record := inventory.host.find(name)) is not None]
    return [
        LockedPlugin(
            name=record.name,
            package=record.package,
            version=record.version,
            extra=record.manifest.extra if record.manifest else None,
        )
        for record in records
    ]


def _locked(inventory: Inventory, entry: Entry) -> LockedModel:
    card = entry.card
    with terminal_progress(f"pull {card.id}") as progress:
        inventory.store.ensure(card, progress=progress)
    holding = inventory.holding(entry)
    record = None if holding is None else holding.record
    digests = {} if holding is None else holding.digests()
    return LockedModel(
        id=card.id,
        plugin=card.plugin,
        origin="fitted" if entry.origin == "fitted" else "plugin" if entry.origin == "plugin" else "config",
        licence=card.licence,
        source=None if entry.origin == "fitted" else card.source,
        revision=card.revision,
        archive=None if record is None else record.archive,
        files=tuple(
            LockedFile(name=name, sha256=digest, bytes=(holding.folder / name).stat().st_size)
            for name, digest in sorted(digests.items())
            if holding is not None
        ),
    )
