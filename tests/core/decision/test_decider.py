"""The table that is made of the cards, and the runtime's decision on it."""

from __future__ import annotations

from typing import Any

import pytest
from metier import Requirements, Runtime
from metier.decision.book import ProfileBook
from metier.decision.candidate import Candidate
from metier.decision.decision import Decision
from metier.decision.profile import Machine, MeasuredQuality, Measurement, Profile
from metier.revisions import revision_of
from metier_contracts import Classify, ModelCard

from .fixed import fix_machine

MACHINE = Machine(processor="p", cores=2)
PRICE = {"per_call": 0.002, "source": "the price list", "date": "2026-01-01"}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    fix_machine(monkeypatch, MACHINE)


def figure(value: float, metric: str = "accuracy", dataset: str = "d", date: str = "2026-01-01") -> dict[str, Any]:
    return {"task": "classify", "metric": metric, "value": value, "dataset": dataset, "source": "s", "date": date}


def rows(decision: Decision) -> dict[str, Candidate]:
    found = [*decision.ranked, *(each.candidate for each in decision.rejected)]
    return {candidate.model: candidate for candidate in found}


def decide(requirements: Requirements | None = None, work: Any = "classify", **settings: Any) -> Decision:
    with Runtime(**settings) as runtime:
        return runtime.decide(work, requirements)


def keep(record: Profile | MeasuredQuality) -> None:
    with Runtime() as runtime:
        ProfileBook.of(runtime.config, runtime.tasks).store.keep(record)


def profile(card: ModelCard, seconds: float, device: str = "cpu") -> Profile:
    return Profile(
        model=card.id,
        task="classify",
        source="measured",
        weights=revision_of(card),
        unit="characters",
        measurements=(Measurement(size=250, p50=seconds / 2, p95=seconds),),
        memory=77,
        device=device,
        machine=MACHINE.digest,
    )


def judgement(card: ModelCard, value: float, sample: str, measured: str) -> MeasuredQuality:
    return MeasuredQuality(
        model=card.id,
        task="classify",
        weights=revision_of(card),
        sample=sample,
        metric="accuracy",
        value=value,
        low=0.0,
        high=1.0,
        count=9,
        measured=measured,
    )


class TestFigures:
    def test_reckoned_from_the_card_until_they_are_measured(self, plugins: Any) -> None:
        plugins.write("acme", plugins.card("acme/a", parameters=1000))
        before = rows(decide())["acme/a"]
        assert set(before.sources.values()) == {"card"}
        with Runtime() as runtime:
            card = runtime.model("acme/a").card
        keep(profile(card, 0.25))
        after = rows(decide())["acme/a"]
        assert (after.latency_ms, after.memory, after.throughput) == (250.0, 77, 8.0)
        assert set(after.sources.values()) == {"measured"}
        assert after.cost_per_1k == pytest.approx(1000 * 0.125 * 2 * 0.0408 / 3600)

    def test_of_a_card_without_parameters_only_the_memory_is_known(self, plugins: Any) -> None:
        card = plugins.card("acme/a", bytes=50)
        del card["parameters"]
        plugins.write("acme", card)
        found = rows(decide())["acme/a"]
        assert (found.latency_ms, found.cost_per_1k, found.throughput, found.memory) == (None, None, None, 50)
        assert dict(found.sources) == {"memory": "card"}

    def test_a_request_is_reckoned_by_its_size(self, plugins: Any) -> None:
        plugins.write("acme", plugins.card("acme/a", parameters=10**9))
        short, long = (decide(work=Classify(text="x" * size, labels=["a"])) for size in (10, 10_000))
        assert rows(short)["acme/a"].latency_ms < rows(long)["acme/a"].latency_ms  # type: ignore[operator]
        assert long.work == "10,240 characters"

    def test_they_are_of_the_device_required(self, plugins: Any) -> None:
        plugins.write("acme", plugins.card("acme/a", parameters=1000, devices=["cpu", "cuda"]))
        with Runtime() as runtime:
            keep(profile(runtime.model("acme/a").card, 0.25, device="cuda:0"))
        assert rows(decide())["acme/a"].latency_ms == 250.0
        on_cpu = rows(decide(Requirements(device="cpu")))["acme/a"]
        assert on_cpu.sources["latency_ms"] == "card"
        assert rows(decide(device="cpu"))["acme/a"].latency_ms == on_cpu.latency_ms
        assert rows(decide(Requirements(device="mps")))["acme/a"].latency_ms is None


class TestQuality:
    def test_is_of_the_newest_sample_where_one_was_measured(self, plugins: Any) -> None:
        quality = [figure(0.5)]
        plugins.write("acme", plugins.card("acme/a", quality=quality), plugins.card("acme/b", quality=quality))
        assert rows(decide())["acme/a"].sources["quality"] == "card"
        with Runtime() as runtime:
            a, b = (runtime.model(model).card for model in ("acme/a", "acme/b"))
        keep(judgement(b, 0.8, "old", "2026-01-01"))
        keep(judgement(a, 0.9, "new", "2026-02-01"))
        decision = decide()
        assert decision.yardstick == "accuracy on your sample new"
        assert [rows(decision)[model].quality for model in ("acme/a", "acme/b")] == [0.9, None]
        assert rows(decision)["acme/a"].sources["quality"] == "sample"
        named = decide(Requirements(dataset="d"))
        assert [candidate.quality for candidate in named.ranked] == [0.5, 0.5]

    def test_else_the_metric_and_dataset_that_most_cards_state(self, plugins: Any) -> None:
        plugins.write(
            "acme",
            plugins.card("acme/a", quality=[figure(0.9), figure(0.7, dataset="e"), figure(0.1, date="2025-01-01")]),
            plugins.card("acme/b", quality=[figure(0.8)]),
            plugins.card("acme/c", quality=[figure(0.6, dataset="e")]),
            plugins.card("acme/d", quality=[figure(0.6)]),
        )
        decision = decide()
        assert decision.yardstick == "accuracy on d"
        assert [rows(decision)[f"acme/{name}"].quality for name in "abcd"] == [0.9, 0.8, None, 0.6]

    def test_figures_in_which_less_is_better_and_of_other_tasks_do_not_count(self, plugins: Any) -> None:
        other = {**figure(0.9), "task": "embed"}
        plugins.write("acme", plugins.card("acme/a", quality=[figure(0.9, "mean MASE"), other]))
        assert decide().yardstick == ""
        assert rows(decide(Requirements(quality=0.1)))["acme/a"].quality is None


class TestStates:
    def test_each_says_what_is_left_to_do(self, plugins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("ACME_KEY", raising=False)
        remote = {"source": "https://api.example.org/v1", "price": PRICE}
        plugins.write(
            "acme",
            plugins.card("acme/ready"),
            plugins.card("acme/pull", source="path:/nowhere"),
            plugins.card("acme/key", key_env="ACME_KEY", **remote),
            plugins.card("acme/free", **remote),
        )
        plugins.write("big", plugins.card("big/extra"), requires=["no_such_module"], extra="big")
        absent = plugins.model_card("absent", plugin="elsewhere")
        found = rows(decide(privacy="any", cards=[absent]))
        assert {model: (row.state, row.step) for model, row in found.items()} == {
            "acme/ready": ("ready", ""),
            "acme/pull": ("pull", "metier pull acme/pull"),
            "acme/key": ("key", "export ACME_KEY=..."),
            "acme/free": ("ready", ""),
            "big/extra": ("install", 'pip install "metier-big[big]"'),
            "absent": ("install", "install the plugin 'elsewhere'"),
        }
        assert found["acme/free"].remote == ("acme/free", "api.example.org")
        assert found["acme/free"].devices == ()
        assert found["acme/free"].cost_per_1k == pytest.approx(2.0)

    def test_a_broken_plugin_is_rejected(self, plugins: Any) -> None:
        plugins.write("acme", plugins.card("acme/a"), manifest=b"nonsense")
        decision = decide(cards=[plugins.model_card("mine")])
        assert decision.chosen is None
        assert [bound.constraint for bound in decision.rejected[0].bounds] == ["plugin"]

    def test_settings_that_forbid_remote_models_are_named(self, plugins: Any) -> None:
        plugins.write("acme", plugins.card("acme/far", source="https://example.org"))
        for settings, wanted in (
            ({}, 'privacy = "local"'),
            ({"privacy": "any", "offline": True}, "offline = true"),
        ):
            (rejection,) = decide(**settings).rejected
            assert [(bound.constraint, bound.wanted) for bound in rejection.bounds] == [("settings", wanted)]
        assert decide(privacy="any").chosen is not None


def test_what_the_work_needs_and_what_is_required_are_both_asked(plugins: Any) -> None:
    plugins.write(
        "acme",
        plugins.card("acme/a", tasks={"classify": {"labels": ["a"], "languages": ["en"]}}),
        plugins.card("acme/b", tasks={"classify": {"labels": "open"}}),
    )
    decision = decide(Requirements(needs={"languages": "en"}), Classify(text="x", labels=["b"]))
    lacks = {each.candidate.model: each.candidate.lacks for each in decision.rejected}
    assert lacks == {"acme/a": ("labels: needs b",), "acme/b": ("languages: needs en",)}
    both = decide(Requirements(needs={"labels": "a"}), Classify(text="x", labels=["b"]))
    assert [each.candidate.lacks for each in both.rejected] == [("labels: needs b",)]


def test_a_card_that_needs_examples_serves_where_they_are_promised(plugins: Any) -> None:
    table = {"classify": {"labels": "open", "few_shot": True, "zero_shot": False}}
    plugins.write("acme", plugins.card("acme/shots", tasks=table))
    (rejected,) = decide().rejected
    assert rejected.candidate.lacks == ("zero_shot: needs an answer without examples",)
    assert decide(Requirements(needs={"few_shot": True})).chosen is not None


def test_no_plugin_is_imported(plugins: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), init="raise RuntimeError", code="raise RuntimeError")
    assert decide().chosen is not None
    assert plugins.imported() == []


class TestExplain:
    def test_says_what_was_chosen_what_binds_and_what_would_help(self, plugins: Any) -> None:
        plugins.write(
            "acme",
            plugins.card("acme/a", quality=[figure(0.9)]),
            plugins.card("acme/b", source="path:/nowhere", licence="x"),
        )
        fits = decide(Requirements(quality=0.8)).explain()
        assert fits.startswith("classify, for 250 characters: acme/a\n\nfits, cheapest first, quality: accuracy on d:")
        assert "quality is not known: metier calibrate acme/b --sample FILE.csv" in fits
        tight = decide(Requirements(quality=0.95, licence="MIT")).explain()
        assert "no model meets the requirements" in tight
        assert "quality: asked 0.95, got 0.9, off by 0.05" in tight
        assert "licence: asked MIT, got x" in tight
        assert "0.9 (by 0.05)" in tight
        assert "none is enough" in tight

    def test_says_where_nothing_serves(self, plugins: Any) -> None:
        assert decide(work="act").explain() == "act: no card serves it"
