"""rank: order candidates by how well they answer a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from metier_contracts.card import Capabilities
from metier_contracts.invariants import Violation, descending, finite, length
from metier_contracts.refusal import shown
from metier_contracts.request import Request, Response
from metier_contracts.size import Size
from metier_contracts.text import Text


class Ranking(Response):
    """`order`: the candidates' positions, best first. `scores`: one for each entry of `order`, descending.

    The scale of a score is the model's own: a cosine in -1..1 for embedding models, a logit for cross-encoders.
    """

    order: tuple[int, ...]
    scores: tuple[float, ...]

    @property
    def best(self) -> int:
        """The position of the best candidate."""
        return self.order[0]


class Rank(Request[Ranking]):
    """Order `candidates` by how well they answer `query`."""

    task: ClassVar[str] = "rank"

    query: Text
    candidates: Sequence[Text] = Field(min_length=1)

    def workload(self) -> Size:
        """Return the characters of the query and all candidates."""
        return Size(len(self.query) + sum(map(len, self.candidates)))


def is_permutation(request: Rank, response: Ranking, capabilities: Capabilities) -> Violation | None:
    """Each candidate is placed once."""
    count = len(request.candidates)
    if len(response.order) == count and set(response.order) == set(range(count)):
        return None
    return Violation("order", f"a permutation of 0..{count - 1}", shown(list(response.order)))


def scores_descend(request: Rank, response: Ranking, capabilities: Capabilities) -> Violation | None:
    """There is one finite score for each candidate, and they descend."""
    return (
        length("scores", len(response.scores), len(request.candidates), "candidate")
        or finite("scores", response.scores)
        or descending("scores", response.scores)
    )


INVARIANTS = (is_permutation, scores_descend)
