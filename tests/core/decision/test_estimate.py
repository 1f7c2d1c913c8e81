"""Profiles reckoned from cards."""

from __future__ import annotations

from typing import Any

import pytest
from metier.decision.estimate import from_card
from metier.decision.prices import Prices
from metier.decision.profile import Machine, Profile
from metier_contracts import TASKS, ModelCard, Price, Size

MACHINE = Machine(processor="p", cores=2)
GPU = Machine(processor="p", cores=2, accelerators=("NVIDIA A10G",))


def card(**fields: Any) -> ModelCard:
    basis: dict[str, Any] = {"id": "a", "plugin": "p", "architecture": "mlm", "licence": "MIT", "tasks": {"embed": {}}}
    return ModelCard(**{**basis, **fields})


def reckoned(machine: Machine = MACHINE, task: str = "embed", **fields: Any) -> Profile:
    return from_card(card(**fields), task, TASKS[task].probes, machine, Prices())


def p50(profile: Profile, size: Size | None = None) -> float:
    seconds = profile.latency(size, quantile=0.5)
    assert seconds is not None
    return seconds


def test_reading_takes_two_operations_a_parameter_and_token() -> None:
    profile = reckoned(parameters=30_000_000)
    assert p50(profile, Size(1000)) == pytest.approx(0.001 + 2 * 30e6 * 250 / 6e10)
    assert profile.latency(Size(1000)) == pytest.approx(1.5 * p50(profile, Size(1000)))
    assert profile.source == "card"
    assert profile.device == "cpu"


def test_only_active_parameters_count() -> None:
    assert p50(reckoned(parameters=10**9, active_parameters=10**7)) == pytest.approx(p50(reckoned(parameters=10**7)))


def test_writing_reads_the_active_weights_once_a_token() -> None:
    profile = reckoned(
        task="generate", parameters=10**9, active_parameters=10**8, bytes=2 * 10**9, tasks={"generate": {}}
    )
    assert profile.tokens_per_second == pytest.approx(2e10 / 2e8)
    shorter, longer = (p50(profile, Size(400, output_tokens=count)) for count in (100, 200))
    assert longer - shorter == pytest.approx(1.0)


def test_the_architecture_makes_no_difference() -> None:
    kinds = ("rule", "mlm", "gnn", "moe", "diffusion")
    assert len({p50(reckoned(parameters=10**7, architecture=kind)) for kind in kinds}) == 1


def test_a_gpu_is_taken_where_both_have_it() -> None:
    both = reckoned(GPU, parameters=10**9, devices=("cpu", "cuda"))
    assert (both.device, both.dollars_per_hour) == ("cuda:0", 1.006)
    assert reckoned(GPU, parameters=10**9, devices=("cpu",)).device == "cpu"
    assert p50(both) < p50(reckoned(parameters=10**9, devices=("cpu", "cuda")))


def test_a_card_without_parameters_says_nothing_of_its_speed() -> None:
    profile = reckoned()
    assert (profile.latency(), profile.memory, profile.load_seconds, profile.cost_per_1k()) == (None,) * 4
    stated = reckoned(parameters=0)
    assert p50(stated) == pytest.approx(0.001)


def test_memory_and_loading_follow_the_bytes() -> None:
    assert (reckoned(bytes=2 * 10**9).memory, reckoned(bytes=2 * 10**9).load_seconds) == (2 * 10**9, 2.0)
    assert reckoned(parameters=100).memory == 400


def test_a_remote_model_has_the_stated_latency_and_its_price() -> None:
    price = Price(per_million_output_tokens=10, source="list", date="2026-01-01")
    profile = reckoned(task="generate", source="https://example.org", price=price, tasks={"generate": {}})
    assert p50(profile, Size(400, output_tokens=100)) == pytest.approx(0.5 + 100 / 5000 + 100 / 50)
    assert profile.cost_per_1k(Size(400, output_tokens=100)) == pytest.approx(1.0)
    assert (profile.memory, profile.load_seconds, profile.dollars_per_hour) == (0, 0.0, None)
    assert reckoned(task="generate", source="https://example.org", tasks={"generate": {}}).cost_per_1k() is None


def test_what_a_card_states_as_overhead_is_read_and_written_too() -> None:
    price = Price(per_million_input_tokens=1, per_million_output_tokens=10, source="list", date="2026-01-01")
    table = {"overhead": {"input_tokens": 80, "choices": 2, "examples": 1, "output_tokens": 8}}
    fields: dict[str, Any] = {"source": "https://example.org", "price": price}
    profile, bare = (
        reckoned(task="classify", tasks={"classify": stated}, **fields) for stated in (table, {"labels": "open"})
    )
    size = Size(400, choice_characters=40, example_characters=1200)
    assert bare.cost_per_1k(size) == pytest.approx(1000 * 100 / 1e6)
    assert profile.cost_per_1k(size) == pytest.approx(1000 * (100 + 80 + 20 + 300 + 10 * 8) / 1e6)
    assert p50(profile, Size(250)) - p50(bare, Size(250)) == pytest.approx(80 / 5000 + 8 / 50)


def test_a_unit_can_be_asked_for() -> None:
    pictures = from_card(card(parameters=10**7), "embed", TASKS["embed"].probes, MACHINE, Prices(), "pixels")
    assert pictures.unit == "pixels"
    assert p50(pictures, Size(256 * 1000, "pixels")) == pytest.approx(0.001 + 2e7 * 1000 / 6e10)
