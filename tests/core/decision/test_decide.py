"""The pure decision, against brute force on random tables, and each amount against what it promises."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metier.decision.candidate import Candidate
from metier.decision.constraints import Bound, bounds
from metier.decision.decision import Decision, decide
from metier.decision.report import enough
from metier.decision.requirements import Requirements

TABLES = range(1000)
THOUSAND_IN_TEN = [range(start, start + 100) for start in range(0, 1000, 100)]
LICENCES = ("MIT", "Apache-2.0", "proprietary", "GPL-3.0-only")
CEILINGS = ("latency_ms", "cost_per_1k", "memory")
FLOORS = ("throughput", "quality")
FIGURES = CEILINGS + FLOORS


def row(model: str = "m", **fields: Any) -> Candidate:
    return Candidate(**{"model": model, "architecture": "rule", "licence": "MIT", "devices": ("cpu",), **fields})


def judged(candidate: Candidate, **required: Any) -> dict[str, Bound]:
    return {bound.constraint: bound for bound in bounds(candidate, Requirements(**required), "classify")}


class Tables:
    """Tables of few values, so that ties abound, with unknown, infinite and zero figures among them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def figure(self, *, infinite: bool = True) -> Any:
        kind = self.random.random()
        if kind < 0.15:
            return None
        if kind < 0.25:
            return 0
        if kind < 0.3 and infinite:
            return math.inf
        return self.random.choice(
            (0.1, 0.3, 1.0, 2.5, 7.0, self.random.uniform(0, 10), 10 ** self.random.uniform(-9, 9))
        )

    def candidate(self, number: int) -> Candidate:
        remote = self.random.random() < 0.3
        memory = self.figure(infinite=False)
        return row(
            f"m{number}",
            latency_ms=self.figure(),
            cost_per_1k=self.figure(),
            throughput=self.figure(),
            memory=None if memory is None else int(memory),
            quality=self.figure(infinite=False),
            licence=self.random.choice(LICENCES),
            devices=() if remote else self.random.choice((("cpu",), ("cuda",), ("cpu", "cuda"))),
            remote=(f"m{number}", f"host{number % 2}") if remote else (),
            lacks=("tools: needs yes",) if self.random.random() < 0.1 else (),
            forbidden=self.random.choice(("offline", "privacy", None, None, None)) if remote else None,
            state=self.random.choice(("ready", "pull", "install", "broken", "ready")),
        )

    def requirements(self) -> Requirements:
        def maybe(value: Any) -> Any:
            return value if self.random.random() < 0.4 else None

        memory = self.figure(infinite=False)
        return Requirements(
            latency_ms=maybe(self.figure(infinite=False)),
            cost_per_1k=maybe(self.figure(infinite=False)),
            throughput=maybe(self.figure(infinite=False)),
            memory=maybe(None if memory is None else int(memory)),
            quality=maybe(self.figure(infinite=False)),
            privacy=maybe(self.random.choice(("local", ("host0",), ("m1", "m2")))),
            licence=maybe(self.random.choice((("MIT",), ("commercial",), ("mit", "proprietary")))),
            device=maybe(self.random.choice(("cpu", "cuda"))),
        )

    def table(self) -> tuple[list[Candidate], Requirements]:
        rows = [self.candidate(number) for number in range(self.random.randint(0, 9))]
        self.random.shuffle(rows)
        return rows, self.requirements()


# Brute force, written without a look at what it checks: one question a line, and all pairs compared.


def feasible(c: Candidate, r: Requirements) -> bool:
    if c.lacks or c.forbidden or c.state == "broken":
        return False
    if r.privacy == "local" and c.remote:
        return False
    if isinstance(r.privacy, tuple) and c.remote and not any(name in r.privacy for name in c.remote):
        return False
    if r.licence is not None:
        free = {"mit", "apache-2.0"} if "commercial" in r.licence else set()
        if c.licence.lower() not in free | {name.lower() for name in r.licence}:
            return False
    if r.device is not None and r.device not in c.devices:
        return False
    for name in CEILINGS:
        asked, has = getattr(r, name), getattr(c, name)
        if asked is not None and (has is None or has > asked):
            return False
    for name in FLOORS:
        asked, has = getattr(r, name), getattr(c, name)
        if asked is not None and (has is None or has < asked):
            return False
    return True


def better(a: Candidate, b: Candidate) -> bool:
    """Cost, then quality, then latency, then id; what is not known comes last."""
    for name, high in (("cost_per_1k", False), ("quality", True), ("latency_ms", False)):
        left, right = getattr(a, name), getattr(b, name)
        if left == right:
            continue
        if left is None or right is None:
            return right is None
        return bool(left > right) if high else bool(left < right)
    return a.model < b.model


def in_order(rows: list[Candidate]) -> list[str]:
    places = {c.model: sum(better(other, c) for other in rows) for c in rows}
    return sorted(places, key=places.__getitem__)


def least_change(rows: list[Candidate], r: Requirements, name: str) -> float | None:
    """Try every value that a candidate has."""
    enough = [
        getattr(c, name)
        for c in rows
        if getattr(c, name) is not None
        and not math.isinf(getattr(c, name))
        and feasible(c, Requirements(**{**r.model_dump(), name: getattr(c, name)}))
    ]
    return min(enough, key=lambda value: abs(value - getattr(r, name)), default=None)


@pytest.mark.parametrize("seeds", THOUSAND_IN_TEN, ids=str)
def test_agrees_with_brute_force(seeds: range) -> None:
    for seed in seeds:
        check_against_brute_force(seed)


def check_against_brute_force(seed: int) -> None:
    rows, requirements = Tables(seed).table()
    fit = [c for c in rows if feasible(c, requirements)]
    decision = decide(rows, requirements, "classify")
    assert [c.model for c in decision.ranked] == in_order(fit)
    assert decision.chosen is (decision.ranked[0] if fit else None)
    unfit = [c for c in rows if not feasible(c, requirements)]
    assert [each.candidate.model for each in decision.rejected] == in_order(unfit)
    if fit:
        assert decision.relaxations == ()
    else:
        changes = {each.constraint: each for each in decision.relaxations}
        for name in FIGURES:
            found = None if getattr(requirements, name) is None else least_change(rows, requirements, name)
            assert (changes[name].value if name in changes else None) == found


def test_each_bound_relaxed_by_its_amount_is_enough_and_by_one_percent_less_is_not() -> None:
    checked = 0
    for seed in TABLES:
        rows, requirements = Tables(seed).table()
        for rejection in decide(rows, requirements, "classify").rejected:
            checked += check_amounts(rejection.candidate, requirements, rejection.bounds)
    assert checked > 500


def check_amounts(candidate: Candidate, requirements: Requirements, found: tuple[Bound, ...]) -> int:
    """Relax all that binds by what is stated, then one by a hundredth less; return how many amounts that tried."""
    if any(bound.enough is None for bound in found):
        return 0
    assert feasible(candidate, relaxed(requirements, found))
    amounts = [bound for bound in found if bound.by is not None]
    for tight in amounts:
        assert not feasible(candidate, relaxed(requirements, found, tight))
    return len(amounts)


def relaxed(requirements: Requirements, found: tuple[Bound, ...], tight: Bound | None = None) -> Requirements:
    values: dict[str, Any] = {}
    for bound in found:
        if bound.by is None:
            values[bound.constraint] = bound.enough
            continue
        limit: Any = bound.wanted
        amount = bound.by * 0.99 if bound is tight else bound.by
        value = limit + amount if bound.constraint in CEILINGS else limit - amount
        values[bound.constraint] = math.floor(value) if bound.constraint == "memory" else value
    return Requirements(**{**requirements.model_dump(), **values})


def test_the_random_tables_hold_what_they_are_for() -> None:
    tables = [Tables(seed).table() for seed in TABLES]
    decisions = [decide(rows, required, "classify") for rows, required in tables]
    assert sum(decision.chosen is not None for decision in decisions) > 200
    assert sum(any(each.model for each in decision.relaxations) for decision in decisions) > 50
    amounts = [b for d in decisions for each in d.rejected for b in each.bounds if b.by is not None]
    assert {bound.constraint for bound in amounts} == set(FIGURES)
    costs = [[c.cost_per_1k for c in rows] for rows, _ in tables]
    assert sum(len(each) > len(set(each)) for each in costs) > 200
    assert any(math.inf in each for each in costs)


class TestOrder:
    def test_the_cheapest_then_the_better_the_faster_and_the_first_by_id(self) -> None:
        rows = [
            row("e"),
            row("d", cost_per_1k=2.0, quality=0.5, latency_ms=1.0),
            row("c", cost_per_1k=2.0, quality=0.9, latency_ms=3.0),
            row("b", cost_per_1k=2.0, quality=0.9, latency_ms=2.0),
            row("a", cost_per_1k=2.0, quality=0.9, latency_ms=2.0),
            row("z", cost_per_1k=1.0),
            row("y", cost_per_1k=math.inf),
        ]
        ranked = decide(rows, Requirements(), "classify").ranked
        assert [c.model for c in ranked] == ["z", "a", "b", "c", "d", "y", "e"]

    def test_figures_that_change_places_change_the_choice(self) -> None:
        for cheap, dear in (("a", "b"), ("b", "a")):
            rows = [row(cheap, cost_per_1k=0.001), row(dear, cost_per_1k=0.002)]
            assert decide(rows, Requirements(), "classify").chosen == rows[0]


class TestNumbers:
    def test_a_limit_that_is_met_exactly_is_met(self) -> None:
        exact = {"latency_ms": 5.0, "cost_per_1k": 0.0, "throughput": 3.0, "memory": 10, "quality": 0.9}
        assert judged(row(**exact), **exact) == {}

    @pytest.mark.parametrize(("limit", "value"), [(0.1, 0.3), (0.0, 1e-300), (1e16, 3e16 + 2), (1.0, 1 + 2**-40)])
    def test_the_amount_added_is_enough_in_floating_point_too(self, limit: float, value: float) -> None:
        by: Any = judged(row(latency_ms=value), latency_ms=limit)["latency_ms"].by
        assert limit + by >= value > limit + 0.99 * by
        down: Any = judged(row(quality=limit), quality=value)["quality"].by
        assert value - down <= limit < value - 0.99 * down

    def test_neighbours_differ_by_the_least_step_there_is(self) -> None:
        by: Any = judged(row(latency_ms=math.nextafter(1.0, 2.0)), latency_ms=1.0)["latency_ms"].by
        assert 1.0 + by == math.nextafter(1.0, 2.0)

    def test_memory_is_counted_in_whole_bytes(self) -> None:
        bound = judged(row(memory=2**60 + 1), memory=2**60)["memory"]
        assert (bound.enough, bound.by) == (2**60 + 1, 1)

    def test_no_amount_reaches_what_is_infinite(self) -> None:
        bound = judged(row(latency_ms=math.inf), latency_ms=1.0)["latency_ms"]
        assert (bound.got, bound.enough, bound.by) == (math.inf, None, None)

    def test_what_is_not_known_meets_nothing_and_says_what_to_type(self) -> None:
        found = judged(row(), **dict.fromkeys(FIGURES, 0))
        assert {name: bound.got for name, bound in found.items()} == dict.fromkeys(FIGURES)
        assert found["latency_ms"].hint == found["cost_per_1k"].hint == "metier calibrate m"
        assert found["quality"].hint == "metier calibrate m --sample FILE.csv"
        assert judged(row()) == {}

    def test_an_unknown_price_asks_for_the_price(self) -> None:
        local = judged(row(latency_ms=1.0), cost_per_1k=1.0)["cost_per_1k"].hint
        remote = judged(row(latency_ms=1.0, remote=("m", "h")), cost_per_1k=1.0)["cost_per_1k"].hint
        assert "prices" in local
        assert "card" in remote

    def test_only_classify_is_measured_by_a_sample(self) -> None:
        (bound,) = bounds(row(), Requirements(quality=0.5), "forecast")
        assert bound.hint == "state a figure of quality on its card"


class TestTheOtherConstraints:
    def test_privacy(self) -> None:
        remote = row(remote=("acme/big", "api.example.org"), devices=())
        assert judged(row(), privacy="local") == judged(remote) == {}
        for names in (("acme/big",), ("api.example.org",)):
            assert judged(remote, privacy=names) == {}
        assert judged(remote, privacy="local")["privacy"].enough == ("m",)
        assert judged(remote, privacy=("other",))["privacy"].enough == ("other", "m")

    def test_licences(self) -> None:
        assert judged(row(licence="apache-2.0"), licence="Apache-2.0") == {}
        assert judged(row(licence="MIT"), licence="commercial") == {}
        assert judged(row(licence="x"), licence=("commercial", "X")) == {}
        assert judged(row(licence="x"), licence="commercial")["licence"].enough == ("commercial", "x")

    def test_devices(self) -> None:
        assert judged(row(devices=("cuda", "cpu")), device="cpu") == {}
        assert judged(row(devices=("cuda",)), device="cpu")["device"].enough == "cuda"
        assert judged(row(devices=(), remote=("m",)), device="cpu")["device"].enough is None

    def test_settings_a_broken_plugin_and_what_it_lacks(self) -> None:
        found = judged(row(forbidden="offline", state="broken", step="pip install x", lacks=("tools: needs yes",)))
        assert list(found) == ["needs", "settings", "plugin"]
        assert found["settings"].hint == "offline = false"
        assert found["plugin"].hint == "pip install x"
        assert found["needs"].wanted == ("tools: needs yes",)


class TestRelaxations:
    def test_the_least_change_of_each_constraint_alone(self) -> None:
        rows = [
            row("slow", latency_ms=20.0, cost_per_1k=1.0),
            row("slower", latency_ms=30.0, cost_per_1k=0.5),
            row("dear", latency_ms=1.0, cost_per_1k=9.0),
            row("both", latency_ms=11.0, cost_per_1k=2.1),
        ]
        decision = decide(rows, Requirements(latency_ms=10, cost_per_1k=2, memory=5), "classify")
        assert [each.model for each in decision.relaxations] == [None] * 3  # nobody's memory is known
        decision = decide(rows, Requirements(latency_ms=10, cost_per_1k=2), "classify")
        changes = {each.constraint: (each.value, each.by, each.model) for each in decision.relaxations}
        assert changes == {"latency_ms": (20.0, 10.0, "slow"), "cost_per_1k": (9.0, 7.0, "dear")}

    def test_of_equal_changes_the_better_ranked(self) -> None:
        rows = [row("a", cost_per_1k=2.0, licence="x"), row("b", cost_per_1k=1.0, licence="y")]
        (change,) = decide(rows, Requirements(licence="MIT"), "classify").relaxations
        assert (change.value, change.model) == (("MIT", "y"), "b")


def test_a_decision_goes_through_json() -> None:
    rows = [row("a", latency_ms=math.inf), row("b", licence="x", remote=("b", "h"))]
    decision = decide(rows, Requirements(latency_ms=1, licence="MIT", needs={"labels": ("a", "b")}), "classify")
    assert Decision.from_json(decision.to_json()) == decision


@given(st.floats(1e-9, 1e9), st.booleans())
def test_a_limit_is_shown_short_and_is_enough(value: float, floor: bool) -> None:
    shown = float(enough(value, floor))
    assert shown <= value if floor else shown >= value
    assert shown == pytest.approx(value, rel=1e-3)


def test_limits_are_shown_without_noise() -> None:
    assert enough(72.47879999999999, floor=False) == "72.48"
    assert enough(0.9123456, floor=True) == "0.9123"
    assert enough(1234567.0, floor=False) == "1235000"
    assert enough(90852864, floor=False) == "90852864"
