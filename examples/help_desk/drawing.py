"""Pictures of what the specialists found: outlines, forecasts, and a graph with its unusual nodes."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib.figure
import networkx as nx
import numpy as np
import PIL.Image
from desk import Outcome
from judging import most_unusual
from metier_contracts import ForecastResult, GraphScores, Segmentation
from post import Meters, Photograph, Piece, Readings

TINT = np.array([127, 64, 7], np.uint8)


def draw(pieces: Sequence[Piece], outcomes: Sequence[Outcome], folder: Path) -> list[Path]:
    """Draw every series, graph and picture into a folder, and return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    return list(_drawn(pieces, outcomes, folder))


def _drawn(pieces: Sequence[Piece], outcomes: Sequence[Outcome], folder: Path) -> Iterator[Path]:
    for piece, outcome in zip(pieces, outcomes, strict=True):
        path = folder / f"{piece.id}.png"
        match piece, outcome:
            case Readings() as readings, ForecastResult() as forecast:
                _forecast(readings, forecast, path)
            case Meters() as meters, GraphScores() as scores:
                _graph(meters, scores, path)
            case Photograph() as photograph, Segmentation() as found:
                _outlines(photograph, found, path)
            case _:
                continue
        yield path


def _outlines(photograph: Photograph, found: Segmentation, path: Path) -> None:
    pixels = photograph.given.pixels.copy()
    mask = np.asarray(found.masks.any(axis=0))
    pixels[mask] = pixels[mask] // 2 + TINT
    PIL.Image.fromarray(pixels).save(path)


def _forecast(readings: Readings, forecast: ForecastResult, path: Path) -> None:
    figure = matplotlib.figure.Figure(figsize=(8, 4), layout="constrained")
    axes = figure.add_subplot(title=readings.id)
    known = readings.given.values[-5 * len(readings.then) :]
    past, future = np.arange(-len(known), 0), np.arange(len(readings.then))
    axes.plot(past, known, color="grey", label="known")
    axes.plot(future, readings.then, color="black", label="how it went on")
    axes.plot(future, forecast.mean, color="tab:orange", label="forecast")
    low, high = forecast.quantiles[:, 0], forecast.quantiles[:, -1]
    axes.fill_between(future, low, high, color="tab:orange", alpha=0.3, label="80 % of outcomes")
    axes.legend(loc="lower left")
    figure.savefig(path)


def _graph(meters: Meters, scores: GraphScores, path: Path) -> None:
    figure = matplotlib.figure.Figure(figsize=(7, 7), layout="constrained")
    axes = figure.add_subplot(title=meters.id)
    graph: nx.Graph[int] = nx.Graph(zip(*meters.given.edge_index.tolist(), strict=True))
    places = nx.spring_layout(graph, seed=0)
    x, y = np.array([places[node] for node in range(meters.given.num_nodes)]).T
    axes.plot(x[meters.given.edge_index], y[meters.given.edge_index], color="lightgrey", linewidth=0.4, zorder=0)
    axes.scatter(x, y, s=14, color="grey")
    found, odd = most_unusual(meters, scores), sorted(meters.odd)
    axes.scatter(x[found], y[found], s=60, color="tab:orange", label="most unusual")
    axes.scatter(x[odd], y[odd], s=120, facecolors="none", edgecolors="black", label="listed in the wrong street")
    axes.legend()
    axes.set_axis_off()
    figure.savefig(path)
