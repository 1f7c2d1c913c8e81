"""`licence_policy`: a model whose licence it does not allow is chosen in no way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from metier import Requirements, Runtime, fallback, task
from metier.config import load_settings
from metier_contracts import Classification, Classify, FitRequest, NoCapableModelError

ASK = Classify(text="good", labels=("good", "bad"))
NC = "CC-BY-NC-4.0"


@pytest.fixture
def world(plugins: Any) -> Callable[..., Runtime]:
    """A runtime over one small non-commercial model that would win every choice, and a free one that is larger."""
    best = {"classify": {"labels": "open", "default": True}}
    plugins.write(
        "acme",
        plugins.card("acme/nc", licence=NC, parameters=1, tasks=best),
        plugins.card("acme/free", parameters=1000),
    )
    return lambda **config: Runtime(config=config)


def model_of(answer: Classification) -> str | None:
    return answer.provenance.model if answer.provenance else None


def test_without_a_policy_it_is_chosen(world: Callable[..., Runtime]) -> None:
    with world() as runtime:
        assert model_of(runtime.run(ASK)) == "acme/nc"


def test_under_a_commercial_policy_the_free_one_is_chosen(world: Callable[..., Runtime]) -> None:
    with world(licence_policy="commercial") as runtime:
        assert model_of(runtime.run(ASK)) == "acme/free"
        assert model_of(runtime.run(ASK, require=Requirements(memory="1GB"))) == "acme/free"
        assert [call.model for call in runtime.plan(ASK).calls] == ["acme/free"]


def test_named_it_is_refused_with_what_to_write(world: Callable[..., Runtime]) -> None:
    with world(licence_policy="commercial") as runtime:
        with pytest.raises(NoCapableModelError) as raised:
            runtime.run(ASK, model="acme/nc")
        assert raised.value.got == NC
        assert raised.value.hint is not None
        assert 'licence_policy = ["commercial", "acme/nc"]' in raised.value.hint
        with pytest.raises(NoCapableModelError, match="licence"):
            runtime.load("acme/nc")
        with pytest.raises(NoCapableModelError, match="licence"):
            runtime.plan(ASK, model="acme/nc")


def test_as_a_default_it_is_refused(world: Callable[..., Runtime]) -> None:
    with (
        world(licence_policy="commercial", defaults={"classify": "acme/nc"}) as runtime,
        pytest.raises(NoCapableModelError, match="licence_policy"),
    ):
        runtime.run(ASK)


def test_where_only_it_could_serve_the_error_says_so(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/nc", licence=NC))
    with (
        Runtime(config={"licence_policy": "commercial"}) as runtime,
        pytest.raises(NoCapableModelError, match="its licence, which licence_policy forbids"),
    ):
        runtime.run(ASK)


@pytest.mark.parametrize("named", [NC, NC.lower(), "acme/nc"])
def test_the_licence_or_the_model_can_be_named(world: Callable[..., Runtime], named: str) -> None:
    with world(licence_policy=("commercial", named)) as runtime:
        assert model_of(runtime.run(ASK)) == "acme/nc"


def test_deciding_says_what_binds_it(world: Callable[..., Runtime]) -> None:
    with world(licence_policy="commercial") as runtime:
        decision = runtime.decide(ASK)
    assert [candidate.model for candidate in decision.ranked] == ["acme/free"]
    (rejected,) = decision.rejected
    (bound,) = rejected.bounds
    assert (bound.constraint, bound.wanted, bound.got) == ("settings", "licence_policy", NC)


def test_deciding_tells_each_setting_that_forbids_a_model(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/far", licence="proprietary", source="https://example.org/v1"))
    with Runtime(config={"licence_policy": "commercial"}) as runtime:
        (rejected,) = runtime.decide(ASK).rejected
    assert [bound.wanted for bound in rejected.bounds] == ['privacy = "local"', "licence_policy"]


def test_a_fallback_goes_past_it(world: Callable[..., Runtime]) -> None:
    @task(model="acme/nc")
    def first(text: str) -> Classify:
        return Classify(text=text, labels=("good", "bad"))

    @task(model="acme/free")
    def second(text: str) -> Classify:
        return Classify(text=text, labels=("good", "bad"))

    with world(licence_policy="commercial") as runtime:
        with pytest.raises(NoCapableModelError, match="licence"):
            runtime.run(first, "good")
        assert model_of(runtime.run(fallback(first, second), "good")) == "acme/free"


def test_a_composed_model_is_forbidden_by_a_part(world: Callable[..., Runtime], plugins: Any) -> None:
    cascade = {
        "cheap": "acme/free",
        "strong": "acme/nc",
        "threshold": 0.5,
        "revisions": {},
    }
    card = {"id": "mine/both", "plugin": "metier", "architecture": "rule", "licence": "MIT", "cascade": cascade}
    given = {"cards": [{**card, "tasks": {"classify": {"labels": ["good", "bad"]}}}]}
    with (
        world(licence_policy="commercial", **given) as runtime,
        pytest.raises(NoCapableModelError, match="by its part 'acme/nc'"),
    ):
        runtime.run(Classify(text="good"), model="mine/both")


def test_nothing_is_fitted_from_it(plugins: Any) -> None:
    from metier_contracts import ClassifyFit

    plugins.write("acme", plugins.card("acme/fit", "fittable", licence=NC))
    request: FitRequest = ClassifyFit(id="mine/x", base="acme/fit", examples=[("a", "x"), ("b", "y")])
    with (
        Runtime(config={"licence_policy": "commercial"}) as runtime,
        pytest.raises(NoCapableModelError, match="licence_policy"),
    ):
        runtime.fit(request, progress=False)


def test_the_environment_sets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_LICENCE_POLICY", "commercial")
    assert load_settings().config.licence_policy == ("commercial",)
