"""What `rt.plan(pipeline, like=sample)` foretells beside what held-out values take: the share by which it errs.

The profiles are measured in the same run, right before the held-out values, which go through one after the other. A
mean to which few values add a hundred times what the others do is left to chance by samples of this size: it is told,
and has no goal.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from metier import Runtime
from metier.decision.calibrate import Calibrator
from metier.decision.measure import Effort
from metier.decision.plan import Likely
from metier.decision.store import ProfileStore
from metier.paths import profiles_file

from benchmarks.figures import Figure, at_least, at_most, seconds_of
from benchmarks.graphs import fitted_elsewhere
from benchmarks.planned import MINI_LM, PROMPTABLE, SMALL_LM, Planned, pipelines

SECONDS = {
    (SMALL_LM, "generate"): 36.0,
    (SMALL_LM, "classify"): 14.0,
    (MINI_LM, "rank"): 8.0,
    (PROMPTABLE, "segment"): 12.0,
}
"""For how long a model's task is measured at most, where that is not `OTHERS`."""

OTHERS = 3.0
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
    """Run a sample of each pipeline, calibrate its models, plan, and run other values one after the other."""
    with fitted_elsewhere(), Runtime() as runtime:
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


def _tried(runtime: Runtime, planned: Planned, sample: int) -> Trial:
    known, held_out = planned.values[:sample], planned.values[sample:]
    for _ in runtime.map(planned.pipeline, known, progress=False):
        pass
    _calibrate(runtime, planned, known)
    likely = _likely(runtime, planned, known)
    for value in known[:5]:
        runtime.run(planned.pipeline, value)  # the models are loaded again
    measured = [seconds_of(partial(runtime.run, planned.pipeline, value)) for value in held_out]
    own = [_known(_likely(runtime, planned, [value]).p50) for value in held_out]
    return Trial(planned, likely, own, measured)


def _calibrate(runtime: Runtime, planned: Planned, known: Sequence[object]) -> None:
    """Measure what the pipeline asks for right before its trial, so that a drift of the machine meets both."""
    store = ProfileStore(profiles_file())
    calls = runtime.plan(planned.pipeline, like=known).calls
    for model, task in dict.fromkeys((call.model, call.task) for call in calls):
        effort = Effort(seconds=SECONDS.get((model, task), OTHERS), calls=15, batches=(4,))
        for outcome in Calibrator(runtime, store, effort, task, again=True).run(runtime.model(model).card):
            print(f"{planned.name}: {model}, {task}: {outcome.status} {outcome.reason}", file=sys.stderr)


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
