"""Send a day's post through the desk: texts, series, graphs and pictures, each to its specialist, and judge them."""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from desk import Handled, desk
from drawing import draw
from facts import facts
from judging import Judgement, accuracy, answers, confusion, costs, judge
from metier import Runtime
from post import Letter, day, given
from rich.console import Console
from rich.table import Table

DOLLARS_PER_HOUR = 0.0816  # two cores of a server, on demand: see the prices of `metier models --profile`
FOLDER = Path(tempfile.gettempdir()) / "metier-help-desk"


@dataclass(frozen=True)
class Report:
    """What the run cost and how well it did. `seconds` holds the loading of the models too."""

    pieces: list[Judgement]
    seconds: float
    models: dict[str, dict[str, float]]
    accuracy: dict[str, float]
    confusion: dict[str, dict[str, int]]
    answers: dict[str, int]
    facts: dict[str, float]
    pictures: list[str]
    pipeline: str


def main() -> None:
    arguments = _arguments()
    pieces = day()[: arguments.limit]
    with Runtime() as runtime:
        started = time.perf_counter()
        outcomes = list(runtime.map(desk, given(pieces)))
        seconds = time.perf_counter() - started
        used = runtime.usage()
    pairs = list(zip(pieces, outcomes, strict=True))
    texts = [(piece, one) for piece, one in pairs if isinstance(piece, Letter) and isinstance(one, Handled)]
    letters, handled = [letter for letter, _ in texts], [item for _, item in texts]
    report = Report(
        pieces=[judge(piece, outcome) for piece, outcome in pairs],
        seconds=round(seconds, 2),
        models=costs(used, outcomes, arguments.dollars_per_hour),
        accuracy=accuracy(letters, handled),
        confusion=confusion(letters, handled),
        answers=answers(letters, handled),
        facts=facts(letters, handled),
        pictures=[str(path) for path in draw(pieces, outcomes, arguments.out)],
        pipeline=str(arguments.out / "desk.mmd"),
    )
    Path(report.pipeline).write_text(desk.to_mermaid(), encoding="utf-8")
    if arguments.json:
        print(json.dumps(asdict(report), indent=2))
    else:
        _print(report, arguments.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, help="take only so many pieces")
    parser.add_argument(
        "--dollars-per-hour", type=float, default=DOLLARS_PER_HOUR, help="what an hour of this machine costs"
    )
    parser.add_argument("--out", type=Path, default=FOLDER, help="the folder for pictures of what was found")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser.parse_args()


def _print(report: Report, folder: Path) -> None:
    console = Console(width=None if Console().is_terminal else 160)
    columns = ("id", "input", "kind", "specialist", "answer", "seconds", "right")
    console.print(_table("The day's post", columns, [_row(piece) for piece in report.pieces]))
    figures = [(model, *list(one.values())[:-1], f"{one['dollars']:.6f}") for model, one in report.models.items()]
    console.print(_table("Models", ("model", "calls", "share", "seconds", "dollars"), figures))
    console.print(_table("Accuracy of the triage", ("method", "accuracy"), list(report.accuracy.items())))
    counts = [(truth, *row.values()) for truth, row in report.confusion.items()]
    console.print(_table("Confusion", ("truth", *(f"called {label}" for label in report.confusion)), counts))
    known, found = report.answers, report.facts
    console.print(f"Questions whose known answer came first: {known['first']} of {known['questions']}")
    console.print(
        f"Facts in billing texts: {found['found']} found, {found['marked']} marked by hand, {found['exact']} of them "
        f"the same to the letter; overlapping and of one kind: precision {found['precision']}, recall {found['recall']}"
    )
    console.print(f"{len(report.pictures)} pictures of what was found: {folder}")
    console.print(f"The pipeline as a flowchart of Mermaid: {report.pipeline}")
    dollars = sum(one["dollars"] for one in report.models.values())
    console.print(f"The models cost ${1000 * dollars / len(report.pieces):.4f} for 1,000 pieces")
    console.print(f"{len(report.pieces)} pieces in {report.seconds} s, loading the models included")


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    table = Table(*columns, title=title, title_justify="left")
    for row in rows:
        table.add_row(*map(str, row))
    return table


def _row(piece: Judgement) -> tuple[str, ...]:
    hit, all_ = piece.right
    right = ("yes" if hit else "no") if all_ == 1 else f"{hit} of {all_}"
    seconds = f"{piece.seconds:.3f}"
    return piece.id, piece.given[:40], piece.kind, piece.specialist, piece.answer[:60], seconds, right


if __name__ == "__main__":
    main()
