"""Semantics: which admit which, what a value shows of them, and how they read."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import PIL.Image
import pytest
from metier_contracts import (
    BoxFrame,
    Channels,
    Classification,
    Classify,
    Entity,
    Extraction,
    ForecastResult,
    Frequency,
    Graph,
    GraphSchema,
    GraphScores,
    Horizon,
    Image,
    InputError,
    Labels,
    Ranking,
    ScoreKind,
    Segmentation,
    Semantic,
    Series,
)

HOURS = np.arange("2026-01-01", "2026-01-03", dtype="datetime64[h]").astype("datetime64[ns]")
VERDICT = Classification(label="a", scores={"a": 0.75, "b": 0.25})
FORECAST = ForecastResult(mean=np.zeros(48), quantiles=np.zeros((48, 1)), quantile_levels=(0.5,), timestamps=HOURS)
MASKS = Segmentation(masks=np.zeros((1, 9, 9), bool), scores=[1.0], boxes=[[1, 2, 3, 4]])
LOOP = Graph(edge_index=[[0, 1], [1, 0]], x=np.zeros((2, 3)))
ARROW = Graph(edge_index=[[0], [1]], x=np.zeros((2, 3)), edge_attr=np.zeros((1, 2)))
PICTURE = Image(pixels=np.zeros((2, 3, 3), np.uint8))

ADMITS: list[tuple[Any, Any, bool | None]] = [
    (Labels("a", "b"), Labels("b"), True),
    (Labels("a", "b"), Labels("b", "a"), True),
    (Labels("a"), Labels("a", "b"), False),
    (BoxFrame("xyxy"), BoxFrame("xyxy"), True),
    (BoxFrame("xyxy"), BoxFrame("xywh"), False),
    (BoxFrame("xyxy"), BoxFrame("xyxy", normalized=True), False),
    (BoxFrame("xyxy"), BoxFrame("xyxy", image="page"), True),
    (BoxFrame("xyxy", image="page"), BoxFrame("xyxy"), None),
    (BoxFrame("xyxy", image="page"), BoxFrame("xyxy", image="crop"), False),
    (BoxFrame("xyxy", image="page"), BoxFrame("xywh"), False),
    (Channels("RGB"), Channels("RGB"), True),
    (Channels("RGB"), Channels("BGR"), False),
    (Frequency("h"), Frequency("60min"), True),
    (Frequency("D"), Frequency("24H"), True),
    (Frequency("W"), Frequency("W-SUN"), True),
    (Frequency("W-MON"), Frequency("W-SUN"), False),
    (Frequency("MS"), Frequency("ME"), False),
    (Frequency("min"), Frequency("s"), False),
    (Horizon(24), Horizon(24), True),
    (Horizon(24), Horizon(48), False),
    (GraphSchema(), GraphSchema(3, 2), True),
    (GraphSchema(3), GraphSchema(), None),
    (GraphSchema(2), GraphSchema(("mass", "charge")), True),
    (GraphSchema(("mass", "charge")), GraphSchema(3), False),
    (GraphSchema(("mass", "charge")), GraphSchema(("charge", "mass")), False),
    (GraphSchema(edge_features=0), GraphSchema(3, 1), False),
    (GraphSchema(undirected=True), GraphSchema(), None),
    (GraphSchema(2, undirected=True), GraphSchema(3), False),
    (GraphSchema(), GraphSchema(undirected=True), True),
    (ScoreKind("logit"), ScoreKind("logit"), True),
    (ScoreKind("logit"), ScoreKind("probability"), False),
]

HOLDS: list[tuple[Semantic, Any, bool | None]] = [
    (Labels("a", "b"), "a", True),
    (Labels("a", "b"), "c", False),
    (Labels("a", "b"), VERDICT, True),
    (Labels("a"), VERDICT, False),
    (Labels("a"), ("a", "a"), True),
    (Labels("a"), ["a", "c"], False),
    (Labels("a"), [{}], None),
    (Labels("a"), (), None),
    (Labels("a"), None, None),
    (Labels("place"), Extraction(entities=(Entity(text="x", label="place", start=0, end=1),)), True),
    (Labels("name"), Entity(text="x", label="place", start=0, end=1), False),
    (Labels("a"), GraphScores(scores=np.zeros((1, 2)), labels=("a", "b")), False),
    (BoxFrame("xyxy"), np.array([[1, 2, 30, 40]]), None),
    (BoxFrame("xyxy"), (1, 2, 30, 40), None),
    (BoxFrame("xyxy"), np.array([[10, 20, 3, 4]]), False),
    (BoxFrame("xywh"), np.array([[10, 20, 3, 4]]), None),
    (BoxFrame("cxcywh"), np.array([[10, 20, -3, 4]]), False),
    (BoxFrame("xyxy"), np.array([[0.1, 0.2, 0.5, 0.9]]), False),
    (BoxFrame("xyxy"), np.zeros((1, 4)), None),
    (BoxFrame("xyxy"), np.zeros((0, 4)), None),
    (BoxFrame("xyxy", normalized=True), np.array([[0.1, 0.2, 0.5, 1.02]]), None),
    (BoxFrame("xyxy", normalized=True), np.array([[1, 2, 30, 40]]), False),
    (BoxFrame("xyxy"), MASKS, True),
    (BoxFrame("xywh"), MASKS, False),
    (BoxFrame("xyxy"), "1234", None),
    (BoxFrame("xyxy"), np.zeros((2, 3)), None),
    (Channels("RGB"), PICTURE, True),
    (Channels("BGR"), PICTURE, False),
    (Channels("L"), PIL.Image.new("L", (2, 2)), True),
    (Channels("RGB"), PIL.Image.new("CMYK", (2, 2)), False),
    (Channels("BGR"), np.zeros((2, 2, 3)), None),
    (Channels("BGR"), np.zeros((2, 2)), False),
    (Channels("L"), np.zeros((2, 2)), None),
    (Channels("RGBA"), np.zeros((2, 2, 3)), False),
    (Channels("RGB"), np.zeros((3, 8, 8)), None),
    (Frequency("h"), Series(values=[1.0], frequency="h"), True),
    (Frequency("D"), Series(values=[1.0], frequency="h"), False),
    (Frequency("D"), Series(values=[1.0]), None),
    (Frequency("h"), FORECAST, True),
    (Frequency("15min"), FORECAST, False),
    (Frequency("MS"), FORECAST, None),
    (Horizon(48), FORECAST, True),
    (Horizon(24), FORECAST, False),
    (Horizon(2), Series(values=[1.0, 2.0]), True),
    (Horizon(2), np.zeros((2, 9)), True),
    (Horizon(2), [FORECAST, FORECAST], None),
    (GraphSchema(3, 0), LOOP, True),
    (GraphSchema(("a", "b", "c"), undirected=True), LOOP, True),
    (GraphSchema(2), LOOP, False),
    (GraphSchema(3, 2), ARROW, True),
    (GraphSchema(undirected=True), ARROW, False),
    (GraphSchema(1), "no graph", None),
    (ScoreKind("probability"), 0.5, None),
    (ScoreKind("probability"), np.array([0.5, 1.5]), False),
    (ScoreKind("distance"), -1, False),
    (ScoreKind("similarity"), -1, None),
    (ScoreKind("probability"), VERDICT, True),
    (ScoreKind("logit"), VERDICT, False),
    (ScoreKind("probability"), Ranking(order=(0,), scores=(3.5,)), False),
    (ScoreKind("probability"), {"a": 0.5}, None),
    (ScoreKind("probability"), {"a": 1.5}, False),
    (ScoreKind("probability"), "high", None),
]

SHOWN = [
    (Labels("a", "b"), "Labels('a', 'b')"),
    (BoxFrame("xyxy"), "BoxFrame('xyxy')"),
    (BoxFrame("xywh", normalized=True, image="page"), "BoxFrame('xywh', normalized=True, image='page')"),
    (Horizon(24), "Horizon(24)"),
    (GraphSchema(3, undirected=True), "GraphSchema(node_features=3, undirected=True)"),
]

REFUSED: list[tuple[type[Semantic], tuple[Any, ...], str]] = [
    (Labels, (), "needs distinct labels"),
    (Labels, ("a", "a"), "needs distinct labels"),
    (Labels, ("",), "needs distinct labels"),
    (Labels, (["a", "b"],), "needs distinct labels"),
    (BoxFrame, ("yxyx",), "one of xyxy, xywh, cxcywh"),
    (Channels, ("GBR",), "one of L, LA, RGB"),
    (ScoreKind, ("score",), "one of probability, logit"),
]


@pytest.mark.parametrize(("taken", "given", "verdict"), ADMITS)
def test_admits(taken: Any, given: Any, verdict: bool | None) -> None:
    assert taken.admits(given) is verdict
    assert taken.admits(taken) is True


@pytest.mark.parametrize(("semantic", "value", "verdict"), HOLDS)
def test_holds(semantic: Semantic, value: Any, verdict: bool | None) -> None:
    assert semantic.holds(value) is verdict


@pytest.mark.parametrize(("semantic", "text"), SHOWN)
def test_they_read_as_they_are_written(semantic: Semantic, text: str) -> None:
    assert repr(semantic) == text
    assert eval(text) == semantic
    assert pickle.loads(pickle.dumps(semantic)) == semantic
    assert {semantic: 1}[semantic] == 1


@pytest.mark.parametrize(("kind", "arguments", "message"), REFUSED)
def test_unknown_terms_are_refused(kind: type[Semantic], arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        kind(*arguments)


def test_the_frequency_of_timestamps_is_their_median_step() -> None:
    gap = np.delete(HOURS, [5, 6])
    assert Frequency("h").seen_in(Series(values=np.zeros(46), timestamps=gap)) == Frequency("h")
    quarters = HOURS[0] + np.arange(9) * np.timedelta64(15, "m")
    assert Frequency("h").seen_in(Series(values=np.zeros(9), timestamps=quarters)) == Frequency("15min")
    instants = HOURS[0] + np.arange(9)
    assert Frequency("h").seen_in(Series(values=np.zeros(9), timestamps=instants)) is None


def test_a_request_takes_its_labels_from_labels() -> None:
    assert Classify[Annotated[str, Labels("a", "b")]](text="x").labels == ("a", "b")
    assert Classify[Annotated[str, "a note"]](text="x").labels is None


def test_a_semantic_of_ones_own() -> None:
    @dataclass(frozen=True)
    class Language(Semantic):
        code: str

        def admits(self, given: Language) -> bool | None:
            return self.code == given.code

    assert Language("de").admits(Language("en")) is False
    assert Language("de").holds("Guten Tag") is None
