"""Profiles, and what is asked of them."""

from __future__ import annotations

from typing import Any

import pytest
from metier.decision.profile import Machine, Measurement, Profile, along
from metier.revisions import revision_of
from metier_contracts import ModelCard, Overhead, Price, Size


def profile(*measurements: Measurement, **fields: Any) -> Profile:
    basis: dict[str, Any] = {"model": "a", "task": "classify", "source": "measured", "weights": "w"}
    return Profile(**{**basis, "unit": "characters", "measurements": measurements, **fields})


def at(size: int, p50: float, p95: float | None = None, **fields: int) -> Measurement:
    return Measurement(size=size, p50=p50, p95=2 * p50 if p95 is None else p95, **fields)


THREE = profile(at(100, 1.0), at(200, 2.0), at(400, 6.0))


@pytest.mark.parametrize(
    ("amount", "p50"),
    [(0, 1.0), (100, 1.0), (150, 1.5), (200, 2.0), (300, 4.0), (400, 6.0), (500, 8.0)],
)
def test_latency_lies_between_measured_sizes_and_goes_on_above_them(amount: int, p50: float) -> None:
    assert THREE.latency(Size(amount), quantile=0.5) == pytest.approx(p50)
    assert THREE.latency(Size(amount)) == pytest.approx(2 * p50)


def test_a_slope_that_falls_does_not_go_on() -> None:
    assert profile(at(1, 3.0), at(2, 2.0)).latency(Size(100), quantile=0.5) == 2.0


def test_measured_quantiles_are_given_back_and_others_follow_the_log_normal() -> None:
    one = profile(at(10, 1.0, 3.0))
    assert (one.latency(quantile=0.5), one.latency(quantile=0.95)) == (1.0, 3.0)
    between, beyond = one.latency(quantile=0.8), one.latency(quantile=0.99)
    assert between is not None
    assert beyond is not None
    assert 1.0 < between < 3.0 < beyond
    assert one.latency(quantile=0.05) == pytest.approx(1 / 3)


def test_the_middle_size_stands_where_none_is_given() -> None:
    assert THREE.typical == Size(200)
    assert THREE.latency(quantile=0.5) == 2.0
    assert THREE.throughput() == pytest.approx(0.5)


def test_batches_take_as_much_longer_for_every_size() -> None:
    batched = profile(at(100, 1.0), at(200, 2.0), at(400, 6.0), at(200, 4.0, batch=4), at(200, 12.0, batch=16))
    assert batched.latency(batch=4, quantile=0.5) == pytest.approx(4.0)
    assert batched.latency(batch=10, quantile=0.5) == pytest.approx(8.0)
    assert batched.latency(Size(400), batch=4, quantile=0.5) == pytest.approx(12.0)
    assert batched.throughput() == pytest.approx(16 / 12)
    assert batched.throughput(batch=4) == pytest.approx(1.0)


def test_without_batches_each_request_takes_its_own_time() -> None:
    assert THREE.latency(batch=3, quantile=0.5) == pytest.approx(6.0)


def test_tokens_written_are_added_at_the_measured_pace() -> None:
    fields: dict[str, Any] = {"task": "generate", "tokens_per_second": 10}
    writing = profile(at(100, 3.0, output_tokens=20), at(100, 5.0, output_tokens=40), **fields)
    assert writing.typical == Size(100, output_tokens=20)
    assert writing.latency(Size(100, output_tokens=0), quantile=0.5) == pytest.approx(1.0)
    assert writing.latency(Size(100, output_tokens=70), quantile=0.5) == pytest.approx(8.0)


def test_nothing_is_known_of_another_unit_or_without_measurements() -> None:
    assert THREE.latency(Size(100, "pixels")) is None
    empty = profile(dollars_per_hour=1.0)
    assert (empty.typical, empty.latency(), empty.latency(Size(5)), empty.throughput()) == (None,) * 4
    assert empty.cost_per_1k() is None
    assert THREE.cost_per_1k() is None  # the price of the device is not known


def test_local_work_costs_the_devices_time() -> None:
    priced = profile(at(100, 1.8), at(100, 3.6, batch=4), dollars_per_hour=2.0)
    assert priced.cost_per_1k() == pytest.approx(1000 * 1.8 * 2 / 3600)
    assert priced.cost_per_1k(batch=4) == pytest.approx(1000 * 0.9 * 2 / 3600)


def test_remote_work_costs_calls_and_tokens() -> None:
    price = Price(
        per_call=0.001, per_million_input_tokens=2, per_million_output_tokens=8, source="list", date="2026-01-01"
    )
    remote = profile(at(400, 1.0, output_tokens=50), task="generate", price=price)
    assert remote.cost_per_1k() == pytest.approx(1000 * (0.001 + (100 * 2 + 50 * 8) / 1e6))
    assert profile(price=price).cost_per_1k() is None
    assert profile(price=price).cost_per_1k(Size(0)) == pytest.approx(1.0)


def test_where_a_request_does_not_say_how_much_is_written_it_is_as_much_as_was_measured() -> None:
    price = Price(per_million_output_tokens=8, source="list", date="2026-01-01")
    remote = profile(at(400, 1.0, output_tokens=50), price=price, overhead=Overhead(output_tokens=8))
    assert remote.cost_per_1k(Size(100)) == pytest.approx(1000 * 50 * 8 / 1e6)


def test_a_profile_survives_json() -> None:
    assert Profile.from_json(THREE.to_json()) == THREE


@pytest.mark.parametrize(
    "field", [{"revision": "b"}, {"sha256": "0" * 64}, {"options": {"x": 1}}, {"source": "hf:c/d"}]
)
def test_other_weights_or_options_are_another_digest(field: dict[str, Any]) -> None:
    fields: dict[str, Any] = {"id": "a", "plugin": "p", "architecture": "rule", "licence": "MIT"}
    fields |= {"tasks": {"embed": {}}, "source": "hf:a/b", "revision": "a"}
    card = ModelCard(**fields)
    assert revision_of(ModelCard(**{**fields, **field})) != revision_of(card)
    assert revision_of(ModelCard(**{**fields, "summary": "better words"})) == revision_of(card)


def test_another_machine_is_another_digest() -> None:
    machine = Machine(processor="p", cores=2)
    assert machine.digest == Machine(processor="p", cores=2).digest
    assert len({machine.digest, Machine(processor="p", cores=4).digest, Machine(processor="q", cores=2).digest}) == 3


def test_a_line_through_one_point_is_level() -> None:
    assert [along([(1.0, 5.0)], x) for x in (0, 1, 9)] == [5.0, 5.0, 5.0]
    assert along([(1.0, 5.0), (1.0, 7.0), (2.0, 8.0)], 1.5) == pytest.approx(7.5)
