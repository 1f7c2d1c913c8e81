"""`PluginHost`: the one place that imports plugin code."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import pluggy
from metier_contracts import (
    Contribution,
    MetierError,
    Model,
    ModelCard,
    ModelLoadError,
    Placement,
    PluginError,
    PluginQuarantinedError,
    PluginUnavailableError,
    Task,
)
from metier_contracts.hooks import PROJECT, Hooks

from metier.plugins.discovery import PluginRecord, discover

if TYPE_CHECKING:
    from metier.isolation import Worker, Workers

_METHODS = ("infer", "resident_bytes", "close")


class PluginHost:
    """Holds the records of all plugins, and imports one when a model of it is first loaded.

    A plugin that fails to import is quarantined in this host: its record changes, and no other plugin is touched.
    `workers`: those of the plugins that run in processes of their own; None runs all of them in this one.
    """

    def __init__(self, records: Sequence[PluginRecord] | None = None, workers: Workers | None = None) -> None:
        found = discover() if records is None else records
        self._records = list(found)
        # One manager a plugin: a hook of one can never be called with a card of another.
        self._imported: dict[str, pluggy.PluginManager] = {}
        self._workers = workers
        self._lock = threading.Lock()

    @property
    def records(self) -> Sequence[PluginRecord]:
        """Every plugin, broken ones included."""
        return tuple(self._records)

    def find(self, name: str) -> PluginRecord | None:
        """Return the plugin of that name (the healthy one where several claim it), or None."""
        named = [record for record in self._records if record.name == name]
        return min(named, key=lambda record: record.state == "quarantined", default=None)

    def load_model(self, card: ModelCard, placement: Placement) -> Model:
        """Import the card's plugin if need be, and return what its `metier_load` returns.

        Raises:
            PluginUnavailableError: its extra is not installed.
            PluginQuarantinedError: it is broken.
            ModelLoadError: the plugin is fine and the model is not.
            WorkerDiedError: the plugin is isolated, and its process died at it.
        """
        with self._lock:
            record = require_usable(card.plugin, self.find(card.plugin))
        worker = None if self._workers is None else self._workers.of(record)
        return self._load_here(card, placement) if worker is None else self._load_there(worker, record, card, placement)

    def _load_there(self, worker: Worker, record: PluginRecord, card: ModelCard, placement: Placement) -> Model:
        from metier.tasks import Tasks  # which reads records as this module does

        try:
            return worker.load(card, placement, Tasks(self._records))
        except PluginQuarantinedError as error:
            with self._lock:
                self._set_aside(record, record.quarantine(error.got or "", error.hint or ""))
            raise
        except MetierError as error:
            error.blame = error.blame or _who(record)
            raise

    def _load_here(self, card: ModelCard, placement: Placement) -> Model:
        with self._lock:
            record = require_usable(card.plugin, self.find(card.plugin))
            manager = self._imported.get(record.name) or self._import(record)
        try:
            model = manager.hook.metier_load(card=card, placement=placement)
        except MetierError as error:
            error.blame = error.blame or _who(record)
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise _load_error(card, record, f"{type(error).__name__}: {error}") from error
        if not isinstance(model, Model):
            absent = ", ".join(method for method in _METHODS if not hasattr(model, method))
            got = f"metier_load returned {type(model).__name__}, not a Model: it has no {absent}"
            raise _load_error(card, record, got)
        return model

    def _import(self, record: PluginRecord) -> pluggy.PluginManager:
        try:
            manager = import_plugin(record.module, record.name)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            broken = quarantine_import(record, error)
            self._set_aside(record, broken)
            raise quarantined(broken) from error
        self._imported[record.name] = manager
        return manager

    def _set_aside(self, record: PluginRecord, broken: PluginRecord) -> None:
        self._records = [broken if known == record else known for known in self._records]


def import_plugin(module: str, name: str) -> pluggy.PluginManager:
    """Import a plugin's module and return a manager of its hooks; what the import raises comes as it is.

    Raises:
        PluginError: the module implements no `metier_load`.
    """
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(import_module(module), name)
    if not manager.hook.metier_load.get_hookimpls():
        raise PluginError(f"{module} implements no metier_load hook")
    return manager


def load_task(record: PluginRecord, contribution: Contribution) -> Task:
    """Return the task that a plugin brings, importing the module it stands in, and no other of the plugin's.

    Raises:
        PluginQuarantinedError: it cannot be imported, or is not the task that the manifest names.
    """
    try:
        return import_task(contribution.object, contribution.name)
    except KeyboardInterrupt:
        raise
    except ModuleNotFoundError as error:
        if record.environment is None:
            raise quarantined(quarantine_import(record, error, contribution.object)) from error
        cause = f"its requests are made here, where {error.name} is not installed: {contribution.object} needs it"
        raise quarantined(record.quarantine(cause, f"pip install --no-deps {record.package}")) from error
    except BaseException as error:
        raise quarantined(quarantine_import(record, error, contribution.object)) from error


def import_task(place: str, name: str) -> Task:
    """Return the `Task` at "module:attribute"; what the import raises comes as it is.

    Raises:
        PluginError: there is none, or one of another name.
    """
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute, None)
    if not isinstance(found, Task):
        raise PluginError(f"{place} is no Task of metier_contracts, but {found!r:.80}")
    if found.name != name:
        raise PluginError(f"the task at {place} is named {found.name!r}, and in the manifest {name!r}")
    return found


def quarantine_import(record: PluginRecord, error: BaseException, place: str = "") -> PluginRecord:
    """Return the record of a plugin of which the import of `place` ("": of its module) raised `error`."""
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    return describe_import_failure(record, type(error).__name__, str(error), missing, place)


def describe_import_failure(
    record: PluginRecord, kind: str, text: str, missing: str | None, place: str = ""
) -> PluginRecord:
    """Return the record of a plugin whose import failed, with the cause and what mends it."""
    place = place or record.module
    own = record.module.partition(".")[0]
    if missing is not None and (top := missing.partition(".")[0]) != own:
        extra = record.manifest.extra if record.manifest is not None else None
        fix = f"{record.pip} install {top}" if extra is None else f'{record.pip} install "{record.package}[{extra}]"'
        return record.quarantine(f"missing dependency: {missing} (imported by {place})", fix)
    cause = f"import of {place} failed with {kind}" + (f": {text}" if text else "")
    return record.quarantine(cause)


def require_usable(name: str, record: PluginRecord | None) -> PluginRecord:
    """Return the record if models of the plugin can be loaded; else raise what says why not."""
    if record is None:
        raise PluginUnavailableError(
            f"no plugin {name!r} is installed",
            expected=f"a distribution with an entry point {name!r} in the group metier.plugins",
            got="none",
            blame="the card that names the plugin",
            hint="install the plugin, or correct the card; `metier doctor` lists the plugins found",
        )
    if record.state == "available":
        raise PluginUnavailableError(
            f"the plugin {name!r} lacks what its extra installs", got=record.cause, blame=_who(record), hint=record.fix
        )
    if record.state == "quarantined":
        raise quarantined(record)
    return record


def quarantined(record: PluginRecord) -> PluginQuarantinedError:
    """Return the error that says why a plugin is set aside and what mends it."""
    return PluginQuarantinedError(
        f"the plugin {record.name!r} is set aside", got=record.cause, blame=_who(record), hint=record.fix
    )


def _who(record: PluginRecord) -> str:
    return f"plugin {record.name!r} of {record.package} {record.version}"


def _load_error(card: ModelCard, record: PluginRecord, got: str) -> ModelLoadError:
    renewal = "" if card.source is None else f"`metier pull {card.id} --force` renews its weights; "
    return ModelLoadError(
        f"the model {card.id!r} could not be loaded",
        expected=f"a Model from metier_load: an object with {', '.join(_METHODS)}",
        got=got,
        blame=_who(record),
        hint=f"{renewal}`metier doctor` checks the plugin",
    )
