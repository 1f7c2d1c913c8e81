"""`Task`: a request type, a response type, and the invariants between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metier_contracts.card import Capabilities
from metier_contracts.contract import Contract
from metier_contracts.invariants import Invariant, Violation
from metier_contracts.probes import Probes
from metier_contracts.request import Request, Response

_CLOSED = "additionalProperties"  # the constructor's rule, not the wire's


@dataclass(frozen=True)
class Task:
    """A kind of work with a typed contract.

    `chunk`: what `stream` yields, or None where the task does not stream. `probes`: the requests by which models are
    measured, for each unit that a request may be sized in. `idempotent`: whether a request may be sent again when it is
    unknown whether it was carried out, since to answer it changes nothing.
    """

    request: type[Request[Any]]
    response: type[Response]
    invariants: Sequence[Invariant]
    chunk: type[Response] | None = None
    probes: Sequence[Probes] = ()
    idempotent: bool = True

    @property
    def name(self) -> str:
        """The task's name, for example "fill-mask"."""
        return self.request.task

    @property
    def summary(self) -> str:
        """The first line of the request's docstring."""
        return (self.request.__doc__ or "").strip().splitlines()[0]

    def violation(self, request: Request[Any], response: object, capabilities: Capabilities) -> Violation | None:
        """Return how `response` breaks the contract, or None where it holds.

        The runtime calls this on every answer, and the conformance kit calls the same.
        """
        if not isinstance(response, self.response):
            return Violation("response", f"a {self.response.__name__}", f"a {type(response).__name__}")
        for invariant in self.invariants:
            problem = invariant(request, response, capabilities)
            if problem is not None:
                return problem
        return None

    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schemas of the request, the response and the chunk (if any) on the wire."""
        kinds = {"request": self.request, "response": self.response, "chunk": self.chunk}
        return {name: wire_schema(kind) for name, kind in kinds.items() if kind is not None}


def wire_schema(kind: type[Contract]) -> dict[str, Any]:
    """Return the JSON Schema of a record on the wire, where fields that a reader does not know may stand."""
    from pydantic.json_schema import GenerateJsonSchema

    class WireSchema(GenerateJsonSchema):
        def model_schema(self, schema: Any) -> dict[str, Any]:
            return {name: value for name, value in super().model_schema(schema).items() if name != _CLOSED}

    return kind.model_json_schema(mode="serialization", schema_generator=WireSchema)
