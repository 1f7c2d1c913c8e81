"""`Cascade`: what stands on the card of a model that is composed of a cheap and a strong one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from metier_contracts.contract import Contract
from metier_contracts.identity import ModelId, Sha256

Share = Annotated[float, Field(ge=0, le=1)]


class Measured(Contract):
    """What a way to answer was worth on a labelled sample: accuracy, and US dollars and seconds for 1,000 answers."""

    accuracy: Share
    cost: float = Field(ge=0)
    seconds: float = Field(ge=0)


class CascadeReport(Contract):
    """What was seen on the labelled sample when a cascade was fitted.

    `max_loss` and `confidence`: the promise. `kept`: the share of the sample that `cheap` answers. Of those that it
    keeps, `losses` are wrong where `strong` is right, and `gains` right where it is wrong. `best_single`: the better of
    the two models by accuracy. `random_mix`: answers of the two drawn at random, in the share that costs what the
    cascade costs, in dollars where either has a price, else in seconds (`mixed_by`). `calibration_error`: the expected
    calibration error of `cheap` as it is, and `calibrated_error` at the temperature, the latter on halves that the
    temperature was not fitted on.
    """

    examples: int = Field(ge=1)
    max_loss: float
    confidence: float
    kept: Share
    losses: int = Field(ge=0)
    gains: int = Field(ge=0)
    cheap: Measured
    strong: Measured
    cascade: Measured
    random_mix: Measured
    mixed_by: Literal["cost", "seconds"]
    best_single: ModelId
    calibration_error: Share
    calibrated_error: Share


class Cascade(Contract):
    """How a composed model answers: by `cheap`, and by `strong` where the best score of `cheap` is below `threshold`.

    `temperature`: what the scores of `cheap` are divided by, as logits, before they are given out; the threshold is
    compared with the scores as they are. `revisions`: a digest of either model's card, since what was promised of one
    revision does not hold for another. `remote`: whether either leaves this machine.
    """

    cheap: ModelId
    strong: ModelId
    threshold: float
    temperature: float = Field(default=1.0, gt=0)
    revisions: Mapping[ModelId, Sha256]
    remote: bool = False
    report: CascadeReport | None = None

    @property
    def members(self) -> tuple[str, str]:
        """The two models, in the order in which they are asked."""
        return self.cheap, self.strong
