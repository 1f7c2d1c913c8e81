"""Names of steps and records in files, `owner/name@version`, and what bears them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions
from typing import Any

from metier_contracts import InputError

from metier.pipeline.lift import TaskStep
from metier.pipeline.plain_yaml import Place, wrong
from metier.pipeline.step import Step
from metier.pipeline.structure import leaves

FORM = "owner/name@version"
ENTRY_POINT_GROUP = "metier.steps"
_WORD = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
_NAME = re.compile(rf"{_WORD}/{_WORD}@{_WORD}")


def is_name(text: object) -> bool:
    """Tell whether a text has the form of a name in files."""
    return isinstance(text, str) and _NAME.fullmatch(text) is not None


def named_steps(steps: Iterable[Step[Any, Any]]) -> dict[str, Step[Any, Any]]:
    """Return the steps by name, those within pipelines too; one without such a name is left out.

    Raises:
        InputError: something is no step, or two different steps have one name.
    """
    found: dict[str, Step[Any, Any]] = {}
    for step in steps:
        if not isinstance(step, Step):
            raise InputError(
                "that is no step",
                expected="a Step, or a pipeline with named steps in it",
                got=f"{type(step).__name__}: {step!r:.80}",
                blame="steps=...",
                hint="a record stands in records={'owner/name@version': Record}",
            )
        for leaf in leaves(step):
            known = found.get(leaf.name)
            if known is not None and _bare(known) != _bare(leaf):
                raise InputError(
                    f"two steps have the name {leaf.name!r}",
                    expected="a name for each",
                    got="the same for both",
                    blame=f"the steps named {leaf.name!r}",
                    hint="give one of them another name, or another version",
                )
            if is_name(leaf.name) and (known is None or leaf == _bare(leaf)):
                found[leaf.name] = leaf
    return found


def _bare(step: Step[Any, Any]) -> Step[Any, Any]:
    """Return a task without a model: a file says itself which model a task uses, if any."""
    return step.using(None) if isinstance(step, TaskStep) else step


def checked_records(records: Mapping[str, Any]) -> dict[str, Any]:
    """Return the records; raise `InputError` where a name has not the form."""
    stranger = next((name for name in records if not is_name(name)), None)
    if stranger is not None:
        raise InputError(
            f"{stranger!r} is no name for a record", expected=FORM, got=repr(stranger), blame="the keys of records=..."
        )
    return dict(records)


@dataclass(frozen=True)
class Names:
    """What names stand for: what is given, else the entry points of the group `metier.steps`."""

    steps: Mapping[str, Step[Any, Any]]
    records: Mapping[str, Any]

    def step(self, name: Any, place: Place) -> Step[Any, Any]:
        """Return the step of a name; raise `InputError` where there is none."""
        found = self._find("step", name, self.steps, place)
        if not isinstance(found, Step) or found.name != name:
            got = f"a step named {found.name!r}" if isinstance(found, Step) else type(found).__name__
            raise wrong(place, f"the entry point {name!r} gives another thing", expected=f"a step {name!r}", got=got)
        return found

    def record(self, name: Any, place: Place) -> Any:
        """Return the class or function of a name; raise `InputError` where there is none."""
        return self._find("record", name, self.records, place)

    def _find(self, what: str, name: Any, given: Mapping[str, Any], place: Place) -> Any:
        if not is_name(name):
            raise wrong(place, f"a {what} stands in a file by its name", expected=FORM, got=f"{name!r:.80}")
        if name in given:
            return given[name]
        points = list(_entry_points(name))
        if len({point.value for point in points}) > 1:
            packages = ", ".join(sorted(point.dist.name for point in points if point.dist is not None))
            raise wrong(place, f"two packages have the {what} {name!r}", expected="one", got=packages)
        if points:
            return _loaded(points[0], place)
        near = difflib.get_close_matches(name, list(given), n=3, cutoff=0.4)
        raise wrong(
            place,
            f"no {what} has the name {name!r}",
            expected=f"perhaps {', '.join(map(repr, near))}" if near else f"one that is in {what}s=... or installed",
            got=repr(name),
            hint=f"give it in {what}s=..., to a command in --steps, or install the package that has its entry point",
        )


def _entry_points(name: str) -> Iterator[EntryPoint]:
    for distribution in distributions():
        try:
            points = list(distribution.entry_points)
        except Exception:  # noqa: S112  (a damaged one has no steps; `metier doctor` names it)
            continue
        yield from (point for point in points if (point.group, point.name) == (ENTRY_POINT_GROUP, name))


def _loaded(point: EntryPoint, place: Place) -> Any:
    try:
        return point.load()
    except Exception as error:
        package = point.dist.name if point.dist is not None else "an unknown package"
        raise wrong(
            place,
            f"the entry point {point.name!r} of {package} cannot be imported",
            expected=point.value,
            got=f"{type(error).__name__}: {error}",
        ) from error
