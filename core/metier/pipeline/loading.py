"""Pipelines from YAML files of names, built and checked by what builds them in Python."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import rshift
from pathlib import Path
from typing import Any

from metier_contracts import InputError, PipelineTypeError

from metier.pipeline.caching import CACHE
from metier.pipeline.cascade import CASCADE
from metier.pipeline.combine import EACH, FALLBACK, PARALLEL
from metier.pipeline.lift import TaskStep
from metier.pipeline.names import FORM, Names, checked_records, named_steps
from metier.pipeline.plain_yaml import LONGEST, Place, Value, read, wrong
from metier.pipeline.privacy import PRIVATE
from metier.pipeline.retry import RETRY
from metier.pipeline.routing import ROUTE
from metier.pipeline.saving import FORMAT, VERSION
from metier.pipeline.step import Step
from metier.pipeline.structure import Kind, Role

KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (PARALLEL, EACH, FALLBACK, ROUTE, CASCADE, RETRY, CACHE, PRIVATE)
}


def load(path: Path, steps: Iterable[Step[Any, Any]], records: Mapping[str, Any]) -> Step[Any, Any]:
    """Return the pipeline of a file; `metier.load_pipeline` says more."""
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(LONGEST + 1)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"the pipeline {path} cannot be read", expected="a YAML file in UTF-8", got=str(error), blame="the path"
        ) from None
    reading = _Reading(Names(named_steps(steps), checked_records(records)))
    return reading.pipeline(read(text, str(path)))


@dataclass(frozen=True)
class _Reading:
    names: Names

    def pipeline(self, value: Value) -> Step[Any, Any]:
        """Return the pipeline of a whole document."""
        if not isinstance(value.content, dict) or FORMAT not in value.content:
            raise wrong(
                value.place,
                "this is no file of a pipeline",
                expected=f"{FORMAT}: {VERSION}, and steps",
                got=value.shown,
            )
        version = value.content[FORMAT]
        if version.content is True or version.content != VERSION:
            hint = "a newer metier may read it: pip install --upgrade metier"
            raise wrong(
                version.place, "a format of another version", expected=str(VERSION), got=version.shown, hint=hint
            )
        fields = _known(value, "the file", {FORMAT, "steps"}, {"steps"})
        return self._list(fields["steps"])

    def _step(self, value: Value) -> Step[Any, Any]:
        if isinstance(value.content, list):
            return self._list(value)
        if not isinstance(value.content, dict):
            return self.names.step(value.content, value.place)
        if len(value.content) != 1:
            raise wrong(value.place, "a step has one kind", expected=_STEP, got=value.shown)
        ((name, body),) = value.content.items()
        if name == "task":
            return self._task(body)
        if name not in KINDS:
            raise wrong(body.place, f"there is no kind of step {name!r}", expected=_STEP, got=repr(name))
        return self._built(KINDS[name], body)

    def _list(self, value: Value) -> Step[Any, Any]:
        if not isinstance(value.content, list) or not value.content:
            raise wrong(value.place, "a list of steps is wanted", expected="one step or more", got=value.shown)
        pipeline, *others = [self._step(one) for one in value.content]
        for one, step in zip(value.content[1:], others, strict=True):
            pipeline = _located(one.place, rshift, pipeline, step)
        return pipeline

    def _task(self, value: Value) -> Step[Any, Any]:
        """Return a task with the model that the file names in place of its own."""
        fields = _known(value, "a task", {"name", "model"}, {"name", "model"})
        step = self.names.step(fields["name"].content, fields["name"].place)
        model = fields["model"]
        if not isinstance(model.content, str):
            raise wrong(model.place, "a model is named by its id", expected="a string", got=model.shown)
        if not isinstance(step, TaskStep):
            raise wrong(
                value.place, f"step {step.name!r} uses no model", expected="a step of @task", got="one of @step"
            )
        return step.using(model.content)

    def _built(self, kind: Kind, value: Value) -> Step[Any, Any]:
        build: Any = kind.build
        parameters = inspect.signature(build).parameters.values()
        needed = {one.name for one in parameters if one.default is one.empty}
        fields = _known(value, kind.name, {*kind.roles}, needed)
        given = {name: self._field(kind.roles[name], one) for name, one in fields.items()}
        return _located(value.place, build, **given)

    def _field(self, role: Role, value: Value) -> Any:
        if role is Role.RECORD:
            return self.names.record(value.content, value.place)
        if role is Role.SETTING:
            return _setting(value)
        if role not in (Role.ALL, Role.CASE, Role.ELSE):
            return self._step(value)
        if isinstance(value.content, list):
            return tuple(self._step(one) for one in value.content)
        if isinstance(value.content, dict) and role is not Role.ELSE:
            return {key: self._step(one) for key, one in value.content.items()}
        raise wrong(value.place, "several steps are wanted", expected="a list of steps", got=value.shown)


_STEP = f"a name of the form {FORM}, a list of steps, or one of task, {', '.join(KINDS)} with its fields"


def _known(value: Value, what: str, known: set[str], needed: set[str]) -> dict[str, Value]:
    """Return the fields of a mapping; raise `InputError` where one is unknown or missing."""
    expected = f"a mapping of {', '.join(sorted(known))}"
    if not isinstance(value.content, dict) or not needed <= value.content.keys():
        raise wrong(
            value.place, f"{what} lacks what it needs: {', '.join(sorted(needed))}", expected=expected, got=value.shown
        )
    for name, one in value.content.items():
        if name not in known:
            raise wrong(one.place, f"{what} has no {name!r}", expected=expected, got=repr(name))
    return value.content


def _setting(value: Value) -> Any:
    if isinstance(value.content, dict):
        raise wrong(value.place, "a setting is wanted", expected="one value, or a list of values", got=value.shown)
    return tuple(_setting(one) for one in value.content) if isinstance(value.content, list) else value.content


def _located(place: Place, build: Callable[..., Step[Any, Any]], *steps: Any, **fields: Any) -> Step[Any, Any]:
    """Build a step; what does not fit is raised with its place in the file."""
    try:
        return build(*steps, **fields)
    except (PipelineTypeError, InputError) as error:
        error.blame = ": ".join(filter(None, [str(place), error.blame]))
        raise
