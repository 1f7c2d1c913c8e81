"""Throw-away plugins written to a folder, a world without settings around them, and threads that start together."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import tomli_w
from metier import residency, runtime
from metier.plugins import discovery
from metier_contracts import ModelCard, context

TIMEOUT = 20.0
RULES = "metier_rule_models"
CODE = """
from metier_contracts import hookimpl
from metier_rule_models import load


@hookimpl
def metier_load(card, placement):
    return load(card, placement)
"""


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No METIER_* variable, no metier.toml, and no folder of the user's in reach."""
    for name in [name for name in os.environ if name.startswith("METIER_")]:
        monkeypatch.delenv(name)
    for name, folder in (("CONFIG_HOME", "config"), ("DATA", "data"), ("CACHE", "cache")):
        monkeypatch.setenv(f"METIER_{name}", str(tmp_path / folder))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)


@pytest.fixture
def pip_only(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], None]:
    """Return a function that gives pip these settings and no others."""

    def settings(values: dict[str, str]) -> None:
        for name in [name for name in os.environ if name.startswith("PIP_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return settings


@pytest.fixture
def wheelhouse(pip_only: Callable[[dict[str, str]], None], tmp_path: Path) -> Path:
    """A folder of wheels, all that pip sees."""
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    pip_only({"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)})
    return folder


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The rule models, with fresh probes: `rules.PROBES[model id]`. Child processes find them too."""
    site = tmp_path / "site"
    site.mkdir()
    shutil.copy(Path(__file__).with_name("rule_models.py"), site / f"{RULES}.py")
    monkeypatch.syspath_prepend(str(site))
    importlib.invalidate_caches()
    yield importlib.import_module(RULES)
    del sys.modules[RULES]


class PluginFactory:
    """Writes plugin distributions into a folder that stands on `sys.path` and is all that discovery sees."""

    def __init__(self, site: Path, rules: ModuleType) -> None:
        self.site = site
        self._rules = rules

    def card(self, model: str, kind: str = "keywords", **fields: Any) -> dict[str, Any]:
        """A card of one of the rule models, as a manifest or a metier.toml holds it."""
        tasks = fields.pop("tasks", self._rules.TASKS[kind])
        options = {"kind": kind, **fields.pop("options", {})}
        basis: dict[str, Any] = {"id": model, "architecture": "rule", "licence": "MIT", "parameters": 10}
        if kind == "fittable":
            basis["fits"] = ["classify"]
        return {**basis, "options": options, **fields, "tasks": tasks}

    def model_card(self, model: str, kind: str = "keywords", plugin: str = "acme", **fields: Any) -> ModelCard:
        return ModelCard.from_mapping({"plugin": plugin, **self.card(model, kind, **fields)})

    def write(
        self,
        name: str = "acme",
        *cards: Mapping[str, Any],
        package: str | None = None,
        version: str = "1.2.3",
        code: str | None = CODE,
        init: str | None = "",
        manifest: bytes | None = None,
        entry_point: str | None = None,
        top: str | None = None,
        **fields: Any,
    ) -> Path:
        """Write a plugin and return its package's folder. None for `code` or `init` leaves that file out.

        `fields` go into the manifest over what it would hold; `manifest` takes its place as a whole, and b"" is none.
        """
        top = top or f"metier_{name.replace('-', '_')}"
        folder = self.site / top
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in (("__init__.py", init), ("plugin.py", code)):
            if text is not None:
                (folder / file).write_text(text, encoding="utf-8")
        held = {"contract": "1.0", "name": name, "models": [dict(card) for card in cards], **fields}
        data = tomli_w.dumps(held).encode() if manifest is None else manifest
        if data:
            (folder / "metier-plugin.toml").write_bytes(data)
        self.write_distribution(
            package or f"metier-{name}", version, f"[metier.plugins]\n{name} = {entry_point or f'{top}.plugin'}\n"
        )
        importlib.invalidate_caches()
        return folder

    def write_distribution(self, package: str, version: str, entry_points: str) -> Path:
        info = self.site / f"{package.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(entry_points)
        return info

    def imported(self) -> list[str]:
        """The modules of plugins that were imported from the folder."""
        inside = str(self.site) + os.sep
        return sorted(
            name for name, module in sys.modules.items() if name != RULES and _file(module).startswith(inside)
        )


def _file(module: ModuleType) -> str:
    return str(getattr(module, "__file__", None) or "")


@pytest.fixture
def plugins(tmp_path: Path, rules: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[PluginFactory]:
    site = tmp_path / "site"
    monkeypatch.setattr(discovery, "distributions", lambda: importlib.metadata.distributions(path=[str(site)]))
    factory = PluginFactory(site, rules)
    yield factory
    for name in factory.imported():
        del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def probes(rules: ModuleType) -> Any:
    """The probe of each rule model, by id."""
    return rules.PROBES


@pytest.fixture
def rt(plugins: PluginFactory) -> Iterator[runtime.Runtime]:
    """A runtime for 1000 bytes of models, and a plugin with four of 100 bytes each."""
    plugins.write(
        "acme",
        plugins.card("acme/k", bytes=100),
        plugins.card("acme/e", "histogram", bytes=100),
        plugins.card("acme/g", "streaming-echo", bytes=100),
        plugins.card("acme/fit", "fittable", bytes=100, parameters=10**6),
    )
    with runtime.Runtime(memory=1000) as made:
        yield made


@pytest.fixture
def settings_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes the user's metier.toml, or (project=True) the one of the working directory."""

    def write(data: Mapping[str, Any], *, project: bool = False, folder: Path | None = None) -> Path:
        home = folder or (Path.cwd() if project else tmp_path / "config")
        home.mkdir(parents=True, exist_ok=True)
        path = home / "metier.toml"
        path.write_text(tomli_w.dumps(dict(data)), encoding="utf-8")
        return path

    return write


class Clock:
    """A clock that stands still until the test moves it. It takes the place of the module `time`."""

    perf_counter = staticmethod(time.perf_counter)

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    sleep = advance


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of deadlines, and of what residency remembers."""
    stopped = Clock()
    for module in (context, residency, runtime):
        monkeypatch.setattr(module, "time", stopped)
    return stopped


class Line(list[Any]):
    """The line before a lane, which tells when somebody has joined it. Put in the place of `lane._waiting`."""

    def __init__(self) -> None:
        super().__init__()
        self._joined = threading.Semaphore(0)

    def append(self, job: Any) -> None:
        super().append(job)
        self._joined.release()

    def await_joining(self, count: int = 1) -> None:
        for _ in range(count):
            assert self._joined.acquire(timeout=TIMEOUT), "nobody joined the line"


@pytest.fixture
def line() -> Line:
    return Line()


class Started:
    """A call that runs in a thread of its own."""

    def __init__(self, function: Callable[[], Any], before: Callable[[], object] | None = None) -> None:
        self._function = function
        self._before = before
        self._outcome: Any = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        if self._before is not None:
            self._before()
        try:
            self._outcome = self._function()
        except BaseException as error:
            self._outcome = error

    @property
    def ident(self) -> int | None:
        return self._thread.ident

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def outcome(self, timeout: float = TIMEOUT) -> Any:
        """Return what the call returned or raised; fail the test where it hangs."""
        self._thread.join(timeout)
        if self._thread.is_alive():
            pytest.fail("a call hangs")
        return self._outcome


@pytest.fixture
def start() -> Callable[[Callable[[], Any]], Started]:
    return Started


@pytest.fixture
def switch_often() -> Iterator[None]:
    """Threads take turns at nearly every line, so that a race has many chances."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def together() -> Callable[[Sequence[Callable[[], Any]]], list[Any]]:
    """Runs calls in threads that all begin at once; returns the outcome of each, its result or its exception."""

    def run(calls: Sequence[Callable[[], Any]]) -> list[Any]:
        barrier = threading.Barrier(len(calls), timeout=TIMEOUT)
        started = [Started(call, barrier.wait) for call in calls]
        return [one.outcome() for one in started]

    return run
