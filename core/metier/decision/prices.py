"""What an hour of a local device costs: a dated table of list prices, which `prices` in metier.toml overrides.

Remote models state their prices on their cards. All money is in US dollars.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from metier.decision.profile import Machine


@dataclass(frozen=True)
class HourlyPrice:
    """US dollars an hour, and where and when that was read."""

    dollars: float
    source: str
    date: str


_EC2 = "Amazon EC2, on demand, Linux, us-east-1: "

DEFAULT_PRICES: Mapping[str, HourlyPrice] = {
    "cpu": HourlyPrice(
        0.0408,
        _EC2 + "m7g.large, $0.0816 for 2 cores "
        "(https://www.factualminds.com/blog/amazon-ec2-on-demand-pricing-instance-families-2026/)",
        "2026-06-17",
    ),
    "cuda": HourlyPrice(
        1.006,
        _EC2 + "g5.xlarge, one A10G "
        "(https://www.factualminds.com/blog/amazon-ec2-on-demand-pricing-instance-families-2026/)",
        "2026-06-17",
    ),
    "H100": HourlyPrice(
        6.88,
        _EC2 + "p5.48xlarge, $55.04 for 8 (https://github.com/tsaol/aws-gpu, of instances.vantage.sh)",
        "2025-12-21",
    ),
    "H200": HourlyPrice(
        7.912,
        _EC2 + "p5en.48xlarge, $63.296 for 8 (https://github.com/tsaol/aws-gpu, of instances.vantage.sh)",
        "2025-12-21",
    ),
}
"""By device: "cpu" is one core, "cuda" any GPU of NVIDIA that no other entry names by a part of its name."""


@dataclass(frozen=True)
class Prices:
    """The hourly prices in force. `own`: the user's, in US dollars, by the same names as the default table."""

    own: Mapping[str, float] = field(default_factory=dict)

    def dollars_per_hour(self, device: str | None, machine: Machine) -> float | None:
        """Return what an hour of a device costs, all cores of a processor; None where nobody has said.

        The user's price for the GPU's name, then the user's for its kind, stand over the table's.
        """
        kind, _, number = (device or "").partition(":")
        accelerator = "".join(machine.accelerators[int(number or 0) :][:1]) if kind == "cuda" else ""
        for table in (self.own, {name: price.dollars for name, price in DEFAULT_PRICES.items()}):
            named = (price for name, price in table.items() if name not in _KINDS and name in accelerator)
            price = next(named, table.get(kind))
            if price is not None:
                return price * machine.cores if kind == "cpu" else price
        return None


_KINDS = frozenset({"cpu", "cuda", "mps"})
