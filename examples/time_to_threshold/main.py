"""Say when carbon dioxide will pass each limit, from what was known a year before it did."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from metier import Runtime
from metier_contracts import Forecast, Series
from rich.console import Console
from rich.table import Table
from threshold import LEVELS, passing

DATA = Path(__file__).parent / "data" / "co2.csv"
LIMITS = range(330, 371, 5)
BEFORE = 12
HORIZON = 36


@dataclass(frozen=True)
class Answer:
    """A limit, the months in which it is passed with 10, 50 and 90 %, and in which it was."""

    limit: int
    early: str | None
    middle: str | None
    late: str | None
    true: str
    months_off: int | None
    within: bool


def main() -> None:
    arguments = _arguments()
    readings = pd.read_csv(DATA, parse_dates=["month"], index_col="month")["co2"]
    first_above = {limit: int(np.argmax(readings.to_numpy() > limit)) for limit in LIMITS}
    requests = [_request(readings.iloc[: month - BEFORE]) for month in first_above.values()]
    with Runtime() as runtime:
        forecasts = list(runtime.map(requests, model=arguments.model))
    answers = []
    for forecast, (limit, month) in zip(forecasts, first_above.items(), strict=True):
        found = passing(forecast, limit)
        ahead = [f"{date:%Y-%m}" for date in pd.DatetimeIndex(forecast.timestamps)]
        early, middle, late = (None if step is None else ahead[step - 1] for step in asdict(found).values())
        answers.append(
            Answer(
                limit=limit,
                early=early,
                middle=middle,
                late=late,
                true=f"{readings.index[month]:%Y-%m}",
                months_off=None if found.middle is None else found.middle - BEFORE - 1,
                within=found.early is not None and found.early <= BEFORE + 1 <= (found.late or HORIZON),
            )
        )
    if arguments.json:
        print(json.dumps([asdict(answer) for answer in answers], indent=2))
    else:
        _print(answers)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="auto-ets", help="the model that forecasts")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser.parse_args()


def _request(readings: "pd.Series[float]") -> Forecast:
    return Forecast(series=Series.from_pandas(readings, missing=True), horizon=HORIZON, quantiles=LEVELS)


def _print(answers: Sequence[Answer]) -> None:
    table = Table("limit, ppm", "10 %", "50 %", "90 %", "passed in", "months off")
    for answer in answers:
        cells = (answer.limit, answer.early, answer.middle, answer.late, answer.true, answer.months_off)
        table.add_row(*("later" if cell is None else str(cell) for cell in cells))
    Console().print(table)
    known = [abs(answer.months_off) for answer in answers if answer.months_off is not None]
    if known:
        print(f"The 50 % date is off by {np.mean(known):.1f} months in the mean, {BEFORE} months ahead.")
    print(f"Passed between the first and the last date: {sum(answer.within for answer in answers)} of {len(answers)}.")


if __name__ == "__main__":
    main()
