"""A pipeline that was saved and loaded is equal; what a file cannot hold is refused before it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import reduce
from operator import rshift
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from metier import (
    Step,
    cache,
    cascade,
    each,
    fallback,
    load_pipeline,
    parallel,
    private,
    retry,
    route,
    save_pipeline,
    step,
    task,
)
from metier.pipeline.structure import Structure, leaves
from metier_contracts import Classify, InputError, RateLimitedError

from tests.core.pipeline.named import (
    PIPELINES,
    RECORDS,
    STEPS,
    Report,
    Size,
    anything,
    brief,
    double,
    joined,
    label,
    length,
    measure,
    measure_small,
    words,
    written,
)

KINDS: dict[str, Step[Any, Any]] = {
    "a step": length,
    "a task": measure,
    "a task with a model": measure_small,
    "a chain": measure >> label,
    "parallel": parallel(length, words),
    "parallel with a chain": parallel(words, length >> double),
    "parallel into a record": parallel(into=Report, size=length, text=written),
    "parallel into what a function returns": parallel(into=joined, size=length),
    "each": words >> each(measure >> label),
    "fallback": fallback(measure >> label, written),
    "cascade": cascade(measure >> label, written, brief),
    "retry": retry(measure, attempts=2, on=(RateLimitedError, TimeoutError), wait=0.5),
    "retry by default": retry(measure >> label),
    "cache": cache(measure),
    "cache on disk": cache(measure >> label, disk=True),
    "private": private(measure),
    "private until here": private(measure >> label, release=True),
    "a route of a Literal": route(measure >> label).to({"short": length, "long": length >> double}),
    "a route of many kinds of keys": route(anything).to(
        {
            "yes": written,
            "": written,
            "1": written,
            1: written,
            -7: written,
            False: written,
            None: written,
            "1e5": written,
        },
        default=written,
    ),
    "a route by type": route(length, double),
    "the same step twice": written >> written,
    "one task with two models": fallback(measure, measure_small),
}


@dataclass
class Saved:
    """Saves to a file and loads from it."""

    path: Path

    def text(self, pipeline: Step[Any, Any]) -> str:
        save_pipeline(pipeline, self.path, records=RECORDS)
        return self.path.read_text(encoding="utf-8")

    def back(self, pipeline: Step[Any, Any]) -> Step[Any, Any]:
        self.text(pipeline)
        return load_pipeline(self.path, steps=STEPS, records=RECORDS)


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    return Saved(tmp_path / "pipeline.yaml")


@pytest.mark.parametrize("name", KINDS)
def test_what_is_loaded_equals_what_was_saved(saved: Saved, name: str) -> None:
    loaded = saved.back(KINDS[name])
    assert loaded == KINDS[name]
    assert loaded.name == KINDS[name].name


@given(pipeline=PIPELINES)
@settings(max_examples=150, deadline=None, derandomize=True, database=None)
def test_random_pipelines_come_back_equal(tmp_path_factory: pytest.TempPathFactory, pipeline: Step[str, str]) -> None:
    saved = Saved(tmp_path_factory.getbasetemp() / "random.yaml")
    assert saved.back(pipeline) == pipeline


def test_a_difference_would_be_seen(saved: Saved) -> None:
    assert saved.back(fallback(measure >> label, written)) != fallback(written, measure >> label)
    assert saved.back(measure_small) != measure


def test_a_loaded_pipeline_does_the_same(saved: Saved, models: Any) -> None:
    desk = words >> each(route(measure >> label).to({"short": length, "long": length >> double}))
    assert models.run(saved.back(desk), "a longer one") == models.run(desk, "a longer one") == [1, 12, 3]


def test_the_file_reads_as_the_pipeline_does(saved: Saved) -> None:
    desk = words >> each(measure_small >> label) >> route(anything).to({"a": written, None: written}, default=anything)
    assert saved.text(desk) == (
        "metier-pipeline: 1\n"
        "steps:\n"
        "- acme/words@1\n"
        "- each:\n"
        "    step:\n"
        "    - task:\n"
        "        name: acme/measure-small@1.0\n"
        "        model: acme/small\n"
        "    - acme/label@1\n"
        "- route:\n"
        "    key: acme/anything@1\n"
        "    arms:\n"
        "      a: acme/written@1\n"
        "      null: acme/written@1\n"
        "    default: acme/anything@1\n"
    )


class Colour(Enum):
    RED = "red"


bare = step(len, takes=str, gives=int)
other_length = step(len, takes=str, gives=int, name="acme/length@2")


@task
def unnamed_task(text: str) -> Classify[Size]:
    return Classify[Size](text=text)


REFUSED: list[tuple[Step[Any, Any], str, str]] = [
    (bare, "step 'len' has no name in files", '@step(name="owner/len@1")'),
    (words >> each(bare), "step 'len' has no name in files", '@step(name="owner/len@1")'),
    (unnamed_task, "step 'unnamed_task' has no name", '@task(name="owner/unnamed_task@1")'),
    (step(lambda text: text, takes=str, gives=str), "'<lambda>' has no name", '@step(name="owner/lambda@1")'),
    (step(len, takes=str, gives=int, name="acme/length"), "'acme/length' has no name", "owner/length@1"),
    (step(len, takes=str, gives=int, name="acme/length@1\n"), "has no name in files", "owner/name@version"),
    (parallel(length, other_length), "two steps have the name 'acme/length@2'", "another version"),
    (parallel(into=Colour, value=written), "Colour has no name in files", "records={'owner/colour@1': Colour}"),
    (route(anything).to({Colour.RED: written}, default=written), "cannot be written to a file", "Colour.RED"),
    (route(anything).to({(1, 2): written}, default=written), "cannot be written to a file", "(1, 2)"),
    (route(anything).to({float("inf"): written}, default=written), "cannot be written to a file", "inf"),
    (reduce(lambda inner, _: fallback(inner, written), range(60), written), "too large for a file", "100 levels"),
    (reduce(rshift, [written] * 6000), "too large for a file", "5,000"),
]


@pytest.mark.parametrize(("pipeline", "summary", "help_"), REFUSED, ids=[summary for _, summary, _ in REFUSED])
def test_what_a_file_cannot_hold_is_refused(saved: Saved, pipeline: Any, summary: str, help_: str) -> None:
    with pytest.raises(InputError) as refused:
        saved.text(pipeline)
    assert summary in refused.value.summary
    assert help_ in str(refused.value)
    assert not saved.path.exists()


def test_a_record_is_named_by_its_form(saved: Saved) -> None:
    with pytest.raises(InputError, match="owner/name@version"):
        save_pipeline(length, saved.path, records={"Report": Report})


def test_an_error_that_has_no_name_for_all_is_not_saved(saved: Saved) -> None:
    class OutOfPaperError(Exception):
        pass

    with pytest.raises(InputError, match="cannot be written to a file"):
        saved.text(retry(measure, on=(OutOfPaperError,)))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written to"):
        save_pipeline(length, tmp_path)


def test_no_code_is_in_the_file(saved: Saved) -> None:
    text = saved.text(parallel(into=Report, size=length, text=written))
    assert not [word for word in ("!!", "python", "named", "Report", "lambda") if word in text]


def _kinds(step: Step[Any, Any]) -> set[type]:
    return {type(step)}.union(*(_kinds(part.step) for part in step.structure().parts()))


def test_every_kind_of_step_was_saved() -> None:
    """A class of steps that somebody adds has to be added to the tests, too."""

    def known(kind: type) -> set[type]:
        below = set().union(*map(known, kind.__subclasses__()))
        return below if getattr(kind, "__abstractmethods__", ()) else {kind, *below}

    inside = {kind for kind in known(Step) if kind.__module__.startswith("metier.")}
    assert inside == set().union(*map(_kinds, KINDS.values()))


@pytest.mark.parametrize("name", KINDS)
def test_every_field_has_a_role_and_every_leaf_is_found(name: str) -> None:
    structure: Structure = KINDS[name].structure()
    assert set(structure.fields) <= set(structure.kind.roles)
    build: Callable[..., Any] | None = structure.kind.build
    assert {*leaves(KINDS[name])} <= {*STEPS}
    if build is not None:
        given = {field: value for field, value in structure.fields.items() if value is not None}
        assert build(**given) == KINDS[name] or name == "each"
