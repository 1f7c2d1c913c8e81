"""Importing metier_contracts loads no heavy library and touches nothing."""

import json
import os
import subprocess
import sys

HEAVY = {
    "IPython",
    "PIL.Image",
    "huggingface_hub",
    "jsonschema",
    "matplotlib",
    "metier",
    "networkx",
    "pandas",
    "scipy",
    "sklearn",
    "spacy",
    "torch",
    "torch_geometric",
    "transformers",
}
REPORT = "import json, sys; print(json.dumps(sorted(sys.modules)))"


def _loaded(code: str) -> set[str]:
    command = [sys.executable, "-W", "error", "-c", f"{code}\n{REPORT}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return HEAVY & set(json.loads(done.stdout))


def test_the_import_loads_nothing_heavy() -> None:
    assert _loaded("import metier_contracts") == set()


def test_text_requests_load_nothing_heavy() -> None:
    code = (
        "from metier_contracts import *\nClassify(text='x', labels=['a']).to_json(); Generate(messages='x').to_json()"
    )
    assert _loaded(code) == set()


def test_the_check_itself_can_fail() -> None:
    assert "pandas" in _loaded("import metier_contracts, pandas")


AUDIT = """
import sys
events = []
sys.addaudithook(lambda name, args: events.append((name, str(args[:2])[:80])) if name in WATCHED else None)
WATCHED = {"socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.mkdir", "shutil.move"}
import metier_contracts
print(events)
"""


def test_the_import_opens_no_socket_and_writes_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AUDIT],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.stdout.strip() == "[]"
