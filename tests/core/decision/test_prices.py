"""What an hour of a device costs."""

from __future__ import annotations

import datetime

import pytest
from metier import Runtime
from metier.decision.prices import DEFAULT_PRICES, Prices
from metier.decision.profile import Machine
from metier_contracts import ConfigError

CPU = Machine(processor="p", cores=4)
GPUS = Machine(processor="p", cores=4, accelerators=("NVIDIA A10G", "NVIDIA H100 80GB HBM3"))


@pytest.mark.parametrize(
    ("own", "device", "machine", "dollars"),
    [
        ({}, "cpu", CPU, 4 * 0.0408),
        ({"cpu": 0.01}, "cpu", CPU, 0.04),
        ({"cpu": 0.0}, "cpu", CPU, 0.0),
        ({}, "cuda:0", GPUS, 1.006),
        ({}, "cuda:1", GPUS, 6.88),
        ({}, "cuda:7", GPUS, 1.006),
        ({"cuda": 0.5}, "cuda:1", GPUS, 0.5),
        ({"A10G": 0.3}, "cuda:0", GPUS, 0.3),
        ({"A10G": 0.3}, "cuda:1", GPUS, 6.88),
        ({"cuda": 0.5, "H100": 2.0}, "cuda:1", GPUS, 2.0),
        ({}, "mps", CPU, None),
        ({"mps": 0.2}, "mps", CPU, 0.2),
        ({}, "remote", GPUS, None),
        ({}, None, CPU, None),
    ],
)
def test_the_users_price_stands_over_the_table(
    own: dict[str, float], device: str | None, machine: Machine, dollars: float | None
) -> None:
    assert Prices(own).dollars_per_hour(device, machine) == pytest.approx(dollars)


@pytest.mark.parametrize("name", DEFAULT_PRICES)
def test_each_price_says_where_and_when_it_was_read(name: str) -> None:
    price = DEFAULT_PRICES[name]
    assert price.dollars > 0
    assert "https://" in price.source
    assert datetime.date.fromisoformat(price.date) > datetime.date(2025, 1, 1)


def test_prices_are_settings() -> None:
    with Runtime(config={"prices": {"cpu": 0.02}}) as runtime:
        assert runtime.config.prices == {"cpu": 0.02}
    with pytest.raises(ConfigError, match="prices"):
        Runtime(config={"prices": {"cpu": -1}})


def test_the_projects_prices_stand_over_the_users(settings_file) -> None:  # type: ignore[no-untyped-def]
    settings_file({"prices": {"cpu": 0.02, "cuda": 3.0}})
    settings_file({"prices": {"cpu": 0.05}}, project=True)
    with Runtime() as runtime:
        assert runtime.config.prices == {"cpu": 0.05, "cuda": 3.0}
