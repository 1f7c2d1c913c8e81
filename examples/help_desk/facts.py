"""The facts that were found in billing texts, beside those marked by hand."""

from collections.abc import Sequence

from desk import Handled, rows
from post import Letter

Fact = tuple[str, str]  # kind and text


def facts(letters: Sequence[Letter], handled: Sequence[Handled]) -> dict[str, float]:
    """Compare the facts of billing texts with those marked by hand: the same kind, and one text within the other.

    The recognizer leaves the sign out of "$49.99"; `exact` counts those whose text is the same to the letter.
    """
    marked: dict[str, set[Fact]] = {}
    for row in rows("facts.csv"):
        marked.setdefault(row["id"], set()).add((row["kind"], row["text"]))
    pairs: list[tuple[set[Fact], set[Fact]]] = [
        ({(entity.label, entity.text.strip()) for entity in item.facts.entities}, marked.get(letter.id, set()))
        for letter, item in zip(letters, handled, strict=True)
        if letter.label == "billing" and item.facts is not None
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
