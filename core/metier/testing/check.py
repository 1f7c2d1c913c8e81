"""`Check`: one thing that is asked of a plugin, and how its outcome is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from metier.testing.subject import Subject

Kind = Literal["functional", "non-functional"]
Run = Callable[[Subject], None]


@dataclass(frozen=True)
class Check:
    """One thing that is asked of a plugin.

    `wants`: what holds of a plugin that passes. `mend`: what to do where it does not. `run`: returns, or raises
    `Failure` or `NotApplicable`; any other exception is a failure too. `scope`: whether it looks at the plugin once or
    at each of its models. `needs`: the checks without which this one would tell nothing; where one of them did not
    pass, this one is skipped. `advisory`: a failure is a warning, unless the kit is strict.
    """

    id: str
    kind: Kind
    wants: str
    mend: str
    run: Run
    scope: Literal["plugin", "model"] = "model"
    needs: tuple[str, ...] = ()
    advisory: bool = False
