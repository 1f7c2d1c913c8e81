"""What a runtime counts, and budgets: what could cost more is not sent."""

from __future__ import annotations

import asyncio
import gc
import math
import threading
from contextvars import copy_context
from fractions import Fraction
from typing import Any

import pytest
from metier import Runtime, Usage, each, fallback, parallel, step, task
from metier_contracts import (
    BudgetExceededError,
    Classification,
    Classify,
    ConfigError,
    Generate,
    Generation,
    GenerationChunk,
    InferenceError,
    InputError,
    MetierError,
    RateLimitedError,
    Sampling,
)

PRICE = {"per_million_input_tokens": 0.3, "per_million_output_tokens": 1.1, "source": "a test", "date": "2026-01-31"}
CALL = {"per_call": 0.1, "source": "a test", "date": "2026-01-31"}


@pytest.fixture
def priced(plugins: Any) -> Any:
    plugins.write(
        "acme",
        plugins.card("acme/k"),
        plugins.card("acme/call", price=CALL),
        plugins.card("acme/g", "streaming-echo", price=PRICE),
        plugins.card("acme/free", "echo", parameters=1),
    )
    return plugins


def generate(text: str, most: int = 10) -> Generate:
    return Generate(messages=text, sampling=Sampling(max_tokens=most))


def classify(text: str = "good") -> Classify[str]:
    return Classify(text=text, labels=["good", "bad"])


@task(model="acme/g")
def echo(text: str) -> Generate:
    return generate(text)


@task(model="acme/free")
def echo_free(text: str) -> Generate:
    return generate(text)


@task(model="acme/call")
def judge(text: str) -> Classify[str]:
    return classify(text)


@step
def split(text: str) -> list[str]:
    return text.split(",")


@step
def text_of(answer: Generation) -> str:
    return answer.text


def test_the_answers_of_a_run_add_up_to_its_usage(priced: Any) -> None:
    pipeline = split >> each(parallel(echo, judge, echo >> text_of >> judge))
    with Runtime() as rt, rt.metered() as meter:
        answers = rt.run(pipeline, "one,two words,and three words,x y z a b c")
        used = meter.usage
        assert used.steps.keys() == {"echo", "judge"}
        assert used.models.keys() == {"acme/g", "acme/call"}
        assert sum(used.steps.values(), Usage()) == used == rt.usage()
        assert (used.requests, used.failures, used.cached) == (16, 0, 0)
        assert len(answers) == 4


def test_the_costs_and_seconds_on_the_answers_are_those_of_the_usage_exactly(priced: Any) -> None:
    with Runtime() as rt, rt.metered() as meter:
        answers = list(rt.map(echo, [f"some {'words ' * (n % 9)}" for n in range(40)], batch_size=7))
        origins = [answer.provenance for answer in answers if answer.provenance is not None]
        assert len(origins) == 40
        total = meter.usage.total
        assert total.exact_cost == sum(Fraction(origin.cost) for origin in origins)
        assert total.exact_seconds == sum(Fraction(origin.seconds) for origin in origins)
        assert meter.usage.cost == math.fsum(origin.cost for origin in origins) > 0
        assert meter.usage.input_tokens == sum(answer.input_tokens for answer in answers)


def test_long_accounts_are_exact_too(priced: Any) -> None:
    with Runtime() as rt:
        costs = [rt.run(generate("a b c"[: 1 + 2 * (n % 3)])).provenance for n in range(1100)]
        total = rt.usage().total
    assert total.requests == 1100
    assert total.exact_seconds == sum(Fraction(p.seconds) for p in costs if p is not None)
    assert total.exact_cost == sum(Fraction(p.cost) for p in costs if p is not None)


def test_meters_nest_and_count_what_was_asked_for_in_their_block(priced: Any) -> None:
    with Runtime() as rt, Runtime() as other:
        rt.run(classify(), model="acme/k")
        with rt.metered() as outer:
            rt.run(classify(), model="acme/k")
            with rt.metered() as inner, other.metered() as foreign:
                rt.run(classify(), model="acme/k")
                later = rt.map([classify(), classify()], model="acme/k")
                other.run(classify(), model="acme/k")
        assert list(later)
        rt.run(classify(), model="acme/k")
        assert [usage.requests for usage in (rt.usage(), outer.usage, inner.usage)] == [6, 4, 3]
        assert foreign.usage.requests == other.usage().requests == 1


def test_tasks_and_threads_count_where_they_were_begun(priced: Any) -> None:
    async def both(rt: Runtime) -> list[int]:
        async def one(times: int) -> int:
            with rt.metered() as meter:
                await asyncio.gather(*(rt.arun(classify(), model="acme/k") for _ in range(times)))
                return meter.usage.requests

        return await asyncio.gather(one(2), one(3))

    with Runtime() as rt, rt.metered() as meter:
        assert asyncio.run(both(rt)) == [2, 3]
        for run in (copy_context().run, lambda work: work()):
            thread = threading.Thread(target=run, args=(lambda: rt.run(classify(), model="acme/k"),))
            thread.start()
            thread.join()
        assert meter.usage.requests == 6
        assert rt.usage().requests == 7


def test_calls_at_once_are_all_counted(priced: Any, together: Any, switch_often: None) -> None:
    with Runtime() as rt:
        together([lambda: [rt.run(classify(), model="acme/call") for _ in range(20)]] * 8)
        used = rt.usage()
        assert used.requests == 160
        assert used.total.exact_cost == 160 * Fraction(0.1)


def test_what_failed_is_counted_with_what_is_known_of_it(priced: Any, probes: Any) -> None:
    def violating(request: Any) -> Any:
        return Generation(text="no", finish_reason="stop", input_tokens=5, output_tokens=7)

    with Runtime() as rt:
        probes["acme/g"].answer = violating
        asked = generate("x").replaced(json_schema={"type": "object"})
        with pytest.raises(MetierError):
            rt.run(asked, model="acme/g")  # the card states no schema: no model is asked
        assert rt.usage() == Usage()
        probes["acme/g"].answer = lambda request: InferenceError("broken")
        with pytest.raises(InferenceError):
            rt.run(generate("x"), model="acme/g")
        used = rt.usage()
        assert (used.requests, used.failures, used.cost) == (1, 1, 0.0)
        assert used.seconds > 0


def test_an_answer_that_breaks_the_contract_was_paid_for(plugins: Any, probes: Any) -> None:
    plugins.write("acme", plugins.card("acme/j", "echo", price=PRICE, tasks={"generate": {"json_schema": True}}))
    with Runtime() as rt:
        with pytest.raises(MetierError):
            rt.run(Generate(messages="so it is", json_schema={"type": "object"}))
        used = rt.usage()
        assert (used.failures, used.input_tokens, used.output_tokens) == (1, 3, 3)
        assert used.cost == pytest.approx((3 * 0.3 + 3 * 1.1) / 1e6)


def test_a_stream_counts_with_its_last_piece(priced: Any, probes: Any) -> None:
    ends: list[Any] = [None, None, "stop"]

    def piece(request: Any) -> GenerationChunk:
        end = ends.pop(0)
        counts = {"input_tokens": 3, "output_tokens": 4} if end else {}
        return GenerationChunk(text="a", finish_reason=end, **counts)

    probes["acme/g"].answer = piece
    with Runtime() as rt:
        with rt.metered() as meter:
            pieces = rt.stream(generate("so it is"), model="acme/g")
        last = list(pieces)[-1]
        assert last.provenance is not None
        used = meter.usage
        assert used == rt.usage()
        assert (used.requests, used.input_tokens, used.output_tokens) == (1, 3, 4)
        assert (used.cost, used.seconds) == (last.provenance.cost, last.provenance.seconds)


def test_a_stream_that_is_left_counts_too(priced: Any) -> None:
    with Runtime() as rt:
        pieces: Any = rt.stream(generate("so it is"), model="acme/g")
        next(pieces)
        pieces.close()
        abandoned = rt.stream(generate("so it is"), model="acme/g")
        next(abandoned)
        del abandoned
        gc.collect()
        rt.stream(generate("never begun"), model="acme/g")
        assert (rt.usage().requests, rt.usage().failures) == (2, 0)
        assert rt.usage().seconds > 0


def test_over_the_budget_nothing_is_sent(priced: Any, probes: Any) -> None:
    with Runtime() as rt:
        with pytest.raises(BudgetExceededError, match="the run past its budget") as caught:
            rt.run(classify(), model="acme/call", max_cost=0.05)
        assert probes["acme/call"].batches == []
        assert rt.usage() == Usage()
        assert "$0.050000" not in str(caught.value.got)
        assert "$0.100000 more, for 'acme/call'" in str(caught.value.got)
        assert "at most $0.05 in all" in str(caught.value.expected)
        assert rt.run(classify(), model="acme/call", max_cost=0.1)


def test_of_a_batch_those_that_fit_go(priced: Any, probes: Any) -> None:
    asked = [generate("short"), generate("long", most=10**6), generate("short too")]
    with Runtime() as rt:
        outcomes = list(rt.map(asked, model="acme/g", max_cost=0.01, on_error="collect"))
        assert [type(outcome) for outcome in outcomes] == [Generation, BudgetExceededError, Generation]
        assert [len(batch) for batch in probes["acme/g"].batches] == [2]


def test_of_a_batch_those_that_fit_later_go_later(priced: Any, probes: Any) -> None:
    asked = [generate("a") for _ in range(20)]  # each reserves some 0.00007 and costs 0.0000014
    with Runtime() as rt:
        assert len(list(rt.map(asked, model="acme/g", max_cost=0.0002))) == 20
        sizes = [len(batch) for batch in probes["acme/g"].batches]
        assert sum(sizes) == 20
        assert max(sizes) < 5
        assert rt.usage().requests == 20


def test_the_true_cost_takes_the_place_of_what_was_reserved(priced: Any) -> None:
    with Runtime(max_cost=0.0003) as rt:
        for _ in range(20):  # each reserves some 0.00007 and costs 0.0000014
            rt.run(generate("a"), model="acme/g")
        assert rt.usage().cost < 0.0003


@pytest.mark.parametrize("limit", [0.25, 0.3])
def test_at_once_they_do_not_overspend(limit: float, priced: Any, together: Any, switch_often: None) -> None:
    def call() -> list[Any]:
        outcomes = []
        for _ in range(3):
            try:
                outcomes.append(rt.run(classify(), model="acme/call"))
            except BudgetExceededError as error:
                outcomes.append(error)
        return outcomes

    with Runtime(max_cost=limit) as rt:
        rows = together([call] * 8)
        served = [outcome for row in rows for outcome in row if isinstance(outcome, Classification)]
        assert rt.usage().total.exact_cost == len(served) * Fraction(0.1) <= Fraction(limit)
        assert len(served) == 2


def test_budgets_hold_together(priced: Any) -> None:
    with Runtime(max_cost=0.35) as rt:
        with rt.metered(max_cost=0.25) as meter:
            rt.run(classify(), model="acme/call", max_cost=0.15)
            rt.run(classify(), model="acme/call")
            with pytest.raises(BudgetExceededError, match="the run"):
                rt.run(classify(), model="acme/call", max_cost=5)
            assert meter.usage.requests == 2
        rt.run(classify(), model="acme/call")
        with pytest.raises(BudgetExceededError, match="the runtime past"):
            rt.run(classify(), model="acme/call", max_cost=5)


def test_a_fallback_to_a_free_model_answers_when_the_budget_is_spent(priced: Any, probes: Any) -> None:
    pipeline = fallback(echo, echo_free)
    with Runtime() as rt, rt.metered() as meter:
        answer = rt.run(pipeline, "so it is", max_cost=0)
        assert answer.text == "so it is"
        assert answer.provenance is not None
        assert answer.provenance.model == "acme/free"
        assert probes["acme/g"].batches == []
        assert meter.usage.cost == 0
        with pytest.raises(BudgetExceededError):
            rt.run(fallback(echo_free >> text_of >> judge, judge), "x", max_cost=0.05)


def test_the_budget_of_a_run_bounds_all_its_steps(priced: Any) -> None:
    with Runtime() as rt, rt.metered() as meter:
        with pytest.raises(BudgetExceededError):
            rt.run(parallel(judge, judge, judge), "good", max_cost=0.25)
        assert meter.usage.requests == 2


@pytest.mark.parametrize(("error", "kept"), [(InferenceError("lost"), True), (RateLimitedError("no"), False)])
def test_what_may_have_been_paid_stays_reserved(error: MetierError, kept: bool, priced: Any, probes: Any) -> None:
    with Runtime(max_cost=0.15) as rt:
        probes["acme/call"].answer = lambda request: error
        with pytest.raises(type(error)):
            rt.run(classify(), model="acme/call")
        probes["acme/call"].answer = None
        if kept:
            with pytest.raises(BudgetExceededError, match="reserved for others"):
                rt.run(classify(), model="acme/call")
        else:
            assert rt.run(classify(), model="acme/call")


def test_a_call_that_was_never_made_gives_back_what_it_reserved(priced: Any, probes: Any) -> None:
    def fail() -> Any:
        raise ValueError("no luck")

    with Runtime(max_cost=0.15) as rt:
        probes["acme/call"].on_load = fail
        with pytest.raises(MetierError):
            rt.run(classify(), model="acme/call")
        probes["acme/call"].on_load = None
        assert rt.run(classify(), model="acme/call")
        assert (rt.usage().requests, rt.usage().failures) == (2, 1)


def test_tokens_that_nobody_counted_stay_reserved(priced: Any, probes: Any) -> None:
    probes["acme/g"].answer = lambda request: Generation(
        text="a", finish_reason="stop", input_tokens=0, output_tokens=0, tokens_known=False
    )
    with Runtime(max_cost=0.0001) as rt:
        assert rt.run(generate("a"), model="acme/g")
        with pytest.raises(BudgetExceededError):
            rt.run(generate("a"), model="acme/g")


def test_a_stream_over_the_budget(priced: Any, probes: Any) -> None:
    with Runtime() as rt:
        pieces = rt.stream(generate("so it is", most=10**6), model="acme/g", max_cost=0.1)
        with pytest.raises(BudgetExceededError):
            next(pieces)
        assert probes["acme/g"].loads == 0
        assert len(list(rt.stream(generate("so it is"), model="acme/g", max_cost=0.1))) == 3


def test_what_has_no_bound_is_refused_under_a_budget(plugins: Any) -> None:
    remote = {"source": "http://127.0.0.1:9/v1", "tasks": {"generate": {"modalities": ["text", "image"]}}}
    plugins.write(
        "acme",
        plugins.card("acme/unpriced", "echo", **remote),
        plugins.card("acme/seeing", "echo", price=PRICE, **remote),
    )
    with Runtime(privacy="any") as rt:
        with pytest.raises(BudgetExceededError, match="has no bound") as caught:
            rt.run(generate("a"), model="acme/unpriced", max_cost=1)
        assert caught.value.hint == "set [cards.price] for it in metier.toml, or run without max_cost"


@pytest.mark.parametrize("limit", [-1, float("nan"), "1", True])
def test_a_budget_is_a_sum_of_money(limit: Any, priced: Any) -> None:
    with Runtime() as rt, pytest.raises(InputError, match="max_cost is a sum of money"):
        rt.run(classify(), model="acme/k", max_cost=limit)


def test_the_setting_is_the_budget_of_the_runtime(
    priced: Any, settings_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_file({"max_cost": 0.05})
    with Runtime() as rt, pytest.raises(BudgetExceededError):
        rt.run(classify(), model="acme/call")
    monkeypatch.setenv("METIER_MAX_COST", "0.1")
    with Runtime() as rt:
        assert rt.run(classify(), model="acme/call")
    with pytest.raises(ConfigError):
        Runtime(max_cost=-1)
