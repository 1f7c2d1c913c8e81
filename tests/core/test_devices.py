from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from metier.devices import DeviceQuery, TorchDevices, parse_device, place
from metier_contracts import DeviceError, ModelCard


@dataclass
class FakeDevices:
    """A machine of our choice; counts the questions."""

    cuda: int = 0
    mps: bool = False
    asked: int = 0

    def cuda_count(self) -> int:
        self.asked += 1
        return self.cuda

    def mps_available(self) -> bool:
        self.asked += 1
        return self.mps


def card_for(*devices: str) -> ModelCard:
    return ModelCard.from_mapping(
        {
            "id": "acme/a",
            "plugin": "acme",
            "architecture": "rule",
            "licence": "MIT",
            "devices": devices,
            "tasks": {"classify": {}},
        }
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auto", "auto"),
        ("cpu", "cpu"),
        ("mps", "mps"),
        ("cuda", "cuda:0"),
        ("cuda:0", "cuda:0"),
        ("cuda:13", "cuda:13"),
    ],
)
def test_names_of_devices(text: str, expected: str) -> None:
    assert parse_device(text) == expected


@pytest.mark.parametrize("text", ["", "gpu", "cuda:", "cuda:-1", "cuda:1.5", "CPU", "cpu:0", "cuda:0 "])
def test_what_names_no_device_is_refused_with_its_origin(text: str) -> None:
    with pytest.raises(DeviceError) as caught:
        parse_device(text, "METIER_DEVICE")
    assert caught.value.expected == '"auto", "cpu", "cuda:N" or "mps"'
    assert caught.value.got == repr(text)
    assert caught.value.blame == "METIER_DEVICE"


@pytest.mark.parametrize(
    ("devices", "machine", "expected"),
    [
        (("cpu",), FakeDevices(cuda=2, mps=True), "cpu"),
        (("cpu", "cuda"), FakeDevices(cuda=2), "cuda:0"),
        (("cpu", "cuda", "mps"), FakeDevices(cuda=1, mps=True), "cuda:0"),
        (("cpu", "cuda", "mps"), FakeDevices(mps=True), "mps"),
        (("cpu", "mps"), FakeDevices(cuda=1, mps=True), "mps"),
        (("cpu", "cuda", "mps"), FakeDevices(), "cpu"),
    ],
)
def test_auto_takes_the_best_device_that_card_and_machine_share(
    devices: tuple[str, ...], machine: DeviceQuery, expected: str
) -> None:
    assert place(card_for(*devices), "auto", machine) == expected


@pytest.mark.parametrize("devices", [("cuda",), ("mps",), ("cuda", "mps")])
def test_auto_puts_no_model_where_it_does_not_run(devices: tuple[str, ...]) -> None:
    with pytest.raises(DeviceError, match="no device for the model 'acme/a'") as caught:
        place(card_for(*devices), "auto", FakeDevices())
    assert ", ".join(devices) in str(caught.value.expected)
    assert "metier doctor" in str(caught.value.hint)


def test_a_machine_is_not_asked_for_what_the_card_cannot_use() -> None:
    machine = FakeDevices(cuda=1)
    place(card_for("cpu"), "auto", machine)
    place(card_for("cpu"), "cpu", machine)
    assert machine.asked == 0


def test_a_device_asked_for_is_taken() -> None:
    machine = FakeDevices(cuda=2, mps=True)
    card = card_for("cpu", "cuda", "mps")
    assert [place(card, device, machine) for device in ("cpu", "cuda:0", "cuda:1", "mps")] == [
        "cpu",
        "cuda:0",
        "cuda:1",
        "mps",
    ]


@pytest.mark.parametrize(
    ("device", "machine", "got"),
    [
        ("cuda:0", FakeDevices(), "0 CUDA devices"),
        ("cuda:2", FakeDevices(cuda=2), "2 CUDA devices"),
        ("mps", FakeDevices(cuda=2), "no Metal device"),
    ],
)
def test_a_device_that_is_not_there(device: str, machine: DeviceQuery, got: str) -> None:
    with pytest.raises(DeviceError, match=f"no device {device}") as caught:
        place(card_for("cpu", "cuda", "mps"), device, machine)
    assert got in str(caught.value.got)


def test_a_device_that_the_card_does_not_run_on() -> None:
    with pytest.raises(DeviceError, match="'acme/a' does not run on cuda:0") as caught:
        place(card_for("cpu", "mps"), "cuda:0", FakeDevices(cuda=1))
    assert caught.value.expected == "one of cpu, mps"


def test_without_torch_there_is_the_cpu_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert TorchDevices().cuda_count() == 0
    assert TorchDevices().mps_available() is False


@pytest.mark.parametrize(("available", "count", "expected"), [(True, 3, 3), (False, 3, 0)])
def test_torch_is_asked(available: bool, count: int, expected: int, monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = SimpleNamespace(is_available=lambda: available, device_count=lambda: count)
    backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: available))
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda, backends=backends, __spec__=object()))
    assert TorchDevices().cuda_count() == expected
    assert TorchDevices().mps_available() is available


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda:0", "mps"])
def test_a_remote_model_is_put_on_no_device(device: str) -> None:
    machine = FakeDevices()
    assert place(card_for("cpu").model_copy(update={"source": "https://example.org/v1"}), device, machine) == "remote"
    assert machine.asked == 0
