"""`Catalog`: every card that is known here, whatever brought it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

from metier_contracts import InputError, ModelCard, UnknownModelError

from metier._version import __version__
from metier.plugins import PluginHost, PluginRecord
from metier.plugins.importing import quarantined
from metier.tasks import Tasks

Origin = Literal["plugin", "fitted", "config", "runtime"]

_SHOWN: Mapping[Origin, str] = {
    "plugin": "a plugin",
    "fitted": "the fitted models on this machine",
    "config": "metier.toml or Runtime(config=...)",
    "runtime": "Runtime(cards=...)",
}


@dataclass(frozen=True)
class Entry:
    """A card, where it came from, and its plugin (None where no such plugin is installed).

    What is composed of other models is run by the runtime, whose record stands in the place of a plugin.
    """

    card: ModelCard
    origin: Origin
    plugin: PluginRecord | None

    @property
    def ready(self) -> bool:
        """Whether the plugin's code can be imported as far as its manifest tells."""
        return self.plugin is not None and self.plugin.state == "ready"


class Catalog:
    """Cards by id. Nearer origins stand over farther ones: runtime, config, fitted, plugin.

    `tasks`: those that cards may serve.
    """

    def __init__(self, host: PluginHost, cards: Mapping[Origin, Iterable[ModelCard]]) -> None:
        self._host = host
        self.tasks = Tasks(host.records)
        self._runtime = PluginRecord("metier", "metier", __version__, "metier", "ready")
        self._entries: dict[str, Entry] = {}
        for record in host.records:
            if record.state != "quarantined" and record.manifest is not None:
                self._add("plugin", record.manifest.models)
        for origin in ("fitted", "config", "runtime"):
            self._add(origin, cards.get(origin, ()))

    def _add(self, origin: Origin, cards: Iterable[ModelCard]) -> None:
        for card in cards:
            if origin != "plugin":
                for task in card.tasks:
                    self.tasks.require(task, f"the card {card.id!r} from {_SHOWN[origin]}")
            plugin = self._host.find(card.plugin) if card.cascade is None else self._runtime
            self._entries[card.id] = Entry(card, origin, plugin)

    def add(self, origin: Origin, card: ModelCard) -> None:
        """Add one card, over any of the same id."""
        self._add(origin, (card,))

    def refresh(self, plugin: str) -> None:
        """Take over what the host has learned of a plugin since: that it does not import."""
        for model, entry in list(self._entries.items()):
            if entry.card.plugin == plugin:
                self._entries[model] = replace(entry, plugin=self._host.find(plugin))

    @property
    def entries(self) -> Sequence[Entry]:
        """All entries, by id."""
        return sorted(self._entries.values(), key=lambda entry: entry.card.id)

    def __contains__(self, model: str) -> bool:
        return model in self._entries

    def get(self, model: str) -> Entry:
        """Return the entry of a model id.

        Raises:
            UnknownModelError: nothing has that id; the message names the nearest.
            PluginQuarantinedError: a plugin has it that is set aside.
        """
        check_id(model)
        entry = self._entries.get(model)
        return entry if entry is not None else self._missing(model)

    def _missing(self, model: str) -> NoReturn:
        for record in self._host.records:
            if record.manifest is not None and any(card.id == model for card in record.manifest.models):
                raise quarantined(record)
        near = difflib.get_close_matches(model, list(self._entries), n=3, cutoff=0.4)
        unread = [record.name for record in self._host.records if record.manifest is None]
        doubt = f"; those of {', '.join(unread)} are not known, `metier doctor` says why" if unread else ""
        raise UnknownModelError(
            f"no model has the id {model!r}",
            expected=f"perhaps {', '.join(map(repr, near))}" if near else "one of those in `metier models`",
            got=repr(model),
            blame="the model asked for",
            hint=f"`metier models` lists all ids{doubt}",
        )

    def members(self, entry: Entry) -> list[Entry]:
        """Return the entries of the models that this one is composed of, as far as they are there."""
        members = () if entry.card.cascade is None else entry.card.cascade.members
        return [self._entries[model] for model in members if model in self._entries]

    def ready(self, entry: Entry) -> bool:
        """Whether the code of a model, or of all models that it is composed of, can be imported."""
        expected = 0 if entry.card.cascade is None else len(entry.card.cascade.members)
        members = self.members(entry)
        return entry.ready and len(members) == expected and all(map(self.ready, members))

    def serving(self, task: str) -> list[Entry]:
        """Return the entries whose cards serve a task, by id."""
        return [entry for entry in self.entries if task in entry.card.tasks]


def check_id(model: object) -> None:
    """Raise `InputError` where `model` is no str."""
    if not isinstance(model, str):
        raise InputError(
            "a model is named by its id",
            expected="a str",
            got=f"{type(model).__name__}: {model!r:.80}",
            blame="model=...",
        )
