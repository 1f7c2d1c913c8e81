"""Run the help desk over its stream of texts, and judge what it did against the labels."""

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import get_args

from desk import ANSWERS, EXAMPLES, Desk, Handled, desk, rows
from metier import Runtime
from metier_contracts import Response
from rich.console import Console
from rich.table import Table

Fact = tuple[str, str]  # kind and text
LABELS: tuple[str, ...] = get_args(Desk)


@dataclass(frozen=True)
class Report:
    """What the run cost and how well it did. `seconds` holds the loading of the models too."""

    texts: int
    seconds: float
    models: dict[str, dict[str, float]]
    accuracy: dict[str, float]
    confusion: dict[str, dict[str, int]]
    answers: dict[str, int]
    facts: dict[str, float]


def main() -> None:
    arguments = _arguments()
    stream = rows("stream.csv")[: arguments.limit]
    with Runtime() as runtime:
        started = time.perf_counter()
        handled = list(runtime.map(desk, [row["text"] for row in stream]))
        seconds = time.perf_counter() - started
    report = Report(
        texts=len(stream),
        seconds=round(seconds, 2),
        models=_usage(handled),
        accuracy=_accuracy(stream, handled),
        confusion=_confusion(stream, handled),
        answers=_answers(stream, handled),
        facts=_facts(stream, handled),
    )
    if arguments.json:
        print(json.dumps(asdict(report), indent=2))
    else:
        _print(stream, handled, report)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=int, help="take only so many texts of the stream")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser.parse_args()


def _responses(item: Handled) -> list[Response]:
    return [response for response in (item.ticket.verdict, item.facts, item.answers) if response is not None]


def _usage(handled: Sequence[Handled]) -> dict[str, dict[str, float]]:
    """Return calls, share of calls and seconds of every model; the rule hands on what no specialist took."""
    origins = [response.provenance for item in handled for response in _responses(item) if response.provenance]
    calls = Counter(origin.model for origin in origins)
    calls["rule: hand over"] = sum(item.facts is None and item.answers is None for item in handled)
    total = sum(calls.values())
    return {
        model: {
            "calls": count,
            "share": round(count / total, 3),
            "seconds": round(sum(origin.seconds for origin in origins if origin.model == model), 3),
        }
        for model, count in calls.most_common()
    }


def _accuracy(stream: Sequence[dict[str, str]], handled: Sequence[Handled]) -> dict[str, float]:
    truth = [row["label"] for row in stream]
    guesses: dict[str, Sequence[str]] = {
        "few-shot embeddings (metier)": [item.ticket.verdict.label for item in handled],
        "TF-IDF, logistic regression": _tfidf([row["text"] for row in stream]),
        "majority class": [Counter(truth).most_common(1)[0][0]] * len(truth),
    }
    return {name: round(_share_equal(guessed, truth), 3) for name, guessed in guesses.items()}


def _share_equal(guesses: Sequence[str], truth: Sequence[str]) -> float:
    return sum(guess == true for guess, true in zip(guesses, truth, strict=True)) / len(truth)


def _tfidf(texts: Sequence[str]) -> list[str]:
    """Return the labels that TF-IDF with logistic regression gives, fitted on the same examples."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10.0, max_iter=1000))
    model.fit(EXAMPLES.texts, [example.label for example in EXAMPLES.examples])
    return [str(label) for label in model.predict(texts)]


def _confusion(stream: Sequence[dict[str, str]], handled: Sequence[Handled]) -> dict[str, dict[str, int]]:
    called: list[str] = [item.ticket.verdict.label for item in handled]
    pairs = Counter(zip([row["label"] for row in stream], called, strict=True))
    return {truth: {guess: pairs[truth, guess] for guess in LABELS} for truth in LABELS}


def _answers(stream: Sequence[dict[str, str]], handled: Sequence[Handled]) -> dict[str, int]:
    """Count the questions that reached the ranker, and those whose known answer it put first."""
    reached = [
        (row["answer"], item.answers)
        for row, item in zip(stream, handled, strict=True)
        if row["label"] == "question" and item.answers is not None
    ]
    first = sum(ANSWERS[ranking.best]["id"] == answer for answer, ranking in reached)
    return {"first": first, "questions": len(reached)}


def _facts(stream: Sequence[dict[str, str]], handled: Sequence[Handled]) -> dict[str, float]:
    """Compare the facts of billing texts with those marked by hand: the same kind, and one text within the other.

    The recognizer leaves the sign out of "$49.99"; `exact` counts those whose text is the same to the letter.
    """
    marked: dict[str, set[Fact]] = {}
    for row in rows("facts.csv"):
        marked.setdefault(row["id"], set()).add((row["kind"], row["text"]))
    pairs: list[tuple[set[Fact], set[Fact]]] = [
        ({(entity.label, entity.text.strip()) for entity in item.facts.entities}, marked.get(row["id"], set()))
        for row, item in zip(stream, handled, strict=True)
        if row["label"] == "billing" and item.facts is not None
    ]
    found, wanted = sum(len(guessed) for guessed, _ in pairs), sum(len(truth) for _, truth in pairs)
    right = sum(any(_meet(one, other) for other in truth) for guessed, truth in pairs for one in guessed)
    covered = sum(any(_meet(one, other) for other in guessed) for guessed, truth in pairs for one in truth)
    return {
        "marked": wanted,
        "found": found,
        "exact": sum(len(guessed & truth) for guessed, truth in pairs),
        "precision": round(right / max(found, 1), 3),
        "recall": round(covered / max(wanted, 1), 3),
    }


def _meet(one: Fact, other: Fact) -> bool:
    return one[0] == other[0] and (one[1] in other[1] or other[1] in one[1])


def _print(stream: Sequence[dict[str, str]], handled: Sequence[Handled], report: Report) -> None:
    console = Console(width=None if Console().is_terminal else 160)
    table = Table("id", "text", "truth", "label", "score", "outcome", title="The stream", title_justify="left")
    for row, item in zip(stream, handled, strict=True):
        verdict = item.ticket.verdict
        mark = "" if verdict.label == row["label"] else " (wrong)"
        score = f"{verdict.scores[verdict.label]:.2f}"
        table.add_row(row["id"], row["text"][:48], row["label"], verdict.label + mark, score, _outcome(item)[:60])
    console.print(table)
    for title, columns, cells in _summaries(report):
        summary = Table(*columns, title=title, title_justify="left")
        for cell in cells:
            summary.add_row(*map(str, cell))
        console.print(summary)
    answers, facts = report.answers, report.facts
    console.print(f"Questions whose known answer came first: {answers['first']} of {answers['questions']}")
    console.print(
        f"Facts in billing texts: {facts['found']} found, {facts['marked']} marked by hand, {facts['exact']} of them "
        f"the same to the letter; overlapping and of one kind: precision {facts['precision']}, recall {facts['recall']}"
    )
    console.print(f"{report.texts} texts in {report.seconds} s, loading the models included")


def _outcome(item: Handled) -> str:
    if item.facts is not None:
        return ", ".join(f"{entity.label} {entity.text}" for entity in item.facts.entities) or "no facts found"
    if item.answers is not None:
        return f"-> {ANSWERS[item.answers.best]['question']}"
    return "handed to a person"


def _summaries(report: Report) -> list[tuple[str, list[str], list[list[object]]]]:
    usage: list[list[object]] = [[model, *figures.values()] for model, figures in report.models.items()]
    accuracy: list[list[object]] = [[method, share] for method, share in report.accuracy.items()]
    confusion: list[list[object]] = [[truth, *counts.values()] for truth, counts in report.confusion.items()]
    return [
        ("Models", ["model", "calls", "share", "seconds"], usage),
        ("Accuracy of the triage", ["method", "accuracy"], accuracy),
        ("Confusion", ["truth", *(f"called {label}" for label in LABELS)], confusion),
    ]


if __name__ == "__main__":
    main()
