"""`Scope`: where work that is done later belongs: under the meters and the span of the place that asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from metier import tracing
from metier.accounting import Meter, opened

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

Entered = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True)
class Scope:
    """The meters that count a run, what its span tells of it, and in which the span begins."""

    target: object
    meters: tuple[Meter, ...]
    within: Context | None

    @contextmanager
    def lasting(self) -> Iterator[Entered]:
        """Yield what enters the scope for one piece of the work; the run's span lasts as long as the block.

        A generator cannot stay in it from one value to the next: the caller would be in it too.
        """
        with tracing.run_span(self.target, self.within) as span:
            yield lambda: self._entered(span)

    @contextmanager
    def _entered(self, span: Span | None) -> Iterator[None]:
        with opened(self.meters), tracing.current(span):
            yield
