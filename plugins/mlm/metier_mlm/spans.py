"""From tagged tokens to entities with character spans."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from metier_contracts import Entity

# BIO, BILOU and BIOES name the same places: begin, inside, last (or end), unit (or single).
_STARTS = frozenset("BUS")
_ENDS = frozenset("LEUS")
OUTSIDE = "O"


@dataclass(frozen=True, slots=True)
class Token:
    """A token's span in characters, its tag ("B-PER", "O"), the tag's probability, and the word it belongs to."""

    start: int
    end: int
    tag: str
    score: float
    word: int | None = None


@dataclass(slots=True)
class _Span:
    label: str
    start: int
    end: int
    scores: list[float] = field(default_factory=list)


def entities(text: str, tokens: Iterable[Token]) -> tuple[Entity, ...]:
    """Return the entities that the tags mark, in order; an entity's score is the mean probability of its tags."""
    found = (_entity(text, span) for span in _spans(tokens))
    return tuple(entity for entity in found if entity is not None)


def _spans(tokens: Iterable[Token]) -> Iterator[_Span]:
    open_span: _Span | None = None
    for token in tokens:
        place, label = split_tag(token.tag)
        if open_span is not None and (label != open_span.label or place in _STARTS):
            yield open_span
            open_span = None
        if label is None:
            continue
        if open_span is None:
            open_span = _Span(label, token.start, token.end)
        open_span.end = token.end
        open_span.scores.append(token.score)
        if place in _ENDS:
            yield open_span
            open_span = None
    if open_span is not None:
        yield open_span


def split_tag(tag: str) -> tuple[str, str | None]:
    """Return place and label of a tag: ("B", "PER") for "B-PER", ("I", "PER") for a bare "PER", ("O", None) for "O"."""
    if tag == OUTSIDE:
        return OUTSIDE, None
    place, dash, label = tag.partition("-")
    return (place, label) if dash and place in {"B", "I", "L", "E", "U", "S"} else ("I", tag)


def _entity(text: str, span: _Span) -> Entity | None:
    """Return the span as an entity: without white space at its ends, and with the marks that combine with its last."""
    start, end = span.start, span.end
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        return None
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    score = min(1.0, sum(span.scores) / len(span.scores))
    return Entity(text=text[start:end], label=span.label, start=start, end=end, score=score)


def inherit(text: str, tokens: Sequence[Token]) -> list[Token]:
    """Give each further piece of a word the tag and the score of its first piece.

    A piece goes on with a word where the tokenizer says so and letters or digits touch: some tokenizers count the comma
    behind a word to it.
    """
    result: list[Token] = []
    for token in tokens:
        before = result[-1] if result else None
        if before is not None and _continues(text, before, token):
            place, label = split_tag(before.tag)
            # A piece inside a word starts no entity, and an entity that ends with the word ends with its last piece.
            tag = OUTSIDE if label is None else f"I-{label}"
            if place in _ENDS:
                result[-1] = Token(before.start, before.end, _reopened(before.tag), before.score, before.word)
                tag = f"L-{label}"
            token = Token(token.start, token.end, tag, before.score, token.word)
        result.append(token)
    return result


def _reopened(tag: str) -> str:
    place, label = split_tag(tag)
    return f"B-{label}" if place in _STARTS else f"I-{label}"


def _continues(text: str, before: Token, token: Token) -> bool:
    touching = token.word is not None and token.word == before.word and token.start == before.end
    return touching and text[before.end - 1].isalnum() and text[token.start].isalnum()
