"""`metier run`: every task has a command, flags become requests, and errors become exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier.cli.requests import COMMANDS
from metier.cli.responses import print_response
from metier_contracts import (
    TASKS,
    Classify,
    DetectAnomalies,
    Forecast,
    ForecastResult,
    GraphScore,
    MetierError,
    Provenance,
    Request,
    Segment,
    Series,
)


@pytest.fixture
def acme(plugins: Any) -> Any:
    plugins.write("acme", plugins.card("acme-keywords"), plugins.card("acme-letters", "histogram"))
    return plugins


def test_every_task_has_a_command() -> None:
    assert set(COMMANDS) == set(TASKS)


def test_classify_prints_the_best_label_first(acme: Any, metier: Any) -> None:
    ran = metier("run", "classify", "--text", "billing billing outage", "--labels", "outage,billing,praise")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()[1:]] == ["billing", "outage", "praise"]
    assert "acme-keywords on cpu" in ran.err


def test_json_is_the_response_on_the_wire(acme: Any, metier: Any) -> None:
    answer = metier("run", "classify", "--text", "billing", "--labels", "outage,billing", "--json").json
    assert answer["label"] == "billing"
    assert answer["provenance"]["model"] == "acme-keywords"


def test_text_comes_from_standard_input(acme: Any, metier: Any) -> None:
    ran = metier("run", "classify", "--text", "-", "--labels", "outage,billing", "--json", stdin="an outage")
    assert ran.json["label"] == "outage"


def test_examples_come_from_a_csv_file(plugins: Any, metier: Any, tmp_path: Path) -> None:
    plugins.write("acme", plugins.card("acme-keywords", tasks={"classify": {"labels": "open", "few_shot": True}}))
    file = tmp_path / "examples.csv"
    file.write_text("text,label\nmy bill,billing\nno signal,outage\n", encoding="utf-8")
    ran = metier("run", "classify", "--text", "billing", "--examples", str(file), "--json")
    assert set(ran.json["scores"]) == {"billing", "outage"}


@pytest.mark.parametrize("source", ["file", "stdin"])
def test_a_whole_request_comes_as_json(acme: Any, metier: Any, tmp_path: Path, source: str) -> None:
    request = Classify(text="billing", labels=["billing", "outage"]).to_json()
    file = tmp_path / "request.json"
    file.write_text(request, encoding="utf-8")
    words = ("run", "classify", "--request", str(file) if source == "file" else "-", "--json")
    assert metier(*words, stdin=request).json["label"] == "billing"


def test_embed_takes_texts_and_a_file(acme: Any, metier: Any, tmp_path: Path) -> None:
    file = tmp_path / "texts.txt"
    file.write_text("one\n\ntwo\n", encoding="utf-8")
    answer = metier("run", "embed", "-t", "zero", "--file", str(file), "--json").json
    assert answer["vectors"]["shape"] == [3, 26]
    assert "zero" in metier("run", "embed", "-t", "zero").out


BAD_USAGE = {
    "empty text": (["run", "classify", "--text", " ", "--labels", "a,b"], "Classify.text"),
    "no text": (["run", "classify", "--labels", "a,b"], "one of text and image"),
    "repeated label": (["run", "classify", "--text", "x", "--labels", "a,a"], "'a' more than once"),
    "absent file": (["run", "classify", "--text", "x", "--examples", "nowhere.csv"], "nowhere.csv"),
    "absent image": (["run", "segment", "--image", "nowhere.png", "--box", "0,0,1,1"], "nowhere.png"),
    "no picture format": (["run", "segment", "--image", "x.png", "--box", "0,0,1,1", "--out", "x.txt"], ".png, .jpg"),
    "no such folder": (["run", "segment", "--image", "x.png", "--box", "0,0,1,1", "--out", "no/x.png"], "--out"),
    "no image": (["run", "segment", "--box", "0,0,1,1"], "--image"),
    "no csv": (["run", "forecast", "--horizon", "3"], "--csv"),
    "unknown model": (["run", "classify", "--text", "x", "--labels", "a,b", "-m", "acme"], "'acme-keywords'"),
    "no such device": (["run", "classify", "--text", "x", "--labels", "a,b", "--device", "tpu"], "cuda:N"),
    "broken JSON": (["run", "act", "--goal", "x", "--environment", "web", "--config", "{"], "--config"),
    "no such task": (["run", "clasify"], "clasify"),
}


@pytest.mark.parametrize("case", BAD_USAGE)
def test_bad_usage_says_what_is_wrong(acme: Any, metier: Any, case: str) -> None:
    words, message = BAD_USAGE[case]
    ran = metier(*words)
    assert ran.code in ({1} if case == "no such device" else {2})
    assert message in ran.err


def test_work_that_fails_is_exit_code_1(acme: Any, metier: Any) -> None:
    ran = metier("run", "rank", "--query", "x", "-c", "y")
    assert ran.code == 1
    assert "no card serves rank" in ran.err


def test_a_broken_plugin_is_exit_code_1_and_points_to_its_fix(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"), code="raise RuntimeError('no luck')")
    ran = metier("run", "classify", "--text", "x", "--labels", "a,b")
    assert ran.code == 1
    assert "pip install --upgrade metier-acme" in ran.err


def test_help_of_each_command_needs_no_plugin(acme: Any, metier: Any) -> None:
    for task in TASKS:
        ran = metier("run", task, "--help")
        assert ran.code == 0
        assert "--model" in ran.out
    assert acme.imported() == []


def test_forecast_reads_the_column_and_the_timestamps(tmp_path: Path) -> None:
    file = tmp_path / "load.csv"
    file.write_text("day,load\n2026-01-01,1.5\n2026-01-02,2.5\n", encoding="utf-8")
    request = COMMANDS["forecast"](csv_file=file, column="load", time_column="day", horizon=2, quantiles="0.1,0.9")
    assert isinstance(request, Forecast)
    assert request.series.values.tolist() == [1.5, 2.5]
    assert str(request.series.timestamps[1]).startswith("2026-01-02")  # type: ignore[index]
    assert (request.horizon, request.quantiles) == (2, (0.1, 0.9))


def test_forecast_resamples_on_request(tmp_path: Path) -> None:
    file = tmp_path / "load.csv"
    file.write_text("at,load\n2026-01-01T00:10,1\n2026-01-01T00:50,2\n2026-01-01T02:00,4\n", encoding="utf-8")
    request = COMMANDS["detect-anomalies"](csv_file=file, column="load", time_column="at", resample="h")
    assert isinstance(request, DetectAnomalies)
    assert np.array_equal(request.series.values, [1.5, np.nan, 4.0], equal_nan=True)


@pytest.mark.parametrize(
    ("dates", "shown"),
    [
        (["2026-01-01", "2026-01-02"], ["2026-01-01", "2026-01-02"]),
        (["2026-01-01T00:00", "2026-01-01T12:00"], ["2026-01-01T00:00:00", "2026-01-01T12:00:00"]),
    ],
)
def test_a_forecast_is_printed_with_its_dates(
    dates: list[str], shown: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    series = Series(values=[1.0], timestamps=np.array(["2025-12-31"], dtype="datetime64[ns]"))
    response = ForecastResult(
        mean=[1, 2],
        quantiles=np.zeros((2, 0)),
        quantile_levels=(),
        timestamps=np.array(dates, dtype="datetime64[ns]"),
        provenance=Provenance(model="a/b", plugin="a", plugin_version="1", device="cpu", seconds=0),
    )
    print_response(Forecast(series=series, horizon=2, quantiles=()), response)
    printed = [line.split()[0] for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert printed[1:3] == shown


def test_segment_reads_points_and_boxes(tmp_path: Path) -> None:
    import PIL.Image

    file = tmp_path / "picture.png"
    PIL.Image.new("RGB", (20, 10)).save(file)
    request = COMMANDS["segment"](image=file, point=["3,4"], box=["0,0,10,5", "5,5,20,10"])
    assert isinstance(request, Segment)
    assert request.points is not None
    assert request.boxes is not None
    assert (request.points.tolist(), request.boxes.shape) == ([[3.0, 4.0]], (2, 4))
    assert request.point_labels is None


def test_segment_reads_points_off_the_object_and_a_rough_mask(tmp_path: Path) -> None:
    import PIL.Image

    file, mask = tmp_path / "picture.png", tmp_path / "mask.png"
    PIL.Image.new("RGB", (20, 10)).save(file)
    PIL.Image.new("L", (20, 10), color=127).save(mask)
    dark = COMMANDS["segment"](image=file, point=["3,4"], off_point=["9,9", "1,1"], mask=mask)
    assert isinstance(dark, Segment)
    assert dark.point_labels is not None
    assert dark.mask is not None
    assert (dark.point_labels.tolist(), dark.mask.any()) == ([1, 0, 0], False)
    PIL.Image.new("L", (20, 10), color=128).save(mask)
    assert COMMANDS["segment"](image=file, mask=mask).mask.all()  # type: ignore[attr-defined]


def test_graph_score_numbers_the_nodes(tmp_path: Path) -> None:
    file = tmp_path / "edges.csv"
    file.write_text("source,target\na,b\nb,c\n", encoding="utf-8")
    request = COMMANDS["graph-score"](edges=file, level="node")
    assert isinstance(request, GraphScore)
    assert request.graph.node_ids == ("a", "b", "c")
    assert request.graph.edge_index.tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("task", "flags"),
    [
        ("forecast", {"csv_file": "texts.csv", "column": "word", "horizon": 1, "quantiles": "0.5"}),
        ("forecast", {"csv_file": "texts.csv", "column": "absent", "horizon": 1, "quantiles": "0.5"}),
        (
            "forecast",
            {"csv_file": "texts.csv", "time_column": "word", "column": "number", "horizon": 1, "quantiles": "0.5"},
        ),
        ("forecast", {"csv_file": "texts.csv", "column": "number", "horizon": 1, "quantiles": "a,b"}),
        ("graph-score", {"edges": "texts.csv", "level": "node"}),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path: Path, monkeypatch: Any, task: str, flags: dict[str, Any]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("texts.csv").write_text("word,number\nx,1\ny,2\n", encoding="utf-8")
    given = {name: Path(value) if str(value).endswith(".csv") else value for name, value in flags.items()}
    with pytest.raises(MetierError) as raised:
        COMMANDS[task](**given)
    assert raised.value.expected
    assert raised.value.blame


def test_requests_of_flags_round_trip() -> None:
    for task, flags in {
        "generate": {"prompt": "hello", "system": "be brief"},
        "generate-image": {"prompt": "a cat"},
        "act": {"goal": "book a table", "environment": "web", "config": json.dumps({"url": "http://x"})},
        "fill-mask": {"text": "a [MASK] day"},
        "extract": {"text": "Ada", "types": "PERSON"},
    }.items():
        request: Request[Any] = COMMANDS[task](**flags)
        assert TASKS[task].request.from_json(request.to_json()) == request


def test_what_could_cost_more_is_not_asked(plugins: Any, metier: Any) -> None:
    price = {"per_call": 0.25, "source": "a test", "date": "2026-01-31"}
    plugins.write(
        "acme", plugins.card("acme-paid", price=price), plugins.card("acme-echo", "streaming-echo", price=price)
    )
    classify = ("run", "classify", "--text", "billing", "--labels", "outage,billing")
    for asked in (classify, (*classify, "--json"), ("run", "generate", "--prompt", "so it is")):
        refused = metier(*asked, "--max-cost", "0.2")
        assert refused.code == 1
        assert "past its budget" in refused.err
        assert metier(*asked, "--max-cost", "0.25").code == 0
    assert "$0.250000" in metier(*classify).err
