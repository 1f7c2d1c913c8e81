"""Importing metier, or making a runtime, loads no heavy library and no plugin; others prove that this can fail."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

HEAVY = ("torch", "transformers", "pandas", "sklearn", "PIL.Image", "huggingface_hub", "rich", "yaml", "opentelemetry")
IMPORT = "import metier"
RUNTIME = "from metier import Runtime; Runtime().models()"
PROFILES = f"""
{RUNTIME}
from metier.decision.book import ProfileBook
runtime = Runtime()
book = ProfileBook.of(runtime.config, runtime.tasks)
[book.profile(info.card, task) for info in runtime.models() for task in info.card.tasks]
"""
DECIDE = "from metier import Requirements, Runtime; Runtime().decide('classify', Requirements(latency_ms=9)).explain()"


def modules_after(code: str) -> set[str]:
    """Return the modules that a fresh interpreter with our `sys.path` holds once it has run `code`."""
    program = f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@pytest.mark.parametrize(
    "code", [IMPORT, RUNTIME, PROFILES, DECIDE], ids=["import metier", "Runtime()", "profiles", "decide"]
)
def test_no_heavy_library_is_loaded(code: str) -> None:
    loaded = modules_after(code)
    assert "metier" in loaded
    assert sorted(loaded.intersection(HEAVY)) == []


def test_no_plugin_is_loaded(plugins: Any) -> None:
    for number in range(5):
        plugins.write(f"p{number}", plugins.card(f"p{number}/a"), init="import time; raise", code="import time; raise")
    counted = "assert len([m for m in Runtime().models() if m.card.plugin[:-1] == 'p']) == 5"
    loaded = modules_after(f"{PROFILES}\n{DECIDE}\n{counted}")
    assert not [
        name for name in loaded if name.startswith("metier_") and name != "metier_contracts" and "." not in name
    ]


@pytest.mark.parametrize("heavy", ["rich", "huggingface_hub", "PIL.Image", "yaml"])
def test_a_heavy_library_would_be_seen(heavy: str) -> None:
    assert heavy in modules_after(f"{RUNTIME}\nimport {heavy}")


def test_a_plugin_would_be_seen(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"))
    request = "__import__('metier_contracts').Classify(text='x', labels=['a'])"
    assert "metier_acme" in modules_after(f"{RUNTIME}\nRuntime().run({request}, model='acme/k')")


def test_importing_reads_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_DEVICE", "no such device")
    modules_after(IMPORT)
    with pytest.raises(AssertionError, match="no such device"):
        modules_after(RUNTIME)
