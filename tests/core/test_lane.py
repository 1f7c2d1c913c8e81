"""The lane by itself, before an `infer` of the test's own."""

from __future__ import annotations

import asyncio
import gc
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from metier.lane import Lane
from metier_contracts import (
    CallContext,
    Cancelled,
    Classification,
    Classify,
    ContractViolation,
    DeadlineExceeded,
    Embed,
    InferenceError,
    InputError,
    MetierError,
    Request,
)

Start = Callable[[Callable[[], Any]], Any]
LONG_AGO = 0.0


def requests(*texts: str) -> list[Request[Any]]:
    return [Classify(text=text, labels=[text]) for text in texts]


def answer(request: Any) -> Classification:
    return Classification(label=request.text, scores={request.text: 1.0})


class Recorder:
    """An `infer` that notes its batches, contexts and threads, and does what the test says before it answers."""

    def __init__(self, before: Callable[[Sequence[Any], CallContext], object] | None = None) -> None:
        self.before = before
        self.batches: list[list[str]] = []
        self.contexts: list[CallContext] = []
        self.threads: list[int] = []
        self.running = 0
        self.most_running = 0
        self.lock = threading.Lock()

    def __call__(self, batch: Sequence[Any], context: CallContext) -> Any:
        with self.lock:
            self.batches.append([getattr(request, "text", "embed") for request in batch])
            self.contexts.append(context)
            self.threads.append(threading.get_ident())
            self.running += 1
            self.most_running = max(self.most_running, self.running)
        try:
            if self.before is not None:
                self.before(batch, context)
            return [answer(request) if isinstance(request, Classify) else None for request in batch]
        finally:
            with self.lock:
                self.running -= 1


def labels(served: Any) -> Any:
    if isinstance(served, BaseException):
        return served
    return [one.label if isinstance(one, Classification) else one for one in served.answers]


class Busy:
    """A lane whose model is held at a gate by a first call, with what stands in line behind it."""

    def __init__(self, rules: Any, start: Start, line: Any, *, max_batch: int = 8) -> None:
        self.gate = rules.Gate()
        self.infer = Recorder(self._hold_first)
        self.line = line
        self.lane = Lane(self.infer, max_batch=max_batch, _waiting=self.line)
        self._start = start
        self.first = start(lambda: self.lane.run(requests("first"), CallContext()))
        self.gate.await_arrival()

    def _hold_first(self, batch: Sequence[Any], context: CallContext) -> None:
        if batch[0].text == "first":
            self.gate()

    def line_up(self, *texts: str, context: CallContext | None = None, task: str = "classify") -> Any:
        """Start a caller and wait until it stands in line."""
        batch = requests(*texts) if task == "classify" else [Embed(texts=["embed"])]
        started = self._start(lambda: self.lane.run(batch, context or CallContext()))
        self.line.await_joining()
        return started


@pytest.fixture
def busy(rules: Any, start: Start, line: Any) -> Busy:
    return Busy(rules, start, line)


def test_an_idle_model_infers_in_the_callers_thread() -> None:
    infer = Recorder()
    served = Lane(infer, max_batch=8).run(requests("a", "b"), CallContext())
    assert labels(served) == ["a", "b"]
    assert infer.threads == [threading.get_ident()]
    assert served.seconds > 0


def test_a_single_caller_keeps_its_own_context() -> None:
    infer = Recorder()
    context = CallContext(seed=3, progress=lambda done, total: None)
    Lane(infer).run(requests("a"), context)
    assert infer.contexts == [context]


def test_callers_that_come_while_it_works_are_gathered(busy: Busy) -> None:
    waiting = [busy.line_up(f"{number}", f"{number}!") for number in range(4)]
    busy.gate.open()
    assert labels(busy.first.outcome()) == ["first"]
    assert [labels(one.outcome()) for one in waiting] == [[f"{number}", f"{number}!"] for number in range(4)]
    assert busy.infer.batches == [["first"], ["0", "0!", "1", "1!", "2", "2!", "3", "3!"]]
    # The caller that came first does the work of all, in its own thread.
    assert busy.infer.threads[1] == waiting[0].ident


def test_the_time_of_a_batch_is_shared_by_its_items(busy: Busy) -> None:
    one, three = busy.line_up("a"), busy.line_up("b", "c", "d")
    busy.gate.open()
    served = [one.outcome(), three.outcome()]
    assert served[0].seconds > 0
    assert served[1].seconds == pytest.approx(3 * served[0].seconds)


def test_a_batch_takes_no_more_than_max_batch_and_keeps_the_order(rules: Any, start: Start, line: Any) -> None:
    busy = Busy(rules, start, line, max_batch=3)
    waiting = [busy.line_up(*texts) for texts in (["a", "b"], ["c"], ["d", "e"], ["f", "g", "h", "i"], ["j"])]
    busy.gate.open()
    for one in waiting:
        assert isinstance(labels(one.outcome()), list)
    # A caller's own requests are split; callers that do not fit whole wait for the next call.
    assert busy.infer.batches[1:] == [["a", "b", "c"], ["d", "e"], ["f", "g", "h"], ["i"], ["j"]]


def test_callers_are_served_in_the_order_in_which_they_came(rules: Any, start: Start, line: Any) -> None:
    busy = Busy(rules, start, line, max_batch=1)
    texts = [f"{number}" for number in range(12)]
    waiting = [busy.line_up(text) for text in texts]
    busy.gate.open()
    for one in waiting:
        one.outcome()
    assert busy.infer.batches[1:] == [[text] for text in texts]
    assert busy.infer.threads[1:] == [one.ident for one in waiting]


def test_only_what_goes_together_is_gathered(busy: Busy) -> None:
    seeded = CallContext(seed=1)
    waiting = [
        busy.line_up("a"),
        busy.line_up(task="embed"),
        busy.line_up("b", context=seeded),
        busy.line_up("c", context=seeded),
    ]
    busy.gate.open()
    for one in waiting:
        assert not isinstance(one.outcome(), Exception)
    assert busy.infer.batches[1:] == [["a"], ["embed"], ["b", "c"]]
    assert [context.seed for context in busy.infer.contexts[1:]] == [None, None, 1]


def fail_on_bad(error: Callable[[], BaseException]) -> Callable[[Sequence[Any], CallContext], None]:
    def before(batch: Sequence[Any], context: CallContext) -> None:
        if any(request.text == "bad" for request in batch):
            raise error()

    return before


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (lambda: ValueError("no luck"), InferenceError),
        (lambda: SystemExit(3), InferenceError),
        (lambda: asyncio.CancelledError(), InferenceError),  # a BaseException, and none of ours
        (lambda: MemoryError(), InferenceError),
        (lambda: InputError("too long"), InputError),
    ],
    ids=["ValueError", "SystemExit", "CancelledError", "MemoryError", "MetierError"],
)
def test_where_the_call_fails_the_bad_item_fails_alone(error: Any, kind: type[MetierError]) -> None:
    infer = Recorder(fail_on_bad(error))
    good, bad, fine = labels(Lane(infer, max_batch=8).run(requests("good", "bad", "fine"), CallContext()))
    assert (good, fine) == ("good", "fine")
    assert isinstance(bad, kind)
    if kind is InferenceError:
        assert type(error()).__name__ in str(bad.got)
        assert type(bad.__cause__) is type(error())
    assert infer.batches == [["good", "bad", "fine"], ["good"], ["bad"], ["fine"]]


def test_the_bad_item_of_one_caller_does_not_fail_another(busy: Busy) -> None:
    hold = busy.infer.before

    def before(batch: Sequence[Any], context: CallContext) -> None:
        assert hold is not None
        hold(batch, context)
        fail_on_bad(lambda: ValueError("no luck"))(batch, context)

    busy.infer.before = before
    good, bad = busy.line_up("good"), busy.line_up("bad", "fine")
    busy.gate.open()
    assert labels(good.outcome()) == ["good"]
    failed, fine = labels(bad.outcome())
    assert isinstance(failed, InferenceError)
    assert fine == "fine"


@pytest.mark.parametrize(
    ("spoil", "got"),
    [
        (lambda answers: answers[1:], "0"),
        (lambda answers: [*answers, *answers], "2"),
        (lambda answers: None, "NoneType"),
        (lambda answers: iter(answers), "list_iterator"),
    ],
    ids=["too few", "too many", "None", "an iterator"],
)
def test_answers_of_the_wrong_number_fail_the_bad_item_alone(spoil: Any, got: str) -> None:
    def infer(batch: Sequence[Any], context: CallContext) -> Any:
        answers = [answer(request) for request in batch]
        return spoil(answers) if any(request.text == "bad" for request in batch) else answers

    good, bad = labels(Lane(infer, max_batch=8).run(requests("good", "bad"), CallContext()))
    assert good == "good"
    assert isinstance(bad, ContractViolation)
    assert bad.expected == "a list of 1 answers, one a request"
    assert bad.got == got


def test_each_caller_gets_an_error_of_its_own(busy: Busy) -> None:
    busy.infer.before = lambda batch, context: (_ for _ in ()).throw(ValueError("no luck"))
    waiting = [busy.line_up(f"{number}") for number in range(4)]
    busy.gate.open()
    errors = [labels(one.outcome())[0] for one in waiting]
    assert all(isinstance(error, InferenceError) for error in errors)
    assert len({id(error) for error in errors}) == len(errors)


def test_a_deadline_that_has_passed_never_reaches_the_model() -> None:
    infer = Recorder()
    with pytest.raises(DeadlineExceeded):
        Lane(infer).run(requests("a"), CallContext(deadline=LONG_AGO))
    assert infer.batches == []


def test_a_caller_whose_deadline_passes_in_line_leaves_at_once(busy: Busy, clock: Any) -> None:
    late = busy.line_up("late", context=CallContext(deadline=clock.now + 1))
    patient = busy.line_up("patient")
    clock.advance(1)
    assert isinstance(late.outcome(), DeadlineExceeded)
    assert busy.first.running
    busy.gate.open()
    assert labels(patient.outcome()) == ["patient"]
    assert busy.infer.batches == [["first"], ["patient"]]


def test_a_caller_that_is_cancelled_in_line_leaves_at_once(busy: Busy) -> None:
    context = CallContext()
    quitter = busy.line_up("quitter", context=context)
    context.cancel()
    assert isinstance(quitter.outcome(), Cancelled)
    assert busy.first.running
    assert busy.lane._waiting == []
    busy.gate.open()


def test_no_one_is_kept_by_the_work_of_those_behind(busy: Busy, clock: Any) -> None:
    """The one who leads a batch waits no longer than its own deadline; whoever is not late tries again."""

    def work_for_two_seconds(batch: Sequence[Any], context: CallContext) -> None:
        if len(batch) == 3:
            clock.advance(2)
            context.check()

    hurried = busy.line_up("hurried", context=CallContext(deadline=clock.now + 1))
    waiting = [busy.line_up("slow"), busy.line_up("later", context=CallContext(deadline=clock.now + 60))]
    busy.infer.before = work_for_two_seconds
    busy.gate.open()
    assert isinstance(hurried.outcome(), DeadlineExceeded)
    assert [labels(one.outcome()) for one in waiting] == [["slow"], ["later"]]
    assert busy.infer.batches == [["first"], ["hurried", "slow", "later"], ["slow", "later"]]


def test_a_follower_that_leaves_does_not_disturb_the_batch(busy: Busy, rules: Any) -> None:
    inside = rules.Gate()
    leader = busy.line_up("leader")
    context = CallContext()
    follower = busy.line_up("follower", context=context)
    busy.infer.before = lambda batch, context: inside()
    busy.gate.open()
    inside.await_arrival()
    context.cancel()
    assert isinstance(follower.outcome(), Cancelled)
    inside.open()
    assert labels(leader.outcome()) == ["leader"]


def test_a_shared_call_is_cancelled_when_nobody_waits_for_it(busy: Busy, rules: Any, clock: Any) -> None:
    inside = rules.Gate()
    contexts = [CallContext(), CallContext(), CallContext(deadline=clock.now + 1)]
    seen: list[bool] = []

    def before(batch: Sequence[Any], context: CallContext) -> None:
        inside()
        seen.append(context.cancelled)
        context.check()

    waiting = [busy.line_up(f"{number}", context=context) for number, context in enumerate(contexts)]
    busy.infer.before = before
    busy.gate.open()
    inside.await_arrival()
    contexts[1].cancel()
    clock.advance(1)
    assert isinstance(waiting[2].outcome(), DeadlineExceeded)
    assert isinstance(waiting[1].outcome(), Cancelled)
    assert not busy.infer.contexts[1].cancelled
    contexts[0].cancel()
    assert busy.infer.contexts[1].cancelled
    inside.open()
    assert isinstance(waiting[0].outcome(), Cancelled)
    assert seen == [True]


def test_the_deadline_is_looked_at_between_batches(clock: Any) -> None:
    infer = Recorder(lambda batch, context: clock.advance(1))
    with pytest.raises(DeadlineExceeded):
        Lane(infer, max_batch=1).run(requests("a", "b"), CallContext(deadline=clock.now + 1))
    assert infer.batches == [["a"]]


def test_an_interrupt_ends_one_call_and_the_others_go_on(busy: Busy) -> None:
    interrupted = busy.line_up("interrupted")
    waiting = [busy.line_up(f"{number}") for number in range(3)]

    def before(batch: Sequence[Any], context: CallContext) -> None:
        if batch[0].text == "interrupted":
            raise KeyboardInterrupt

    busy.infer.before = before
    busy.gate.open()
    assert isinstance(interrupted.outcome(), KeyboardInterrupt)
    assert [labels(one.outcome()) for one in waiting] == [["0"], ["1"], ["2"]]
    assert busy.infer.batches == [["first"], ["interrupted", "0", "1", "2"], ["0", "1", "2"]]


def test_an_interrupt_in_a_batch_does_not_bring_back_those_who_left(busy: Busy, rules: Any) -> None:
    inside = rules.Gate()
    leader = busy.line_up("leader")
    context = CallContext()
    quitter = busy.line_up("quitter", context=context)

    def before(batch: Sequence[Any], context: CallContext) -> None:
        inside()
        raise KeyboardInterrupt

    busy.infer.before = before
    busy.gate.open()
    inside.await_arrival()
    context.cancel()
    assert isinstance(quitter.outcome(), Cancelled)
    inside.open()
    assert isinstance(leader.outcome(), KeyboardInterrupt)
    busy.infer.before = None
    assert labels(busy.lane.run(requests("next"), CallContext())) == ["next"]


def test_a_waiter_that_is_interrupted_leaves_the_line(busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = threading.Event()

    class Interrupting(CallContext):
        __slots__ = ()

        def check(self) -> None:
            if checked.is_set():
                raise KeyboardInterrupt
            super().check()

    waiter = busy.line_up("waiter", context=Interrupting())
    other = busy.line_up("other")
    checked.set()
    assert isinstance(waiter.outcome(), KeyboardInterrupt)
    busy.gate.open()
    assert labels(other.outcome()) == ["other"]
    assert busy.infer.batches == [["first"], ["other"]]


def test_a_lane_that_is_held_lets_nobody_in(start: Start, line: Any) -> None:
    infer = Recorder()
    lane = Lane(infer, max_batch=8, _waiting=line)
    with lane.held(CallContext()):
        inside = start(lambda: lane.run(requests("a"), CallContext()))
        line.await_joining()
        holder = start(lambda: run_held(lane))
        line.await_joining()
        behind = start(lambda: lane.run(requests("b"), CallContext()))
        line.await_joining()
        assert infer.batches == []
    assert labels(inside.outcome()) == ["a"]
    assert holder.outcome() == "held"
    assert labels(behind.outcome()) == ["b"]
    assert infer.batches == [["a"], ["b"]]  # not gathered: the holder stood between them


def run_held(lane: Lane) -> str:
    with lane.held(CallContext()):
        return "held"


@pytest.mark.parametrize(("cancel", "kind"), [(False, DeadlineExceeded), (True, Cancelled)])
def test_to_hold_a_lane_one_waits_no_longer_than_one_may(
    cancel: bool, kind: type[MetierError], busy: Busy, start: Start, clock: Any
) -> None:
    context = CallContext(deadline=clock.now + 1)
    holder = start(lambda: busy.lane.held(context).__enter__())
    busy.line.await_joining()
    if cancel:
        context.cancel()
    else:
        clock.advance(1)
    assert isinstance(holder.outcome(), kind)
    busy.gate.open()
    assert labels(busy.first.outcome()) == ["first"]
    assert run_held(busy.lane) == "held"


def test_a_holder_that_the_garbage_collector_ends_frees_the_lane() -> None:
    lane = Lane(Recorder())

    def hold() -> Any:
        with lane.held(CallContext()):
            yield

    holder = hold()
    next(holder)
    ring: list[Any] = [holder]
    ring.append(ring)
    del holder, ring
    gc.collect()
    assert labels(lane.run(requests("a"), CallContext())) == ["a"]


def test_a_shared_lane_lets_calls_overlap(rules: Any, start: Start) -> None:
    gate = rules.Gate()
    infer = Recorder(lambda batch, context: gate())
    lane = Lane(infer, max_batch=8, shared=True)
    calls = [start(lambda: lane.run(requests("a"), CallContext())) for _ in range(4)]
    for _ in calls:
        gate.await_arrival()
    assert infer.running == 4
    with lane.held(CallContext()):
        gate.open()
    assert [labels(call.outcome()) for call in calls] == [["a"]] * 4


@pytest.mark.parametrize("seed", range(3))
def test_many_callers_of_all_kinds(seed: int, together: Callable[..., list[Any]], switch_often: None) -> None:
    """Each gets its own answers, two calls never overlap, and at the end nobody stands in line."""
    chance = random.Random(seed)

    def trouble(batch: Sequence[Any], context: CallContext) -> None:
        if any("fail" in request.text for request in batch):
            raise ValueError("no luck")
        context.check()

    infer = Recorder(trouble)
    lane = Lane(infer, max_batch=chance.choice([1, 4, 64]))
    plans = [
        [chance.choice(["run", "run", "run", "fail", "late", "quit", "hold"]) for _ in range(20)] for _ in range(12)
    ]

    def caller(number: int, plan: list[str]) -> list[Any]:
        outcomes = []
        for turn, kind in enumerate(plan):
            text = f"{kind} {number} {turn}"
            if kind == "hold":
                outcomes.append(run_held(lane))
                continue
            context = CallContext(deadline=time.monotonic() + 0.0005 if kind == "late" else None)
            if kind == "quit":
                context.cancel()
            try:
                outcomes.append(labels(lane.run(requests(text, f"{text}!"), context)))
            except MetierError as error:
                outcomes.append(error)
        return outcomes

    results = together([lambda number=n, plan=plan: caller(number, plan) for n, plan in enumerate(plans)])
    for number, (plan, outcomes) in enumerate(zip(plans, results, strict=True)):
        for turn, (kind, outcome) in enumerate(zip(plan, outcomes, strict=True)):
            own = [f"{kind} {number} {turn}", f"{kind} {number} {turn}!"]
            if kind == "run":
                assert outcome == own
            elif kind == "fail":
                assert [type(error) for error in outcome] == [InferenceError, InferenceError]
            elif kind == "late":
                assert outcome == own or isinstance(outcome, DeadlineExceeded)
            elif kind == "quit":
                assert isinstance(outcome, Cancelled)
            else:
                assert outcome == "held"
    assert infer.most_running == 1
    assert lane._waiting == []
    assert lane._leader is None
