"""What comes in at the desk on one day, and the truth about each piece: written, drawn from a seed, or measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from desk import HORIZONS, Post, rows
from metier_contracts import Graph, Image, Series
from numpy.typing import NDArray
from statsforecast.utils import AirPassengers

COINS = Path(__file__).parents[1] / "count_coins" / "data" / "coins.png"
STREETS, HOUSES, ODD = 8, 20, 5


@dataclass(frozen=True)
class Letter:
    """A text and its label; for a question the known answer's id, or what a written answer must say."""

    id: str
    given: str
    label: str
    answer: str = ""
    word: str = ""


@dataclass(frozen=True)
class Readings:
    """A series and how it went on, float64 [H]; `season`: the steps after which it repeats."""

    id: str
    given: Series
    then: NDArray[np.float64]
    season: int


@dataclass(frozen=True)
class Meters:
    """The meters of a town, linked where they share a cable, and those that do not belong where they are listed."""

    id: str
    given: Graph
    odd: frozenset[int]


@dataclass(frozen=True)
class Photograph:
    """A picture of round things, how many they are, and where it is drawn their pixels, bool [count, H, W]."""

    id: str
    given: Image
    count: int
    masks: NDArray[np.bool_] | None = None


Piece = Letter | Readings | Meters | Photograph


def letters() -> list[Letter]:
    """Return the texts that customers wrote, and questions to which the desk knows no answer."""
    known = [Letter(row["id"], row["text"], row["label"], answer=row["answer"]) for row in rows("stream.csv")]
    return known + [Letter(row["id"], row["text"], row["label"], word=row["word"]) for row in rows("open.csv")]


def attachments() -> list[Piece]:
    """Return the series, graphs and pictures."""
    months = pd.Series(AirPassengers, index=pd.date_range("1949-01", periods=len(AirPassengers), freq="MS"))
    return [
        _readings("passengers", months, 12),
        *(_readings(f"load-{seed}", hourly_load(seed), 24) for seed in range(2)),
        *(_readings(f"orders-{seed}", daily_orders(seed), 7) for seed in range(2)),
        *(meters(seed) for seed in range(3)),
        Photograph("coins", Image.from_path(COINS), 24),
        *(tray(seed) for seed in range(2)),
    ]


def day() -> list[Piece]:
    """Return all of it in random order, as it comes in."""
    pieces: Sequence[Piece] = [*letters(), *attachments()]
    return [pieces[i] for i in np.random.default_rng(0).permutation(len(pieces))]


def given(pieces: Sequence[Piece]) -> list[Post]:
    """Return what the desk sees of the pieces."""
    return [piece.given for piece in pieces]


def _readings(name: str, values: "pd.Series[float]", season: int) -> Readings:
    series = Series.from_pandas(values)
    horizon = HORIZONS[series.frequency or "D"]
    known = Series.from_pandas(values.iloc[:-horizon])
    return Readings(name, known, series.values[-horizon:], season)


def hourly_load(seed: int, days: int = 42) -> "pd.Series[float]":
    """Draw the load of a quarter in kW: a daily course, slow changes as by the weather, and noise."""
    rng = np.random.default_rng(seed)
    hours = np.arange(24 * days)
    course = np.sin(2 * np.pi * (hours - 8) / 24) + 0.4 * np.sin(4 * np.pi * (hours - 5) / 24)
    load = (60 + 18 * course) * np.exp(_slow(rng, len(hours), 0.98, 0.015)) + rng.normal(0, 1.5, len(hours))
    return pd.Series(load, index=pd.date_range("2026-01-05", periods=len(hours), freq="h"))


def daily_orders(seed: int, days: int = 210) -> "pd.Series[float]":
    """Draw the orders of a shop: fewer at weekends, with slow changes and noise."""
    rng = np.random.default_rng(seed)
    week = np.where(np.arange(days) % 7 < 5, 1.0, 0.6)
    orders = 200 * week * np.exp(_slow(rng, days, 0.9, 0.04)) + rng.normal(0, 6, days)
    return pd.Series(orders.round(), index=pd.date_range("2026-01-05", periods=days, freq="D"))


def _slow(rng: np.random.Generator, count: int, memory: float, size: float) -> NDArray[np.float64]:
    level = np.zeros(count)
    for at, shock in enumerate(rng.normal(0, size, count - 1), start=1):
        level[at] = memory * level[at - 1] + shock
    return level


def meters(seed: int) -> Meters:
    """Draw a town: houses of a street use electricity alike, and a few meters are listed in a street not theirs.

    A meter's features are eight figures of its daily course; it is linked with about eight others of its street.
    """
    rng = np.random.default_rng(seed)
    street = np.repeat(np.arange(STREETS), HOUSES)
    odd = rng.choice(len(street), ODD, replace=False)
    true = street.copy()
    true[odd] = (street[odd] + rng.integers(1, STREETS, ODD)) % STREETS
    course = rng.normal(size=(STREETS, 8))[true] + rng.normal(0, 0.25, (len(street), 8))
    ends = np.repeat(np.arange(len(street)), 4)
    links = np.stack([ends, street[ends] * HOUSES + rng.integers(HOUSES, size=len(ends))])
    links = links[:, links[0] != links[1]]
    both = np.unique(np.concatenate([links, links[::-1]], axis=1), axis=1)
    names = tuple(f"m{number:03}" for number in range(len(street)))
    graph = Graph(edge_index=both, num_nodes=len(street), x=course.astype(np.float32), node_ids=names)
    return Meters(f"meters-{seed}", graph, frozenset(odd.tolist()))


def tray(seed: int, height: int = 240, width: int = 320) -> Photograph:
    """Draw a tray of round blanks, seen from above: of several sizes, on cloth under uneven light."""
    rng = np.random.default_rng(seed)
    rows_, columns = np.mgrid[:height, :width]
    picture = 70 + 30 * columns / width + rng.normal(0, 6, (height, width))
    places = [(y, x) for y in range(40, height - 30, 80) for x in range(40, width - 30, 80)]
    masks = []
    for y, x in (places[i] for i in rng.permutation(len(places))[: rng.integers(7, 11)]):
        radius, dy, dx = rng.uniform(16, 30), *rng.uniform(-6, 6, 2)
        masks.append(np.hypot(rows_ - y - dy, columns - x - dx) <= radius)
        picture[masks[-1]] = rng.uniform(160, 220) + rng.normal(0, 6, masks[-1].sum())
    return Photograph(f"tray-{seed}", Image(pixels=picture.clip(0, 255).astype(np.uint8)), len(masks), np.array(masks))
