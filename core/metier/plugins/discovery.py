"""Finding plugins: entry points and static manifests. No plugin is imported, and a broken one is data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from metier_contracts import CONTRACT_VERSION, TASKS, ConfigError, Manifest, read_manifest
from metier_contracts._version import is_compatible, parse_contract_version
from metier_contracts.hooks import ENTRY_POINT_GROUP, MANIFEST_NAME

from metier._version import __version__

State = Literal["ready", "available", "quarantined"]

_MODULE = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class PluginRecord:
    """What is known of one plugin.

    `state`: "ready"; "available", when its extra is not installed; or "quarantined", when it is broken. `cause` and
    `fix` say why and what to type.
    """

    name: str
    package: str
    version: str
    module: str
    state: State
    cause: str = ""
    fix: str = ""
    manifest: Manifest | None = None

    def quarantine(self, cause: str, fix: str) -> PluginRecord:
        """Return this record, set aside."""
        return replace(self, state="quarantined", cause=cause, fix=fix)


def discover() -> list[PluginRecord]:
    """Return a record for every installed plugin, metier's own first, then by package and name."""
    return _set_duplicates_aside(sorted(_inspected(), key=_order))


def _order(record: PluginRecord) -> tuple[bool, str, str]:
    return (record.package != "metier", record.package, record.name)


def _inspected() -> Iterator[PluginRecord]:
    """Look at each distribution by itself: where one is bad, `importlib.metadata.entry_points()` fails for all."""
    seen = set()
    for distribution in distributions():
        try:
            points = [point for point in distribution.entry_points if point.group == ENTRY_POINT_GROUP]
        except Exception as error:
            if _mentions_group(distribution):
                yield _unparsed(distribution, error)
            continue
        if points:
            # A distribution found twice is the one nearer in sys.path, as it is for imports.
            package = re.sub(r"[-_.]+", "-", _package(distribution)[0]).lower()
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
    cause = f"its entry_points.txt cannot be read: {type(error).__name__}: {error}"
    return PluginRecord(package, package, version, "", "ready").quarantine(
        cause, f"pip install --force-reinstall {package}"
    )


def _package(distribution: Distribution | None) -> tuple[str, str]:
    """Return name and version, "unknown" where the metadata are damaged."""
    try:
        name, version = (distribution.name, distribution.version) if distribution is not None else (None, None)
    except Exception:
        name, version = None, None
    return name or "unknown", version or "unknown"


def inspect_entry_point(point: EntryPoint) -> PluginRecord:
    """Return the record of one entry point, from its manifest alone."""
    package, version = _package(point.dist)
    record = PluginRecord(point.name, package, version, point.value, "ready")
    try:
        manifest = read_manifest(_manifest_path(point))
    except ConfigError as error:
        parts = (error.summary, error.expected and f"expected {error.expected}", error.got)
        return _unreadable(record, "; ".join(part for part in parts if part))
    except Exception as error:
        return _unreadable(record, f"{type(error).__name__}: {error}")
    return _judge(replace(record, manifest=manifest), manifest)


def _unreadable(record: PluginRecord, detail: str) -> PluginRecord:
    return record.quarantine(f"unreadable manifest: {detail}", f"pip install --force-reinstall {record.package}")


def _manifest_path(point: EntryPoint) -> Path:
    if not _MODULE.fullmatch(point.value):
        raise ConfigError(f"the entry point {point.value!r} does not name a module, such as 'metier_sam.plugin'")
    top = point.value.partition(".")[0]
    try:
        spec = find_spec(top)
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
            _version_fix(record.package, manifest.contract),
        )
    if manifest.name != record.name:
        return record.quarantine(
            f"its entry point is named {record.name!r} and its manifest {manifest.name!r}",
            f"pip install --upgrade {record.package}",
        )
    missing = [module for module in manifest.requires if not _installed(module)]
    if not missing:
        return record
    cause = f"missing: {', '.join(missing)}"
    if manifest.extra is not None:
        fix = f'pip install "{record.package}[{manifest.extra}]"'
        return replace(record, state="available", cause=cause, fix=fix)
    return record.quarantine(f"missing dependency: {', '.join(missing)}", f"pip install {' '.join(missing)}")


def _version_fix(package: str, contract: str) -> str:
    newer = parse_contract_version(contract) > parse_contract_version(CONTRACT_VERSION)
    return "pip install --upgrade metier" if newer else f"pip install --upgrade {package}"


def _installed(module: str) -> bool:
    try:
        # Of the top name alone: to look for a submodule is to import its parent.
        return find_spec(module.partition(".")[0]) is not None
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
            record = record.quarantine(cause, f"pip uninstall {record.package}")
        result.append(record)
    return result


def _claims(record: PluginRecord) -> list[tuple[str, str]]:
    """Return (kind, name) of all that no other plugin may have."""
    if record.manifest is None:
        return []
    models = [("model id", card.id) for card in record.manifest.models]
    return [("plugin name", record.name), *models, *(("task", task.name) for task in record.manifest.tasks)]
