"""A service desk as one typed pipeline: whatever comes in goes to the specialist for its kind."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from metier import Step, parallel, route, step, task
from metier_contracts import (
    Classification,
    Classify,
    ExampleSet,
    Extract,
    Extraction,
    Forecast,
    ForecastResult,
    Generate,
    Generation,
    Graph,
    GraphScore,
    GraphScores,
    Image,
    Message,
    Rank,
    Ranking,
    Sampling,
    Segment,
    Segmentation,
    Series,
)

DATA = Path(__file__).parent / "data"

Desk = Literal["billing", "question", "other"]


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a file in data/."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


EXAMPLES: ExampleSet[Desk] = ExampleSet[Desk].from_mapping({"examples": rows("examples.csv")})
ANSWERS = rows("answers.csv")
QUESTIONS = [row["question"] for row in ANSWERS]
NEAR = 0.29  # the least cosine of a question with a known one that it may be
HORIZONS = {"h": 24, "D": 14, "MS": 12}  # steps to forecast, by the series' own step
SMALLEST, LARGEST, MARGIN = 14, 36, 5  # radii of round things, and what a box leaves around one, in pixels


@dataclass(frozen=True)
class Ticket:
    """A text and what the triage made of it."""

    text: str
    verdict: Classification[Desk]


@dataclass(frozen=True)
class Handled:
    """A ticket and what specialists found for it: facts of a bill, the known answers by nearness, a written one."""

    ticket: Ticket
    facts: Extraction | None = None
    answers: Ranking | None = None
    written: Generation | None = None


# Texts: sorted by a few labelled examples.


@step
def text(given: str) -> str:
    return given


@task
def triage(given: str) -> Classify[Desk]:
    return Classify[Desk](text=given, examples=EXAMPLES)


@step
def label(ticket: Ticket) -> Desk:
    return ticket.verdict.label


@step
def ticket(given: Ticket) -> Ticket:
    return given


@task
def invoice_facts(ticket: Ticket) -> Extract:
    return Extract(text=ticket.text, entity_types=["MONEY", "DATE", "ORG", "PERSON"])


@step
def hand_over(ticket: Ticket) -> Handled:
    return Handled(ticket)


# Questions: the nearest known answer, or where none is near a sentence of the language model.


@task
def nearest_answers(ticket: Ticket) -> Rank:
    return Rank(query=ticket.text, candidates=QUESTIONS)


@step
def is_known(found: Handled) -> bool:
    return found.answers is not None and found.answers.scores[0] >= NEAR


@step
def as_found(found: Handled) -> Handled:
    return found


@task
def write(found: Handled) -> Generate:
    rule = Message(role="system", content="You work at a service desk. Answer the question in one short sentence.")
    return Generate(messages=[rule, Message(role="user", content=found.ticket.text)], sampling=Sampling(max_tokens=40))


def with_answer(found: Handled, written: Generation) -> Handled:
    return replace(found, written=written)


questions = parallel(into=Handled, ticket=ticket, answers=nearest_answers) >> route(is_known).to(
    {True: as_found, False: parallel(into=with_answer, found=as_found, written=write)}
)

texts = parallel(into=Ticket, text=text, verdict=triage) >> route(label).to(
    {
        "billing": parallel(into=Handled, ticket=ticket, facts=invoice_facts),
        "question": questions,
    },
    default=hand_over,
)


# Everything else that comes in.


@task
def ahead(readings: Series) -> Forecast:
    return Forecast(series=readings, horizon=HORIZONS[readings.frequency or "D"])


@task
def unusual(meters: Graph) -> GraphScore:
    return GraphScore(graph=meters, level="node")


@task
def outline(picture: Image) -> Segment:
    """Ask for what is in a box around each circle, or for everything where there is none."""
    grey = cv2.medianBlur(np.ascontiguousarray(picture.pixels[:, :, 0]), 5)
    circles = cv2.HoughCircles(
        grey, cv2.HOUGH_GRADIENT, 1, 38, param1=120, param2=20, minRadius=SMALLEST, maxRadius=LARGEST
    )
    if circles is None:
        return Segment(image=picture, everything=True)
    x, y, radius = circles[0].T
    radius = radius + MARGIN
    return Segment(image=picture, boxes=np.stack([x - radius, y - radius, x + radius, y + radius], axis=1))


# All of it: each piece goes to the arm that takes its type.

Post = str | Series | Graph | Image
Outcome = Handled | ForecastResult | GraphScores | Segmentation

desk: Step[Post, Outcome] = route(texts, ahead, unusual, outline)
