"""A sound plugin, and as many faulty ones: each has one edit, for which one check is meant."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

PACKAGE, MODULE, PLUGIN, MODEL = "metier-specimen", "metier_specimen", "specimen", "specimen/m"

CODE = """
import threading
import time
import zlib
from pathlib import Path

from metier_contracts import Classification, Classify, hookimpl
from metier_contracts.authoring import attempt, unsupported

HERE = Path(__file__).parent
KEPT = []


class Specimen:
    device = "cpu"
    dtype = "float32"

    def __init__(self, card, placement):
        self.card = card
        self.weight = 1000

    def infer(self, requests, context):
        answers = []
        for request in requests:
            context.check()
            answers.append(attempt(lambda: self.respond(request, requests, context)))
        return answers

    def respond(self, request, requests, context):
        if not isinstance(request, Classify):
            raise unsupported(request, self.card)
        drawn = {label: 1 + zlib.crc32(f"{label}: {request.text}".encode()) % self.weight for label in request.labels}
        scores = {label: count / sum(drawn.values()) for label, count in drawn.items()}
        return Classification(label=max(scores, key=scores.get), scores=scores)

    def resident_bytes(self):
        return 0

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Specimen(card, placement)
"""

ANSWERED = "return Classification(label=max(scores, key=scores.get), scores=scores)"
ALL = "return answers"
LOADED = "return Specimen(card, placement)"
CALLED = "    def respond(self, request, requests, context):\n"
REFUSED = "raise unsupported(request, self.card)"
BYTES = "return 0"

TELEPHONES_IN_C = """import ctypes
    import socket
    import struct

    KEPT.append(socket.create_server(("127.0.0.1", 0)))
    port = struct.pack("=H4s8x", socket.htons(KEPT[0].getsockname()[1]), socket.inet_aton("127.0.0.1"))
    libc = ctypes.CDLL(None)
    libc.connect(libc.socket(socket.AF_INET, socket.SOCK_STREAM, 0), struct.pack("=H", socket.AF_INET) + port, 16)
    """


@dataclass(frozen=True)
class Fault:
    """What is wrong: edits of the code, and fields of the card, the manifest and METADATA."""

    name: str
    check: str
    edits: Sequence[tuple[str, str]] = ()
    card: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    metadata: str = ""
    init: str = ""
    tasks: Mapping[str, Any] = field(default_factory=lambda: {"classify": {"labels": "open"}})


SOUND = Fault("sound", "")
KEEPS_ANSWERS = Fault(
    "keeps-answers",
    "",
    [
        ("        self.weight = 1000", "        self.weight, self.kept = 1000, 0"),
        (CALLED, CALLED + "        self.kept = 40_000_000\n"),
        (BYTES, "return self.kept"),
    ],
)

FAULTS = (
    Fault("contract-of-the-future", "discovery", manifest={"contract": "1.99"}),
    Fault("another-name", "discovery", manifest={"name": "other"}),
    Fault("dependency-absent", "discovery", manifest={"requires": ["no_such_module"]}),
    Fault("unknown-field", "discovery", manifest={"colour": "red"}),
    Fault("raises-at-import", "import", [("KEPT = []", "raise RuntimeError('no')")]),
    Fault("crashes-at-import", "import", [("KEPT = []", "import os; os.abort()")]),
    Fault("exits-at-import", "import", [("KEPT = []", "import os; os._exit(0)")]),
    Fault("no-hook", "import", [("@hookimpl\n", "")]),
    Fault("heavy-import", "import-budget", manifest={"requires": ["metier_weighty"]}, init="import metier_weighty\n"),
    Fault("raises-at-load", "load", [(LOADED, "raise OSError('no weights')")]),
    Fault("system-exit-at-load", "load", [(LOADED, "raise SystemExit(3)")]),
    Fault("hangs-at-load", "load", [(LOADED, "time.sleep(600)")]),
    Fault("segfaults-at-load", "load", [(LOADED, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")]),
    Fault("no-model", "load", [(LOADED, "return object()")]),
    Fault("negative-bytes", "load", [(BYTES, "return -1")]),
    Fault(
        "wrong-class",
        "contract",
        [(ANSWERED, "from metier_contracts import Ranking; return Ranking.model_construct()")],
    ),
    Fault("raises-in-infer", "contract", [(ANSWERED, "raise KeyError('x')")]),
    Fault("task-misspelt", "contract", tasks={"clasify": {"labels": "open"}}),
    Fault("no-list", "contract", [(ALL, "return answers[0] if answers else []")]),
    Fault("scores-do-not-sum-to-one", "invariants", [("/ sum(drawn.values())", "/ 4000")]),
    Fault("label-of-its-own", "invariants", [("label=max(scores, key=scores.get)", "label='mine'")]),
    Fault(
        "subclass-of-the-response",
        "json",
        [
            (ANSWERED, "return Fuller(label=max(scores, key=scores.get), scores=scores)"),
            ("class Specimen:", "class Fuller(Classification):\n    extra: int = 0\n\n\nclass Specimen:"),
        ],
    ),
    Fault(
        "unchecked-record",
        "json",
        [
            ("Classification(label", "Classification.model_construct(label"),
            ("count / sum", "Fraction(count) / sum"),
            ("import time", "import time\nfrom fractions import Fraction"),
        ],
    ),
    Fault("empty-batch-raises", "empty-batch", [("answers = []", "answers = [requests[0]][:0]")]),
    Fault("empty-batch-is-none", "empty-batch", [(ALL, "return answers or None")]),
    Fault(
        "sorts-by-length",
        "order",
        [
            (
                "for request in requests:",
                "for request in sorted(requests, key=lambda r: len(getattr(r, 'text', '') or '')):",
            )
        ],
    ),
    Fault("reversed", "order", [(ALL, "return answers[::-1]")]),
    Fault("one-answer-short", "order", [(ALL, "return answers[:-1] if len(answers) > 2 else answers")]),
    Fault(
        "vendor-exception",
        "bad-input",
        [
            (
                "answers.append(attempt(lambda: self.respond(request, requests, context)))",
                "answers.append(self.respond(request, requests, context))",
            ),
            (REFUSED, "raise LookupError(request.task)"),
        ],
    ),
    Fault("answer-made-up", "bad-input", [(REFUSED, "return Classification(label='a', scores={'a': 1})")]),
    Fault(
        "neighbours-fail-too",
        "errors",
        [
            (
                ALL,
                "return answers if not any(isinstance(a, Exception) for a in answers) "
                "else [unsupported(r, self.card) for r in requests]",
            )
        ],
    ),
    Fault(
        "the-batch-raises",
        "errors",
        [
            (
                "answers.append(attempt(lambda: self.respond(request, requests, context)))",
                "answers.append(self.respond(request, requests, context))",
            )
        ],
    ),
    Fault("random", "determinism", [("% self.weight", "% (self.weight + time.perf_counter_ns() % 997)")]),
    Fault("remembers", "determinism", [(CALLED, CALLED + "        self.weight += 50\n")]),
    Fault("normalises-over-the-batch", "batch-invariance", [("+ zlib", "+ 900 * (len(requests) > 1) + zlib")]),
    Fault(
        "shares-what-belongs-to-a-call",
        "thread-safety",
        [
            (
                CALLED,
                CALLED + "        self.request = request\n        time.sleep(0.005)\n        request = self.request\n",
            )
        ],
    ),
    Fault("says-another-device", "devices", [('device = "cpu"', 'device = "cuda:0"')]),
    Fault(
        "closes-what-others-need",
        "reload",
        [("        pass", "        KEPT.append(0)"), (LOADED, "assert not KEPT\n    " + LOADED)],
    ),
    Fault(
        "another-after-reload",
        "reload",
        [("        self.weight = 1000", "        KEPT.append(0)\n        self.weight = 1000 * len(KEPT)")],
    ),
    Fault("keeps-memory", "memory", [(LOADED, "KEPT.append(bytearray(b'x') * 8_000_000)\n    " + LOADED)]),
    Fault("card-says-too-much", "bytes", card={"bytes": 500_000_000}),
    Fault(
        "holds-more-than-it-says",
        "bytes",
        [
            (
                "        self.weight = 1000",
                "        self.weight = 1000\n        self.held = bytearray(b'x') * 80_000_000",
            )
        ],
    ),
    Fault("slow-bookkeeping", "overhead", [(BYTES, "time.sleep(0.05); return 0")]),
    Fault(
        "telephones",
        "offline",
        [
            (
                LOADED,
                "import socket\n    with socket.socket() as s:\n        s.settimeout(0.1)\n        "
                "s.connect_ex(('127.0.0.1', 9))\n    " + LOADED,
            )
        ],
    ),
    Fault(
        "asks-for-a-name",
        "offline",
        [(CALLED, CALLED + "        import socket\n        socket.getaddrinfo('localhost', 80)\n")],
    ),
    Fault(
        "opens-a-pickle",
        "pickle",
        [(LOADED, "import pickle\n    pickle.loads(pickle.dumps(zlib.crc32))\n    " + LOADED)],
    ),
    Fault("another-licence", "licence", metadata="License-Expression: GPL-3.0-only\n"),
    Fault("licence-unstated", "licence", card={"licence": "unknown"}),
    Fault(
        "never-looks-up",
        "cancel",
        [("            context.check()\n", ""), (CALLED, CALLED + "        time.sleep(0.02)\n")],
    ),
)


def write(site: Path, fault: Fault = SOUND) -> None:
    """Write a plugin as pip would install it."""
    code = CODE
    for old, new in fault.edits:
        assert old in code, old
        code = code.replace(old, new)
    folder = site / MODULE
    folder.mkdir(parents=True)
    (site / "metier_weighty.py").write_text("")
    (folder / "__init__.py").write_text(fault.init)
    (folder / "plugin.py").write_text(code)
    card = {
        "id": MODEL,
        "architecture": "rule",
        "licence": "MIT",
        "thread_safe": True,
        **fault.card,
        "tasks": fault.tasks,
    }
    manifest = {"contract": "1.0", "name": PLUGIN, "models": [card], **fault.manifest}
    (folder / "metier-plugin.toml").write_text(tomli_w.dumps(manifest))
    info = site / f"{MODULE}-1.2.3.dist-info"
    info.mkdir()
    metadata = fault.metadata or "License-Expression: MIT\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {PACKAGE}\nVersion: 1.2.3\n{metadata}")
    (info / "entry_points.txt").write_text(f"[metier.plugins]\n{PLUGIN} = {MODULE}.plugin\n")
    importlib.invalidate_caches()
