"""`save_pipeline` and `load_pipeline`. What reads and writes YAML is imported when one of them is called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from metier.pipeline.step import Step


def save_pipeline(
    pipeline: Step[Any, Any], path: str | PathLike[str], *, records: Mapping[str, Any] | None = None
) -> None:
    """Write a pipeline to a YAML file, each step by its name; `load_pipeline` makes an equal one of it.

    Args:
        pipeline: its steps from functions are named, `@step(name="owner/name@version")`.
        path: the file; one that is there is replaced.
        records: by names of the same form, the classes or functions of `parallel(into=...)`.

    Raises:
        InputError: a step or a record has no such name, two different ones have the same, or a key of a route is no
            string, integer, boolean or None.
    """
    from metier.pipeline.saving import save

    save(pipeline, Path(path), records or {})


def load_pipeline(
    path: str | PathLike[str], *, steps: Iterable[Step[Any, Any]] = (), records: Mapping[str, Any] | None = None
) -> Step[Any, Any]:
    """Return the pipeline of a YAML file, its types checked as where it is built in Python.

    A name stands for one of `steps` or `records`, else for an installed entry point of the group `metier.steps`, and
    for nothing else: no code is read, and what the file does not name is not imported.

    Args:
        path: a file of `save_pipeline`, or one written by hand.
        steps: named steps, or pipelines that have them.
        records: what `parallel(into=...)` makes records by, by name.

    Raises:
        InputError: the file is none of a pipeline, or a name stands for nothing.
        PipelineTypeError: two of its steps do not fit together.
    """
    from metier.pipeline.loading import load

    return load(Path(path), steps, records or {})
