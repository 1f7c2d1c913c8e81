"""What is wrong with the plugins installed here, and what mends it.

Manifests are read here; whether a plugin's code imports is tried in a child process of its own, so that no plugin can
harm the examination or the others.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from metier.plugins.discovery import PluginRecord, discover
from metier.plugins.importing import describe_import_failure

PROBE_SECONDS = 120.0
_AT_ONCE = 2

# The verdict goes to a file of its own, since a plugin may print, close or replace the standard streams.
_PROBE = """
import json, sys
module, name, verdict, path, tasks = sys.argv[1:]
sys.path[:] = json.loads(path)
found = {}
place = module
try:
    from metier.plugins.importing import import_plugin, import_task
    import_plugin(module, name)
    for place, task in json.loads(tasks):
        import_task(place, task)
except BaseException as error:
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    found = {"kind": type(error).__name__, "text": str(error), "missing": missing, "place": place}
with open(verdict, "w", encoding="utf-8") as file:
    json.dump(found, file)
"""


def examine(records: Sequence[PluginRecord] | None = None, *, timeout: float = PROBE_SECONDS) -> list[PluginRecord]:
    """Return the record of every plugin, quarantined where its code does not import in a child process."""
    found = discover() if records is None else list(records)
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="metier-doctor") as pool:
        return list(pool.map(lambda record: _probe(record, timeout), found))


def _probe(record: PluginRecord, timeout: float) -> PluginRecord:
    if record.state != "ready":
        return record
    with tempfile.TemporaryDirectory(prefix="metier-doctor-") as folder:
        verdict = Path(folder) / "verdict.json"
        brought = [] if record.manifest is None else [(task.object, task.name) for task in record.manifest.tasks]
        python, path = (sys.executable, sys.path) if (own := record.environment) is None else (own.python, own.path)
        told = [record.module, record.name, str(verdict), json.dumps(path), json.dumps(brought)]
        command = [str(python), "-c", _PROBE, *told]
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            cause = f"import of {record.module} took more than {timeout:.0f} s"
            return record.quarantine(cause)
        except OSError as error:
            return record.quarantine(f"its interpreter does not start: {error}", None if own is None else own.renewal)
        return _judge(record, _read(verdict), done.returncode)


def _read(verdict: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(verdict.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found


def _judge(record: PluginRecord, found: dict[str, Any] | None, status: int) -> PluginRecord:
    if found is None:
        cause = f"import of {record.module} ended the process with status {status}"
        return record.quarantine(cause)
    if found:
        return describe_import_failure(record, found["kind"], found["text"], found["missing"], found["place"])
    if record.environment is not None and (tasks := record.tasks_absent_here()):
        cause = f"missing here, where requests of {', '.join(tasks)} are made: {record.package}"
        return replace(record, state="available", cause=cause, fix=record.environment.bare)
    return record
