"""What `rt.plan(pipeline, like=sample)` foretells beside what held-out values take: the share by which it errs.

All is measured in one run: the profiles, the sample and the held-out values, which go through one after the other. A
mean to which few values add a hundred times what the others do is left to chance by samples of this size: it is told,
and has no goal.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from metier import Runtime
from metier.decision.calibrate import Calibrator
from metier.decision.measure import Effort
from metier.decision.plan import Likely
from metier.decision.store import ProfileStore
from metier.paths import profiles_file

from benchmarks.figures import Figure, at_least, at_most, seconds_of
from benchmarks.graphs import fitted_elsewhere
from benchmarks.planned import (
    FRACAST,
    LINKS,
    MINI_LM,
    NAIVE,
    PROMPTABLE,
    SMALL_LM,
    SPACY,
    THETA,
    Planned,
    pipelines,
)

WORK = (
    (MINI_LM, "classify", 6.0),
    (MINI_LM, "embed", 6.0),
    (MINI_LM, "rank", 12.0),
    (SMALL_LM, "generate", 45.0),
    (SMALL_LM, "classify", 20.0),
    (SPACY, "extract", 4.0),
    (FRACAST, "forecast", 6.0),
    (THETA, "forecast", 4.0),
    (NAIVE, "detect-anomalies", 4.0),
    (PROMPTABLE, "segment", 15.0),
    (LINKS, "graph-score", 4.0),
)
"""What is calibrated, and in how many seconds at most."""

SAMPLE = HELD_OUT = 40
GOAL = 20


@dataclass(frozen=True)
class Trial:
    """Seconds foretold and measured. `own`: of each held-out value, by the way that it went and the sizes it had."""

    planned: Planned
    likely: Likely
    own: Sequence[float]
    measured: Sequence[float]

    @property
    def error(self) -> float:
        """By how much the p50 of the plan is off the median of the held-out values, in percent of that."""
        return _off(_known(self.likely.p50), statistics.median(self.measured))

    @property
    def errors(self) -> list[float]:
        """By how much the p50 of the plan is off each held-out value."""
        return [_off(_known(self.likely.p50), measured) for measured in self.measured]

    @property
    def own_errors(self) -> list[float]:
        """By how much each held-out value's own plan is off."""
        return [_off(foretold, measured) for foretold, measured in zip(self.own, self.measured, strict=True)]

    def figures(self) -> list[Figure]:
        """Return them for people."""
        name, likely, count = self.planned.name, self.likely, len(self.measured)
        return [
            Figure(f"{name}: p50 foretold by {likely.values} values", _known(likely.p50) * 1e3, "ms"),
            Figure(f"{name}: median of {count} held-out values", statistics.median(self.measured) * 1e3, "ms"),
            Figure(f"{name}: error", self.error, "%"),
            Figure(
                f"{name}: error for one value, its way and sizes known, median", statistics.median(self.own_errors), "%"
            ),
            Figure(f"{name}: mean foretold", _known(likely.mean) * 1e3, "ms"),
            Figure(f"{name}: mean of the held-out values", statistics.fmean(self.measured) * 1e3, "ms"),
        ]


def measure(sample: int = SAMPLE, held_out: int = HELD_OUT) -> list[Figure]:
    """Calibrate the models, run a sample of each pipeline, plan by it, and run other values one after the other."""
    with fitted_elsewhere(), Runtime() as runtime:
        _calibrate(runtime)
        trials = [_tried(runtime, planned, sample) for planned in pipelines(sample + held_out)]
    branching = sum(trial.planned.branches for trial in trials)
    errors = [error for trial in trials for error in trial.errors]
    own = [error for trial in trials for error in trial.own_errors]
    return [
        *(figure for trial in trials for figure in trial.figures()),
        at_least(f"of {len(trials)} pipelines, those with a route or a cascade", branching, "", 4),
        _within("error, median of the pipelines", [trial.error for trial in trials]),
        _within(f"error for one value, median of {len(errors)}", errors),
        _within(f"error for one value, its way and sizes known, median of {len(own)}", own),
    ]


def _within(name: str, errors: Sequence[float]) -> Figure:
    return at_most(name, statistics.median(errors), "%", GOAL)


def _calibrate(runtime: Runtime) -> None:
    store = ProfileStore(profiles_file())
    for model, task, seconds in WORK:
        effort = Effort(seconds=seconds, calls=15, batches=(4,))
        for outcome in Calibrator(runtime, store, effort, task).run(runtime.model(model).card):
            print(f"{model}, {task}: {outcome.status} {outcome.reason}", file=sys.stderr)


def _tried(runtime: Runtime, planned: Planned, sample: int) -> Trial:
    known, held_out = planned.values[:sample], planned.values[sample:]
    for _ in runtime.map(planned.pipeline, known, progress=False):
        pass
    likely = _likely(runtime, planned, known)
    measured = [seconds_of(lambda value=value: runtime.run(planned.pipeline, value)) for value in held_out]  # type: ignore[misc]
    own = [_known(_likely(runtime, planned, [value]).p50) for value in held_out]
    return Trial(planned, likely, own, measured)


def _likely(runtime: Runtime, planned: Planned, values: Sequence[object]) -> Likely:
    likely = runtime.plan(planned.pipeline, like=values).likely
    if likely is None:
        raise RuntimeError("a plan by a sample says what is likely")
    return likely


def _known(seconds: float | None) -> float:
    if seconds is None:
        raise RuntimeError("every model was to be calibrated")
    return seconds


def _off(foretold: float, measured: float) -> float:
    return 100 * abs(foretold - measured) / measured
