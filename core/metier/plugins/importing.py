"""Importing what a plugin brings, and what is said where that fails: the one place that imports plugin code."""

from __future__ import annotations

from importlib import import_module

import pluggy
from metier_contracts import (
    Contribution,
    PluginError,
    PluginQuarantinedError,
    PluginUnavailableError,
    Task,
)
from metier_contracts.hooks import PROJECT, Hooks

from metier.plugins.discovery import PluginRecord


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
        raise quarantined(record.quarantine(cause, record.environment.bare)) from error
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
            f"the plugin {name!r} lacks what its extra installs", got=record.cause, blame=who(record), hint=record.fix
        )
    if record.state == "quarantined":
        raise quarantined(record)
    return record


def quarantined(record: PluginRecord) -> PluginQuarantinedError:
    """Return the error that says why a plugin is set aside and what mends it."""
    return PluginQuarantinedError(
        f"the plugin {record.name!r} is set aside", got=record.cause, blame=who(record), hint=record.fix
    )


def who(record: PluginRecord) -> str:
    """Return how messages name a plugin."""
    return f"plugin {record.name!r} of {record.package} {record.version}"
