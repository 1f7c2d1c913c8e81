"""extract: the facts of letters to a help desk, marked by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metier_contracts import Extract, Extraction, Generate, Generation, Message, Sampling

from metier.claims.data import own_rows
from metier.claims.work import Answer, Asked, Metric, Scale, Work, each

KINDS = ("MONEY", "DATE", "ORG", "PERSON")
SHOTS, TRIAL = 3, 4
_TOLD = (
    "You find facts in letters: MONEY (an amount with its currency), DATE (a day, month or year), ORG (a company) and "
    "PERSON (a name). Answer with a JSON list of the facts, each copied from the letter."
)
_MOST_TOKENS = 256


@dataclass(frozen=True)
class Letter:
    """A letter and its facts: pairs of kind and text."""

    text: str
    facts: frozenset[tuple[str, str]]


def letters() -> list[Letter]:
    """Return the letters, in their order."""
    marked: dict[str, set[tuple[str, str]]] = {}
    for row in own_rows("facts.csv"):
        marked.setdefault(row["id"], set()).add((row["kind"], row["text"]))
    return [Letter(row["text"], frozenset(marked.get(row["id"], ()))) for row in own_rows("letters.csv")]


def extracting(language_model: str, specialist: str, scale: Scale) -> Work:
    """Return the work: the same request to both, and a prompt with examples to the language model."""
    known = letters()
    examples, trial, rest = known[:SHOTS], known[SHOTS : SHOTS + TRIAL], known[SHOTS + TRIAL :]

    def extract(some: Sequence[Letter]) -> list[Extract]:
        return [Extract(text=letter.text, entity_types=KINDS) for letter in some]

    def prompt(some: Sequence[Letter]) -> list[Generate]:
        return [_prompted(examples, letter) for letter in some]

    kinds, shown = "the four kinds", f"the four kinds explained, {SHOTS} letters with their facts"
    entities, listed = each(lambda _, found: _entities(found)), each(lambda _, written: _listed(written))
    return Work(
        task="extract",
        title="Facts of letters: amounts, dates, companies and persons",
        data=f"{len(known)} letters written for this project's help desk with {sum(len(one.facts) for one in known)} "
        f"facts marked by hand (Apache-2.0); {SHOTS} of them serve as examples, {TRIAL} for the trial. They are few "
        "and not real: read the intervals. A fact is right where kind and text are, but for a currency sign, which "
        "some recognizers leave out.",
        metric=Metric("F1 of facts", higher_is_better=True, parts=_counts),
        items=rest[: scale.items["extract"]],
        ways=(
            Asked(f"{language_model}, extract", "language model", language_model, kinds, extract, entities),
            Asked(f"{language_model}, examples", "language model", language_model, shown, prompt, listed),
            Asked(specialist, "specialist", specialist, kinds, extract, entities),
        ),
        timed=scale.timed["extract"],
        trial=trial,
    )


def _prompted(examples: Sequence[Letter], letter: Letter) -> Generate:
    """Return a chat in which the examples are answered, held to a list of facts."""
    messages = [Message(role="system", content=_TOLD)]
    for one in examples:
        facts = [{"kind": kind, "text": text} for kind, text in sorted(one.facts)]
        messages += [
            Message(role="user", content=one.text),
            Message(role="assistant", content=json.dumps(facts, ensure_ascii=False)),
        ]
    messages.append(Message(role="user", content=letter.text))
    fact = {
        "type": "object",
        "properties": {"kind": {"enum": list(KINDS)}, "text": {"type": "string", "minLength": 1, "maxLength": 40}},
        "required": ["kind", "text"],
        "additionalProperties": False,
    }
    schema = {"type": "array", "items": fact, "maxItems": 8}
    return Generate(messages=messages, json_schema=schema, sampling=Sampling(max_tokens=_MOST_TOKENS))


def _entities(response: Extraction) -> Answer:
    return sorted({(entity.label, entity.text) for entity in response.entities})


def _listed(response: Generation) -> Answer:
    """Return the facts; a list that was cut off counts as a failure."""
    if response.finish_reason != "stop":
        return None
    facts: list[dict[str, Any]] = json.loads(response.text)
    return sorted({(fact["kind"], fact["text"]) for fact in facts})


def _counts(letter: Letter, answer: Answer) -> tuple[float, float]:
    """Return twice the facts found, and how many were found and marked in all."""
    found = {_bare(kind, text) for kind, text in answer or ()}
    marked = {_bare(kind, text) for kind, text in letter.facts}
    return 2.0 * len(found & marked), float(len(found) + len(marked))


def _bare(kind: str, text: str) -> tuple[str, str]:
    return kind, text.strip().lstrip("$£€¥ ")
