"""The flags of each task: one function a task, which makes its request."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from metier_contracts import (
    Act,
    Budget,
    Classify,
    DetectAnomalies,
    Embed,
    EnvironmentSpec,
    Extract,
    FillMask,
    Forecast,
    Generate,
    GenerateImage,
    Graph,
    GraphScore,
    Image,
    InputError,
    Message,
    Rank,
    Request,
    Sampling,
    Segment,
    Series,
)

from metier.cli.tables import read_labelled_texts, read_rows

T = TypeVar("T")

_BRIGHT = 128

TextOption = Annotated[str | None, typer.Option("--text", "-t", help="The text; - reads it from standard input.")]
CsvOption = Annotated[Path | None, typer.Option("--csv", help="A CSV file with a header.")]
ColumnOption = Annotated[str | None, typer.Option(help="The column that holds the values; by default the last one.")]
TimeOption = Annotated[str | None, typer.Option(help="The column that holds ISO timestamps.")]
ResampleOption = Annotated[str | None, typer.Option(help="Bring the series to this step first: h, D, W, MS, ...")]


def classify(
    text: TextOption = None,
    image: Annotated[Path | None, typer.Option(help="An image file.")] = None,
    labels: Annotated[str | None, typer.Option(help="The labels to choose among: a,b,c.")] = None,
    examples: Annotated[Path | None, typer.Option(help="A CSV file with columns text and label to learn from.")] = None,
    multi_label: Annotated[bool, typer.Option("--multi-label", help="Score each label for itself.")] = False,
) -> Request[Any]:
    """Choose among labels for a text or an image."""
    return Classify(
        text=text_or_stdin(text),
        image=None if image is None else Image.from_path(image),
        labels=_listed(labels),
        examples=None if examples is None else read_labelled_texts(examples),
        multi_label=multi_label,
    )


def embed(
    text: Annotated[list[str] | None, typer.Option("--text", "-t", help="A text; repeat it for more.")] = None,
    file: Annotated[Path | None, typer.Option(help="A file with one text a line.")] = None,
) -> Request[Any]:
    """Turn texts into vectors."""
    return Embed(texts=[*(text or ()), *_lines(file)])


def rank(
    query: Annotated[str, typer.Option(help="What is sought.")] = "",
    candidate: Annotated[list[str] | None, typer.Option("--candidate", "-c", help="A candidate; repeat it.")] = None,
    file: Annotated[Path | None, typer.Option(help="A file with one candidate a line.")] = None,
) -> Request[Any]:
    """Order candidates by how well they answer a query."""
    return Rank(query=query, candidates=[*(candidate or ()), *_lines(file)])


def fill_mask(
    text: TextOption = None,
    top_k: Annotated[int, typer.Option(help="How many tokens to return.")] = 5,
) -> Request[Any]:
    """Rank the tokens that may stand at [MASK]."""
    return FillMask(text=text_or_stdin(text) or "", top_k=top_k)


def extract(
    text: TextOption = None,
    types: Annotated[str | None, typer.Option(help="The entity types wanted: PERSON,DATE; by default all.")] = None,
) -> Request[Any]:
    """Find the entities in a text."""
    return Extract(text=text_or_stdin(text) or "", entity_types=_listed(types))


def segment(
    image: Annotated[Path | None, typer.Option(help="An image file.")] = None,
    point: Annotated[list[str] | None, typer.Option(help="A point on the object: x,y in pixels; repeat it.")] = None,
    off_point: Annotated[list[str] | None, typer.Option(help="A point off the object: x,y; repeat it.")] = None,
    box: Annotated[list[str] | None, typer.Option(help="A box: left,top,right,bottom in pixels; repeat it.")] = None,
    mask: Annotated[
        Path | None, typer.Option(help="An image file of the same size: a rough mask, bright inside.")
    ] = None,
    multimask: Annotated[bool, typer.Option("--multimask", help="Return the model's three readings.")] = False,
    everything: Annotated[bool, typer.Option("--everything", help="Every object, without a prompt.")] = False,
) -> Request[Any]:
    """Mask what prompts show, or everything."""
    on, off = _numbers(point or (), "--point", 2), _numbers(off_point or (), "--off-point", 2)
    return Segment.from_mapping(
        {
            "image": Image.from_path(_given(image, "--image")),
            "points": [*on, *off] or None,
            "point_labels": [1] * len(on) + [0] * len(off) if off else None,
            "boxes": _numbers(box, "--box", 4) if box else None,
            "mask": None if mask is None else Image.from_path(mask).pixels.mean(axis=2) >= _BRIGHT,
            "multimask": multimask,
            "everything": everything,
        }
    )


def forecast(
    csv_file: CsvOption = None,
    column: ColumnOption = None,
    time_column: TimeOption = None,
    resample: ResampleOption = None,
    horizon: Annotated[int, typer.Option(help="How many steps ahead.")] = 1,
    quantiles: Annotated[str, typer.Option(help="Quantile levels in 0..1.")] = "0.1,0.5,0.9",
) -> Request[Any]:
    """Forecast a series."""
    levels = tuple(_numbers([quantiles], "--quantiles", None)[0])
    return Forecast(series=_series(csv_file, column, time_column, resample), horizon=horizon, quantiles=levels)


def detect_anomalies(
    csv_file: CsvOption = None,
    column: ColumnOption = None,
    time_column: TimeOption = None,
    resample: ResampleOption = None,
    sensitivity: Annotated[float, typer.Option(help="In 0..1; more flags more points.")] = 0.5,
) -> Request[Any]:
    """Score how far each point is out of line."""
    return DetectAnomalies(series=_series(csv_file, column, time_column, resample), sensitivity=sensitivity)


def graph_score(
    edges: Annotated[Path | None, typer.Option(help="A CSV file with columns source and target.")] = None,
    level: Annotated[str, typer.Option(help="node, edge or graph.")] = "node",
) -> Request[Any]:
    """Score the nodes, the edges or the whole of a graph."""
    return GraphScore.from_mapping({"graph": _graph(_given(edges, "--edges")), "level": level})


def generate(
    prompt: Annotated[str | None, typer.Option(help="What to answer; - reads it from standard input.")] = None,
    system: Annotated[str | None, typer.Option(help="The system message.")] = None,
    max_tokens: Annotated[int, typer.Option(help="The most tokens to write.")] = 256,
    temperature: Annotated[float, typer.Option(help="0 takes the most probable token.")] = 0.0,
    top_p: Annotated[float, typer.Option(help="Draw among the fewest tokens that have this probability.")] = 1.0,
    top_k: Annotated[int | None, typer.Option(help="Draw among so many tokens.")] = None,
    seed: Annotated[int | None, typer.Option(help="Makes a draw repeatable.")] = None,
    stop: Annotated[list[str] | None, typer.Option(help="A string that ends the text; give it once for each.")] = None,
    schema: Annotated[Path | None, typer.Option(help="A JSON Schema that the text must be valid against.")] = None,
) -> Request[Any]:
    """Answer a prompt. The text is written as it comes."""
    messages = [Message(role="user", content=_given(text_or_stdin(prompt), "--prompt"))]
    if system is not None:
        messages.insert(0, Message(role="system", content=system))
    sampling = Sampling(
        max_tokens=max_tokens, temperature=temperature, top_p=top_p, top_k=top_k, stop=tuple(stop or ()), seed=seed
    )
    bound = None if schema is None else _json(_read(schema), "--schema")
    return Generate(messages=messages, sampling=sampling, json_schema=bound)


def generate_image(
    prompt: Annotated[str, typer.Option(help="What to draw.")] = "",
    width: Annotated[int, typer.Option(help="In pixels.")] = 512,
    height: Annotated[int, typer.Option(help="In pixels.")] = 512,
    steps: Annotated[int | None, typer.Option(help="Denoising steps; by default the model's.")] = None,
    seed: Annotated[int | None, typer.Option(help="Draws the same picture again.")] = None,
) -> Request[Any]:
    """Draw a picture."""
    return GenerateImage(prompt=prompt, width=width, height=height, steps=steps, seed=seed)


def act(
    goal: Annotated[str, typer.Option(help="What to reach.")] = "",
    environment: Annotated[str, typer.Option(help="The kind of environment.")] = "",
    config: Annotated[str, typer.Option(help="The environment's settings as JSON.")] = "{}",
    max_steps: Annotated[int, typer.Option(help="The most steps to take.")] = 20,
) -> Request[Any]:
    """Reach a goal in an environment."""
    spec = EnvironmentSpec(kind=environment, config=_json(config, "--config"))
    return Act(goal=goal, environment=spec, budget=Budget(max_steps=max_steps))


COMMANDS: dict[str, Callable[..., Request[Any]]] = {
    "classify": classify,
    "embed": embed,
    "rank": rank,
    "fill-mask": fill_mask,
    "extract": extract,
    "segment": segment,
    "forecast": forecast,
    "detect-anomalies": detect_anomalies,
    "graph-score": graph_score,
    "generate": generate,
    "generate-image": generate_image,
    "act": act,
}


def text_or_stdin(value: str | None) -> str | None:
    """Return a text as it was given, or what stands on standard input for "-"."""
    return sys.stdin.read() if value == "-" else value


def _given(value: T | None, flag: str) -> T:
    if value is None:
        raise InputError(f"{flag} is missing", expected=f"{flag} ...", got="nothing", blame="the command line")
    return value


def _listed(value: str | None) -> list[str] | None:
    return None if value is None else [part.strip() for part in value.split(",")]


def _lines(file: Path | None) -> list[str]:
    return [] if file is None else [line for line in _read(file).splitlines() if line.strip()]


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the file {file} cannot be read", expected="a text file in UTF-8", got=str(error), blame="the path given"
        ) from None


def _json(text: str, flag: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{flag} is no JSON", expected="a JSON object", got=str(error), blame=flag) from None


def _numbers(values: Sequence[str], flag: str, count: int | None) -> list[list[float]]:
    rows = []
    for value in values:
        try:
            row = [float(part) for part in value.split(",")]
        except ValueError:
            row = []
        if not row or len(row) != (count or len(row)):
            wanted = f"{count} numbers" if count else "numbers"
            raise InputError(f"{flag} does not fit", expected=f"{wanted} separated by commas", got=value, blame=flag)
        rows.append(row)
    return rows


def _series(file: Path | None, column: str | None, time_column: str | None, resample: str | None) -> Series:
    rows = read_rows(_given(file, "--csv"), [name for name in (column, time_column) if name is not None])
    name = column or list(rows[0])[-1]
    try:
        values = [float(row[name]) for row in rows]
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the column {name!r} is not numeric", expected="a number in every row", got=str(error), blame="--column"
        ) from None
    series = Series.from_mapping({"values": values, "timestamps": _timestamps(rows, time_column), "name": name})
    return series if resample is None else series.resample(resample)


def _timestamps(rows: Sequence[dict[str, str]], column: str | None) -> Any:
    import numpy as np

    if column is None:
        return None
    try:
        return np.array([row[column] for row in rows], dtype="datetime64[ns]")
    except ValueError as error:
        raise InputError(
            f"the column {column!r} holds no timestamps", expected="ISO 8601", got=str(error), blame="--time-column"
        ) from None


def _graph(file: Path) -> Graph:
    rows = read_rows(file, ("source", "target"))
    numbers: dict[str, int] = {}
    pairs = [[numbers.setdefault(row[end], len(numbers)) for end in ("source", "target")] for row in rows]
    return Graph.from_mapping(
        {"edge_index": [list(ends) for ends in zip(*pairs, strict=True)], "node_ids": tuple(numbers)}
    )
