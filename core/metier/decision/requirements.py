"""`Requirements`: what a model must keep to for a piece of work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from metier_contracts import Contract, GraphSchema
from metier_contracts.refusal import Refusal, shown
from pydantic import Field, field_validator

from metier.licences import is_allowed
from metier.memory import parse_bytes

Need = bool | int | str | tuple[str, ...] | GraphSchema

_NAMES = (str, tuple)
_CAPABILITIES: Mapping[str, Any] = {
    "modalities": _NAMES,
    "labels": _NAMES,
    "multi_label": bool,
    "few_shot": bool,
    "languages": _NAMES,
    "normalized": bool,
    "covariates": bool,
    "quantiles": bool,
    "missing_values": bool,
    "levels": _NAMES,
    "graphs": GraphSchema,
    "prompts": _NAMES,
    "stream": bool,
    "tools": bool,
    "json_schema": bool,
    "environments": _NAMES,
    "dimensions": int,
}
_SAID: Mapping[Any, str] = {_NAMES: "a name or several", bool: "True", int: "a number", GraphSchema: "a GraphSchema"}
_LABELS_IN_A_WORD = ("open", "listed")


class Requirements(Contract):
    """What a model must keep to, to be chosen; None asks for nothing.

    `latency_ms`: the most milliseconds of one request, at the 95th percentile. `cost_per_1k`: the most US dollars of
    1,000 requests. `throughput`: the fewest requests a second, at the best batch. `memory`: the most bytes, a number or
    "4GB". `quality`: the least quality, on the user's own labelled sample where one was measured; `metric` and
    `dataset`: the figure of the cards that counts in its place. `privacy`: "local" for no remote model, or the remote
    models allowed, each by its id or its host. `licence`: SPDX ids, among which "commercial" stands for all that allow
    commercial use and ask for no more than a notice. `device`: what the model must be able to run on. `needs`:
    capabilities by the names of a card's table: `{"labels": "open", "tools": True}`.
    """

    latency_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    cost_per_1k: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    throughput: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    memory: int | str | None = Field(default=None, ge=0)  # once made, a number
    quality: float | None = Field(default=None, allow_inf_nan=False)
    metric: str | None = None
    dataset: str | None = None
    privacy: Literal["local"] | tuple[str, ...] | None = None
    licence: str | tuple[str, ...] | None = None  # once made, a tuple
    device: Literal["cpu", "cuda", "mps"] | None = None
    needs: Mapping[str, Need] = {}

    @field_validator("memory", mode="before")
    @classmethod
    def _read_bytes(cls, value: Any) -> Any:
        return parse_bytes(value) if isinstance(value, str) else value

    @field_validator("licence", mode="before")
    @classmethod
    def _take_one_licence(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("needs")
    @classmethod
    def _check_needs(cls, needs: Mapping[str, Need]) -> Mapping[str, Need]:
        for name, need in needs.items():
            if name not in _CAPABILITIES:
                raise Refusal(f"capabilities among {', '.join(sorted(_CAPABILITIES))}", shown(name))
            wanted = _CAPABILITIES[name]
            fits = need is True if wanted is bool else isinstance(need, wanted) and not isinstance(need, bool)
            if not fits:
                raise Refusal(f"{_SAID[wanted]} for {name}", shown(need))
        return needs

    def __hash__(self) -> int:
        """Hash by the record as JSON: a choice is remembered by what was required."""
        return hash(self.to_json())

    def capability_needs(self) -> dict[str, Any]:
        """Return `needs` in the form that `Capabilities.unmet` reads."""
        return {name: _as_need(name, need) for name, need in self.needs.items()}

    def allows_licence(self, licence: str) -> bool:
        """Tell whether a licence is among those named, as an SPDX expression; upper and lower case are the same."""
        return self.licence is None or is_allowed(licence, self.licence)


def _as_need(name: str, need: Need) -> Any:
    if isinstance(need, str) and not (name == "labels" and need in _LABELS_IN_A_WORD):
        return frozenset({need})
    return frozenset(need) if isinstance(need, tuple) else need
