"""What is on this machine: plugins, cards, and the files of each model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from metier_contracts import ModelCard

from metier.catalog import Catalog, Entry
from metier.config import Config, load_settings
from metier.fitted import fitted_cards, folder_of
from metier.plugins import PluginHost, discover
from metier.weights import WeightStore, sha256_of
from metier.weights.folder import RECORD_NAME, Record, read_record
from metier.weights.source import PathSource, listed_files, parse_source


@dataclass(frozen=True)
class Holding:
    """A model's folder on this machine, the names of its files, and the record of the pull that brought them."""

    folder: Path
    names: tuple[str, ...]
    record: Record | None = None

    def digests(self) -> Mapping[str, str]:
        """Return the sha256 of each file, from the bytes as they are now."""
        return {name: sha256_of(self.folder / name) for name in self.names}


@dataclass(frozen=True)
class Inventory:
    """The settings, plugins and models of this machine, as they were when it was made. No plugin is imported for it."""

    config: Config
    host: PluginHost
    catalog: Catalog
    store: WeightStore

    @classmethod
    def here(cls, *, offline: bool = False) -> Self:
        """Return the inventory by the settings in force; `offline` adds to them."""
        config = load_settings(None, {"offline": True} if offline else None).config
        host = PluginHost(discover(config.isolation))
        catalog = Catalog(host, {"fitted": fitted_cards(), "config": config.cards})
        return cls(config, host, catalog, WeightStore(offline=config.offline, grants=config.grants))

    def holding(self, entry: Entry) -> Holding | None:
        """Return the files of a model that are here; None where they are absent, or there are none to be had."""
        if entry.origin == "fitted":
            return held(entry.card, folder_of(entry.card.id), fitted=True)
        folder = self.store.locate(entry.card)
        return None if folder is None else held(entry.card, folder)

    def whole(self, models: Iterable[str]) -> list[Entry]:
        """Return the entries of models and of all that they are composed of, by id, each once."""
        found: dict[str, Entry] = {}
        waiting = [self.catalog.get(model) for model in models]
        while waiting:
            entry = waiting.pop()
            if entry.card.id not in found:
                found[entry.card.id] = entry
                members = () if entry.card.cascade is None else entry.card.cascade.members
                waiting += [self.catalog.get(member) for member in members]
        return [found[model] for model in sorted(found)]


def held(card: ModelCard, folder: Path, *, fitted: bool = False) -> Holding:
    """Return the holding of a card whose weights lie in `folder`; of a fitted model its card belongs to it."""
    source = parse_source(card)
    if isinstance(source, PathSource) and not fitted:
        table = listed_files(card)
        names = (source.path.name,) if source.is_file else tuple(_files(folder)) if table is None else tuple(table)
        return Holding(folder, names)
    return Holding(folder, tuple(_files(folder)), read_record(folder))


def _files(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / RECORD_NAME:
            yield path.relative_to(folder).as_posix()
