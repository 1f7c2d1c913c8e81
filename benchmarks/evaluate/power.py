"""Which valid test of the loss of a cascade finds a promise that is kept most often: by simulation, one threshold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from metier.cascades.bound import allowed_losses
from numpy.typing import NDArray

SAMPLE, MAX_LOSS, RISK, DRAWS, SEED = 2000, 0.01, 0.05, 1000, 20261128
TRUTHS = ((0.003, 0.0), (0.005, 0.002), (0.008, 0.006), (0.015, 0.012), (0.03, 0.03), (0.05, 0.055))
_BETS = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 0.999])[:, np.newaxis] / (1 - MAX_LOSS)

Counts = NDArray[np.int64]
Test = Callable[[Counts, Counts], NDArray[np.bool_]]


def exact_difference(losses: Counts, gains: Counts) -> NDArray[np.bool_]:
    """The test of `metier.cascades.bound`."""
    found: NDArray[np.bool_] = losses <= allowed_losses(SAMPLE, MAX_LOSS, 1 - RISK)[losses + gains]
    return found


def losses_alone(losses: Counts, gains: Counts) -> NDArray[np.bool_]:
    """Clopper and Pearson's bound of the losses; the gains are left out."""
    from scipy.stats import binom

    found: NDArray[np.bool_] = binom.cdf(losses, SAMPLE, MAX_LOSS) <= RISK
    return found


def two_bounds(losses: Counts, gains: Counts) -> NDArray[np.bool_]:
    """Clopper and Pearson's bounds of both, at 0.04 and 0.01."""
    from scipy.stats import beta

    upper = beta.ppf(1 - 0.04, losses + 1, SAMPLE - losses)
    lower = np.where(gains > 0, beta.ppf(0.01, np.maximum(gains, 1), SAMPLE - gains + 1), 0)
    found: NDArray[np.bool_] = upper - lower <= MAX_LOSS
    return found


def mixed_bets(losses: Counts, gains: Counts) -> NDArray[np.bool_]:
    """Wealth of nine constant bets against the broken promise, in the mean, and Markov's inequality."""
    neither = SAMPLE - losses - gains
    growth = losses * np.log1p(_BETS * (MAX_LOSS - 1)) + gains * np.log1p(_BETS * (MAX_LOSS + 1))
    wealth = np.exp(growth + neither * np.log1p(_BETS * MAX_LOSS)).mean(axis=0)
    return np.asarray(wealth >= 1 / RISK)


def adaptive_bets(losses: Counts, gains: Counts) -> NDArray[np.bool_]:
    """The predictable bets of Waudby-Smith and Ramdas, and Ville's inequality, the texts in random order."""
    rng = np.random.default_rng(SEED)
    found = []
    for lost, gained in zip(losses, gains, strict=True):
        values = np.repeat([1.0, 0.0, 0.5], [lost, gained, SAMPLE - lost - gained])
        rng.shuffle(values)
        count = np.arange(1, SAMPLE + 1)
        means = (0.5 + np.cumsum(values)) / (count + 1)
        variances = (0.25 + np.cumsum((values - means) ** 2)) / (count + 1)
        before = np.concatenate([[0.25], variances[:-1]])
        bets = np.minimum(1, np.sqrt(2 * np.log(1 / RISK) / (SAMPLE * before)))
        found.append(np.cumsum(np.log1p(-bets * (values - (1 + MAX_LOSS) / 2))).max() >= np.log(1 / RISK))
    return np.array(found)


def hoeffding_bentkus(losses: Counts, gains: Counts) -> NDArray[np.bool_]:
    """Hoeffding's and Bentkus' inequalities on the loss brought into 0..1."""
    from scipy.special import rel_entr
    from scipy.stats import binom

    seen, bound = (1 + (losses - gains) / SAMPLE) / 2, (1 + MAX_LOSS) / 2
    less = np.minimum(seen, bound)
    hoeffding = np.exp(-SAMPLE * (rel_entr(less, bound) + rel_entr(1 - less, 1 - bound)))
    bentkus = np.e * binom.cdf(np.ceil(SAMPLE * seen), SAMPLE, bound)
    return np.asarray(np.minimum(hoeffding, bentkus) <= RISK)


TESTS: dict[str, Test] = {
    "exact test of the difference (chosen)": exact_difference,
    "losses alone (Clopper-Pearson)": losses_alone,
    "two bounds (Clopper-Pearson)": two_bounds,
    "betting, mixture of constant bets": mixed_bets,
    "betting, WSR": adaptive_bets,
    "Hoeffding-Bentkus": hoeffding_bentkus,
}


def power(test: Test, losing: float, gaining: float) -> float:
    """Return how often a test finds that the promise holds, where a text is a loss and a gain with these chances."""
    drawn = np.random.default_rng(SEED).multinomial(SAMPLE, [losing, gaining, 1 - losing - gaining], DRAWS)
    return round(float(test(drawn[:, 0], drawn[:, 1]).mean()), 3)


def judge() -> dict[str, Any]:
    """Try every test on every truth."""
    return {
        "title": "Power of valid tests of a cascade's loss",
        "data": f"How often, of {DRAWS:,} simulated samples of {SAMPLE:,} texts, a test finds that at most {MAX_LOSS} "
        f"is lost, at confidence {1 - RISK}, where a text is a loss / a gain with the chances on top.",
        "rows": {
            name: {f"{losing:g} / {gaining:g}": power(test, losing, gaining) for losing, gaining in TRUTHS}
            for name, test in TESTS.items()
        },
    }
