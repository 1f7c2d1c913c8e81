"""detect-anomalies: which points of a series are out of line?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from metier_contracts.arrays import Flags, Scores
from metier_contracts.card import Capabilities
from metier_contracts.data.series import Series
from metier_contracts.invariants import Violation, length
from metier_contracts.request import Request, Response
from metier_contracts.size import Size


class Anomalies(Response):
    """`scores`: float32 [T], higher is stranger. `flags`: bool [T], the points called anomalies."""

    scores: Scores
    flags: Flags


class DetectAnomalies(Request[Anomalies]):
    """Score each point of a series. `sensitivity`: in 0..1; more of it flags more points."""

    task: ClassVar[str] = "detect-anomalies"

    series: Series
    sensitivity: float = Field(default=0.5, ge=0, le=1)

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        return {"missing_values": True} if self.series.missing else {}

    def workload(self) -> Size:
        """Return the points of the series."""
        return Size(len(self.series), "points")


def one_score_a_point(request: DetectAnomalies, response: Anomalies, capabilities: Capabilities) -> Violation | None:
    """There is one score and one flag for each point."""
    count = len(request.series)
    return length("scores", len(response.scores), count, "point") or length(
        "flags", len(response.flags), count, "point"
    )


def flags_follow_scores(request: DetectAnomalies, response: Anomalies, capabilities: Capabilities) -> Violation | None:
    """No flagged point scores below one that is not flagged."""
    if len(response.scores) != len(response.flags):
        return None
    flagged, rest = response.scores[response.flags], response.scores[~response.flags]
    if len(flagged) == 0 or len(rest) == 0 or flagged.min() >= rest.max():
        return None
    return Violation("flags", "the points of the highest scores", f"{flagged.min()} flagged, {rest.max()} not")


INVARIANTS = (one_score_a_point, flags_follow_scores)
