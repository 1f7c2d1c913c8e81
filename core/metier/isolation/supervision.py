"""`Worker`: one plugin's process for as long as the plugin has models, started again whenever it died."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from metier_contracts import CallContext, ModelCard, Placement, WorkerDiedError

from metier.isolation.gate import Backoff, Gate
from metier.isolation.model import IsolatedModel, Tenancy, model_of
from metier.isolation.process import Launch, Process
from metier.memory import default_budget
from metier.plugins.discovery import PluginRecord
from metier.tasks import Tasks

LOAD_SECONDS = 600.0
GRACE_SECONDS = 2.0

T = TypeVar("T")


class Worker:
    """Runs one plugin in a process of its own.

    Args:
        record: the plugin, which is imported in the worker alone.
        python: the interpreter of an environment that has both the plugin and metier.
        path: the worker's `sys.path`, None for that interpreter's own.
        environment: its environment variables, None for those of this process.
        memory: the most bytes it may hold; None for the default budget of models.
        load_timeout: the most seconds in which it has to start and load a model.
        grace: the seconds that a model has to answer after a deadline or a cancellation, before the worker is killed.
        backoff: how long to wait between starts.
    """

    def __init__(
        self,
        record: PluginRecord,
        *,
        python: Path | None = None,
        path: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        memory: int | None = None,
        load_timeout: float = LOAD_SECONDS,
        grace: float = GRACE_SECONDS,
        backoff: Backoff | None = None,
    ) -> None:
        self._launch = Launch(
            record,
            Path(sys.executable) if python is None else python,
            path,
            environment,
            default_budget() if memory is None else memory,
            load_timeout,
            grace,
        )
        self._backoff = backoff or Backoff()
        self._gate = Gate()
        self._process: Process | None = None
        self._tenancies: set[Tenancy] = set()
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The id of the process, None while there is none."""
        process = self._process
        return process.pid if process is not None and process.alive else None

    def load(self, card: ModelCard, placement: Placement, tasks: Tasks) -> IsolatedModel:
        """Return a model of the plugin, loaded in the worker. `tasks`: those that are known in this process.

        Raises:
            PluginQuarantinedError: the plugin does not import there.
            ModelLoadError: the plugin is fine and the model is not, or was not loaded in time.
            WorkerDiedError: the worker died at it twice.
        """
        tenancy = Tenancy(card, placement, self._launch.load_timeout, tasks)
        with self._lock:
            self._tenancies.add(tenancy)
        try:
            self.again(tenancy.settle, CallContext())
        except BaseException:
            self.released(tenancy)
            raise
        return model_of(self, tenancy)

    def run(self, work: Callable[[Process], T], context: CallContext) -> T:
        """Do some work with the running process, beside other work."""
        with self._gate.shared(context):
            return self._work(work, context)

    def run_alone(self, work: Callable[[Process], T], context: CallContext) -> T:
        """Do some work while the process does no other."""
        with self._gate.alone(context):
            return self._work(work, context)

    def again(self, work: Callable[[Process], T], context: CallContext) -> T:
        """Do some work, and once more, alone, if the process died at it."""
        try:
            return self.run(work, context)
        except WorkerDiedError:
            return self.run_alone(work, context)

    def _work(self, work: Callable[[Process], T], context: CallContext) -> T:
        process = self._running(context)
        done = work(process)
        self._backoff.worked()
        return done

    def _running(self, context: CallContext) -> Process:
        """Return the process, started if there is none that lives."""
        while True:
            with self._lock:
                if self._process is not None and self._process.alive:
                    return self._process
                if self._process is not None:
                    self._process = None
                    self._backoff.died()
                pause = self._backoff.seconds()
                if pause == 0:
                    self._process = Process(self._launch)
                    return self._process
            context.wait(pause)

    def running(self) -> Process | None:
        """Return the process if it lives."""
        process = self._process
        return process if process is not None and process.alive else None

    def released(self, tenancy: Tenancy) -> None:
        """Forget a model; with the last one the process ends, and gives back all that it held."""
        with self._lock:
            self._tenancies.discard(tenancy)
            if self._tenancies:
                return
        self.close()

    def close(self) -> None:
        """End the process."""
        with self._lock:
            process, self._process = self._process, None
        if process is not None:
            process.kill("its last model was closed")
