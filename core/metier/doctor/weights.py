"""Whether the weights of each model are here, and as they were pulled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from metier_contracts import Contract, WeightsError

from metier.catalog import Entry
from metier.fitted import card_file
from metier.locking.inventory import Holding, Inventory
from metier.permission import unlicensed
from metier.weights import sha256_of
from metier.weights.checksum import card_digests
from metier.weights.folder import RECORD_NAME

WeightState = Literal["none needed", "remote", "absent", "here", "altered"]


class ModelWeights(Contract):
    """A model, its licence, and the state of its weights.

    `allowed`: whether `licence_policy` allows its licence. `altered`: the files that are gone or not as they were.
    """

    model: str
    plugin: str
    licence: str
    allowed: bool
    state: WeightState
    altered: tuple[str, ...] = ()
    fix: str = ""


def examine_weights(inventory: Inventory, *, verify: bool = False) -> list[ModelWeights]:
    """Return the state of each model's weights.

    A file is compared by its sha256 where it is newer than the record of its pull or the sizes do not add up; with
    `verify` every file is, which reads them all.
    """
    return [_examined(entry, inventory, verify) for entry in inventory.catalog.entries]


def _examined(entry: Entry, inventory: Inventory, verify: bool) -> ModelWeights:
    state, altered = _state(entry, inventory, verify)
    model = entry.card.id
    mended = f"metier pull {model} --force" if _is_pulled(entry) else "restore the files, or correct sha256 on the card"
    if entry.origin == "fitted":
        mended = "fit the model again"
    fixes: Mapping[WeightState, str] = {"absent": f"metier pull {model}", "altered": mended}
    return ModelWeights(
        model=model,
        plugin=entry.card.plugin,
        licence=entry.card.licence,
        allowed=not unlicensed(entry, inventory.catalog, inventory.config),
        state=state,
        altered=altered,
        fix=fixes.get(state, ""),
    )


def _is_pulled(entry: Entry) -> bool:
    return (entry.card.source or "").startswith(("hf:", "wheel:"))


def _state(entry: Entry, inventory: Inventory, verify: bool) -> tuple[WeightState, tuple[str, ...]]:
    if entry.card.remote:
        return "remote", ()
    if entry.card.source is None:
        return "none needed", ()
    try:
        holding = inventory.holding(entry)
        if holding is None:
            return "absent", ()
        altered = tuple(_altered(entry, holding, verify))
    except WeightsError as error:
        return "altered", (error.summary,)
    return ("altered" if altered else "here"), altered


def _altered(entry: Entry, holding: Holding, verify: bool) -> Iterator[str]:
    digests = _digests(entry, holding)
    suspects = digests.keys() if verify else _suspects(entry, holding, digests)
    for name, digest in digests.items():
        path = holding.folder / name
        if name not in holding.names or (name in suspects and sha256_of(path) != digest):
            yield str(path)


def _digests(entry: Entry, holding: Holding) -> Mapping[str, str]:
    if holding.record is not None:
        return holding.record.files
    return card_digests(entry.card, holding.names) if entry.card.sha256 is not None else {}


def _suspects(entry: Entry, holding: Holding, digests: Mapping[str, str]) -> set[str]:
    """Return the files that may have been written since what records their digests was; without that, none."""
    written = _recorded_at(entry, holding)
    if written is None:
        return set()
    stats = {name: (holding.folder / name).stat() for name in digests if name in holding.names}
    if holding.record is not None and holding.record.bytes != sum(stat.st_size for stat in stats.values()):
        return set(stats)
    return {name for name, stat in stats.items() if stat.st_mtime_ns > written}


def _recorded_at(entry: Entry, holding: Holding) -> int | None:
    path: Path | None = None if holding.record is None else holding.folder / RECORD_NAME
    if entry.origin == "fitted":
        path = card_file(entry.card.id)
    return None if path is None else path.stat().st_mtime_ns
