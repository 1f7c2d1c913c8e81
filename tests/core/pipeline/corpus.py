"""Pipelines that are wired wrong, and ones that are wired right, a row a case; `test_corpus.py` builds them all.

A row says what it is about, builds the pipeline, and names the two steps that do not fit, or a value and its result.
Rows stand by what joins the steps; a new verb brings a section of its own at the end of both lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, TypedDict, TypeVar

import numpy as np
from metier import each, fallback, parallel, route, step, task
from metier_contracts import (
    BoxFrame,
    Channels,
    Classification,
    Classify,
    Forecast,
    ForecastResult,
    Frequency,
    Graph,
    GraphSchema,
    Horizon,
    Image,
    Labels,
    Rank,
    Ranking,
    ScoreKind,
    Segment,
    Segmentation,
    Series,
)
from numpy.typing import NDArray
from pydantic import BaseModel

T = TypeVar("T")
Floats = NDArray[np.float32]
Desk = Literal["billing", "other"]
Euros = NewType("Euros", int)

Mood = Annotated[str, Labels("good", "bad")]
Grade = Annotated[str, Labels("good", "bad", "none")]
Corners = Annotated[Floats, BoxFrame("xyxy")]
Sides = Annotated[Floats, BoxFrame("xywh")]
Centres = Annotated[Floats, BoxFrame("cxcywh")]
Fractions = Annotated[Floats, BoxFrame("xyxy", normalized=True)]
OnPage = Annotated[Floats, BoxFrame("xyxy", image="page")]
OnCrop = Annotated[Floats, BoxFrame("xyxy", image="crop")]
Rgb = Annotated[NDArray[np.uint8], Channels("RGB")]
Bgr = Annotated[NDArray[np.uint8], Channels("BGR")]
Grey = Annotated[NDArray[np.uint8], Channels("L")]
Hourly = Annotated[Series, Frequency("h")]
Daily = Annotated[Series, Frequency("D")]
DayAhead = Annotated[ForecastResult, Horizon(24), Frequency("h")]
WeekAhead = Annotated[ForecastResult, Horizon(168), Frequency("h")]
Molecule = Annotated[Graph, GraphSchema(("mass", "charge"), ("order",), undirected=True)]
Swapped = Annotated[Graph, GraphSchema(("charge", "mass"), ("order",), undirected=True)]
Payments = Annotated[Graph, GraphSchema(3, 1)]
Probability = Annotated[float, ScoreKind("probability")]
Logit = Annotated[float, ScoreKind("logit")]
Similarity = Annotated[float, ScoreKind("similarity")]
Distance = Annotated[float, ScoreKind("distance")]


class Row(TypedDict):
    size: int
    boxes: NotRequired[Corners]


class SideRow(TypedDict):
    size: int
    boxes: Sides


@dataclass(frozen=True)
class Report:
    size: int
    mood: Mood = "good"


class Found(NamedTuple):
    label: str
    boxes: Corners


class Scored(BaseModel):
    text: str
    score: Probability


@dataclass(frozen=True)
class Box(Generic[T]):
    content: T


def scored(text: str, distance: Distance = 0.0) -> str:
    return f"{text} {distance}"


def made(name: str, takes: Any, gives: Any, function: Callable[[Any], Any] | None = None) -> Any:
    """Return a step of that name; the function is left out where a case is never run."""
    return step(function or (lambda value: value), takes=takes, gives=gives, name=name)


def source(name: str, gives: Any, result: Any = None) -> Any:
    """Return a step from a text that gives the result, whatever the text."""
    return made(name, str, gives, lambda _: result)


def sink(name: str, takes: Any, function: Callable[[Any], Any] = lambda value: "taken") -> Any:
    """Return a step to a text."""
    return made(name, takes, str, function)


def requests(name: str, makes: Any) -> Any:
    """Return a task that makes a request of that type from a text."""

    def build(text: str) -> Any:
        return makes(text=text)

    build.__annotations__["return"] = makes
    return task(name=name)(build)


# Steps that several rows share.
words: Any = made("words", str, list[str], str.split)
length: Any = made("length", str, int, len)
shout: Any = made("shout", str, str, str.upper)
total: Any = made("total", Sequence[int], int, sum)
mean: Any = made("mean", Sequence[float], float, lambda numbers: sum(numbers) / len(numbers))
join: Any = made("join", Iterable[str], str, "+".join)
double: Any = made("double", int, int, lambda number: 2 * number)
number: Any = made("number", str, int, int)
maybe: Any = made("maybe", str, int | None, lambda text: int(text) if text.isdigit() else None)
triage: Any = requests("triage", Classify[Desk])
open_triage: Any = requests("open_triage", Classify)
desk: Any = made("desk", str, Desk, lambda text: "billing" if "bill" in text else "other")
mood: Any = made("mood", str, Mood, lambda text: "good" if "!" in text else "bad")
grade: Any = made("grade", str, Grade, lambda text: text)
corners: Any = source("corners", Corners, np.array([[1, 0, 30, 2]], np.float32))
sides: Any = source("sides", Sides, np.array([[10, 20, 3, 4]], np.float32))
plain_boxes: Any = source("plain_boxes", Floats, np.array([[1, 0, 30, 2]], np.float32))
crop: Any = sink("crop", Corners, lambda boxes: str(boxes[0, 2:] - boxes[0, :2]))
picture: Any = source("picture", Image, Image(pixels=np.zeros((2, 40, 3), np.uint8)))
camera: Any = source("camera", Bgr, np.zeros((2, 2, 3), np.uint8))
load: Any = source("load", Hourly, Series(values=np.arange(3.0), frequency="h"))
daily: Any = source("daily", Daily, Series(values=np.arange(3.0), frequency="D"))
read: Any = source("read", Series, Series(values=np.arange(3.0), frequency="h"))
plan: Any = sink("plan", DayAhead)
molecule: Any = source("molecule", Molecule)
probability: Any = source("probability", Probability, 0.25)
logit: Any = source("logit", Logit, -2.0)
decide: Any = sink("decide", Probability, lambda score: "yes" if score > 0.2 else "no")


Miswiring = tuple[str, Callable[[], Any], str, str]

MISWIRED: list[Miswiring] = [
    # Types, each told from the other by one rule.
    ("a number where a text is taken", lambda: length >> shout, "length", "shout"),
    ("a text where a number is taken", lambda: shout >> double, "shout", "double"),
    ("a list where its members are taken", lambda: words >> length, "words", "length"),
    ("members of another type", lambda: words >> total, "words", "total"),
    ("an int is no bool", lambda: length >> sink("flag", bool), "length", "flag"),
    ("a float is no int", lambda: source("ratio", float) >> double, "ratio", "double"),
    ("an int is no NewType of it", lambda: length >> sink("pay", Euros), "length", "pay"),
    ("a value that may be None", lambda: maybe >> double, "maybe", "double"),
    ("one member of a union is not taken", lambda: source("either", int | str) >> double, "either", "double"),
    ("a superclass", lambda: source("plain", Exception) >> sink("catch", ValueError), "plain", "catch"),
    ("a set is no sequence", lambda: source("bag", set[int]) >> total, "bag", "total"),
    ("keys of another type", lambda: source("ages", dict[int, int]) >> join, "ages", "join"),
    ("values of another type", lambda: source("ages", dict[str, str]) >> sink("old", Mapping[str, int]), "ages", "old"),
    (
        "a longer tuple",
        lambda: source("triple", tuple[int, int, int]) >> sink("pair", tuple[int, int]),
        "triple",
        "pair",
    ),
    ("a tuple's second member", lambda: source("two", tuple[int, str]) >> sink("pair", tuple[int, int]), "two", "pair"),
    ("a generic class of another type", lambda: source("boxed", Box[str]) >> sink("open", Box[int]), "boxed", "open"),
    ("a row without a key", lambda: source("size", Row) >> sink("show", SideRow), "size", "show"),
    (
        "a function that takes too little",
        lambda: source("rule", Callable[[bool], str]) >> sink("call", Callable[[int], str]),
        "rule",
        "call",
    ),
    (
        "a function that gives another type",
        lambda: source("rule", Callable[[int], int]) >> sink("call", Callable[[int], str]),
        "rule",
        "call",
    ),
    (
        "a response of another task",
        lambda: requests("rank", Rank) >> sink("read_label", Classification),
        "rank",
        "read_label",
    ),
    # Labels in a Literal.
    ("any text where a Literal is taken", lambda: shout >> sink("file", Desk), "shout", "file"),
    (
        "a Literal with a label more",
        lambda: source("sort", Literal["billing", "other", "sales"]) >> sink("file", Desk),
        "sort",
        "file",
    ),
    (
        "any label where those of a Literal are taken",
        lambda: open_triage >> sink("file", Classification[Desk]),
        "open_triage",
        "file",
    ),
    (
        "labels of another Literal",
        lambda: triage >> sink("file", Classification[Literal["good", "bad"]]),
        "triage",
        "file",
    ),
    (
        "a list of labels",
        lambda: source("many", list[Literal["a", "b"]]) >> sink("few", Sequence[Literal["a"]]),
        "many",
        "few",
    ),
    # Labels.
    ("a label more", lambda: grade >> sink("answer", Mood), "grade", "answer"),
    ("other labels", lambda: mood >> sink("colour", Annotated[str, Labels("red", "blue")]), "mood", "colour"),
    (
        "a Literal with a label that is not among them",
        lambda: desk >> sink("colour", Annotated[str, Labels("billing")]),
        "desk",
        "colour",
    ),
    (
        "labels of a Classification",
        lambda: requests("rate", Classify[Grade]) >> sink("answer", Classification[Mood]),
        "rate",
        "answer",
    ),
    (
        "labels of a Classification, by a Literal",
        lambda: triage >> sink("answer", Classification[Mood]),
        "triage",
        "answer",
    ),
    ("labels in a list", lambda: source("moods", list[Grade]) >> sink("answers", Sequence[Mood]), "moods", "answers"),
    (
        "labels in the values of a dict",
        lambda: source("moods", dict[str, Grade]) >> sink("answers", Mapping[str, Mood]),
        "moods",
        "answers",
    ),
    (
        "labels in the keys of a dict",
        lambda: source("votes", dict[Grade, int]) >> sink("count", Iterable[Mood]),
        "votes",
        "count",
    ),
    (
        "labels of a text that may be None",
        lambda: source("perhaps", Grade | None) >> sink("answer", Mood | None),
        "perhaps",
        "answer",
    ),
    # Boxes.
    ("sides where corners are taken", lambda: sides >> crop, "sides", "crop"),
    ("centres where sides are taken", lambda: source("centres", Centres) >> sink("place", Sides), "centres", "place"),
    ("fractions where pixels are taken", lambda: source("fractions", Fractions) >> crop, "fractions", "crop"),
    ("boxes of the crop on the page", lambda: source("on_crop", OnCrop) >> sink("mark", OnPage), "on_crop", "mark"),
    (
        "the boxes of a Segmentation are corners",
        lambda: requests("segment", Segment) >> sink("place", Annotated[Segmentation, BoxFrame("xywh")]),
        "segment",
        "place",
    ),
    (
        "boxes in the second place of a tuple",
        lambda: source("detect", tuple[int, Sides]) >> sink("draw", tuple[int, Corners]),
        "detect",
        "draw",
    ),
    ("boxes in a row", lambda: source("rows", SideRow) >> sink("draw", Row), "rows", "draw"),
    ("boxes in a NamedTuple", lambda: source("detect", Found) >> sink("draw", tuple[str, Sides]), "detect", "draw"),
    ("boxes in a generic class", lambda: source("boxed", Box[Sides]) >> sink("open", Box[Corners]), "boxed", "open"),
    # Channels.
    ("BGR where RGB is taken", lambda: camera >> sink("show", Rgb), "camera", "show"),
    ("RGB where grey is taken", lambda: source("photo", Rgb) >> sink("scan", Grey), "photo", "scan"),
    ("an Image is RGB", lambda: picture >> sink("show", Annotated[Image, Channels("BGR")]), "picture", "show"),
    (
        "an Image said to be BGR",
        lambda: source("frame", Annotated[Image, Channels("BGR")]) >> sink("show", Image),
        "frame",
        "show",
    ),
    ("pictures in a list", lambda: source("film", list[Bgr]) >> each(sink("show", Rgb)), "film", "each(show)"),
    # Frequency and horizon.
    ("hours where days are taken", lambda: load >> sink("trend", Daily), "load", "trend"),
    (
        "a quarter of an hour where an hour is taken",
        lambda: source("meter", Annotated[Series, Frequency("15min")]) >> sink("sum_up", Hourly),
        "meter",
        "sum_up",
    ),
    (
        "weeks that begin on another day",
        lambda: (
            source("sales", Annotated[Series, Frequency("W-SUN")])
            >> sink("compare", Annotated[Series, Frequency("W-MON")])
        ),
        "sales",
        "compare",
    ),
    ("a week ahead where a day is taken", lambda: source("week", WeekAhead) >> plan, "week", "plan"),
    (
        "the horizon of a task's response",
        lambda: requests("forecast", Annotated[Forecast, Horizon(48)]) >> plan,
        "forecast",
        "plan",
    ),
    (
        "right horizon, wrong frequency",
        lambda: source("days", Annotated[ForecastResult, Horizon(24), Frequency("D")]) >> plan,
        "days",
        "plan",
    ),
    # Graphs.
    ("columns in another order", lambda: molecule >> sink("fold", Swapped), "molecule", "fold"),
    ("another number of columns", lambda: molecule >> sink("trace", Payments), "molecule", "trace"),
    (
        "no edge features",
        lambda: (
            source("bare", Annotated[Graph, GraphSchema(2, 0)]) >> sink("trace", Annotated[Graph, GraphSchema(2, 1)])
        ),
        "bare",
        "trace",
    ),
    # Scores.
    ("a logit where a probability is taken", lambda: logit >> decide, "logit", "decide"),
    (
        "a distance where a similarity is taken",
        lambda: source("metres", Distance) >> sink("nearest", Similarity),
        "metres",
        "nearest",
    ),
    (
        "the scores of a Classification are probabilities",
        lambda: open_triage >> sink("soften", Annotated[Classification, ScoreKind("logit")]),
        "open_triage",
        "soften",
    ),
    (
        "the scores of a ranking",
        lambda: (
            requests("order", Annotated[Rank, ScoreKind("logit")])
            >> sink("cut", Annotated[Ranking, ScoreKind("similarity")])
        ),
        "order",
        "cut",
    ),
    (
        "a function that takes another score",
        lambda: source("rule", Callable[[Probability], bool]) >> sink("filter", Callable[[Logit], bool]),
        "rule",
        "filter",
    ),
    (
        "one member of a union has the wrong score",
        lambda: (
            source("either", Probability | Annotated[str, Labels("a")])
            >> sink("use", Logit | Annotated[str, Labels("a")])
        ),
        "either",
        "use",
    ),
    # Chains: the wrong edge stands inside.
    ("the middle of four", lambda: shout >> length >> words >> join, "length", "words"),
    ("a pipeline after a pipeline", lambda: (shout >> sides) >> (crop >> shout), "sides", "crop"),
    ("the last of three", lambda: shout >> load >> sink("trend", Daily), "load", "trend"),
    # each
    ("each on what is no sequence", lambda: length >> each(double), "length", "each(double)"),
    ("each on members of another type", lambda: words >> each(double), "words", "each(double)"),
    ("what each gives is a list", lambda: words >> each(length) >> double, "each(length)", "double"),
    (
        "each of a chain gives the last one's scores",
        lambda: words >> each(shout >> logit) >> sink("vote", list[Probability]),
        "each(shout >> logit)",
        "vote",
    ),
    # parallel
    ("arms that cannot take the same value", lambda: parallel(length, double), "length", "double"),
    ("arms that take other frequencies", lambda: parallel(sink("hours", Hourly), sink("days", Daily)), "hours", "days"),
    (
        "a value that one arm does not take",
        lambda: length >> parallel(double, made("rich", Any, str), sink("poor", Euros)),
        "length",
        "poor",
    ),
    (
        "a tuple in another order",
        lambda: parallel(length, words) >> sink("line", tuple[list[str], int]),
        "parallel(length, words)",
        "line",
    ),
    (
        "an arm's boxes, in the tuple",
        lambda: parallel(length, sides) >> sink("draw", tuple[int, Corners]),
        "parallel(length, sides)",
        "draw",
    ),
    ("a field of another type", lambda: parallel(into=Report, size=words), "words", "size"),
    ("a field that is not there", lambda: parallel(into=Report, size=length, tone=mood), "mood", "tone"),
    ("a field's labels", lambda: parallel(into=Report, size=length, mood=grade), "grade", "mood"),
    (
        "the boxes of a request are corners",
        lambda: parallel(into=Segment, image=picture, boxes=sides),
        "sides",
        "boxes",
    ),
    ("the score in a model", lambda: parallel(into=Scored, text=shout, score=logit), "logit", "score"),
    ("a key of a row", lambda: parallel(into=Row, size=length, boxes=sides), "sides", "boxes"),
    (
        "a keyword of a function",
        lambda: parallel(into=scored, text=shout, distance=probability),
        "probability",
        "distance",
    ),
    (
        "what into makes",
        lambda: parallel(into=Report, size=length) >> sink("open", Box[Any]),
        "parallel(length)",
        "open",
    ),
    # route
    (
        "a key that is no label of the Literal",
        lambda: route(desk).to({"biling": shout}, default=shout),
        "desk",
        "shout",
    ),
    (
        "a key that is none of the labels",
        lambda: route(mood).to({"good": shout, "awful": words}, default=shout),
        "mood",
        "words",
    ),
    ("a label of the Literal without an arm", lambda: route(desk).to({"billing": shout}), "desk", "shout"),
    ("a label without an arm", lambda: route(mood).to({"good": shout}), "mood", "shout"),
    ("a key of another type", lambda: route(length).to({"1": shout}, default=words), "length", "shout"),
    ("an arm that takes another type", lambda: route(desk).to({"billing": double}, default=shout), "desk", "double"),
    (
        "an arm that takes another frequency than the key",
        lambda: route(sink("season", Hourly)).to({"winter": sink("heat", Daily)}, default=sink("cool", Series)),
        "season",
        "heat",
    ),
    (
        "one arm gives what the next does not take",
        lambda: route(desk).to({"billing": length}, default=words) >> double,
        "words",
        "double",
    ),
    (
        "one arm gives another score",
        lambda: route(desk).to({"billing": probability}, default=logit) >> decide,
        "logit",
        "decide",
    ),
    (
        "an arm of which no value is told by its semantics",
        lambda: route(sink("hours", Hourly), sink("days", Daily)),
        "hours",
        "days",
    ),
    ("an arm after a wider one", lambda: route(sink("any_number", int | float), double), "any_number", "double"),
    ("a value that no arm takes", lambda: words >> route(shout, double), "words", "route(shout, double)"),
    # fallback
    ("a second step that takes another type", lambda: fallback(length, double), "length", "double"),
    ("a second step that gives another type", lambda: fallback(number, words) >> double, "words", "double"),
    ("a second step that gives other boxes", lambda: fallback(corners, sides) >> crop, "sides", "crop"),
    (
        "a second step that takes other labels",
        lambda: grade >> fallback(shout, sink("answer", Mood)),
        "grade",
        "answer",
    ),
]

Wiring = tuple[str, Callable[[], Any], Any, Any]

WIRED: list[Wiring] = [
    # Types.
    ("the same type", lambda: words >> join, "a b", "a+b"),
    ("a list is a sequence", lambda: words >> each(length) >> total, "a bc", 3),
    ("an int is a float", lambda: words >> each(length) >> mean, "a bcd", 2.0),
    ("a bool is an int", lambda: source("flag", bool, True) >> double, "", 2),
    ("a NewType is what it is made of", lambda: made("pay", str, Euros, int) >> double, "4", 8),
    ("a member of a union", lambda: length >> sink("either", int | str, str), "abc", "3"),
    ("a union in another order", lambda: maybe >> sink("either", None | int | str, str), "a", "None"),
    (
        "a subclass",
        lambda: source("error", KeyError, KeyError("k")) >> sink("report", LookupError, repr),
        "",
        "KeyError('k')",
    ),
    ("anything", lambda: words >> sink("show", object, str), "a b", "['a', 'b']"),
    ("from Any", lambda: source("load_it", Any, 3) >> double, "", 6),
    ("a tuple of equal members is a sequence", lambda: source("pair", tuple[int, int], (1, 2)) >> total, "", 3),
    ("a dict is an iterable of its keys", lambda: source("ages", dict[str, int], {"a": 1, "b": 2}) >> join, "", "a+b"),
    (
        "a dict is a mapping",
        lambda: (
            source("ages", dict[str, bool], {"a": True}) >> sink("old", Mapping[str, int], lambda ages: str(ages["a"]))
        ),
        "",
        "True",
    ),
    (
        "a generic class of a narrower type",
        lambda: source("boxed", Box[bool], Box(True)) >> made("open", Box[int], int, lambda box: box.content),
        "",
        True,
    ),
    (
        "a row with more keys",
        lambda: (
            source("row", SideRow, {"size": 1, "boxes": np.zeros((0, 4))})
            >> sink("show", TypedDict("Sized", {"size": int}), lambda row: str(row["size"]))
        ),
        "",
        "1",
    ),
    (
        "a function that takes more",
        lambda: (
            source("rule", Callable[[int], str], str) >> sink("call", Callable[[bool], str], lambda rule: rule(True))
        ),
        "",
        "True",
    ),
    (
        "a function that gives a narrower type",
        lambda: (
            source("rule", Callable[[int], bool], bool) >> sink("call", Callable[[int], int], lambda rule: str(rule(2)))
        ),
        "",
        "True",
    ),
    # Labels in a Literal.
    ("a Literal of texts is a text", lambda: desk >> shout, "a bill", "BILLING"),
    (
        "some of the labels of a Literal",
        lambda: desk >> sink("file", Literal["billing", "other", "sales"], str),
        "x",
        "other",
    ),
    (
        "the labels of a task",
        lambda: triage >> made("label", Classification[Desk], Desk, lambda verdict: verdict.label),
        "a long text",
        "other",
    ),
    (
        "the labels of a task, as any labels",
        lambda: triage >> sink("label", Classification, lambda verdict: verdict.label),
        "short",
        "billing",
    ),
    # Labels.
    ("the same labels", lambda: mood >> sink("answer", Mood, str), "ok!", "good"),
    ("some of the labels", lambda: mood >> sink("answer", Grade, str), "ok", "bad"),
    (
        "labels in another order",
        lambda: mood >> sink("answer", Annotated[str, Labels("bad", "good")], str),
        "ok",
        "bad",
    ),
    (
        "a Literal of some labels",
        lambda: source("praise", Literal["good"], "good") >> sink("answer", Mood, str),
        "",
        "good",
    ),
    ("labels where any text is taken", lambda: mood >> shout, "ok!", "GOOD"),
    (
        "any text where labels are taken",
        lambda: shout >> sink("answer", Annotated[str, Labels("OK", "NO")], str),
        "ok",
        "OK",
    ),
    (
        "labels of a Classification",
        lambda: (
            requests("rate", Classify[Mood]) >> sink("answer", Classification[Grade], lambda verdict: verdict.label)
        ),
        "a long text",
        "bad",
    ),
    (
        "labels of a Classification, by a Literal",
        lambda: (
            triage
            >> sink("answer", Classification[Annotated[str, Labels("billing", "other")]], lambda verdict: verdict.label)
        ),
        "short",
        "billing",
    ),
    (
        "labels in a list",
        lambda: made("moods", str, list[Mood], str.split) >> sink("answers", Sequence[Grade], "+".join),
        "good bad",
        "good+bad",
    ),
    (
        "labels in a dict",
        lambda: source("votes", dict[Mood, int], {"good": 2}) >> sink("count", Mapping[Grade, int], str),
        "",
        "{'good': 2}",
    ),
    (
        "labels of a text that may be None",
        lambda: source("perhaps", Mood | None) >> sink("answer", Grade | None, str),
        "",
        "None",
    ),
    # Boxes.
    ("the same frame", lambda: corners >> crop, "", "[29.  2.]"),
    (
        "a step between that turns one frame into the other",
        lambda: (
            sides
            >> made("turn", Sides, Corners, lambda boxes: np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]))
            >> crop
        ),
        "",
        "[3. 4.]",
    ),
    (
        "an image named where none is asked for",
        lambda: source("on_page", OnPage, np.array([[0, 0, 5, 6]])) >> crop,
        "",
        "[5 6]",
    ),
    ("boxes of which nothing is said", lambda: plain_boxes >> crop, "", "[29.  2.]"),
    (
        "the boxes of a Segmentation",
        lambda: (
            source(
                "segment", Segmentation, Segmentation(masks=np.zeros((1, 2, 2), bool), scores=[1], boxes=[[0, 0, 2, 2]])
            )
            >> sink("count", Annotated[Segmentation, BoxFrame("xyxy")], lambda found: str(len(found.boxes)))
        ),
        "",
        "1",
    ),
    (
        "boxes in a tuple",
        lambda: (
            source("detect", tuple[int, Corners], (1, np.array([[0, 0, 5, 6]])))
            >> sink("draw", tuple[int, Floats], lambda found: str(found[0]))
        ),
        "",
        "1",
    ),
    (
        "boxes in a row",
        lambda: source("rows", Row, {"size": 2}) >> sink("draw", Row, lambda row: str(row["size"])),
        "",
        "2",
    ),
    # Channels.
    (
        "the same channels",
        lambda: (
            camera
            >> made("turn", Bgr, Rgb, lambda pixels: pixels[..., ::-1])
            >> made("image", Rgb, Image, Image.of)
            >> sink("size", Image, lambda image: str(image.height))
        ),
        "",
        "2",
    ),
    (
        "an Image is RGB",
        lambda: picture >> sink("show", Annotated[Image, Channels("RGB")], lambda image: str(image.width)),
        "",
        "40",
    ),
    (
        "pictures in a list",
        lambda: (
            source("film", list[Bgr], [np.zeros((1, 4, 3))])
            >> each(sink("show", Bgr, lambda pixels: str(pixels.shape[1])))
        ),
        "",
        ["4"],
    ),
    # Frequency and horizon.
    ("the same frequency", lambda: load >> sink("trend", Hourly, lambda series: str(len(series))), "", "3"),
    (
        "the same frequency by another name",
        lambda: (
            source("meter", Annotated[Series, Frequency("60min")], Series(values=[1.0, 2.0], frequency="60min"))
            >> sink("trend", Hourly, lambda series: str(len(series)))
        ),
        "",
        "2",
    ),
    (
        "a series that says nothing until it comes",
        lambda: read >> sink("trend", Hourly, lambda series: str(len(series))),
        "",
        "3",
    ),
    (
        "a series of which nothing is asked",
        lambda: daily >> sink("count", Series, lambda series: series.frequency),
        "",
        "D",
    ),
    (
        "one of two semantics",
        lambda: (
            source(
                "day", DayAhead, ForecastResult(mean=np.zeros(24), quantiles=np.zeros((24, 1)), quantile_levels=(0.5,))
            )
            >> sink("sum", Annotated[ForecastResult, Horizon(24)], lambda result: str(len(result.mean)))
        ),
        "",
        "24",
    ),
    # Graphs.
    (
        "columns by number where they are named",
        lambda: (
            source(
                "molecule", Molecule, Graph(edge_index=[[0, 1], [1, 0]], x=np.zeros((2, 2)), edge_attr=np.zeros((2, 1)))
            )
            >> sink("fold", Annotated[Graph, GraphSchema(2)], lambda graph: str(graph.num_edges))
        ),
        "",
        "2",
    ),
    (
        "edges in both directions where that is not asked",
        lambda: (
            source("ring", Annotated[Graph, GraphSchema(0, undirected=True)], Graph(edge_index=[[0], [0]], num_nodes=1))
            >> sink("walk", Annotated[Graph, GraphSchema(0)], lambda graph: str(graph.num_nodes))
        ),
        "",
        "1",
    ),
    # Scores.
    ("the same scale", lambda: probability >> decide, "", "yes"),
    (
        "a step between that turns one scale into the other",
        lambda: logit >> made("sigmoid", Logit, Probability, lambda score: 1 / (1 + np.exp(-score))) >> decide,
        "",
        "no",
    ),
    ("a score of which nothing is said", lambda: source("guess", float, 0.1) >> decide, "", "no"),
    (
        "the scores of a Classification",
        lambda: (
            triage
            >> sink(
                "sure",
                Annotated[Classification, ScoreKind("probability")],
                lambda verdict: str(max(verdict.scores.values())),
            )
        ),
        "x",
        "1.0",
    ),
    (
        "a function of the score that it will get",
        lambda: (
            source("rule", Callable[[Probability], bool], bool)
            >> sink("filter", Callable[[Probability], bool], lambda rule: str(rule(1.0)))
        ),
        "",
        "True",
    ),
    # each
    ("each member", lambda: words >> each(length), "a bc", [1, 2]),
    ("each of a chain", lambda: words >> each(shout >> length) >> total, "a bc", 3),
    ("each in each", lambda: source("rows", list[list[int]], [[1], [2, 3]]) >> each(each(double)), "", [[2], [4, 6]]),
    ("each gives labels", lambda: words >> each(mood) >> sink("answers", list[Grade], "+".join), "a! b", "good+bad"),
    # parallel
    ("arms that take a wide and a narrow type", lambda: parallel(length, sink("show", object, repr)), "a", (1, "'a'")),
    (
        "arms of which one declares more",
        lambda: (
            load
            >> parallel(
                sink("count", Series, lambda series: str(len(series))),
                sink("trend", Hourly, lambda series: series.frequency),
            )
        ),
        "",
        ("3", "h"),
    ),
    (
        "a tuple to a tuple",
        lambda: parallel(length, corners) >> sink("draw", tuple[int, Corners], lambda found: str(found[0])),
        "abc",
        "3",
    ),
    ("into a dataclass", lambda: parallel(into=Report, size=length, mood=mood), "ok!", Report(3, "good")),
    ("into a dataclass, a default left out", lambda: parallel(into=Report, size=length), "ok!", Report(3)),
    ("into a model", lambda: parallel(into=Scored, text=shout, score=probability), "a", Scored(text="A", score=0.25)),
    ("into a row", lambda: parallel(into=Row, size=length), "abc", {"size": 3}),
    (
        "into a request",
        lambda: (
            parallel(into=Segment, image=picture, boxes=corners)
            >> sink("count", Segment, lambda request: str(len(request.boxes)))
        ),
        "",
        "1",
    ),
    (
        "into a function's keywords",
        lambda: parallel(into=scored, text=shout, distance=source("metres", float, 2.0)),
        "a",
        "A 2.0",
    ),
    # route
    (
        "an arm for each label of the Literal",
        lambda: route(desk).to({"billing": shout, "other": words >> join}),
        "a bill",
        "A BILL",
    ),
    ("a default for the rest", lambda: route(desk).to({"billing": shout}, default=words >> join), "a b", "a+b"),
    ("an arm for each label", lambda: route(mood).to({"good": length, "bad": number}), "7", 7),
    ("a key that is a number", lambda: route(length).to({1: shout}, default=length), "a", "A"),
    (
        "arms that take other frequencies",
        lambda: (
            read
            >> route(made("step_of", Series, str, lambda series: series.frequency)).to(
                {"h": sink("hours", Hourly), "D": sink("days", Daily)}, default=sink("rest", Series)
            )
        ),
        "",
        "taken",
    ),
    (
        "arms that give one score",
        lambda: route(desk).to({"billing": probability}, default=source("half", Probability, 0.5)) >> decide,
        "",
        "yes",
    ),
    ("by type", lambda: number >> route(shout, double), "4", 8),
    ("by type, the arms' semantics beside", lambda: route(sink("trend", Hourly), shout), "a", "A"),
    # fallback
    ("a second step of the same types", lambda: fallback(number, length), "abc", 3),
    ("a second step that takes more", lambda: fallback(number, made("size", object, int, lambda _: 0)), "abc", 0),
    ("a second step that gives the same boxes", lambda: fallback(plain_boxes, corners) >> crop, "", "[29.  2.]"),
]
