"""`Request`, `Response` and `Provenance`: what goes to a model and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic

from pydantic import Field
from typing_extensions import TypeVar

from metier_contracts.contract import Contract
from metier_contracts.size import Size

ResponseT_co = TypeVar("ResponseT_co", bound="Response", covariant=True)


class Provenance(Contract):
    """Where a response came from.

    `seconds` is this response's share of the wall time of the model call; `cost` is in US dollars, by the price
    on the model's card (0 where it has none); `cached` says that no model ran for it.
    """

    model: str
    plugin: str
    plugin_version: str
    device: str
    dtype: str | None = None
    seconds: float = Field(ge=0)
    cost: float = Field(default=0.0, ge=0)
    cached: bool = False


class Response(Contract):
    """The base of every response. The runtime, not the model, fills in `provenance`."""

    provenance: Provenance | None = None


class Request(Contract, Generic[ResponseT_co]):
    """The base of every request; the type argument names its response."""

    task: ClassVar[str]

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities that a card must state to serve this request (see `Capabilities.unmet`)."""
        return {}

    def workload(self) -> Size:
        """Return how much there is to work on; by default the characters of the request as JSON."""
        return Size(len(self.to_json()))
