"""`Candidate`: one row of the table that deciding works on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from metier_contracts import Contract
from pydantic import Field

FigureName = Literal["latency_ms", "cost_per_1k", "throughput", "memory", "quality"]
FigureSource = Literal["measured", "sample", "card"]
State = Literal["ready", "pull", "key", "install", "broken"]


class Candidate(Contract):
    """A card as deciding sees it: what its work takes, and what else requirements may ask.

    `latency_ms`: the 95th percentile of one request. `cost_per_1k`: US dollars of 1,000 requests. `throughput`:
    requests a second at the best batch. `memory`: bytes held. `quality`: by the yardstick of the decision. None stands
    for what is not known. `sources`: where each figure comes from: "measured" here, the user's "sample", or the "card",
    from which it is reckoned. `devices`: where it can run, none for a remote model. `remote`: the names by which
    requirements allow a remote model, its id and its host; none for a local one. `lacks`: what the work needs and the
    card does not state. `forbidden`: the setting that forbids the model, since it is remote. `licensed`: whether
    `licence_policy` allows its licence. `state`: what is left to do before it runs,
    and `step` the line to type for it.
    """

    model: str
    architecture: str
    licence: str
    latency_ms: float | None = Field(default=None, ge=0)
    cost_per_1k: float | None = Field(default=None, ge=0)
    throughput: float | None = Field(default=None, ge=0)
    memory: int | None = Field(default=None, ge=0)
    quality: float | None = Field(default=None, allow_inf_nan=False)
    sources: Mapping[FigureName, FigureSource] = {}
    devices: tuple[str, ...] = ()
    remote: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    forbidden: Literal["offline", "privacy"] | None = None
    licensed: bool = True
    state: State = "ready"
    step: str = ""
