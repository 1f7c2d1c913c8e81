"""`route(key).to({...}, default=...)`: one of several steps, chosen by a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic

from metier_contracts import InputError, PipelineTypeError
from typing_extensions import TypeVar

from metier.pipeline.engine import Call, Failed, apply, attempt
from metier.pipeline.hints import literal_members, show
from metier.pipeline.step import In_contra, Out_co, Port, Step, share_input
from metier.pipeline.values import acceptor

A = TypeVar("A")
B = TypeVar("B")
K = TypeVar("K")
Key = TypeVar("Key")


@dataclass(frozen=True)
class Routed(Step[In_contra, Out_co]):
    """The arm that the key of a value names, or the default."""

    key: Step[Any, Any]
    arms: tuple[tuple[Any, Step[Any, Any]], ...]
    default: Step[Any, Any] | None

    @property
    def name(self) -> str:
        """The key's name and those of the arms."""
        return f"route({self.key.name}).to({', '.join(repr(value) for value, _ in self.arms)})"

    @property
    def targets(self) -> list[Step[Any, Any]]:
        """The arms, and the default where there is one."""
        arms = [arm for _, arm in self.arms]
        return arms if self.default is None else [*arms, self.default]

    def entries(self) -> Sequence[Port]:
        """Return the entries of the key and of every arm: the value goes to the key and to one of them."""
        return [port for step in (self.key, *self.targets) for port in step.entries()]

    def exits(self) -> Sequence[Port]:
        """Return the exits of every arm."""
        return [port for step in self.targets for port in step.exits()]

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Find the key of every value, then take the values of each arm through it as one batch."""
        outcomes = apply(self.key, values, call)
        by_arm: dict[int, tuple[Step[Any, Any], list[int]]] = {}
        for position, key in enumerate(outcomes):
            arm = key if isinstance(key, Failed) else attempt(self._arm, key, self.name)
            if isinstance(arm, Failed):
                outcomes[position] = arm
            else:
                by_arm.setdefault(id(arm), (arm, []))[1].append(position)
        for arm, positions in by_arm.values():
            for position, outcome in zip(positions, apply(arm, [values[p] for p in positions], call), strict=True):
                outcomes[position] = outcome
        return outcomes

    def _arm(self, key: Any) -> Step[Any, Any]:
        known: dict[Any, Step[Any, Any]] = dict(self.arms)
        try:
            arm = known.get(key, self.default)
        except TypeError:  # it has no hash, so it is no key at all
            arm = None
        if arm is None:
            raise InputError(
                f"no arm of the route serves {key!r:.80}",
                expected=f"one of {', '.join(repr(value) for value, _ in self.arms)}",
                got=f"{key!r:.80} ({type(key).__name__})",
                blame=f"step {self.key.name!r}, which gave the key",
                hint="add an arm, or a default=... for every other key that has a hash",
            )
        return arm


@dataclass(frozen=True)
class Route(Generic[In_contra, Key]):
    """A key that waits for its arms."""

    key: Step[In_contra, Key]

    def to(
        self, arms: Mapping[Key, Step[In_contra, B]], *, default: Step[In_contra, B] | None = None
    ) -> Step[In_contra, B]:
        """Return the step that takes a value to the arm its key names.

        Args:
            arms: a step for each value of the key. All take what the key takes.
            default: the step for every other value; needed unless the arms serve every member of a Literal.

        Raises:
            PipelineTypeError: an arm is no value of the key, or a value of the key has no arm and there is no default.
        """
        routed: Routed[In_contra, B] = Routed(self.key, tuple(arms.items()), default)
        _check(routed)
        return routed


def route(key: Step[A, K], /) -> Route[A, K]:
    """Begin a route: `route(key).to({value: step, ...}, default=step)`."""
    if not isinstance(key, Step):
        raise PipelineTypeError(
            "route takes a step", expected="a Step that gives the key", got=type(key).__name__, blame="route(...)"
        )
    return Route(key)


def _check(routed: Routed[Any, Any]) -> None:
    targets: list[object] = [*routed.targets]
    stranger = next((step for step in targets if not isinstance(step, Step)), None)
    if stranger is not None or not routed.arms:
        got = "no arm" if stranger is None else type(stranger).__name__
        raise _unfit(routed, "at least one arm, each a Step", got)
    share_input("route", (routed.key, *routed.targets))
    hints = [port.hint for port in routed.key.exits()]
    for value, _ in routed.arms:
        if not any(acceptor(hint)(value) for hint in hints):
            raise _unfit(routed, f"keys that {routed.key.name!r} gives: {' | '.join(map(show, hints))}", repr(value))
    served = {value for value, _ in routed.arms}
    unserved = [member for hint in hints for member in literal_members(hint) if member not in served]
    if unserved and routed.default is None:
        raise _unfit(routed, "an arm for every member of the Literal, or a default", f"none for {unserved[0]!r}")


def _unfit(routed: Routed[Any, Any], expected: str, got: str) -> PipelineTypeError:
    return PipelineTypeError(
        f"the arms of route({routed.key.name}) do not fit its key",
        expected=expected,
        got=got,
        blame="the arguments of to(...)",
        hint="correct the key, or add default=...",
    )
