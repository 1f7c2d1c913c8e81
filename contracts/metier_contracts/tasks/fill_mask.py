"""fill-mask: which token stands behind the mask?"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, model_validator

from metier_contracts.card import Capabilities
from metier_contracts.contract import Contract
from metier_contracts.invariants import Violation, descending
from metier_contracts.refusal import Refusal, shown
from metier_contracts.request import Request, Response
from metier_contracts.size import Size
from metier_contracts.text import Text

MASK = "[MASK]"


class RankedToken(Contract):
    """A token of the model's vocabulary and its probability at the mask."""

    token: str
    score: float = Field(ge=0, le=1)


class TokenRanking(Response):
    """`tokens`: most probable first."""

    tokens: tuple[RankedToken, ...]


class FillMask(Request[TokenRanking]):
    """Rank the tokens that may stand at the one `[MASK]` in `text`; the model translates it to its own mask token."""

    task: ClassVar[str] = "fill-mask"

    text: Text
    top_k: int = Field(default=5, ge=1)

    @model_validator(mode="after")
    def _check(self) -> FillMask:
        count = self.text.count(MASK)
        if count != 1:
            raise Refusal(f"exactly one {MASK} in the text", f"{count} in {shown(self.text)}", field="text")
        return self

    def workload(self) -> Size:
        """Return the characters of the text."""
        return Size(len(self.text))


def tokens_descend(request: FillMask, response: TokenRanking, capabilities: Capabilities) -> Violation | None:
    """There are 1 to top_k tokens, and their probabilities descend."""
    count = len(response.tokens)
    if not 1 <= count <= request.top_k:
        return Violation("tokens", f"1 to {request.top_k} tokens", str(count))
    return descending("tokens", [token.score for token in response.tokens])


INVARIANTS = (tokens_descend,)
