"""How likely was each of some answers? From the tokens that a server wrote, and those that it might have written."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an answer, with natural logarithms of probabilities.

    `likely`: what is likely to stand in its place, as far as the server tells, the token itself included or not.
    """

    text: str
    log_probability: float
    likely: Mapping[str, float]


def shares(tokens: Sequence[Token], start: int, choices: Sequence[str], chosen: str) -> dict[str, float] | None:
    """Return the probability of each choice, relative to that of all; None where the tokens do not tell.

    At each token of the choice that was written, a likely other one speaks for the choices that go on with it, for all
    of them alike. Choices of which the server shows no token get 0.

    Args:
        tokens: of the whole answer.
        start: where in the answer's text the choice begins.
        choices: their texts; where one begins another, each with what ends it.
        chosen: the one that was written.
    """
    text = "".join(token.text for token in tokens)
    if not text.startswith(chosen, start):
        return None
    weights = dict.fromkeys(choices, 0.0)
    before, left = "", 1.0
    for token in tokens:
        if len(before) >= start + len(chosen):
            break
        if len(before) + len(token.text) > start:
            for other, log_probability in token.likely.items():
                written = before + other
                if other == token.text or len(written) < start or not written.startswith(text[:start]):
                    continue
                meant = _meant(written[start:], choices)
                for choice in meant:
                    weights[choice] += left * math.exp(log_probability) / len(meant)
            left *= math.exp(token.log_probability)
        before += token.text
    weights[chosen] += left
    total = sum(weights.values())
    return {choice: weight / total for choice, weight in weights.items()} if 0 < total < math.inf else None


def _meant(written: str, choices: Sequence[str]) -> Sequence[str]:
    """Return the choices that go on with what is written, else the one that stands whole at its beginning."""
    begun = [choice for choice in choices if choice.startswith(written)]
    whole = [choice for choice in choices if written.startswith(choice)]
    return begun or sorted(whole, key=len)[-1:]
