"""Finding plugins: entry points and static manifests. No plugin is imported, and a broken one is data."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from metier_contracts import CONTRACT_VERSION, TASKS, ConfigError, Manifest, read_manifest
from metier_contracts._version import is_compatible, parse_contract_version
from metier_contracts.hooks import ENTRY_POINT_GROUP, MANIFEST_NAME

from metier._version import __version__
from metier.environments.environment import Environment, environments, normalized, plugin_points
from metier.environments.origin import checkout_of

State = Literal["ready", "available", "quarantined"]

_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class PluginRecord:
    """What is known of one plugin.

    `state`: "ready"; "available", when its extra is not installed; or "quarantined", when it is broken. `cause` and
    `fix` say why and what to type. `environment`: the one of its own that it is installed in, None for this one.
    `checkout`: the folder of its source, where it is installed in place (`pip install -e`).
    """

    name: str
    package: str
    version: str
    module: str
    state: State
    cause: str = ""
    fix: str = ""
    manifest: Manifest | None = None
    environment: Environment | None = None
    checkout: Path | None = None

    @property
    def pip(self) -> str:
        """What stands for `pip` on a command line that means the plugin's environment."""
        return "pip" if self.environment is None else self.environment.pip

    def tasks_absent_here(self) -> Sequence[str]:
        """Return the tasks that it brings from an environment of its own, whose requests cannot be made in this one."""
        if self.environment is None or self.manifest is None:
            return ()
        return [task.name for task in self.manifest.tasks if not _installed(task.object.partition(":")[0], None)]

    def quarantine(self, cause: str, fix: str | None = None) -> PluginRecord:
        """Return this record, set aside. `fix`: None where the plugin itself has to be mended."""
        return replace(self, state="quarantined", cause=cause, fix=fix or self.renewal())

    def renewal(self, option: str = "--upgrade") -> str:
        """Return what mends the plugin's own files: another copy of its distribution, or a correction in its source."""
        if self.checkout is not None:
            return f"correct it in {self.checkout}"
        return f"{self.pip} install {option} {self.package}"


def discover(isolation: Mapping[str, str] | None = None) -> list[PluginRecord]:
    """Return a record for every installed plugin, metier's own first, then by package and name.

    Args:
        isolation: the setting. Where a plugin is installed here and in an environment of its own, "venv" is the latter;
            what is not named is the one that can be used, and this one if both can.
    """
    there = list(_isolated())
    preferred = {name for name, where in (isolation or {}).items() if where == "venv"}
    usable_there = {record.name: record.package for record in there if record.state == "ready"}
    here = [record for record in _inspected() if not _gives_way(record, usable_there.get(record.name), preferred)]
    first = [record for record in there if record.name in preferred]
    rest = [record for record in there if record.name not in preferred]
    judged = _set_duplicates_aside([*sorted(first, key=_order), *sorted(here, key=_order), *sorted(rest, key=_order)])
    return sorted(judged, key=_order)


def _gives_way(record: PluginRecord, usable_there: str | None, preferred: Collection[str]) -> bool:
    """Return whether a plugin that is installed here goes by the one of its name in an environment of its own.

    What is here of the same package may be there for its tasks alone, without what its models require.
    """
    if record.package == usable_there:
        return record.state != "ready" or record.name in preferred
    return record.state == "available" and usable_there is not None


def _order(record: PluginRecord) -> tuple[bool, str, str]:
    return (record.package != "metier", record.package, record.name)


def _isolated() -> Iterator[PluginRecord]:
    """Look into the environments made for plugins."""
    for found in environments():
        if isinstance(found, Environment):
            yield from _inspected_in(found)
        else:
            name = Path(found.blame or "").stem
            broken = PluginRecord(name, name, "unknown", "", "ready")
            yield broken.quarantine(f"{found.summary}: {found.got}", found.hint or "")


def _inspected_in(environment: Environment) -> Iterator[PluginRecord]:
    try:
        points = environment.entry_points()
        cause = "its distribution is gone from its environment"
    except Exception as error:
        points, cause = {}, f"its distribution cannot be read: {type(error).__name__}: {error}"
    for name in environment.plugins:
        if name in points:
            yield inspect_entry_point(points[name], environment)
        else:
            lost = PluginRecord(name, environment.package, "unknown", "", "ready", environment=environment)
            yield lost.quarantine(cause, environment.renewal)


def _inspected() -> Iterator[PluginRecord]:
    """Look at each distribution by itself: where one is bad, `importlib.metadata.entry_points()` fails for all."""
    seen = set()
    for distribution in distributions():
        try:
            points = plugin_points(distribution)
        except Exception as error:
            if _mentions_group(distribution):
                yield _unparsed(distribution, error)
            continue
        if points:
            # A distribution found twice is the one nearer in sys.path, as it is for imports.
            package = normalized(_package(distribution)[0])
            if package not in seen or package == "unknown":
                seen.add(package)
                yield from map(inspect_entry_point, points)


def _mentions_group(distribution: Distribution) -> bool:
    try:
        return ENTRY_POINT_GROUP in (distribution.read_text("entry_points.txt") or "")
    except (OSError, ValueError):
        return False


def _unparsed(distribution: Distribution, error: Exception) -> PluginRecord:
    package, version = _package(distribution)
    record = PluginRecord(package, package, version, "", "ready", checkout=checkout_of(distribution))
    cause = f"its entry_points.txt cannot be read: {type(error).__name__}: {error}"
    return record.quarantine(cause, record.renewal("--force-reinstall"))


def _package(distribution: Distribution | None) -> tuple[str, str]:
    """Return name and version, "unknown" where the metadata are damaged."""
    try:
        name, version = (distribution.name, distribution.version) if distribution is not None else (None, None)
    except Exception:
        name, version = None, None
    return name or "unknown", version or "unknown"


def inspect_entry_point(point: EntryPoint, environment: Environment | None = None) -> PluginRecord:
    """Return the record of one entry point, here or in an environment of its own, from its manifest alone."""
    package, version = _package(point.dist)
    checkout = None if point.dist is None else checkout_of(point.dist)
    record = PluginRecord(
        point.name, package, version, point.value, "ready", environment=environment, checkout=checkout
    )
    try:
        manifest = read_manifest(_manifest_path(point, environment))
    except ConfigError as error:
        parts = (error.summary, error.expected and f"expected {error.expected}", error.got and f"got {error.got}")
        return _unreadable(record, ", ".join(part for part in parts if part))
    except Exception as error:
        return _unreadable(record, f"{type(error).__name__}: {error}")
    return _judge(replace(record, manifest=manifest), manifest)


def _unreadable(record: PluginRecord, detail: str) -> PluginRecord:
    return record.quarantine(f"unreadable manifest: {detail}", record.renewal("--force-reinstall"))


def _manifest_path(point: EntryPoint, environment: Environment | None) -> Path:
    if not _MODULE.fullmatch(point.value):
        raise ConfigError(f"the entry point {point.value!r} does not name a module, such as 'metier_sam.plugin'")
    top = point.value.partition(".")[0]
    try:
        spec = _find(top, environment)
    except (ImportError, ValueError) as error:
        raise ConfigError(f"the package {top!r} cannot be found: {error}") from None
    if spec is None:
        raise ConfigError(f"the package {top!r} named by the entry point is not installed")
    if spec.origin is None or not spec.submodule_search_locations:
        raise ConfigError(f"{top!r} is not a regular package: it needs an __init__.py beside {MANIFEST_NAME}")
    return Path(next(iter(spec.submodule_search_locations))) / MANIFEST_NAME


def _judge(record: PluginRecord, manifest: Manifest) -> PluginRecord:
    if not is_compatible(manifest.contract):
        return record.quarantine(
            f"wrong contract version: it was written for {manifest.contract}, this metier has {CONTRACT_VERSION}",
            _version_fix(record, manifest.contract),
        )
    if manifest.name != record.name:
        return record.quarantine(f"its entry point is named {record.name!r} and its manifest {manifest.name!r}")
    if record.environment is not None and (cause := _decay(record.environment)):
        return record.quarantine(cause, record.environment.renewal)
    missing = [module for module in manifest.requires if not _installed(module, record.environment)]
    if not missing:
        return record
    cause = f"missing: {', '.join(missing)}"
    if manifest.extra is not None:
        fix = f'{record.pip} install "{record.package}[{manifest.extra}]"'
        return replace(record, state="available", cause=cause, fix=fix)
    return record.quarantine(f"missing dependency: {', '.join(missing)}", f"{record.pip} install {' '.join(missing)}")


def _decay(environment: Environment) -> str | None:
    """Return why an environment serves no more, None where it does."""
    if not environment.python.exists():
        return f"its interpreter is gone: {environment.python}"
    if environment.metier != __version__:
        return f"its environment has metier {environment.metier}, this is {__version__}"
    return None


def _version_fix(record: PluginRecord, contract: str) -> str:
    newer = parse_contract_version(contract) > parse_contract_version(CONTRACT_VERSION)
    return "pip install --upgrade metier" if newer else record.renewal()


def _find(module: str, environment: Environment | None) -> ModuleSpec | None:
    return find_spec(module) if environment is None else environment.find_spec(module)


def _installed(module: str, environment: Environment | None) -> bool:
    try:
        # Of the top name alone: to look for a submodule is to import its parent.
        return _find(module.partition(".")[0], environment) is not None
    except (ImportError, ValueError):
        return False


def _set_duplicates_aside(records: Iterable[PluginRecord]) -> list[PluginRecord]:
    """Keep the first plugin of each name, and the first that has a model id or a task; set the later ones aside."""
    own = f"metier {__version__}"
    taken: dict[tuple[str, str], str] = {("task", task): own for task in TASKS}
    result = []
    for record in records:
        claims = [] if record.state == "quarantined" else _claims(record)
        twice = next((claim for claim in claims if claim in taken), None)
        if twice is None:
            taken |= dict.fromkeys(claims, f"{record.package} {record.version}")
        else:
            kind, name = twice
            cause = f"duplicate {kind}: {name!r} is also in {taken[twice]}"
            pip = "pip" if record.environment is None else "metier plugin"
            record = record.quarantine(cause, f"{pip} uninstall {record.package}")
        result.append(record)
    return result


def _claims(record: PluginRecord) -> list[tuple[str, str]]:
    """Return (kind, name) of all that no other plugin may have."""
    if record.manifest is None:
        return []
    models = [("model id", card.id) for card in record.manifest.models]
    return [("plugin name", record.name), *models, *(("task", task.name) for task in record.manifest.tasks)]
