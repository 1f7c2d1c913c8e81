"""`Probes`: the requests by which models are measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metier_contracts.size import Size, Unit

if TYPE_CHECKING:
    from metier_contracts.card import Capabilities
    from metier_contracts.request import Request

MakeProbe = Callable[[Size, int, "Capabilities"], "Request[Any] | None"]


@dataclass(frozen=True)
class Probes:
    """Requests of a task to measure models by, in one unit.

    `sizes`: what is measured, ascending. `make(size, number, capabilities)`: a request of about that size that a model
    of these capabilities serves, None where there is none. It is the same for the same number, and another for another
    one, since a model may keep what it has worked out for an input. Its content is of the kind that the task is for.
    """

    sizes: Sequence[Size]
    make: MakeProbe

    @property
    def unit(self) -> Unit:
        """What the sizes count."""
        return self.sizes[0].unit
