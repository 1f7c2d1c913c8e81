"""What a pipeline's file may say, and what is refused in it: with the place, what was expected and what came."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from metier import Step, fallback, load_pipeline, route, step
from metier.pipeline import names
from metier_contracts import InputError, MetierError, PipelineTypeError

from tests.core.pipeline.named import (
    RECORDS,
    STEPS,
    anything,
    label,
    length,
    measure,
    measure_small,
    words,
    written,
)

HEAD = "metier-pipeline: 1\nsteps:\n"
Load = Callable[[str], Step[Any, Any]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads what follows the head, or a whole file."""
    path = tmp_path / "desk.yaml"

    def load_text(text: str) -> Step[Any, Any]:
        path.write_text(text if "metier-pipeline" in text else HEAD + text, encoding="utf-8")
        return load_pipeline(path, steps=STEPS, records=RECORDS)

    return load_text


ROUTE = """\
- acme/written@1
- acme/words@1
- acme/count@1
- route:
    key: acme/anything@1
    arms:
      1: acme/written@1
      billing: ARM
"""

BAD: dict[str, tuple[str, type[MetierError], tuple[str, ...]]] = {
    "an unknown name": (
        ROUTE.replace("ARM", "acme/writen@1"),
        InputError,
        ("no step has the name 'acme/writen@1'", "perhaps 'acme/written@1'", "line 10, steps[3].route.arms.billing"),
    ),
    "a name without a version": ("- acme/length", InputError, ("owner/name@version", "line 3, steps[0]")),
    "a number": ("- 3", InputError, ("owner/name@version", "got: 3", "line 3, steps[0]")),
    "an unknown kind": ("- rout: {}", InputError, ("'rout'", "parallel", "line 3, steps[0].rout")),
    "two kinds": ("- {each: {}, route: {}}", InputError, ("one kind", "each, route", "line 3, steps[0]")),
    "no kind": ("- {}", InputError, ("one kind", "nothing")),
    "an unknown field": (
        "- each: {step: acme/length@2, attempts: 3}",
        InputError,
        ("each has no 'attempts'", "a mapping of step", "line 3, steps[0].each.attempts"),
    ),
    "a missing field": ("- each:", InputError, ("each lacks", "step", "got: None", "line 3, steps[0].each")),
    "a name for a list": (
        "- fallback: {steps: acme/length@2}",
        InputError,
        ("a list of steps", "'acme/length@2'", "steps[0].fallback.steps"),
    ),
    "a mapping for a list": (
        "- fallback: {steps: {a: acme/length@2}}",
        InputError,
        ("a list of steps", "a mapping of a", "steps[0].fallback.steps"),
    ),
    "an empty list": ("- []", InputError, ("one step or more", "a list of 0", "line 3, steps[0]")),
    "an unknown field of the file": (HEAD + "- acme/length@2\nname: x", InputError, ("has no 'name'", "line 4, name")),
    "no steps": ("metier-pipeline: 1", InputError, ("lacks what it needs", "steps", "line 1")),
    "another version": ("metier-pipeline: 2\nsteps: [x]", InputError, ("expected: 1", "got: 2", "newer metier")),
    "true for a version": ("metier-pipeline: true\nsteps: [x]", InputError, ("expected: 1", "got: True")),
    "another file": ("x: metier-pipeline", InputError, ("no file of a pipeline", "a mapping of x", "line 1")),
    "a list for a file": ("- metier-pipeline", InputError, ("no file of a pipeline", "a list of 1")),
    "two equal keys": (
        ROUTE.replace("ARM", "acme/written@1\n      1: acme/written@1"),
        InputError,
        ("the key 1", "11"),
    ),
    "a list for a key": ("- {? [a] : b}", InputError, ("a key is one word", "line 3, steps[0]")),
    "no YAML": ("- [acme/length@2", InputError, ("is no YAML", "desk.yaml, line 3")),
    "two documents": ("- acme/length@2\n---\nx: 1", InputError, ("one YAML document", "another document", "line 4")),
    "an empty file": ("# metier-pipeline", InputError, ("is empty", "line 1")),
    "a control character": ("- a\0", InputError, ("is no YAML", "#x0000")),
    "a tag": ("- !!python/object/apply:os.system [x]", InputError, ("tags are not read", "os.system", "line 3")),
    "a tag of one's own": ("%TAG ! tag:x,2000:\n---\n" + HEAD + "- !x y", InputError, ("tags are not read", "line 5")),
    "the bare tag": ("- ! x", InputError, ("tags are not read", "line 3")),
    "an alias": ("- &a acme/length@2\n- *a", InputError, ("aliases are not read", "&a", "line 3")),
    "a bomb": (
        "- &a [x, x]\n" + "".join(f"- &b{n} [*a, *a]\n" for n in range(50)),
        InputError,
        ("aliases are not read", "line 3"),
    ),
    "deep brackets": ("- " + "[" * 50_000, InputError, ("at most 100 levels", "line 3")),
    "deep dashes": ("- " * 50_000, InputError, ("at most 100 levels", "line 3")),
    "deep mappings": ("- " + "{each: " * 500, InputError, ("at most 100 levels", "line 3")),
    "too many": ("- acme/written@1\n" * 6_000, InputError, ("5,000",)),
    "too long": ("- acme/written@1\n" + " " * 1_000_000, InputError, ("1,000,000 characters",)),
    "a number without end": ("- " + "9" * 5_000, InputError, ("the number is too long", "line 3, steps[0]")),
    "a model of a step": (
        "- task: {name: acme/length@2, model: acme/small}",
        InputError,
        ("uses no model", "@task", "line 3, steps[0].task"),
    ),
    "a model that is no id": ("- task: {name: acme/measure@1, model: 3}", InputError, ("a string", "got: 3")),
    "an unknown record": (
        "- parallel:\n    into: acme/reprot@1\n    arms: {size: acme/length@2}",
        InputError,
        ("no record has the name", "perhaps 'acme/report@1'", "line 4, steps[0].parallel.into"),
    ),
    "steps that do not fit": (
        "- acme/words@1\n- acme/double@1",
        PipelineTypeError,
        ("'acme/words@1' does not fit step 'acme/double@1'", "takes int", "gives list[str]", "line 4, steps[1]:"),
    ),
    "steps that do not fit, far within": (
        "- acme/words@1\n- each:\n    step:\n    - acme/length@2\n    - acme/words@1",
        PipelineTypeError,
        ("'acme/length@2' does not fit step 'acme/words@1'", "line 7, steps[1].each.step[1]:"),
    ),
    "a key that the route does not give": (
        "- route:\n    key: [acme/measure@1, acme/label@1]\n    arms: {shrot: acme/words@1}\n    default: acme/words@1",
        PipelineTypeError,
        ("'shrot'", "short", "line 4, steps[0].route"),
    ),
    "a key that YAML 1.1 takes for true": (
        "- route:\n    key: acme/length@2\n    arms: {yes: acme/length@2}\n    default: acme/length@2",
        PipelineTypeError,
        ("got: 'yes'", "line 4, steps[0].route"),
    ),
    "a Literal without an arm": (
        "- route:\n    key: [acme/measure@1, acme/label@1]\n    arms: {short: acme/length@2}",
        PipelineTypeError,
        ("none for 'long'", "line 4, steps[0].route"),
    ),
    "a route with arms by key and no key": (
        "- route: {arms: {a: acme/length@2}}",
        PipelineTypeError,
        ("arms by key with no key", "line 3, steps[0].route"),
    ),
    "a route with a key and a list": (
        "- route: {key: acme/length@2, arms: [acme/length@2, acme/double@1], default: acme/length@2}",
        PipelineTypeError,
        ("a list with key and default",),
    ),
    "a route to one type": ("- route: {arms: [acme/length@2]}", PipelineTypeError, ("two arms or more",)),
    "an arm that nothing comes to": (
        "- route: {arms: [acme/length@2, acme/words@1]}",
        PipelineTypeError,
        ("no value comes to step 'acme/words@1'", "line 3, steps[0].route"),
    ),
    "a field that the record has not": (
        "- parallel: {into: acme/report@1, arms: {sizes: acme/length@2, text: acme/written@1}}",
        PipelineTypeError,
        ("'sizes'", "size, text", "line 3, steps[0].parallel"),
    ),
    "a field that no record can have": (
        "- parallel: {into: acme/report@1, arms: {into: acme/length@2, 3: acme/written@1}}",
        PipelineTypeError,
        ("got: 'into'", "line 3, steps[0].parallel"),
    ),
    "fields without a record": (
        "- parallel: {arms: {size: acme/length@2, text: acme/written@1}}",
        PipelineTypeError,
        ("by name without into", "line 3, steps[0].parallel"),
    ),
    "one arm": ("- parallel: {arms: [acme/length@2]}", PipelineTypeError, ("at least 2", "line 3, steps[0].parallel")),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_with_its_place(load: Load, name: str) -> None:
    text, kind, words_ = BAD[name]
    with pytest.raises(kind) as refused:
        load(text)
    assert [word for word in words_ if word not in str(refused.value)] == []
    assert "desk.yaml" in str(refused.value)
    assert refused.value.expected
    assert refused.value.got


@pytest.mark.parametrize(
    ("text", "pipeline"),
    [
        ("- acme/length@2", length),
        ("- [acme/words@1, [acme/count@1]]", None),
        ("- {task: {name: acme/measure@1, model: acme/small}}\n- acme/label@1 # a comment", None),
        ("- 'acme/length@2'", length),
        ('- "acme/length@2"', length),
        ("- acme/measure-small@1.0", measure_small),
        ("- route: {key: acme/anything@1, arms: {'1': acme/written@1, 1: acme/length@2, no: acme/words@1}, "
         "default: acme/anything@1}",
         route(anything).to({"1": written, 1: length, "no": words}, default=anything)),
    ],
)  # fmt: skip
def test_files_written_by_hand(load: Load, text: str, pipeline: Any) -> None:
    loaded = load(text)
    assert pipeline is None or loaded == pipeline


def test_a_file_may_name_the_model_of_a_task(load: Load) -> None:
    loaded: Any = load("- task: {name: acme/measure-small@1.0, model: acme/large}")
    assert loaded.terms.model == "acme/large"
    assert (loaded.name, loaded.build) == (measure_small.name, measure_small.build)  # type: ignore[attr-defined]


def test_a_pipeline_brings_the_steps_within(tmp_path: Path) -> None:
    path = tmp_path / "desk.yaml"
    path.write_text(HEAD + "- acme/measure@1\n- acme/label@1", encoding="utf-8")
    assert load_pipeline(str(path), steps=[fallback(measure >> label, written)]) == measure >> label


def test_what_is_given_must_be_steps(tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").touch()
    with pytest.raises(InputError, match="steps=") as refused:
        load_pipeline(tmp_path / "desk.yaml", steps=[len])  # type: ignore[list-item]
    assert "builtin_function_or_method" in str(refused.value)


def test_two_steps_of_one_name_are_refused(load: Load, tmp_path: Path) -> None:
    load("- acme/length@2")
    twin = step(len, takes=str, gives=int, name="acme/length@2")
    with pytest.raises(InputError, match="two steps have the name 'acme/length@2'"):
        load_pipeline(tmp_path / "desk.yaml", steps=[length, twin])


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "desk.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"desk\.yaml cannot be read"):
        load_pipeline(path)


class Installed:
    """Distributions that offer steps."""

    def __init__(self, site: Path) -> None:
        self.site = site

    def write(self, package: str, points: str, code: str = "") -> None:
        (self.site / f"{package}.py").write_text(code, encoding="utf-8")
        info = self.site / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[metier.steps]\n{points}\n")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    site = tmp_path / "installed"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    before = set(sys.modules)
    yield Installed(site)
    for name in set(sys.modules) - before:
        del sys.modules[name]


STEP = "from metier import step\nshout = step(str.upper, takes=str, gives=str, name='acme/shout@1')\n"


def test_installed_steps_are_found_by_name(installed: Installed, load: Load) -> None:
    installed.write("acme_steps", "acme/shout@1 = acme_steps:shout\nacme/other@1 = acme_broken:no", STEP)
    loaded: Any = load("- acme/shout@1\n- acme/length@2")
    assert loaded == sys.modules["acme_steps"].shout >> length


def test_what_is_not_named_is_not_imported(installed: Installed, load: Load) -> None:
    installed.write("acme_steps", "acme/shout@1 = acme_steps:shout", "raise RuntimeError")
    assert load("- acme/length@2") == length
    assert "acme_steps" not in sys.modules


def test_what_is_given_stands_before_what_is_installed(installed: Installed, load: Load) -> None:
    installed.write("acme_steps", "acme/length@2 = acme_steps:shout", "raise RuntimeError")
    assert load("- acme/length@2") == length


def test_installed_records_are_found(installed: Installed, load: Load) -> None:
    installed.write("acme_records", "acme/pair@1 = acme_records:Pair", "def Pair(a: int, b: int) -> int: return a + b")
    loaded: Any = load("- parallel: {into: acme/pair@1, arms: {a: acme/length@2, b: acme/length@2}}")
    assert loaded.into is sys.modules["acme_records"].Pair


def test_a_module_is_not_imported_by_its_name(load: Load) -> None:
    with pytest.raises(InputError, match="owner/name@version"):
        load("- antigravity:geohash")
    assert "antigravity" not in sys.modules


@pytest.mark.parametrize(
    ("points", "code", "message"),
    [
        ("acme/shout@1 = acme_steps:none", STEP, "cannot be imported"),
        ("acme/shout@1 = acme_steps:shout", "raise RuntimeError('no key')", "RuntimeError: no key"),
        ("acme/shout@1 = acme_steps:shout", "shout = 3", "got: int"),
        ("acme/shout@1 = acme_steps:shout", STEP.replace("shout@1", "cry@1"), "got: a step named 'acme/cry@1'"),
    ],
)
def test_an_installed_step_that_is_none_is_named(
    installed: Installed, load: Load, points: str, code: str, message: str
) -> None:
    installed.write("acme_steps", points, code)
    with pytest.raises(InputError) as refused:
        load("- acme/shout@1")
    assert message in str(refused.value)
    assert "line 3, steps[0]" in str(refused.value)


def test_two_packages_with_one_name_are_refused(installed: Installed, load: Load) -> None:
    installed.write("acme_steps", "acme/shout@1 = acme_steps:shout", STEP)
    installed.write("more_steps", "acme/shout@1 = more_steps:shout", STEP)
    with pytest.raises(InputError, match="acme_steps, more_steps"):
        load("- acme/shout@1")


def test_a_damaged_distribution_hides_no_other(
    installed: Installed, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Damaged:
        @property
        def entry_points(self) -> Any:
            raise ValueError

    installed.write("acme_steps", "acme/shout@1 = acme_steps:shout", STEP)
    whole = names.distributions
    monkeypatch.setattr(names, "distributions", lambda: [Damaged(), *whole()])
    assert load("- acme/shout@1").name == "acme/shout@1"
