"""Intervals of proportions."""

from __future__ import annotations

from statistics import NormalDist

_Z = NormalDist().inv_cdf(0.975)


def wilson_interval(right: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a proportion (Wilson, 1927, "Probable inference")."""
    share, z2 = right / count, _Z * _Z
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = _Z / (1 + z2 / count) * (share * (1 - share) / count + z2 / (4 * count * count)) ** 0.5
    # At the ends rounding would leave the proportion itself just outside.
    return (0.0 if right == 0 else centre - half, 1.0 if right == count else centre + half)
