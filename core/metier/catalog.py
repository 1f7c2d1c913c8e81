"""`Catalog`: every card that is known here, whatever brought it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from metier_contracts import (
    TASKS,
    InputError,
    ModelCard,
    Request,
    Task,
    UnknownModelError,
    UnknownTaskError,
)

from metier.plugins import PluginHost, PluginRecord

Origin = Literal["plugin", "fitted", "config", "runtime"]


@dataclass(frozen=True)
class Entry:
    """A card, where it came from, and its plugin (None where no such plugin is installed)."""

    card: ModelCard
    origin: Origin
    plugin: PluginRecord | None

    @property
    def ready(self) -> bool:
        """Whether the plugin's code can be imported as far as its manifest tells."""
        return self.plugin is not None and self.plugin.state == "ready"


class Catalog:
    """Cards by id. Nearer origins stand over farther ones: runtime, config, fitted, plugin."""

    def __init__(self, host: PluginHost, cards: Mapping[Origin, Iterable[ModelCard]]) -> None:
        self._host = host
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
                    require_task(task)
            self._entries[card.id] = Entry(card, origin, self._host.find(card.plugin))

    def add(self, origin: Origin, card: ModelCard) -> None:
        """Add one card, over any of the same id."""
        self._add(origin, (card,))

    @property
    def entries(self) -> Sequence[Entry]:
        """All entries, by id."""
        return sorted(self._entries.values(), key=lambda entry: entry.card.id)

    def __contains__(self, model: str) -> bool:
        return model in self._entries

    def get(self, model: str) -> Entry:
        """Return the entry of a model id; raise `UnknownModelError` with the nearest ids otherwise."""
        try:
            return self._entries[model]
        except KeyError:
            near = difflib.get_close_matches(model, self._entries, n=3, cutoff=0.4)
            raise UnknownModelError(
                f"no model has the id {model!r}",
                expected=f"perhaps {', '.join(map(repr, near))}" if near else "one of those in `metier models`",
                got=repr(model),
                blame="the model asked for",
                hint="`metier models` lists all ids; a quarantined plugin's models are missing there (`metier doctor`)",
            ) from None

    def serving(self, task: str) -> list[Entry]:
        """Return the entries whose cards serve a task, by id."""
        return [entry for entry in self.entries if task in entry.card.tasks]


def task_of(request: object) -> Task:
    """Return the task of a request; raise `InputError` where it is no request, `UnknownTaskError` where unheard of."""
    if not isinstance(request, Request):
        raise InputError(
            "that is not a request",
            expected=f"one of {', '.join(task.request.__name__ for task in TASKS.values())}",
            got=f"{type(request).__name__}: {request!r:.80}",
            blame="the first argument of run",
            hint="for a pipeline call run(pipeline, value)",
        )
    return require_task(request.task)


def require_task(name: str) -> Task:
    """Return the task of that name; raise `UnknownTaskError` where nobody knows it."""
    task = TASKS.get(name)
    if task is not None:
        return task
    near = difflib.get_close_matches(name, TASKS, n=1)
    raise UnknownTaskError(
        f"no task is named {name!r}",
        expected=f"perhaps {near[0]!r}; all are {', '.join(TASKS)}" if near else f"one of {', '.join(TASKS)}",
        got=repr(name),
        blame="the task named",
    )
