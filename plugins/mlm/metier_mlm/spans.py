"""Labels of words to entities with exact spans, in the IO, BIO and BILOU schemes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from metier_contracts import Entity

OUTSIDE = "O"


@dataclass(frozen=True)
class LabelledWord:
    """A word of the text: its span in characters, its label in the scheme, and the label's probability."""

    start: int
    end: int
    label: str
    score: float


def kind_of(label: str) -> str | None:
    """Return the entity type in a label ("PER" in "B-PER", "I_PER" and "PER"), None for outside."""
    if label == OUTSIDE:
        return None
    prefix, kind = label[:2], label[2:]
    return kind if prefix in {f"{letter}{mark}" for letter in "BIELSU" for mark in "-_"} else label


def entities(text: str, words: Sequence[LabelledWord]) -> tuple[Entity, ...]:
    """Return the entities of labelled words, in order; their score is the mean of their words'."""
    runs: list[list[LabelledWord]] = []
    for word in words:
        kind = kind_of(word.label)
        if kind is None:
            runs.append([])
        elif runs and runs[-1] and _continues(runs[-1][-1], word):
            runs[-1].append(word)
        else:
            runs.append([word])
    return tuple(_entity(text, run) for run in runs if run)


def _continues(before: LabelledWord, word: LabelledWord) -> bool:
    if kind_of(before.label) != kind_of(word.label):
        return False
    return word.label[:2] not in ("B-", "B_", "U-", "U_", "S-", "S_") and before.label[:2] not in (
        "L-",
        "L_",
        "E-",
        "E_",
    )


def _entity(text: str, run: Sequence[LabelledWord]) -> Entity:
    start, end = run[0].start, run[-1].end
    score = sum(word.score for word in run) / len(run)
    kind = kind_of(run[0].label) or ""
    return Entity(text=text[start:end], label=kind, start=start, end=end, score=min(max(score, 0.0), 1.0))


def word_labels(spans: Sequence[tuple[int, int]], found: Sequence[Entity]) -> list[str]:
    """Return the BIO label of each word span: what a token classifier is trained on."""
    labels = []
    for start, end in spans:
        entity = next((one for one in found if start < one.end and end > one.start), None)
        if entity is None:
            labels.append(OUTSIDE)
        else:
            labels.append(f"{'B' if start <= entity.start else 'I'}-{entity.label}")
    return labels
