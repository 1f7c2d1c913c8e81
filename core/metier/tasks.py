"""`Tasks`: the kinds of work that are known here, the built-in ones and those that plugins bring."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metier_contracts import TASKS, Contribution, InputError, MetierError, Probes, Request, Task, UnknownTaskError

from metier.plugins.discovery import PluginRecord, discover
from metier.plugins.importing import load_task, quarantined


@dataclass(frozen=True)
class TaskInfo:
    """What is known of a task before its code is imported.

    `plugin`: the plugin that brings it, None for a built-in one. `json_schema`: of its requests, as the plugin's
    manifest states it; None where that states none, and for a built-in one, whose `Task` tells.
    """

    name: str
    help: str
    plugin: PluginRecord | None = None
    json_schema: Mapping[str, Any] | None = None


class Tasks(Collection[str]):
    """Tasks by name. Listing them reads manifests; the code of a plugin's task is imported when it is first used.

    Args:
        records: the plugins that may bring tasks; none for the built-in tasks alone.
    """

    def __init__(self, records: Sequence[PluginRecord] = ()) -> None:
        self._records = records
        self._known = dict(TASKS)
        self._brought: dict[str, tuple[PluginRecord, Contribution]] = {}
        for record in records:
            if record.manifest is not None and record.state != "quarantined":
                self._brought |= {task.name: (record, task) for task in record.manifest.tasks}

    @classmethod
    def installed(cls) -> Tasks:
        """Return the tasks of the plugins that are installed, for who has no runtime at hand."""
        return cls(discover())

    def __iter__(self) -> Iterator[str]:
        """Yield the names, the built-in ones first."""
        return iter([*TASKS, *sorted(self._brought)])

    def __len__(self) -> int:
        return len(TASKS) + len(self._brought)

    def __contains__(self, name: object) -> bool:
        return name in TASKS or name in self._brought

    def infos(self) -> Sequence[TaskInfo]:
        """Return a row for each task. No plugin is imported for it."""
        own = [TaskInfo(task.name, task.summary) for task in TASKS.values()]
        brought = [self._brought[name] for name in sorted(self._brought)]
        return [*own, *(TaskInfo(task.name, task.help, record, task.json_schema) for record, task in brought)]

    def get(self, name: str, blame: str = "the task named") -> Task:
        """Return the task of that name. `blame`: who named it.

        Raises:
            UnknownTaskError: nobody knows it; the message names the nearest.
            PluginQuarantinedError: the plugin that brings it is broken.
        """
        task = self._known.get(name)
        if task is None:
            self.require(name, blame)
            task = self._known.setdefault(name, load_task(*self._brought[name]))
        return task

    def of(self, request: object) -> Task:
        """Return the task of a request.

        Raises:
            InputError: it is no request, or of another class than the requests of its task.
            MetierError: as from `get`.
        """
        if not isinstance(request, Request):
            raise InputError(
                "that is not a request",
                expected=f"one of {', '.join(task.request.__name__ for task in self._known.values())}",
                got=f"{type(request).__name__}: {request!r:.80}",
                blame="the first argument of run",
                hint="for a pipeline call run(pipeline, value)",
            )
        task = self._known.get(request.task) or self.get(request.task, f"the class {_place(type(request))}")
        if not isinstance(request, task.request):
            raise InputError(
                f"a request of {task.name} is not of the class that its task names",
                expected=_place(task.request),
                got=_place(type(request)),
                blame="the class of the request",
                hint="import it from where the task's plugin has it",
            )
        return task

    def probes(self, name: str) -> Sequence[Probes]:
        """Return the requests by which models of a task are measured: none where it is unknown or broken."""
        try:
            return self.get(name).probes
        except MetierError:
            return ()

    def version(self, name: str) -> str:
        """Return the version of the plugin that brings a task, "" for a built-in one."""
        return self._brought[name][0].version if name in self._brought else ""

    def require(self, name: str, blame: str = "the task named") -> None:
        """Raise what `get` raises where the manifests do not tell of the task; no plugin is imported for it."""
        if name in self:
            return
        for record in self._records:
            if record.manifest is not None and any(task.name == name for task in record.manifest.tasks):
                raise quarantined(record)
        near = difflib.get_close_matches(name, list(self), n=1)
        names = ", ".join(self)
        raise UnknownTaskError(
            f"no task is named {name!r}",
            expected=f"perhaps {near[0]!r}; all are {names}" if near else f"one of {names}",
            got=repr(name),
            blame=blame,
            hint="correct it, or install the plugin that brings it (`metier doctor` lists those found)",
        )


def strangers(records: Sequence[PluginRecord]) -> dict[str, list[str]]:
    """Return, by the ids of plugins' models, the tasks on their cards that no plugin brings."""
    tasks = Tasks(records)
    manifests = [record.manifest for record in records if record.manifest is not None and record.state != "quarantined"]
    unknown = {
        card.id: [task for task in card.tasks if task not in tasks] for held in manifests for card in held.models
    }
    return {model: names for model, names in unknown.items() if names}


def _place(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
