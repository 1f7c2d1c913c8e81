"""Values that were not observed, for models that need all of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


def filled(values: Values, season: int) -> Values:
    """Return the values without NaN.

    A gap is bridged in a straight line between the same times of the seasons around it: a missing Sunday between two
    Sundays. Where a time of the season was never observed, in a straight line between its neighbours.
    """
    known = np.isfinite(values)
    if known.all():
        return values
    bridged = _bridged(values, known)
    for phase in range(season if season > 1 else 0):
        of_phase = slice(phase, None, season)
        if known[of_phase].any():
            bridged[of_phase] = _bridged(values[of_phase], known[of_phase])
    return bridged


def _bridged(values: Values, known: NDArray[np.bool_]) -> Values:
    places = np.arange(len(values))
    return np.interp(places, places[known], values[known])
