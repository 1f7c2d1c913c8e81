"""A machine with a pulled, a path and a fitted model, and a second machine that has none of them."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from metier import Runtime
from metier.locking.comparing import Difference, differences
from metier.locking.inventory import Inventory
from metier.locking.lockfile import Lock
from metier.locking.making import make_lock
from metier.weights import WeightStore
from metier.weights.folder import Record, write_record
from metier.weights.source import folder_name, parse_source
from metier_contracts import ClassifyFit, ExampleSet, ModelCard

PULLED = {"model.safetensors": b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "deep/config.json": b"{}"}
COMMIT = "c" * 40
EXAMPLES = ExampleSet.from_pairs([("good", "praise"), ("bad", "blame"), ("fine", "praise")])


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def lock_here(*models: str) -> Lock:
    """A lock of this machine."""
    return make_lock(Inventory.here(), models)


def compare(lock: Lock) -> list[Difference]:
    """What differs here."""
    return differences(lock, Inventory.here())


class World:
    """Writes the plugin and the settings that all machines share, and moves between machines."""

    def __init__(self, plugins: Any, settings_file: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._plugins, self._tmp, self._monkeypatch = plugins, tmp_path, monkeypatch
        self._settings_file = settings_file
        self.folder = tmp_path / "intent"
        self.settings: dict[str, Any] = {}
        self.move("first")
        self.write_plugin()
        self.write_settings()

    def write_plugin(self, **fields: Any) -> None:
        hub = {"source": "hf:acme/tiny", "revision": COMMIT, "licence": "Apache-2.0"}
        self._plugins.write(
            "acme",
            self._plugins.card("acme/tiny", **{**hub, **fields}),
            self._plugins.card("acme/unused", source="hf:acme/unused", revision=COMMIT),
            self._plugins.card("acme/fit", "fittable"),
        )

    def write_settings(self, **settings: Any) -> None:
        card = {"plugin": "acme", **self._plugins.card("mine/intent", source=f"path:{self.folder}")}
        self.settings = {"cards": [card], "defaults": {"classify": "mine/intent"}, **settings}
        self._settings_file(self.settings)

    def move(self, name: str) -> None:
        """Go to another machine: other caches and data."""
        for variable in ("DATA", "CACHE"):
            self._monkeypatch.setenv(f"METIER_{variable}", str(self._tmp / name / variable.lower()))

    def place_path(self, data: bytes = b"weights") -> Path:
        self.folder.mkdir(exist_ok=True)
        (self.folder / "model.gguf").write_bytes(data)
        return self.folder / "model.gguf"

    def place_pulled(self) -> Path:
        """Put the folder there that a pull of acme/tiny leaves."""
        folder = self.pulled_folder()
        for name, data in PULLED.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        digests = {name: sha256(data) for name, data in PULLED.items()}
        write_record(folder, Record("hf:acme/tiny", COMMIT, None, digests, sum(map(len, PULLED.values()))))
        return folder

    def pulled_folder(self) -> Path:
        card: ModelCard = self._plugins.model_card("acme/tiny", source="hf:acme/tiny", revision=COMMIT)
        source = parse_source(card)
        assert source is not None
        return WeightStore().root / folder_name(card, source)

    def fit(self) -> None:
        with Runtime() as runtime:
            runtime.fit(ClassifyFit(id="mine/fitted", base="acme/fit", examples=EXAMPLES), progress=False)


@pytest.fixture
def world(plugins: Any, settings_file: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    return World(plugins, settings_file, tmp_path, monkeypatch)


@pytest.fixture
def full(world: World) -> World:
    """The first machine, with all three models."""
    world.place_path()
    world.place_pulled()
    world.fit()
    return world


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[object]]]:
    """No socket can be made; returns a function that lists the tries."""
    tried: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        tried.append(arguments)
        raise OSError("there is no network here")

    for name in ("socket", "create_connection", "getaddrinfo"):
        monkeypatch.setattr(socket, name, refuse)
    yield lambda: tried
    assert tried == []
