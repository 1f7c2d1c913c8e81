"""Profiles of models that were never measured here, reckoned from what stands on their cards.

One rule for every card, whatever its architecture:

- a request is so many tokens: a token for 4 characters, for 256 pixels (a patch of 16 x 16), for each point or edge,
  for 256 pixel-steps, and 1,000 for a step of an act, with what the card states as overhead;
- reading them takes 2 floating-point operations for each active parameter and token, at the nominal speed of the
  device: of one NVIDIA GPU where the card and the machine have it, else of the machine's cores;
- writing a token reads the active weights once, at the nominal bandwidth of the device's memory;
- each call takes a millisecond besides, and its 95th percentile is 1.5 times the median;
- it holds the bytes that the card states, and loads them at a nominal gigabyte a second;
- a remote model answers after 0.5 seconds, reads 5,000 tokens a second and writes 50.

A card that states no parameters says nothing of its speed, and its estimate has no latency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metier_contracts import ModelCard, Overhead, Probes, Size, Unit

from metier.decision.prices import Prices
from metier.decision.profile import Machine, Measurement, Profile
from metier.decision.tokens import tokens_read
from metier.revisions import revision_of

_CALL_SECONDS = 0.001
_P95 = 1.5
_LOAD_BYTES_PER_SECOND = 1e9
_BYTES_PER_PARAMETER = 4
_SIZES = (Size(100), Size(1000))


@dataclass(frozen=True)
class _Speed:
    """Seconds before the answer, and for each token read and written."""

    call: float
    read: float
    write: float


_REMOTE = _Speed(0.5, 1 / 5000, 1 / 50)


def from_card(
    card: ModelCard, task: str, probes: Sequence[Probes], machine: Machine, prices: Prices, unit: Unit | None = None
) -> Profile:
    """Return the profile of a model for a task by the rule above.

    Args:
        card: the model.
        task: the task's name.
        probes: the task's, whose sizes the profile tells of.
        machine: where it is to run.
        prices: of the machine's devices.
        unit: what sizes count, None for that of the first probes.
    """
    device = "remote" if card.remote else _device(card, machine)
    fitting = [each for each in probes if unit in (None, each.unit)]
    sizes = fitting[0].sizes if fitting else _SIZES
    speed, overhead = _speed(card, device, machine), card.tasks[task].overhead
    held = card.bytes or card.parameters * _BYTES_PER_PARAMETER
    return Profile(
        model=card.id,
        task=task,
        source="card",
        weights=revision_of(card),
        unit=sizes[0].unit,
        measurements=() if speed is None else tuple(_measurement(size, speed, overhead) for size in sizes),
        load_seconds=0.0 if card.remote else held / _LOAD_BYTES_PER_SECOND if held else None,
        memory=0 if card.remote else held or None,
        tokens_per_second=1 / speed.write if speed is not None and sizes[0].output_tokens else None,
        price=card.price,
        overhead=overhead,
        dollars_per_hour=prices.dollars_per_hour(device, machine),
        device=device,
    )


def _measurement(size: Size, speed: _Speed, overhead: Overhead | None) -> Measurement:
    written = size.output_tokens or (0 if overhead is None else overhead.output_tokens)
    seconds = speed.call + speed.read * tokens_read(size, overhead) + speed.write * written
    return Measurement(size=size.amount, output_tokens=written, p50=seconds, p95=_P95 * seconds)


def _device(card: ModelCard, machine: Machine) -> str:
    return "cuda:0" if "cuda" in card.devices and machine.accelerators else "cpu"


def _speed(card: ModelCard, device: str, machine: Machine) -> _Speed | None:
    if card.remote:
        return _REMOTE
    if "parameters" not in card.model_fields_set and card.active_parameters is None:
        return None
    operations, bandwidth = (5e13, 1e12) if device != "cpu" else (3e10 * machine.cores, 2e10)
    active = card.parameters if card.active_parameters is None else card.active_parameters
    each = card.bytes / card.parameters if card.bytes and card.parameters else _BYTES_PER_PARAMETER
    return _Speed(_CALL_SECONDS, 2 * active / operations, active * each / bandwidth)
