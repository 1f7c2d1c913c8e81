"""GPUs that the driver shows and metier does not use are told, with the reason."""

from __future__ import annotations

import pytest
from metier.config import Config
from metier.doctor.machine import describe, unused_gpus


class Query:
    def __init__(self, cuda: int) -> None:
        self._cuda = cuda

    def cuda_count(self) -> int:
        return self._cuda

    def mps_available(self) -> bool:
        return False


@pytest.mark.parametrize(
    ("present", "usable", "torch", "device", "hidden", "said"),
    [
        (0, 0, "2.6.0", "auto", None, None),
        (1, 1, "2.6.0", "auto", None, None),
        (1, 1, "2.6.0", "cuda:0", None, None),
        (2, 0, None, "auto", None, "2 GPUs (H200): not used, since torch is not installed"),
        (1, 0, "2.6.0+cpu", "auto", None, "1 GPU (H200): not used, since torch 2.6.0+cpu is built for the CPU"),
        (1, 0, "2.6.0", "auto", None, "finds no CUDA device"),
        (1, 0, "2.6.0", "auto", "", "CUDA_VISIBLE_DEVICES="),
        (2, 1, "2.6.0", "auto", "1", "torch may use 1, since CUDA_VISIBLE_DEVICES=1"),
        (2, 1, "2.6.0", "auto", None, "torch can use 1 of them"),
        (1, 1, "2.6.0", "cpu", None, 'device = "cpu" in the settings'),
    ],
)
def test_the_reason_is_told(
    present: int, usable: int, torch: str | None, device: str, hidden: str | None, said: str | None
) -> None:
    environment = {} if hidden is None else {"CUDA_VISIBLE_DEVICES": hidden}
    found = unused_gpus(("H200",) * present, Query(usable), Config(device=device), torch=torch, environment=environment)
    if said is None:
        assert found is None
    else:
        assert found is not None
        assert said in found


def test_devices_are_listed() -> None:
    assert describe(Query(2))["devices"] == "cpu, cuda:0, cuda:1"
