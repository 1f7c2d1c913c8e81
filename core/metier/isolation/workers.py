"""`Workers`: which plugins run in processes of their own, as the settings say."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING

from metier_contracts import ConfigError

from metier.config import Config, Isolation
from metier.plugins.discovery import PluginRecord

if TYPE_CHECKING:
    from metier.isolation.supervision import Worker

_OTHERS = "*"


def protection(record: PluginRecord, config: Config) -> Isolation:
    """Return where a plugin runs: "inproc" shares the process of the runtime, and may take it along when it fails."""
    return config.isolation.get(record.name, config.isolation.get(_OTHERS, "inproc"))


class Workers:
    """The workers of a runtime, one for each plugin that is isolated and in use."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._workers: dict[str, Worker] = {}
        self._lock = threading.Lock()

    def of(self, record: PluginRecord) -> Worker | None:
        """Return the worker of a plugin; None where it runs in this process.

        Raises:
            ConfigError: this system cannot run workers.
        """
        if protection(record, self._config) == "inproc":
            return None
        if os.name != "posix":
            raise _no_workers(record)
        with self._lock:
            worker = self._workers.get(record.name)
            if worker is None:
                worker = self._workers[record.name] = self._made(record)
            return worker

    def _made(self, record: PluginRecord) -> Worker:
        # Only here: a runtime without workers needs none of what they need.
        from metier.isolation.supervision import Worker

        memory = self._config.worker_memory or self._config.memory
        return Worker(record, path=sys.path, memory=memory, load_timeout=self._config.load_timeout)

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            workers = list(self._workers.values())
            self._workers.clear()
        for worker in workers:
            worker.close()


def _no_workers(record: PluginRecord) -> ConfigError:
    return ConfigError(
        f"the plugin {record.name!r} cannot be isolated on this system",
        expected="Linux or macOS, whose processes can hand each other memory",
        got=sys.platform,
        blame="the setting isolation",
        hint=f'isolation = {{ {record.name} = "inproc" }}',
    )
