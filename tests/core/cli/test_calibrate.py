"""`metier calibrate`, and `metier models --profile`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from metier.decision import measure
from metier.decision.measure import Effort
from metier_contracts import InferenceError


@pytest.fixture(autouse=True)
def few_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QUICK", "THOROUGH"):
        monkeypatch.setattr(measure, name, Effort(seconds=1.0, calls=2, batches=(2,)))


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.csv"
    path.write_text("text,label\ngood day,good\nbad day,bad\n")
    return path


def test_every_model_here_is_measured_and_printed(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"), plugins.card("acme/e", "histogram"))
    ran = metier("calibrate", "--quick")
    assert (ran.code, ran.err) == (0, "")
    rows = {line.split()[0]: line for line in ran.out.splitlines() if "measured" in line}
    assert rows.keys() == {"acme/k", "acme/e"}
    assert "257 characters" in rows["acme/e"]


def test_json_tells_the_status_and_the_profile(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme/e", "histogram"))
    (first,) = metier("calibrate", "--json").json
    assert (first["model"], first["task"], first["status"]) == ("acme/e", "embed", "measured")
    profile = first["profile"]
    assert profile["p50"] > 0
    assert profile["typical"] == {"size": 257, "output_tokens": 0}
    assert profile["cost_per_1k"] > 0
    assert [row["batch"] for row in profile["measurements"]] == [1, 1, 1, 2]
    (second,) = metier("calibrate", "--json").json
    assert (second["status"], second["profile"]) == ("current", profile)
    (third,) = metier("calibrate", "--again", "--json").json
    assert third["status"] == "measured"


def test_one_that_fails_is_told_and_the_others_are_measured(plugins: Any, metier: Any, probes: Any) -> None:
    plugins.write("acme", plugins.card("acme/a"), plugins.card("acme/b"))
    probes["acme/a"].answer = lambda request: InferenceError("no luck")
    ran = metier("calibrate")
    assert ran.code == 1
    assert "acme/a, classify: no luck" in ran.err
    assert "acme/b" in ran.out


def test_what_is_left_out_is_told_with_the_reason(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"), plugins.card("acme/far", source="https://example.org"))
    ran = metier("calibrate")
    assert ran.code == 0
    assert "left out (remote" in ran.out
    assert "acme/far" in ran.out


def test_a_named_model_that_cannot_be_measured_is_exit_code_1(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme/away", source="hf:acme/away", revision="a" * 40))
    ran = metier("calibrate", "acme/away")
    assert ran.code == 1
    assert "--pull" in ran.out


def test_unknown_models_and_tasks_are_bad_usage(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"))
    assert metier("calibrate", "acme/l").code == 2
    assert metier("calibrate", "--task", "clasify").code == 2


def test_ctrl_c_keeps_what_is_measured(plugins: Any, metier: Any, probes: Any) -> None:
    def interrupt(requests: Any, context: Any) -> None:
        raise KeyboardInterrupt

    plugins.write("acme", plugins.card("acme/a"), plugins.card("acme/b"))
    probes["acme/b"].on_infer = interrupt
    ran = metier("calibrate")
    assert ran.code == 1
    assert "interrupted" in ran.err
    assert "acme/a" in ran.out
    probes["acme/b"].on_infer = None
    again = metier("calibrate", "--json").json
    assert [(row["model"], row["status"]) for row in again] == [("acme/a", "current"), ("acme/b", "measured")]


def test_a_sample_gives_the_accuracy_of_each_model_that_can(plugins: Any, metier: Any, sample: Path) -> None:
    own = plugins.card("acme/own", tasks={"classify": {"labels": ["yes", "no"]}})
    plugins.write("acme", plugins.card("acme/k"), plugins.card("acme/e", "histogram"), own)
    ran = metier("calibrate", "--sample", str(sample), "--task", "classify")
    assert ran.code == 0
    row = next(line for line in ran.out.splitlines() if line.split()[:1] == ["acme/k"])
    assert "1.000" in row
    assert "left out (labels" in ran.out
    found = {row["model"]: row for row in metier("calibrate", "--sample", str(sample), "--json").json}
    assert found["acme/k"]["quality"]["value"] == 1.0
    assert "acme/e" not in found


def test_a_sample_is_for_classify_alone(plugins: Any, metier: Any, sample: Path, tmp_path: Path) -> None:
    plugins.write("acme", plugins.card("acme/k"))
    assert metier("calibrate", "--sample", str(sample), "--task", "embed").code == 2
    assert metier("calibrate", "--sample", str(tmp_path / "none.csv")).code == 2


def test_a_file_of_profiles_that_is_broken_is_told(plugins: Any, metier: Any, tmp_path: Path) -> None:
    plugins.write("acme", plugins.card("acme/k"))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "profiles.sqlite").write_text("no database" * 99)
    ran = metier("calibrate")
    assert ran.code == 1
    assert "profiles.sqlite" in ran.err


def test_models_shows_profiles_measured_and_reckoned(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme/k"), plugins.card("acme/e", "histogram"))
    assert metier("calibrate", "acme/e").code == 0
    ran = metier("models", "--profile")
    assert ran.code == 0
    assert {line.split()[0]: line.split()[2] for line in ran.out.splitlines()[1:] if line.strip()} == {
        "acme/e": "measured",
        "acme/k": "card",
    }
    (row,) = metier("models", "--profile", "--task", "embed", "--json").json
    assert (row["model"], row["source"]) == ("acme/e", "measured")
    assert row["items_per_second"] > 0
