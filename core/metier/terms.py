"""`Terms`: what a caller says of the choice of a model."""

from __future__ import annotations

from typing import NamedTuple

from metier.decision.requirements import Requirements


class Terms(NamedTuple):
    """What the caller says of the choice.

    `model`: the model's id. `strict`: whether an ambiguity is an error, None for the settings. `require`: what the
    model must keep to; of those that do, the cheapest is taken. `private`: no remote model may serve the request,
    whatever the settings allow.
    """

    model: str | None = None
    strict: bool | None = None
    require: Requirements | None = None
    private: bool = False


ANY = Terms()
