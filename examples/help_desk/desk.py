"""A help desk as a typed pipeline: a cheap classifier sorts the texts, and a specialist answers each kind."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from metier import parallel, route, step, task
from metier_contracts import Classification, Classify, ExampleSet, Extract, Extraction, Rank, Ranking

DATA = Path(__file__).parent / "data"

Desk = Literal["billing", "question", "other"]


def rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a file in data/."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


EXAMPLES: ExampleSet[Desk] = ExampleSet[Desk].from_mapping({"examples": rows("examples.csv")})
ANSWERS = rows("answers.csv")
QUESTIONS = [row["question"] for row in ANSWERS]


@dataclass(frozen=True)
class Ticket:
    """A text and what the triage made of it."""

    text: str
    verdict: Classification[Desk]


@dataclass(frozen=True)
class Handled:
    """A ticket and what a specialist found for it: facts of a bill, or the known answers by nearness."""

    ticket: Ticket
    facts: Extraction | None = None
    answers: Ranking | None = None


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


@task
def nearest_answers(ticket: Ticket) -> Rank:
    return Rank(query=ticket.text, candidates=QUESTIONS)


@step
def hand_over(ticket: Ticket) -> Handled:
    return Handled(ticket)


desk = parallel(into=Ticket, text=text, verdict=triage) >> route(label).to(
    {
        "billing": parallel(into=Handled, ticket=ticket, facts=invoice_facts),
        "question": parallel(into=Handled, ticket=ticket, answers=nearest_answers),
    },
    default=hand_over,
)
