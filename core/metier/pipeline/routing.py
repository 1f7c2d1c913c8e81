"""`route`: one of several steps, chosen by a key, `route(key).to({...})`, or by the value's type, `route(a, b)`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, Generic, Union, overload

from metier_contracts import InputError, PipelineTypeError
from typing_extensions import TypeVar

from metier.pipeline.engine import Call, Failed, apply, attempt
from metier.pipeline.fit import FIT
from metier.pipeline.hints import STANDARD, Hint, fits, generic, known_members, members, plain, show
from metier.pipeline.semantics import finder
from metier.pipeline.step import In_contra, Out_co, Port, Step, Taint, claimed, guard, guard_all, share_input
from metier.pipeline.structure import Kind, Role, Structure
from metier.pipeline.values import Test, acceptor

A = TypeVar("A")
A1 = TypeVar("A1")
A2 = TypeVar("A2")
A3 = TypeVar("A3")
A4 = TypeVar("A4")
A5 = TypeVar("A5")
B = TypeVar("B")
B1 = TypeVar("B1")
B2 = TypeVar("B2")
B3 = TypeVar("B3")
B4 = TypeVar("B4")
B5 = TypeVar("B5")
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
        keys = apply(self.key, values, call)
        arms = [key if isinstance(key, Failed) else attempt(self._arm, key, self.name) for key in keys]
        return _through(arms, values, call)

    def structure(self) -> Structure:
        """Return the key and what it chooses from."""
        return Structure(ROUTE, {"key": self.key, "arms": dict(self.arms), "default": self.default})

    def claims(self) -> Taint | None:
        """Return what the key or any arm claims: all may be given the value."""
        return claimed((self.key, *self.targets))

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Guard the key and each arm: that a value comes to an arm tells what its key is."""
        key, told = guard(self.key, taint)
        targets, given = guard_all(self.targets, taint or told, after)
        arms = tuple((value, arm) for (value, _), arm in zip(self.arms, targets, strict=False))
        default = None if self.default is None else targets[-1]
        return replace(self, key=key, arms=arms, default=default), given

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


def _through(arms: Sequence[Any], values: Sequence[Any], call: Call) -> list[Any]:
    """Take each value through its own arm, those of one arm as one batch; a `Failed` in its place is the outcome."""
    outcomes = list(arms)
    by_arm: dict[int, tuple[Step[Any, Any], list[int]]] = {}
    for position, arm in enumerate(arms):
        if not isinstance(arm, Failed):
            by_arm.setdefault(id(arm), (arm, []))[1].append(position)
    for arm, positions in by_arm.values():
        fresh = apply(arm, [values[p] for p in positions], call.only(positions))
        for position, outcome in zip(positions, fresh, strict=True):
            outcomes[position] = outcome
    return outcomes


@dataclass(frozen=True)
class ByType(Step[In_contra, Out_co]):
    """The first arm that takes values of the value's type."""

    arms: tuple[Step[Any, Any], ...]

    @property
    def name(self) -> str:
        """The arms' names."""
        return f"route({', '.join(arm.name for arm in self.arms)})"

    def entries(self) -> Sequence[Port]:
        """Return what the arms take, together: the value goes to one of them."""
        return (Port(self.name, Union[tuple(map(taken, self.arms))]),)  # noqa: UP007

    def exits(self) -> Sequence[Port]:
        """Return the exits of every arm."""
        return [port for arm in self.arms for port in arm.exits()]

    def apply(self, values: Sequence[Any], call: Call) -> list[Any]:
        """Find the arm of every value, then take the values of each arm through it as one batch."""
        tests = [(arm, acceptor(taken(arm))) for arm in self.arms]
        arms = [attempt(lambda one: self._arm(one, tests), value, self.name) for value in values]
        return _through(arms, values, call)

    def structure(self) -> Structure:
        """Return the arms."""
        return Structure(ROUTE, {"arms": self.arms})

    def claims(self) -> Taint | None:
        """Return what any arm claims: each may be given the value."""
        return claimed(self.arms)

    def guarded(self, taint: Taint | None, after: Taint | None) -> tuple[Step[Any, Any], Taint | None]:
        """Guard each arm."""
        arms, given = guard_all(self.arms, taint, after)
        return replace(self, arms=arms), given

    def _arm(self, value: Any, tests: Sequence[tuple[Step[Any, Any], Test]]) -> Step[Any, Any]:
        arm = next((arm for arm, accepts in tests if accepts(value)), None)
        if arm is None:
            raise InputError(
                f"no arm of the route takes {value!r:.80}",
                expected=" | ".join(show(taken(arm)) for arm in self.arms),
                got=type(value).__name__,
                blame=f"the step before {self.name!r}",
                hint="add an arm that takes it",
            )
        return arm


def taken(arm: Step[Any, Any]) -> Hint:
    """Return what an arm takes as one hint: the narrowest of its entries, since the value goes to all."""
    hints = (port.hint for port in arm.entries())
    return reduce(lambda one, other: one if fits(one, other) == FIT else other, hints)


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
            default: the step for every other value; needed unless the arms serve every member of a Literal or `Labels`.

        Raises:
            PipelineTypeError: an arm is no value of the key, or a value of the key has no arm and there is no default.
        """
        routed: Routed[In_contra, B] = Routed(self.key, tuple(arms.items()), default)
        _check(routed)
        return routed


@overload
def route(key: Step[A, K], /) -> Route[A, K]: ...
@overload
def route(a: Step[A1, B1], b: Step[A2, B2], /) -> Step[A1 | A2, B1 | B2]: ...
@overload
def route(a: Step[A1, B1], b: Step[A2, B2], c: Step[A3, B3], /) -> Step[A1 | A2 | A3, B1 | B2 | B3]: ...
@overload
def route(
    a: Step[A1, B1], b: Step[A2, B2], c: Step[A3, B3], d: Step[A4, B4], /
) -> Step[A1 | A2 | A3 | A4, B1 | B2 | B3 | B4]: ...
@overload
def route(
    a: Step[A1, B1], b: Step[A2, B2], c: Step[A3, B3], d: Step[A4, B4], e: Step[A5, B5], /
) -> Step[A1 | A2 | A3 | A4 | A5, B1 | B2 | B3 | B4 | B5]: ...
def route(*steps: Step[Any, Any]) -> Any:
    """Take a value to one of several steps: by a key, `route(key).to({value: step, ...})`, or by the value's type.

    `route(a, b, ...)` takes a value to the first step that takes values of its type: with a `Step[str, A]` and a
    `Step[Image, B]` it is a `Step[str | Image, A | B]`.

    Raises:
        PipelineTypeError: something is no step, or no value would come to an arm, since one before it takes them all.
    """
    given: list[object] = [*steps]
    stranger = next((one for one in given if not isinstance(one, Step)), None)
    if stranger is not None or not given:
        raise PipelineTypeError(
            "route takes steps",
            expected="a Step that gives the key, or a Step for each type",
            got="none" if stranger is None else type(stranger).__name__,
            blame="the arguments of route",
        )
    if len(steps) == 1:
        return Route(steps[0])
    _check_reach(steps)
    return ByType(steps)


def _check_reach(arms: Sequence[Step[Any, Any]]) -> None:
    for position, arm in enumerate(arms):
        earlier = next((one for one in arms[:position] if _takes_all(one, arm)), None)
        if earlier is not None:
            raise PipelineTypeError(
                f"no value comes to step {arm.name!r} of route",
                expected=f"a type that is told from {show(taken(earlier))} by the value alone",
                got=f"{arm.name!r} takes {show(taken(arm))}, after {earlier.name!r}",
                blame="the arguments of route",
                hint="put the step with the narrower type first, or use route(key).to({...})",
            )


def _takes_all(one: Step[Any, Any], other: Step[Any, Any]) -> bool:
    """Tell whether values that `other` takes pass for values of `one`."""
    takers = [_told(hint) for hint in members(taken(one))]
    return all(any(fits(_told(hint), taker).types for taker in takers) for hint in members(taken(other)))


def _told(hint: Hint) -> Hint:
    """Return a hint without what a value does not show: the parameters of a class that is no container of Python's."""
    hint = plain(hint)
    origin, _ = generic(hint)
    return origin if isinstance(origin, type) and origin.__module__ not in STANDARD else hint


def _route(
    arms: tuple[Step[Any, Any], ...] | dict[Any, Step[Any, Any]],
    key: Step[Any, Any] | None = None,
    default: Step[Any, Any] | None = None,
) -> Step[Any, Any]:
    if isinstance(arms, dict) and key is not None:
        return route(key).to(arms, default=default)
    if isinstance(arms, tuple) and len(arms) > 1 and key is default is None:
        by_type: Any = route(*arms)
        return by_type  # type: ignore[no-any-return]
    given = ["key"] * (key is not None) + ["default"] * (default is not None)
    raise PipelineTypeError(
        "route takes arms by key, or by type",
        expected="key, arms by key, and perhaps default; or a list of two arms or more, and neither",
        got=f"{'arms by key' if isinstance(arms, dict) else 'a list'} with {' and '.join(given) or 'no key'}",
        blame="the fields of route",
    )


ROUTE = Kind("route", {"key": Role.KEY, "arms": Role.CASE, "default": Role.DEFAULT}, _route)


def _check(routed: Routed[Any, Any]) -> None:
    targets: list[object] = [*routed.targets]
    stranger = next((step for step in targets if not isinstance(step, Step)), None)
    if stranger is not None or not routed.arms:
        got = "no arm" if stranger is None else type(stranger).__name__
        raise _unfit(routed, "at least one arm, each a Step", got)
    share_input("route", (routed.key,), routed.targets)
    hints = [port.hint for port in routed.key.exits()]
    for value, arm in routed.arms:
        if not any(_gives(hint, value) for hint in hints):
            expected = f"keys that {routed.key.name!r} gives: {' | '.join(map(show, hints))}"
            raise _unfit(routed, expected, f"{value!r} for step {arm.name!r}")
    served = {value for value, _ in routed.arms}
    unserved = [member for hint in hints for member in known_members(hint) if member not in served]
    if unserved and routed.default is None:
        got = f"{', '.join(repr(arm.name) for _, arm in routed.arms)} and none for {unserved[0]!r}"
        raise _unfit(routed, f"an arm for every label that {routed.key.name!r} gives, or a default", got)


def _gives(hint: Hint, value: Any) -> bool:
    """Tell whether a key of this type may be this value."""
    breaches = finder(hint)
    return acceptor(hint)(value) and (breaches is None or breaches(value) is None)


def _unfit(routed: Routed[Any, Any], expected: str, got: str) -> PipelineTypeError:
    return PipelineTypeError(
        f"the arms of route({routed.key.name}) do not fit its key",
        expected=expected,
        got=got,
        blame="the arguments of to(...)",
        hint="correct the key, or add default=...",
    )
