"""What stands in a folder: decisions, and what scripts/evaluate and scripts/bench measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metier.claims.intervals import confidence
from metier.claims.tables import COLUMNS, SUMMARY_COLUMNS, cells, notes, summary
from tables import table

DOCS = Path(__file__).parent.parent
_DETAILS = ("predictions", "each")  # for the tests, which compare a slice of them
NOTHING = "Nothing has been recorded yet."


def decisions() -> str:
    """Return a list of the decision records, by number."""
    records = [path for path in sorted((DOCS / "decisions").glob("*.md")) if path.name != "index.md"]
    return "\n".join(f"- [{_title(path)}]({path.name})" for path in records) or NOTHING


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def evaluations() -> str:
    """Return a section for each file that scripts/evaluate wrote into docs/results."""
    return "\n\n".join(_evaluation(result) for result in _measured("rows")) or NOTHING


def figures() -> str:
    """Return a section for each file in docs/results that scripts/bench --json printed."""
    return "\n\n".join(_figures(result) for result in _measured("figures")) or NOTHING


def claims() -> str:
    """Return the verdicts, and a section for each kind of work in what `metier bench claims --out` wrote."""
    ledgers = _measured("claims")
    if not ledgers:
        return NOTHING
    verdicts = summary([claim for ledger in ledgers for claim in ledger["claims"]])
    return "\n\n".join(
        [table(SUMMARY_COLUMNS, verdicts), *(_claim(ledger, one) for ledger in ledgers for one in ledger["claims"])]
    )


def _claim(ledger: Mapping[str, Any], claim: Mapping[str, Any]) -> str:
    together, sure = claim["items"] // claim["rounds"], 100 * confidence(claim["rounds"])
    how = (
        f"{claim['items']} items in {claim['rounds']} interleaved rounds. In a round every way is asked for about "
        f"{together} together and {claim['timed']} one by one; the range of the rounds holds the median with "
        f"{sure:.0f} % confidence."
    )
    listed = "\n".join(f"- {line}" for line in notes(claim))
    parts = [f"## {claim['title']}", claim["data"], how, table(COLUMNS, cells(claim)), listed, _origin(ledger)]
    return "\n\n".join(parts)


def _measured(kind: str) -> list[dict[str, Any]]:
    """Return the results of one kind, the newest first by the names of their files."""
    paths = sorted((DOCS / "results").glob("*.json"), reverse=True)
    results = [{"file": path.name, **json.loads(path.read_text(encoding="utf-8"))} for path in paths]
    return [result for result in results if kind in result]


def _evaluation(result: Mapping[str, Any]) -> str:
    rows = result["rows"]
    columns = [name for name, value in next(iter(rows.values())).items() if name not in _DETAILS]
    cells = [[title, *("" if row[name] is None else row[name] for name in columns)] for title, row in rows.items()]
    titles = ["", *(name.replace("_", " ") for name in columns)]
    return "\n\n".join([f"## {result['title']}", result["data"], table(titles, cells), _origin(result)])


def _figures(result: Mapping[str, Any]) -> str:
    verdicts = {True: "met", False: "missed", None: ""}
    rows = [
        (figure["name"], f"{figure['value']:.4g} {figure['unit']}", figure["goal"], verdicts[figure["met"]])
        for figure in result["figures"]
    ]
    return "\n\n".join([f"## {result['title']}", table(("figure", "value", "goal", ""), rows), _origin(result)])


def _origin(result: Mapping[str, Any]) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    made = [f" {word} {result[key]}" for word, key in (("on", "date"), ("by", "command")) if key in result]
    return f"Measured{''.join(made)} ({machine}); the file is `docs/results/{result['file']}`."
