"""act: reach a goal in an environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from metier_contracts.card import Capabilities
from metier_contracts.contract import Contract
from metier_contracts.invariants import Violation
from metier_contracts.request import Request, Response
from metier_contracts.size import Size
from metier_contracts.text import Text

Risk = Literal["read", "write", "irreversible"]
_ORDER: tuple[Risk, ...] = ("read", "write", "irreversible")


class EnvironmentSpec(Contract):
    """Which environment to act in: its kind, as a plugin names it, and that kind's settings."""

    kind: str = Field(min_length=1)
    config: Mapping[str, Any] = {}


class Budget(Contract):
    """What an act may use up at most. Seconds are wall time; cost is in US dollars."""

    max_steps: int = Field(default=20, ge=1)
    max_seconds: float | None = Field(default=None, gt=0)
    max_cost: float | None = Field(default=None, ge=0)


class Approval(Contract):
    """What may be done unasked: steps up to the risk `allowed`; riskier ones are not taken."""

    allowed: Risk = "read"


class ActStep(Contract):
    """One step: what was done, what on the screen or in the state it was grounded in, and what came of it."""

    action: str
    arguments: Mapping[str, Any] = {}
    risk: Risk = "read"
    grounding: str = ""
    outcome: Literal["done", "failed", "refused"]
    seconds: float = Field(default=0.0, ge=0)
    cost: float = Field(default=0.0, ge=0)


class ActResult(Response):
    """The plan, the steps taken in order, and whether the goal was reached."""

    plan: tuple[str, ...]
    steps: tuple[ActStep, ...]
    reached: bool


class Act(Request[ActResult]):
    """Reach `goal` in `environment`, within `budget` and `approval`."""

    task: ClassVar[str] = "act"

    goal: Text
    environment: EnvironmentSpec
    budget: Budget = Budget()
    approval: Approval = Approval()

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        return {"environments": frozenset({self.environment.kind})}

    def workload(self) -> Size:
        """Return the most steps that may be taken."""
        return Size(self.budget.max_steps, "steps")


def within_budget(request: Act, response: ActResult, capabilities: Capabilities) -> Violation | None:
    """Steps, seconds and cost stay within the budget."""
    budget = request.budget
    spent = (
        ("steps", len(response.steps), budget.max_steps),
        ("seconds", sum(step.seconds for step in response.steps), budget.max_seconds),
        ("cost", sum(step.cost for step in response.steps), budget.max_cost),
    )
    for name, used, most in spent:
        if most is not None and used > most:
            return Violation("steps", f"at most {most} {name}", str(used))
    return None


def within_approval(request: Act, response: ActResult, capabilities: Capabilities) -> Violation | None:
    """No step riskier than approved was taken."""
    most = _ORDER.index(request.approval.allowed)
    for step in response.steps:
        if step.outcome != "refused" and _ORDER.index(step.risk) > most:
            return Violation(
                "steps", f"risk at most {request.approval.allowed!r}", f"{step.risk!r} for {step.action!r}"
            )
    return None


INVARIANTS = (within_budget, within_approval)
