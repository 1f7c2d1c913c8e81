"""`Workers`: which plugins run in processes of their own, as the settings say."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from metier_contracts import ConfigError

from metier.config import Config, Isolation
from metier.plugins.discovery import PluginRecord

if TYPE_CHECKING:
    from metier.isolation.supervision import Worker

_OTHERS = "*"
_OF_THIS_PYTHON = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


def protection(record: PluginRecord, config: Config) -> Isolation:
    """Return where a plugin runs: "inproc" shares the process of the runtime, and may take it along when it fails.

    One that is installed in an environment of its own runs there without a setting.
    """
    if record.environment is not None:
        return config.isolation.get(record.name, "venv")
    return config.isolation.get(record.name, config.isolation.get(_OTHERS, "inproc"))


class Workers:
    """The workers of a runtime, one for each plugin that is isolated and in use."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._workers: dict[str, Worker] = {}
        self._held = ExitStack()
        self._lock = threading.Lock()

    def of(self, record: PluginRecord) -> Worker | None:
        """Return the worker of a plugin; None where it runs in this process.

        Raises:
            ConfigError: this system cannot run workers, or the plugin is not installed where it is set to run.
            PluginUnavailableError: its environment was replaced or uninstalled since it was found.
        """
        where = protection(record, self._config)
        if (where == "venv") != (record.environment is not None):
            raise _elsewhere(record, where)
        if where == "inproc":
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
        from metier.environments.holding import hold
        from metier.isolation.supervision import Worker

        memory = self._config.worker_memory or self._config.memory
        if record.environment is None:
            return Worker(record, path=sys.path, memory=memory, load_timeout=self._config.load_timeout)
        self._held.enter_context(hold(record.environment))
        return Worker(
            record,
            python=record.environment.python,
            environment={name: value for name, value in os.environ.items() if name not in _OF_THIS_PYTHON},
            memory=memory,
            load_timeout=self._config.load_timeout,
        )

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            workers = list(self._workers.values())
            self._workers.clear()
        for worker in workers:
            worker.close()
        self._held.close()


def _no_workers(record: PluginRecord) -> ConfigError:
    return ConfigError(
        f"the plugin {record.name!r} cannot be isolated on this system",
        expected="Linux or macOS, whose processes can hand each other memory",
        got=sys.platform,
        blame="the setting isolation",
        hint=f'isolation = {{ {record.name} = "inproc" }}',
    )


def _elsewhere(record: PluginRecord, where: Isolation) -> ConfigError:
    blame = f"isolation of {record.name!r} in the settings"
    if record.environment is None:
        return ConfigError(
            f"the plugin {record.name!r} has no environment of its own",
            expected='"inproc" or "process", since it is installed in the environment of this program',
            got='"venv"',
            blame=blame,
            hint=f"metier plugin install {record.package} --isolated",
        )
    return ConfigError(
        f"the plugin {record.name!r} is installed in an environment of its own alone",
        expected='"venv", or no setting for it: what it requires is not in this process',
        got=f'"{where}"',
        blame=blame,
        hint=f"take the setting out, or install {record.package} here as well: metier plugin install {record.package}",
    )
