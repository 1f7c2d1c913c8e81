"""Pipelines as YAML files of names: no code is written, and none is read."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from metier_contracts import InputError

from metier.pipeline.names import FORM, checked_records, is_name, named_steps
from metier.pipeline.plain_yaml import read, write
from metier.pipeline.signature import name_of
from metier.pipeline.step import Step, parts
from metier.pipeline.structure import Role

FORMAT = "metier-pipeline"
VERSION = 1


def save(pipeline: Step[Any, Any], path: Path, records: Mapping[str, Any]) -> None:
    """Write a pipeline to a file; `metier.save_pipeline` says more."""
    text = write(document(pipeline, records))
    read(text, str(path))  # what is too deep or too large to be read again is not written
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(
            f"the pipeline cannot be written to {path}",
            expected="a file that can be written",
            got=error.strerror or str(error),
            blame="the path",
        ) from None


def document(pipeline: Step[Any, Any], records: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the file of a pipeline says.

    Raises:
        InputError: a step or a record has no name, two have the same, or a key or setting has no form in YAML.
    """
    named_steps([pipeline])
    writing = _Writing(checked_records(records))
    return {FORMAT: VERSION, "steps": [writing.step(step) for step in parts(pipeline)]}


@dataclass(frozen=True)
class _Writing:
    records: Mapping[str, Any]

    def step(self, step: Step[Any, Any]) -> Any:
        """Return what stands for a step: its name, a list of those that follow one another, or its kind and fields."""
        several = parts(step)
        if len(several) > 1:
            return [self.step(one) for one in several]
        structure = step.structure()
        kind, inner = structure.kind, next(structure.parts(), None)
        if inner is None and not is_name(step.name):
            raise _unnamed(step)
        settings = {name: value for name, value in structure.fields.items() if value is not None}
        if inner is None and not settings:
            return step.name
        name = {"name": step.name} if inner is None else {}
        return {kind.name: name | {field: self._field(step, kind.roles[field], v) for field, v in settings.items()}}

    def _field(self, step: Step[Any, Any], role: Role, value: Any) -> Any:
        if role is Role.RECORD:
            return self._record(step, value)
        if isinstance(value, Step):
            return self.step(value)
        if isinstance(value, Mapping):
            return {_plain(step, key): self.step(one) for key, one in value.items()}
        if isinstance(value, tuple):
            return [self.step(one) if isinstance(one, Step) else _plain(step, one) for one in value]
        return _plain(step, value)

    def _record(self, step: Step[Any, Any], record: Any) -> str:
        name = next((name for name, known in self.records.items() if known == record), None)
        if name is None:
            title = name_of(record)
            raise InputError(
                f"{title} has no name in files",
                expected=f"a name of the form {FORM} for what {step.name!r} makes",
                got="none",
                blame=f"the record {title}",
                hint=f"give records={{'owner/{title.lower()}@1': {title}}}",
            )
        return name


def _unnamed(step: Step[Any, Any]) -> InputError:
    kind = step.structure().kind.name
    bare = re.split(r"[./]", step.name)[-1].strip("<>") or "name"
    return InputError(
        f"step {step.name!r} has no name in files",
        expected=f"a name of the form {FORM}",
        got=repr(step.name),
        blame=f"step {step.name!r}",
        hint=f'name it where it is made: @{kind}(name="owner/{bare}@1")',
    )


def _plain(step: Step[Any, Any], value: Any) -> Any:
    """Return a key or a setting that YAML has a form for."""
    if value is None or type(value) in (str, int, bool) or (type(value) is float and math.isfinite(value)):
        return value
    raise InputError(
        f"step {step.name!r} cannot be written to a file",
        expected="keys and settings that are strings, numbers, True, False or None",
        got=f"{type(value).__name__}: {value!r:.80}",
        blame=f"step {step.name!r}",
    )
