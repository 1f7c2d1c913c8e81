"""Responses as people read them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import typer
from metier_contracts import (
    ActResult,
    Anomalies,
    Classification,
    Embedding,
    Extraction,
    ForecastResult,
    GeneratedImage,
    Generation,
    GenerationChunk,
    GraphScores,
    Ranking,
    Response,
    Segmentation,
    TokenRanking,
    ToolCall,
)
from numpy.typing import NDArray

from metier.cli.fields import parts
from metier.cli.output import print_table

Cells = tuple[Sequence[str], Sequence[Sequence[object]]]
_MOST_ROWS = 50
_IN_FULL = (ActResult, GeneratedImage)


def print_response(request: Any, response: Response) -> None:
    """Print a response as a table (or its text), and a line that says where it came from."""
    if isinstance(response, Generation):
        typer.echo(response.text)
        _print_calls(response.tool_calls)
    elif (cells := _TABLES.get(type(response).__name__.partition("[")[0])) is not None:
        _print_rows(*cells(request, response))
    elif type(response) in _IN_FULL:
        typer.echo(json.dumps(json.loads(response.to_json()), indent=2)[:4000])
    else:
        for part in parts(response):
            if isinstance(part, str):
                typer.echo(part)
            else:
                _print_rows(part.columns, part.rows)
    _print_provenance(response)


def _print_rows(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    print_table(columns, rows[:_MOST_ROWS])
    if len(rows) > _MOST_ROWS:
        typer.echo(f"... and {len(rows) - _MOST_ROWS} more rows; --json prints all")


def print_as_it_comes(pieces: Iterable[GenerationChunk]) -> Generation:
    """Print the pieces of a text, and the line that says where it came from; return the whole."""
    text = ""
    for piece in pieces:
        typer.echo(piece.text, nl=False)
        sys.stdout.flush()
        text += piece.text
    typer.echo()
    _print_calls(piece.tool_calls)
    whole = Generation(
        text=text,
        tool_calls=piece.tool_calls,
        finish_reason=piece.finish_reason or "stop",
        input_tokens=piece.input_tokens or 0,
        output_tokens=piece.output_tokens or 0,
        tokens_known=piece.output_tokens is not None,
        provenance=piece.provenance,
    )
    _print_provenance(whole)
    return whole


def _print_calls(calls: Iterable[ToolCall]) -> None:
    for call in calls:
        typer.echo(call.to_json())


def _print_provenance(response: Response) -> None:
    origin = response.provenance
    if origin is not None:
        dtype = f", {origin.dtype}" if origin.dtype else ""
        cost = f", ${origin.cost:.6f}" if origin.cost else ""
        tokens = _counts(response) if isinstance(response, Generation) else ""
        typer.echo(f"{origin.model} on {origin.device}{dtype}: {origin.seconds * 1000:.1f} ms{tokens}{cost}", err=True)


def _counts(response: Generation) -> str:
    cut = " and cut off there (--max-tokens)" if response.finish_reason == "length" else ""
    counts = f", {response.input_tokens} tokens read, {response.output_tokens} written" if response.tokens_known else ""
    return counts + cut


def _classification(request: Any, response: Classification) -> Cells:
    ordered = sorted(response.scores.items(), key=lambda pair: -pair[1])
    return ("label", "score"), [(label, f"{score:.3f}") for label, score in ordered]


def _embedding(request: Any, response: Embedding) -> Cells:
    rows = [
        (text[:60], vector.size, " ".join(f"{value:+.3f}" for value in vector[:6]) + " ...")
        for text, vector in zip(request.texts or (), response.vectors, strict=False)
    ]
    return ("text", "dimensions", "vector"), rows


def _ranking(request: Any, response: Ranking) -> Cells:
    rows = [
        (place, f"{score:.3f}", request.candidates[index])
        for place, (index, score) in enumerate(zip(response.order, response.scores, strict=True), start=1)
    ]
    return ("rank", "score", "candidate"), rows


def _tokens(request: Any, response: TokenRanking) -> Cells:
    return ("token", "score"), [(token.token, f"{token.score:.3f}") for token in response.tokens]


def _entities(request: Any, response: Extraction) -> Cells:
    rows = [
        (
            entity.label,
            entity.text,
            f"{entity.start}:{entity.end}",
            "" if entity.score is None else f"{entity.score:.3f}",
        )
        for entity in response.entities
    ]
    return ("type", "text", "span", "score"), rows


def _masks(request: Any, response: Segmentation) -> Cells:
    rows = [
        (index, f"{score:.3f}", " ".join(f"{side:.0f}" for side in box), int(mask.sum()))
        for index, (mask, score, box) in enumerate(zip(response.masks, response.scores, response.boxes, strict=True))
    ]
    return ("mask", "score", "box", "pixels"), rows


def _forecast(request: Any, response: ForecastResult) -> Cells:
    steps = range(1, len(response.mean) + 1) if response.timestamps is None else _dates(response.timestamps)
    rows = [
        (step, f"{mean:.4g}", *(f"{value:.4g}" for value in quantiles))
        for step, mean, quantiles in zip(steps, response.mean, response.quantiles, strict=True)
    ]
    return ("step", "mean", *(f"q{level:g}" for level in response.quantile_levels)), rows


def _dates(timestamps: NDArray[np.datetime64]) -> list[str]:
    """Return ISO 8601, as days where all times are midnights."""
    whole = (timestamps == timestamps.astype("datetime64[D]")).all()
    return [str(text) for text in np.datetime_as_string(timestamps, unit="D" if whole else "s")]


def _anomalies(request: Any, response: Anomalies) -> Cells:
    flagged = response.flags.nonzero()[0]
    rows = [(int(i), f"{request.series.values[i]:.4g}", f"{response.scores[i]:.3f}") for i in flagged]
    return ("index", "value", "score"), rows


def _graph_scores(request: Any, response: GraphScores) -> Cells:
    columns = response.labels or tuple(f"score {column}" for column in range(response.scores.shape[1]))
    names = (
        request.graph.node_ids if request.level == "node" and request.graph.node_ids else range(len(response.scores))
    )
    rows = [(name, *(f"{score:.4g}" for score in scores)) for name, scores in zip(names, response.scores, strict=True)]
    return (request.level, *columns), rows


_TABLES: dict[str, Callable[[Any, Any], Cells]] = {
    "Classification": _classification,
    "Embedding": _embedding,
    "Ranking": _ranking,
    "TokenRanking": _tokens,
    "Extraction": _entities,
    "Segmentation": _masks,
    "ForecastResult": _forecast,
    "Anomalies": _anomalies,
    "GraphScores": _graph_scores,
}
