"""The pipelines of which `rt.plan(pipeline, like=sample)` is to foretell the seconds, and the values they take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from metier import Step, cache, cascade, each, fallback, parallel, route, step, task
from metier.claims.forecasting import competition
from metier_contracts import (
    Anomalies,
    Classification,
    Classify,
    DetectAnomalies,
    Embed,
    Embedding,
    Extract,
    Extraction,
    Forecast,
    ForecastResult,
    Generate,
    Generation,
    Graph,
    GraphScore,
    GraphScores,
    Image,
    Rank,
    Ranking,
    Sampling,
    Segment,
    Segmentation,
    Series,
)
from numpy.typing import NDArray

from benchmarks.evaluate.labelled_sets import reviews

MINI_LM, SMALL_LM, SPACY = "all-MiniLM-L6-v2", "smollm2-135m-instruct", "en-core-web-sm"
FRACAST, THETA, NAIVE = "fracast-0", "theta", "seasonal-naive"
PROMPTABLE, LINKS = "promptable", "gnn/adamic-adar"
PACKAGES = Path(__file__).parents[1] / "examples/package_sections/data/packages.npz"
SEED = 20261128

Mood = Literal["negative", "neutral", "positive"]
SURE = 0.44  # three in four texts are
LONG = 140
SHORT_SERIES = 60


@dataclass(frozen=True)
class Planned:
    """A pipeline, whether a value may go several ways in it, and the values of both the sample and the trial."""

    name: str
    pipeline: Step[Any, Any]
    branches: bool
    values: Sequence[Any]


@task(model=MINI_LM)
def mood(text: str) -> Classify[Mood]:
    """Ask a sentence encoder for the mood."""
    return Classify[Mood](text=text)


@task(model=SMALL_LM)
def mood_by_words(text: str) -> Classify[Mood]:
    """Ask a language model for the mood."""
    return Classify[Mood](text=text)


@step
def label(verdict: Classification[Mood]) -> Mood:
    """Take the label."""
    return verdict.label


@step
def is_sure(verdict: Classification[Mood]) -> bool:
    """Tell whether the verdict may stand."""
    return verdict.scores[verdict.label] > SURE


@task(model=MINI_LM)
def vector(text: str) -> Embed:
    """Ask for the vector."""
    return Embed(texts=[text])


@step
def length_of(embedding: Embedding) -> float:
    """Take the length of the vector."""
    return float(np.linalg.norm(embedding.vectors))


@task(model=SMALL_LM)
def answer(text: str) -> Generate:
    """Ask a language model for an answer."""
    return Generate.of(f"Answer in a sentence: {text}", sampling=Sampling(max_tokens=24, temperature=0.0))


@step
def written(generation: Generation) -> str:
    """Take the text."""
    return generation.text


@step
def unchanged(text: str) -> str:
    """Leave the text as it is."""
    return text


@task(model=SPACY)
def names(text: str) -> Extract:
    """Ask for the names in a text."""
    return Extract(text=text)


@step
def found(extraction: Extraction) -> list[str]:
    """Take what was found."""
    return [entity.text for entity in extraction.entities]


@step
def is_long(text: str) -> bool:
    """Tell whether a text is long."""
    return len(text) > LONG


@step
def sentences(text: str) -> list[str]:
    """Split a text where sentences end."""
    return [part for part in text.replace("!", ".").split(".") if part.strip()] or [text]


@dataclass(frozen=True)
class Question:
    """A query and what may answer it."""

    query: str
    candidates: tuple[str, ...]


@task(model=MINI_LM)
def ranked(question: Question) -> Rank:
    """Ask for the order of what may answer."""
    return Rank(query=question.query, candidates=question.candidates)


@step
def best(ranking: Ranking) -> int:
    """Take the best."""
    return ranking.best


@task(model=FRACAST)
def outlook(series: Series) -> Forecast:
    """Ask a network for the next twelve steps."""
    return Forecast(series=series, horizon=12)


@task(model=THETA)
def by_theta(series: Series) -> Forecast:
    """Ask a classic method for the next twelve steps."""
    return Forecast(series=series, horizon=12)


@task(model=NAIVE)
def outliers(series: Series) -> DetectAnomalies:
    """Ask for what stands out."""
    return DetectAnomalies(series=series)


@step
def flagged(anomalies: Anomalies) -> int:
    """Count what stands out."""
    return int(anomalies.flags.sum())


@step
def is_short(series: Series) -> bool:
    """Tell whether a series is short."""
    return len(series) < SHORT_SERIES


@step
def last(forecast: ForecastResult) -> float:
    """Take the last step of the forecast."""
    return float(forecast.mean[-1])


@dataclass(frozen=True)
class Pictured:
    """A picture and a box on it, xyxy in pixels."""

    image: Image
    box: tuple[float, float, float, float]


@task(model=PROMPTABLE)
def outline(pictured: Pictured) -> Segment:
    """Ask for the mask of what is in the box."""
    return Segment(image=pictured.image, boxes=np.array([pictured.box], dtype=np.float32))


@step
def area(segmentation: Segmentation) -> int:
    """Count its pixels."""
    return int(segmentation.masks.sum())


@task(model=LINKS)
def likely_links(graph: Graph) -> GraphScore:
    """Ask how likely each link is."""
    return GraphScore(graph=graph, level="edge")


@step
def strongest(scores: GraphScores) -> int:
    """Take the most likely one."""
    return int(scores.scores[:, 0].argmax())


def pipelines(count: int) -> list[Planned]:
    """Return ten pipelines, each with so many values that no two have in common."""
    texts, series = _texts(count), _series(count)
    second_look = cascade(mood, mood_by_words, is_sure) >> label
    forecast = route(is_short).to({True: by_theta}, default=outlook) >> last
    return [
        Planned("a label", mood >> label, False, texts),
        Planned("a search", ranked >> best, False, _questions(count)),
        Planned(
            "names, and the mood of each sentence", parallel(names >> found, sentences >> each(mood)), False, texts
        ),
        Planned("a second look: cascade", second_look, True, texts),
        Planned(
            "an answer where the mood is bad: route",
            route(mood >> label).to({"negative": answer >> written}, default=unchanged),
            True,
            texts,
        ),
        Planned(
            "names in long texts, vectors of short ones: route",
            route(is_long).to({True: names >> found}, default=vector >> length_of),
            True,
            texts,
        ),
        Planned("a forecaster by length: route", forecast, True, series),
        Planned(
            "outliers, or else the length: fallback",
            fallback(outliers >> flagged, step(len, takes=Series, gives=int)),
            False,
            series,
        ),
        Planned("texts and series: route by type", route(cache(second_look), forecast), True, _mixed(texts, series)),
        Planned("an object", outline >> area, False, _pictures(count)),
        Planned("links of a graph", likely_links >> strongest, False, _graphs(count)),
    ]


def _texts(count: int) -> list[str]:
    """Return sentences of film reviews."""
    texts = [review.text for review in reviews()]
    return [texts[place] for place in np.random.default_rng(SEED).permutation(len(texts))[:count]]


def _questions(count: int) -> list[Question]:
    texts = _texts(11 * count)
    rng = np.random.default_rng(SEED)
    return [
        Question(texts[11 * at], tuple(texts[11 * at + 1 : 11 * at + 1 + rng.integers(4, 11)])) for at in range(count)
    ]


def _series(count: int) -> list[Series]:
    """Return series of the M3 competition."""
    held = competition()
    chosen = np.random.default_rng(SEED).permutation(len(held))[:count]
    return [Series(values=held[place].past) for place in chosen]


def _mixed(texts: Sequence[str], series: Sequence[Series]) -> list[str | Series]:
    return [one for pair in zip(texts[::2], series[::2], strict=True) for one in pair][: len(texts)]


def _pictures(count: int) -> list[Pictured]:
    """Return parts of photographs, of 200 to 300 pixels a side, and a box in the middle of each."""
    from skimage import data

    rng = np.random.default_rng(SEED)
    photographs: list[NDArray[np.uint8]] = [data.chelsea(), data.coffee(), data.astronaut()]
    pictured = []
    for number in range(count):
        photograph = photographs[number % len(photographs)]
        side = int(rng.integers(200, 301))
        top, left = (int(rng.integers(0, length - side + 1)) for length in photograph.shape[:2])
        part = np.ascontiguousarray(photograph[top : top + side, left : left + side])
        pictured.append(Pictured(Image(pixels=part), (side * 0.25, side * 0.25, side * 0.75, side * 0.75)))
    return pictured


def _graphs(count: int) -> list[Graph]:
    """Return parts of the graph of Debian packages: the links among some 200 to 1,200 of them."""
    with np.load(PACKAGES, allow_pickle=False) as packages:
        links, nodes = packages["links"].astype(np.int64), len(packages["names"])
    rng = np.random.default_rng(SEED)
    graphs = []
    for _ in range(count):
        kept = np.sort(rng.permutation(nodes)[: rng.integers(200, 1201)])
        place = np.full(nodes, -1)
        place[kept] = np.arange(len(kept))
        inside = place[links]
        edges = inside[:, (inside >= 0).all(axis=0)]
        graphs.append(Graph(edge_index=np.concatenate([edges, edges[::-1]], axis=1), num_nodes=len(kept)))
    return graphs
