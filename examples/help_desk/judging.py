"""What the desk made of each piece, in a few words, and whether it is right."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from desk import ANSWERS, EXAMPLES, Handled, Outcome
from metier import Usage
from metier_contracts import ForecastResult, GraphScores, Response, Segmentation
from numpy.typing import NDArray
from post import Letter, Meters, Photograph, Piece, Readings

RULE = "rule: hand over"
COVERED = 0.75  # the least intersection over union of an outline that counts as right


@dataclass(frozen=True)
class Judgement:
    """A line of the report. `right`: of so many, how many were right."""

    id: str
    given: str
    kind: str
    specialist: str
    answer: str
    seconds: float
    right: tuple[int, int]


def judge(piece: Piece, outcome: Outcome) -> Judgement:
    """Return what the specialist said, beside the truth."""
    kind, shown, answer, right = _judged(piece, outcome)
    origins = [response.provenance for response in responses(outcome) if response.provenance is not None]
    handed = isinstance(outcome, Handled) and outcome.facts is None and outcome.answers is None
    specialist = RULE if handed else origins[-1].model
    seconds = sum(origin.seconds for origin in origins)
    return Judgement(piece.id, shown, kind, specialist, answer, round(seconds, 3), right)


def responses(outcome: Outcome) -> list[Response]:
    """Return the responses of all models that had a part in an outcome, the specialist's last."""
    if not isinstance(outcome, Handled):
        return [outcome]
    parts = (outcome.ticket.verdict, outcome.facts, outcome.answers, outcome.written)
    return [response for response in parts if response is not None]


def _judged(piece: Piece, outcome: Outcome) -> tuple[str, str, str, tuple[int, int]]:
    match piece, outcome:
        case Letter() as letter, Handled() as handled:
            return handled.ticket.verdict.label, letter.given, in_words(handled), (is_right(letter, handled), 1)
        case Readings() as readings, ForecastResult() as forecast:
            return (
                "series",
                f"{len(readings.given)} values, step {readings.given.frequency}",
                *_forecast(readings, forecast),
            )
        case Meters() as meters, GraphScores() as scores:
            return (
                "graph",
                f"{meters.given.num_nodes} meters, {meters.given.num_edges} links",
                *_unusual(meters, scores),
            )
        case Photograph() as photograph, Segmentation() as found:
            size = f"{photograph.given.width} x {photograph.given.height} pixels"
            return "picture", size, *_outlines(photograph, found)
    raise TypeError(f"{type(outcome).__name__} is no outcome of a {type(piece).__name__}")


def in_words(handled: Handled) -> str:
    """Return what was done with a text."""
    if handled.written is not None:
        return handled.written.text
    if handled.answers is not None:
        return f"-> {ANSWERS[handled.answers.best]['question']}"
    if handled.facts is not None:
        return ", ".join(f"{entity.label} {entity.text}" for entity in handled.facts.entities) or "no facts found"
    return "handed to a person"


def is_right(letter: Letter, handled: Handled) -> bool:
    """Tell whether the label is right, and for a question the answer too."""
    if handled.ticket.verdict.label != letter.label:
        return False
    if letter.word:
        return handled.written is not None and letter.word in handled.written.text.lower()
    if letter.answer:
        known = handled.answers if handled.written is None else None
        return known is not None and ANSWERS[known.best]["id"] == letter.answer
    return True


def _forecast(readings: Readings, forecast: ForecastResult) -> tuple[str, tuple[int, int]]:
    """A forecast is right where it is off by less than the last season again."""
    again = np.resize(readings.given.values[-readings.season :], len(readings.then))
    own, yardstick = (error(guess, readings.then) for guess in (forecast.mean, again))
    answer = f"next {len(readings.then)} off by {own:.1%} (last season again: {yardstick:.1%})"
    return answer, (own < yardstick, 1)


def error(guess: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
    """Return the mean absolute error as a share of the truth's mean."""
    return float(np.abs(guess - truth).mean() / truth.mean())


def most_unusual(meters: Meters, scores: GraphScores) -> list[int]:
    """Return as many nodes as do not belong, those with the highest scores."""
    return [int(node) for node in np.argsort(-scores.scores[:, 0])[: len(meters.odd)]]


def _unusual(meters: Meters, scores: GraphScores) -> tuple[str, tuple[int, int]]:
    names = meters.given.node_ids or ()
    found = most_unusual(meters, scores)
    return f"look at {', '.join(names[node] for node in found)}", (len(meters.odd & set(found)), len(meters.odd))


def _outlines(photograph: Photograph, found: Segmentation) -> tuple[str, tuple[int, int]]:
    """A drawn thing is right where an outline covers it; of a photograph only the count is known."""
    areas = found.masks.sum(axis=(1, 2))
    across = 2 * np.sqrt(areas / np.pi)
    answer = f"{np.count_nonzero(areas)} things, {across.min():.0f} to {across.max():.0f} pixels across"
    truth = photograph.masks
    if truth is None:
        return answer, (min(int(np.count_nonzero(areas)), photograph.count), photograph.count)
    best = [max(_overlap(mask, other) for other in found.masks) for mask in truth]
    return answer, (sum(share >= COVERED for share in best), photograph.count)


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max((one | other).sum(), 1))


def costs(used: Usage, outcomes: Sequence[Outcome], dollars_per_hour: float) -> dict[str, dict[str, float]]:
    """Return calls, share of calls, seconds and US dollars of every model; the rule hands on what no specialist took.

    A model on this machine costs its seconds at the machine's price, a remote one what its card says.
    """
    handled = [outcome for outcome in outcomes if isinstance(outcome, Handled)]
    rule = sum(item.facts is None and item.answers is None for item in handled)
    calls = used.requests + rule
    lines = {
        model: {
            "calls": usage.requests,
            "share": round(usage.requests / calls, 3),
            "seconds": round(usage.seconds, 3),
            "dollars": usage.cost + usage.seconds * dollars_per_hour / 3600,
        }
        for model, usage in used.models.items()
    }
    lines[RULE] = {"calls": rule, "share": round(rule / calls, 3), "seconds": 0.0, "dollars": 0.0}
    return dict(sorted(lines.items(), key=lambda line: -line[1]["calls"]))


def accuracy(letters: Sequence[Letter], handled: Sequence[Handled]) -> dict[str, float]:
    """Return the share of right labels, beside two ways without a language model."""
    truth = [letter.label for letter in letters]
    guesses: dict[str, Sequence[str]] = {
        "few-shot embeddings (metier)": [item.ticket.verdict.label for item in handled],
        "TF-IDF, logistic regression": _tfidf([letter.given for letter in letters]),
        "majority class": [Counter(truth).most_common(1)[0][0]] * len(truth),
    }
    return {name: round(float(np.mean(np.array(guess) == truth)), 3) for name, guess in guesses.items()}


def _tfidf(texts: Sequence[str]) -> list[str]:
    """Return the labels that TF-IDF with logistic regression gives, fitted on the same examples."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(C=10.0, max_iter=1000))
    model.fit(EXAMPLES.texts, [example.label for example in EXAMPLES.examples])
    return [str(label) for label in model.predict(texts)]


def confusion(letters: Sequence[Letter], handled: Sequence[Handled]) -> dict[str, dict[str, int]]:
    """Return how many texts of each label were called what."""
    called: list[str] = [item.ticket.verdict.label for item in handled]
    pairs = Counter(zip([letter.label for letter in letters], called, strict=True))
    return {truth: {guess: pairs[truth, guess] for guess in EXAMPLES.labels} for truth in EXAMPLES.labels}


def answers(letters: Sequence[Letter], handled: Sequence[Handled]) -> dict[str, int]:
    """Count the questions with a known answer that reached the ranker, and those where it came first."""
    pairs = zip(letters, handled, strict=True)
    reached = [(letter, item) for letter, item in pairs if letter.answer and item.answers is not None]
    return {"first": sum(is_right(letter, item) for letter, item in reached), "questions": len(reached)}
