"""`PluginHost`: the plugins of a runtime, each imported when a model of it is first loaded."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy
from metier_contracts import MetierError, Model, ModelCard, ModelLoadError, Placement, PluginQuarantinedError

from metier.plugins.discovery import PluginRecord, discover
from metier.plugins.importing import import_plugin, quarantine_import, quarantined, require_usable, who

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
            error.blame = error.blame or who(record)
            raise

    def _load_here(self, card: ModelCard, placement: Placement) -> Model:
        with self._lock:
            record = require_usable(card.plugin, self.find(card.plugin))
            manager = self._imported.get(record.name) or self._import(record)
        try:
            model = manager.hook.metier_load(card=card, placement=placement)
        except MetierError as error:
            error.blame = error.blame or who(record)
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


def _load_error(card: ModelCard, record: PluginRecord, got: str) -> ModelLoadError:
    renewal = "" if card.source is None else f"`metier pull {card.id} --force` renews its weights; "
    return ModelLoadError(
        f"the model {card.id!r} could not be loaded",
        expected=f"a Model from metier_load: an object with {', '.join(_METHODS)}",
        got=got,
        blame=who(record),
        hint=f"{renewal}`metier doctor` checks the plugin",
    )
