"""All that is examined, in one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from metier_contracts import ConfigError

from metier.decision import nvml
from metier.devices import DeviceQuery, TorchDevices, torch_version
from metier.doctor import machine
from metier.doctor.plugins import examine
from metier.doctor.requirements import Conflict, conflicts, installed_here
from metier.doctor.startup import PthFile, pth_files
from metier.doctor.weights import ModelWeights, examine_weights
from metier.fitted import unreadable_cards
from metier.isolation import protection
from metier.keys import keys_of
from metier.locking.inventory import Inventory
from metier.plugins.discovery import PluginRecord
from metier.tasks import strangers


@dataclass(frozen=True)
class Report:
    """What was found. `gpus`: why GPUs stand idle, None where none do. `keys`: whether each variable is set.

    `isolation`: where each plugin runs; "inproc" protects nothing from it. `strangers`: by model, the tasks on its card
    that no plugin brings.
    """

    plugins: Sequence[PluginRecord]
    isolation: Mapping[str, str]
    strangers: Mapping[str, Sequence[str]]
    conflicts: Sequence[Conflict]
    weights: Sequence[ModelWeights]
    machine: Mapping[str, str]
    gpus: str | None
    startup: Sequence[PthFile]
    keys: Mapping[str, bool]
    unreadable: Sequence[ConfigError]

    @property
    def broken(self) -> bool:
        """Whether something needs mending: a plugin set aside, a requirement unmet, weights altered, a card unread."""
        return bool(
            self.unreadable
            or self.conflicts
            or any(record.state == "quarantined" for record in self.plugins)
            or any(each.state == "altered" for each in self.weights)
        )

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON holds it."""
        return {
            "machine": dict(self.machine),
            "unused_gpus": self.gpus,
            "keys": dict(self.keys),
            "plugins": [self._plugin(record) for record in self.plugins],
            "strangers": {model: list(tasks) for model, tasks in self.strangers.items()},
            "conflicts": [each.model_dump(mode="json") for each in self.conflicts],
            "weights": [each.model_dump(mode="json") for each in self.weights],
            "startup": [each.model_dump(mode="json") for each in self.startup],
            "unreadable": [str(error) for error in self.unreadable],
        }

    def _plugin(self, record: PluginRecord) -> dict[str, Any]:
        manifest, isolation = record.manifest, self.isolation[record.name]
        return {
            "name": record.name,
            "package": record.package,
            "version": record.version,
            "contract": manifest.contract if manifest else None,
            "state": record.state,
            "cause": record.cause,
            "fix": record.fix,
            "isolation": isolation,
            "environment": None if record.environment is None else str(record.environment.folder),
            "protected": isolation != "inproc",
            "models": [card.id for card in manifest.models] if manifest else [],
            "tasks": [task.name for task in manifest.tasks] if manifest else [],
            "licences": sorted({card.licence for card in manifest.models}) if manifest else [],
        }


def examine_all(*, verify: bool = False, query: DeviceQuery | None = None) -> Report:
    """Examine this machine. Plugins are imported in child processes alone.

    Args:
        verify: read every file of the weights and compare its sha256.
        query: what is asked for devices; for tests.
    """
    query, inventory, installed = query or TorchDevices(), Inventory.here(), installed_here()
    records = examine(inventory.host.records)
    return Report(
        plugins=records,
        isolation={record.name: protection(record, inventory.config) for record in records},
        strangers=strangers(records),
        conflicts=conflicts([record for record in records if record.environment is None], installed),
        weights=examine_weights(inventory, verify=verify),
        machine=machine.describe(query),
        gpus=machine.unused_gpus(nvml.accelerators(), query, inventory.config, torch=torch_version()),
        startup=pth_files(installed),
        keys=keys_of([entry.card for entry in inventory.catalog.entries]),
        unreadable=unreadable_cards(),
    )
