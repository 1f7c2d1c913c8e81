"""Dtypes and bytes."""

from __future__ import annotations

import pytest
import torch
from metier_contracts import ConfigError, Placement
from metier_contracts.authoring import dtype_name, tensor_bytes
from metier_mlm.placing import choose_dtype, default_batch_tokens


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
def test_the_dtype_asked_for(name: str) -> None:
    assert choose_dtype(Placement(dtype=name)) is getattr(torch, name)


@pytest.mark.parametrize("name", ["int8", "float33", "nn", ""])
def test_no_dtype_for_weights(name: str) -> None:
    with pytest.raises(ConfigError, match="no such dtype"):
        choose_dtype(Placement(dtype=name))


@pytest.mark.parametrize(
    ("capabilities", "wanted"),
    [
        ({"avx512_bf16": True}, torch.bfloat16),
        ({"amx_bf16": True}, torch.bfloat16),
        ({"avx2": True, "avx512_bf16": False}, torch.float32),
        ({}, torch.float32),
    ],
)
def test_bfloat16_where_the_processor_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], wanted: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert choose_dtype(Placement()) is wanted
    assert choose_dtype(Placement(device="mps")) is torch.float32


def test_a_torch_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert choose_dtype(Placement()) is torch.float32


@pytest.mark.parametrize("supported", [False, True])
def test_bfloat16_on_cuda(monkeypatch: pytest.MonkeyPatch, supported: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: supported)
    assert choose_dtype(Placement(device="cuda:0")) is (torch.bfloat16 if supported else torch.float32)


def test_a_storage_counts_once() -> None:
    table = torch.zeros(100, 10)
    assert tensor_bytes([table, table[:3], table.T]) == 4000
    assert tensor_bytes([table, torch.zeros(5, dtype=torch.float64)]) == 4040
    assert tensor_bytes([]) == 0


def test_batch_tokens() -> None:
    assert 2_048 <= default_batch_tokens("cpu") <= 16_384
    assert default_batch_tokens("cuda:0") == 16_384


def test_batches_grow_with_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for threads in (1, 2, 8, 64):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        found.append(default_batch_tokens("cpu"))
    assert found == [2_048, 2_048, 8_192, 16_384]


def test_names_of_dtypes() -> None:
    assert dtype_name(torch.bfloat16) == "bfloat16"
