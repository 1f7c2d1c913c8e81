"""Training data of a token classifier: annotated texts as tokens with BIO tags."""

from __future__ import annotations

from collections.abc import Sequence

from metier_contracts import AnnotatedText, InputError
from tokenizers import Encoding

from metier_mlm.spans import OUTSIDE
from metier_mlm.tokens import TextTokenizer
from metier_mlm.training import IGNORED, Sample


def labels_of(examples: Sequence[AnnotatedText]) -> tuple[str, ...]:
    """Return the entity types of the examples, sorted."""
    return tuple(sorted({entity.label for example in examples for entity in example.entities}))


def tags_of(labels: Sequence[str]) -> list[str]:
    """Return the BIO tags of these labels: "O", then "B-" and "I-" of each."""
    return [OUTSIDE, *(f"{place}-{label}" for label in labels for place in ("B", "I"))]


def samples_of(examples: Sequence[AnnotatedText], tags: Sequence[str], tokenizer: TextTokenizer) -> list[Sample]:
    """Return one sample for each window of each text.

    Raises `InputError` where two entities of a text overlap, which BIO tags cannot say, or a text cannot be read.
    """
    samples = []
    encodings = tokenizer.encode([example.text for example in examples])
    for position, (example, encoding) in enumerate(zip(examples, encodings, strict=True)):
        if isinstance(encoding, InputError):
            raise encoding
        marks = _marks(example, position)
        samples += [_sample(window, marks, tags) for window in (encoding, *encoding.overflowing)]
    return samples


def _marks(example: AnnotatedText, position: int) -> list[str | None]:
    """Return the tag of each character; the characters of an entity after its first are inside."""
    marks: list[str | None] = [None] * len(example.text)
    for entity in sorted(example.entities, key=lambda one: one.start):
        if any(marks[entity.start : entity.end]):
            raise InputError(
                f"two entities overlap in examples.{position}",
                expected="entities side by side, since a token has one tag",
                got=f"{entity.text!r} at {entity.start}:{entity.end} inside another",
                blame=f"examples.{position}.entities of the fit request",
            )
        marks[entity.start : entity.end] = [f"I-{entity.label}"] * (entity.end - entity.start)
        marks[entity.start] = f"B-{entity.label}"
    return marks


def _sample(window: Encoding, marks: Sequence[str | None], tags: Sequence[str]) -> Sample:
    targets = []
    for (start, end), special in zip(window.offsets, window.special_tokens_mask, strict=True):
        # Where a token begins before its entity (a space, a quote), the first mark within it counts.
        mark = next((mark for mark in marks[start:end] if mark is not None), OUTSIDE)
        targets.append(IGNORED if special else tags.index(mark))
    return Sample(window.ids, targets)
