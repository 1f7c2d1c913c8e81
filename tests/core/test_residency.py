"""Residency by itself, with a loader of the test's own."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from metier.residency import Residency
from metier_contracts import (
    CallContext,
    Cancelled,
    DeadlineExceeded,
    MemoryBudgetError,
    MetierError,
    ModelCard,
    ModelLoadError,
    Placement,
    RuntimeClosedError,
    WeightsError,
)

Start = Callable[[Callable[[], Any]], Any]
Together = Callable[[list[Callable[[], Any]]], list[Any]]


def card_of(model: str, size: int = 0, **fields: Any) -> ModelCard:
    basis = {"plugin": "acme", "architecture": "rule", "licence": "MIT", "tasks": {"classify": {}}}
    return ModelCard.from_mapping({"id": model, "bytes": size, **basis, **fields})


class FakeModel:
    """A model that holds as many bytes as it is told to."""

    def __init__(self, size: Any) -> None:
        self.size = size
        self.closed = 0
        self.on_close: Callable[[], object] | None = None

    def infer(self, requests: Any, context: CallContext) -> Any:
        return list(requests)

    def resident_bytes(self) -> Any:
        return self.size() if callable(self.size) else self.size

    def close(self) -> None:
        self.closed += 1
        if self.on_close is not None:
            self.on_close()


class Loader:
    """Loads fake models, counts, and notes in which order they are closed."""

    def __init__(self, **sizes: Any) -> None:
        self.sizes = sizes
        self.models: list[tuple[str, FakeModel]] = []
        self.closed: list[str] = []
        self.before: Callable[[str], object] = lambda model: None
        self._lock = threading.Lock()

    def __call__(self, card: ModelCard) -> tuple[Any, Placement]:
        self.before(card.id)
        model = FakeModel(self.sizes.get(card.id, card.bytes))
        model.on_close = lambda: self.closed.append(card.id)
        with self._lock:
            self.models.append((card.id, model))
        return model, Placement("cpu")

    def loads(self, model: str) -> int:
        return [name for name, _ in self.models].count(model)

    def last(self, model: str) -> FakeModel:
        return next(made for name, made in reversed(self.models) if name == model)


def use(residency: Residency, card: ModelCard, context: CallContext | None = None) -> str:
    with residency.pinned(card, context or CallContext()) as resident:
        assert resident.model is not None
        return resident.card.id


def loaded(residency: Residency) -> list[str]:
    return sorted(residency._residents)


class Observed(threading.Condition):
    """The residency's condition, which tells when a thread begins to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Semaphore(0)

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.release()
        return super().wait(timeout)

    def await_waiter(self) -> None:
        assert self.waits.acquire(timeout=20), "nobody waits"


def observed(budget: int, load: Loader) -> tuple[Residency, Observed]:
    residency = Residency(budget, load)
    residency._lock = residency._changed = condition = Observed()
    return residency, condition


def test_a_model_is_loaded_at_its_first_use_and_stays() -> None:
    load = Loader()
    residency = Residency(100, load)
    card = card_of("a", 60)
    assert residency.bytes_of("a") is None
    for _ in range(3):
        assert use(residency, card) == "a"
    assert load.loads("a") == 1
    assert residency.bytes_of("a") == residency.accounted == 60


def test_one_load_for_many_first_calls(together: Together) -> None:
    load = Loader()
    residency = Residency(100, load)
    card = card_of("a", 60)
    assert together([lambda: use(residency, card)] * 32) == ["a"] * 32
    assert load.loads("a") == 1
    assert residency._residents["a"].pins == 0


def test_a_failing_load_reaches_all_who_wait_and_the_next_call_tries_again(rules: Any, start: Start) -> None:
    gate = rules.Gate()
    load = Loader()
    cause = OSError("the disk")

    def fail(model: str) -> None:
        gate()
        raise WeightsError("no weights", got="nothing") from cause

    load.before = fail
    residency, condition = observed(100, load)
    card = card_of("a", 60)
    first = start(lambda: use(residency, card))
    gate.await_arrival()
    others = [start(lambda: use(residency, card)) for _ in range(31)]
    for _ in others:
        condition.await_waiter()
    gate.open()
    errors = [one.outcome() for one in (first, *others)]
    assert {type(error) for error in errors} == {WeightsError}
    assert {str(error) for error in errors} == {"no weights\n  got: nothing"}
    assert all(error.__cause__ is cause for error in errors)
    # An exception object of its own for each thread, for each gathers its own traceback.
    assert len({id(error) for error in errors}) == 32
    assert residency.accounted == 0
    load.before = lambda model: None
    assert use(residency, card) == "a"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_what_is_no_error_of_ours_stays_with_its_thread(error: type[BaseException], rules: Any, start: Start) -> None:
    gate = rules.Gate()
    load = Loader()

    def fail_once(model: str) -> None:
        load.before = lambda model: None
        gate()
        raise error

    load.before = fail_once
    residency, condition = observed(100, load)
    card = card_of("a", 60)
    first = start(lambda: use(residency, card))
    gate.await_arrival()
    others = [start(lambda: use(residency, card)) for _ in range(3)]
    for _ in others:
        condition.await_waiter()
    gate.open()
    assert isinstance(first.outcome(), error)
    assert [one.outcome() for one in others] == ["a"] * 3
    assert load.loads("a") == 1


def test_who_waits_for_a_load_waits_no_longer_than_it_may(rules: Any, start: Start, clock: Any) -> None:
    gate = rules.Gate()
    load = Loader()
    load.before = gate
    residency, condition = observed(100, load)
    card = card_of("a", 60)
    first = start(lambda: use(residency, card))
    gate.await_arrival()
    context = CallContext()
    late = start(lambda: use(residency, card, CallContext(deadline=clock.now + 1)))
    quitter = start(lambda: use(residency, card, context))
    for _ in range(2):
        condition.await_waiter()
    clock.advance(1)
    context.cancel()
    assert isinstance(late.outcome(), DeadlineExceeded)
    assert isinstance(quitter.outcome(), Cancelled)
    assert first.running
    gate.open()
    assert first.outcome() == "a"


def test_nothing_is_loaded_for_who_no_longer_waits(clock: Any) -> None:
    load = Loader()
    residency = Residency(100, load)
    with pytest.raises(DeadlineExceeded):
        use(residency, card_of("a", 1), CallContext(deadline=clock.now))
    context = CallContext()
    context.cancel()
    with pytest.raises(Cancelled):
        use(residency, card_of("a", 1), context)
    assert load.models == []
    assert residency.accounted == 0


def test_the_measured_size_takes_the_place_of_the_estimate() -> None:
    load = Loader(a=70)
    residency = Residency(100, load)
    seen: list[int] = []
    load.before = lambda model: seen.append(residency.accounted)
    use(residency, card_of("a", 10))
    assert seen == [10]
    assert residency.accounted == 70
    residency.unload("a", CallContext())
    use(residency, card_of("a", 10))
    assert seen == [10, 70]  # once measured, it is known


def test_the_idle_model_unused_for_longest_makes_room(clock: Any) -> None:
    load = Loader()
    residency = Residency(100, load)
    cards = {name: card_of(name, 30) for name in "abcd"}
    for name in "abcab":
        clock.advance(0.1)
        use(residency, cards[name])
    use(residency, cards["d"])
    assert load.closed == ["c"]
    assert loaded(residency) == ["a", "b", "d"]
    assert residency.accounted == 90


def test_as_many_are_closed_as_it_takes_and_no_more(clock: Any) -> None:
    load = Loader()
    residency = Residency(100, load)
    for name in "abc":
        clock.advance(0.1)
        use(residency, card_of(name, 30))
    use(residency, card_of("d", 65))
    assert load.closed == ["a", "b"]
    assert residency.accounted == 95


def test_a_model_at_work_is_never_closed(clock: Any) -> None:
    load = Loader()
    residency = Residency(100, load)
    with residency.pinned(card_of("a", 40), CallContext()):
        clock.advance(0.1)
        use(residency, card_of("b", 40))
        use(residency, card_of("c", 50))
        assert load.closed == ["b"]
    assert load.last("a").closed == 0


def test_a_load_that_waits_for_room_proceeds_when_the_pin_goes(start: Start) -> None:
    load = Loader()
    residency, condition = observed(100, load)
    with residency.pinned(card_of("a", 60), CallContext()):
        waiting = start(lambda: use(residency, card_of("b", 60)))
        condition.await_waiter()
        assert load.loads("b") == 0
        assert waiting.running
    assert waiting.outcome() == "b"
    assert load.closed == ["a"]


def test_who_waits_for_room_waits_no_longer_than_it_may(start: Start, clock: Any) -> None:
    residency, condition = observed(100, Loader())
    context = CallContext()
    with residency.pinned(card_of("a", 60), CallContext()):
        late = start(lambda: use(residency, card_of("b", 60), CallContext(deadline=clock.now + 1)))
        quitter = start(lambda: use(residency, card_of("c", 60), context))
        for _ in range(2):
            condition.await_waiter()
        clock.advance(1)
        context.cancel()
        assert isinstance(late.outcome(), DeadlineExceeded)
        assert isinstance(quitter.outcome(), Cancelled)


def test_nothing_is_closed_in_vain(start: Start, clock: Any) -> None:
    load = Loader()
    residency, condition = observed(100, load)
    use(residency, card_of("idle", 20))
    with residency.pinned(card_of("busy", 60), CallContext()):
        clock.advance(0.1)
        waiting = start(lambda: use(residency, card_of("large", 90)))
        condition.await_waiter()
        assert load.closed == []  # closing the idle one would not be enough
    assert waiting.outcome() == "large"


def test_a_model_that_proves_larger_than_estimated_waits_for_room(start: Start) -> None:
    """Another model is at work, so there is no room now; that is no reason to fail."""
    load = Loader(b=60)
    residency, condition = observed(100, load)
    with residency.pinned(card_of("a", 60), CallContext()):
        waiting = start(lambda: use(residency, card_of("b", 0)))
        condition.await_waiter()
        assert load.last("b").closed == 1
        assert residency.accounted == 60
    assert waiting.outcome() == "b"
    assert load.loads("b") == 2
    assert residency.accounted == 60
    assert loaded(residency) == ["b"]


@pytest.mark.parametrize("estimate", [0, 101])
def test_a_model_too_large_for_the_budget_is_refused_with_figures(estimate: int) -> None:
    load = Loader(a=101)
    residency = Residency(100, load)
    use(residency, card_of("small", 50))
    for _ in range(2):
        with pytest.raises(MemoryBudgetError, match="'a' does not fit into the memory budget") as caught:
            use(residency, card_of("a", estimate))
        assert "(100 bytes)" in str(caught.value.expected)
        assert "(101 bytes)" in str(caught.value.got)
        assert "Runtime(memory=...)" in str(caught.value.hint)
    # It is loaded at most once to find out, then closed; and nothing else is closed for it.
    assert load.loads("a") == (1 if estimate == 0 else 0)
    assert load.closed == ["a"] * load.loads("a")
    assert residency.accounted == 50


@pytest.mark.parametrize(
    ("size", "got"),
    [
        (-1, "-1"),
        ("many", "ValueError"),
        (None, "TypeError"),
        (float("nan"), "ValueError"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (lambda: (_ for _ in ()).throw(SystemExit(3)), "SystemExit"),
    ],
)
def test_a_model_that_cannot_tell_its_size_is_not_kept(size: Any, got: str) -> None:
    load = Loader(a=size)
    residency = Residency(100, load)
    with pytest.raises(ModelLoadError, match="how many bytes it holds") as caught:
        use(residency, card_of("a", 10))
    assert got in str(caught.value.got)
    assert load.closed == ["a"]
    assert residency.accounted == 0


def test_growth_between_calls_is_measured_again(clock: Any) -> None:
    load = Loader(a=20)
    residency = Residency(100, load)
    use(residency, card_of("a"))
    load.last("a").size = 50
    use(residency, card_of("a"))
    assert residency.accounted == 20  # not so soon
    clock.advance(2)
    use(residency, card_of("a"))
    assert residency.accounted == 50
    load.last("a").size = 10
    clock.advance(2)
    use(residency, card_of("a"))
    assert residency.accounted == 10


@pytest.mark.parametrize("size", [90, 101])
def test_a_model_that_has_grown_too_large_is_closed(size: int, clock: Any) -> None:
    load = Loader(a=20)
    residency = Residency(100, load)
    use(residency, card_of("b", 30))
    use(residency, card_of("a"))
    load.last("a").size = size
    clock.advance(2)
    use(residency, card_of("a"))
    assert load.closed == ["a"]
    assert residency.accounted == 30
    load.sizes["a"] = size
    if size > residency.budget:
        with pytest.raises(MemoryBudgetError):
            use(residency, card_of("a"))
    else:
        assert use(residency, card_of("a")) == "a"
        assert load.closed == ["a", "b"]


@pytest.mark.parametrize("size", [lambda: 1 / 0, -5, "many"])
def test_a_model_that_can_no_longer_tell_its_size_keeps_its_answer(size: Any, clock: Any) -> None:
    load = Loader(a=20)
    residency = Residency(100, load)
    use(residency, card_of("a"))
    load.last("a").size = size
    clock.advance(2)
    assert use(residency, card_of("a")) == "a"
    assert residency.accounted == 20


@pytest.mark.parametrize("error", [RuntimeError, SystemExit])
def test_a_model_that_raises_in_close_does_not_break_the_books(error: type[BaseException], clock: Any) -> None:
    def fail() -> None:
        raise error

    load = Loader()
    residency = Residency(100, load)
    for name in "abc":
        use(residency, card_of(name, 60))
        load.last(name).on_close = fail
        assert residency.accounted == 60
    assert [load.last(name).closed for name in "abc"] == [1, 1, 0]
    residency.close()
    assert load.last("c").closed == 1
    assert residency.accounted == 0


def test_an_error_in_the_block_lets_the_pin_go() -> None:
    residency = Residency(100, Loader())
    for error in (ValueError, KeyboardInterrupt, GeneratorExit):
        with pytest.raises(error), residency.pinned(card_of("a", 1), CallContext()):
            raise error
    assert residency._residents["a"].pins == 0


def test_unload_waits_until_the_model_is_idle(start: Start, clock: Any) -> None:
    load = Loader()
    residency, condition = observed(100, load)
    assert residency.unload("a", CallContext()) is False
    with residency.pinned(card_of("a", 10), CallContext()):
        late = start(lambda: residency.unload("a", CallContext(deadline=clock.now + 1)))
        waiting = start(lambda: residency.unload("a", CallContext()))
        for _ in range(2):
            condition.await_waiter()
        clock.advance(1)
        assert isinstance(late.outcome(), DeadlineExceeded)
        assert load.closed == []
    assert waiting.outcome() is True
    assert load.closed == ["a"]
    assert residency.unload("a", CallContext()) is False


def test_close_waits_for_those_at_work_and_refuses_the_rest(rules: Any, start: Start) -> None:
    gate = rules.Gate()
    load = Loader()
    residency, condition = observed(100, load)
    for name in "ab":
        use(residency, card_of(name, 10))
    load.before = gate
    loading = start(lambda: use(residency, card_of("c", 10)))
    gate.await_arrival()
    second = start(lambda: use(residency, card_of("c", 10)))
    condition.await_waiter()
    with residency.pinned(card_of("b", 10), CallContext()):
        roomless = start(lambda: use(residency, card_of("d", 90)))
        condition.await_waiter()
        closing = start(residency.close)
        assert isinstance(second.outcome(), RuntimeClosedError)
        assert isinstance(roomless.outcome(), RuntimeClosedError)
        with pytest.raises(RuntimeClosedError, match="the runtime is closed"):
            use(residency, card_of("a", 10))
        assert load.closed == ["a"]
        gate.open()
        assert isinstance(loading.outcome(), RuntimeClosedError)
        assert closing.running
    assert closing.outcome() is None
    assert sorted(load.closed) == ["a", "b", "c"]
    assert residency.accounted == 0
    residency.close()


def test_where_a_model_is_and_what_it_computes_in() -> None:
    load = Loader()
    residency = Residency(100, load)
    with residency.pinned(card_of("a", 10), CallContext()) as resident:
        assert (resident.device, resident.dtype) == ("cpu", None)
        model: Any = resident.model
        model.device, model.dtype = "cuda:1", "bfloat16"
        assert (resident.device, resident.dtype) == ("cuda:1", "bfloat16")
        model.device, model.dtype = None, None
        assert (resident.device, resident.dtype) == ("cpu", None)


def test_the_lane_is_as_the_card_says() -> None:
    residency = Residency(100, Loader())
    tasks = {"classify": {"max_batch": 8}, "embed": {"max_batch": 3}, "rank": {}}
    with residency.pinned(card_of("a", tasks=tasks, thread_safe=True), CallContext()) as resident:
        assert (resident.lane.max_batch, resident.lane.shared) == (3, True)
    with residency.pinned(card_of("b"), CallContext()) as resident:
        assert (resident.lane.max_batch, resident.lane.shared) == (256, False)


class Sampled(dict[str, Any]):
    """The residents; at every change the bytes accounted are compared with the budget."""

    def __init__(self, residency: Residency) -> None:
        super().__init__()
        self.residency = residency
        self.samples: list[int] = []

    def sample(self) -> None:
        self.samples.append(self.residency.accounted)

    def __setitem__(self, model: str, resident: Any) -> None:
        super().__setitem__(model, Watched(resident, self))
        self.sample()

    def __delitem__(self, model: str) -> None:
        super().__delitem__(model)
        self.sample()


def Watched(resident: Any, residents: Sampled) -> Any:  # noqa: N802  (it makes a class)
    """Let a resident tell when the bytes it is accounted for change."""

    class WatchedResident(type(resident)):  # type: ignore[misc]
        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value)
            if name == "accounted":
                residents.sample()

    resident.__class__ = WatchedResident
    return resident


@pytest.mark.parametrize("seed", range(4))
def test_the_bytes_accounted_never_exceed_the_budget(
    seed: int, together: Together, switch_often: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many threads use many models that are larger than said, that grow, fail to load, and fail to close."""
    chance = random.Random(seed)
    monkeypatch.setattr("metier.residency._MEASURE_EVERY_SECONDS", -1.0)  # at each release
    monkeypatch.setattr("metier.residency._WAIT_SECONDS", 0.002)
    names = [f"m{number}" for number in range(8)]
    lowest = {name: chance.randint(5, 30) for name in names}
    load = Loader(**{name: lambda low=low: chance.randint(low, low + 30) for name, low in lowest.items()})
    load.before = lambda model: chance.random() < 0.1 and _raise(WeightsError("no luck"))
    residency = Residency(100, load)
    residency._residents = residents = Sampled(residency)
    cards = [card_of(name, chance.randint(0, 40)) for name in names]

    def caller(seed: int) -> int:
        own, served = random.Random(seed), 0
        for _ in range(60):
            context = CallContext()
            if own.random() < 0.1:
                context.cancel()
            with suppress(MetierError), ExitStack() as stack:
                if own.random() < 0.1:
                    residency.unload(own.choice(names), context)
                resident = stack.enter_context(residency.pinned(own.choice(cards), context))
                assert resident.model is not None
                model: Any = resident.model
                if own.random() < 0.1:
                    model.on_close = lambda: _raise(RuntimeError("no luck"))
                assert model.closed == 0
                served += 1
        return served

    served = together([lambda number=n: caller(1000 * seed + number) for n in range(12)])
    assert all(isinstance(count, int) and count > 0 for count in served)
    assert max(residents.samples) <= residency.budget
    assert all(resident.pins == 0 for resident in residents.values())
    residency.close()
    assert residency.accounted == 0
    assert all(model.closed == 1 for _, model in load.models)


def _raise(error: BaseException) -> None:
    raise error
