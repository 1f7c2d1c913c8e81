"""YAML as data alone: by the core schema of YAML 1.2, without tags, anchors and aliases; read with the places."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import yaml
from metier_contracts import InputError

LONGEST = 1_000_000
_DEEPEST = 100
_MOST = 5_000
_TAG = "tag:yaml.org,2002:"
_SCALARS = {
    "bool": ("true|false", ["t", "f"]),
    "int": ("0|-?[1-9][0-9]*", [*"-0123456789"]),
    "null": ("null|~|", ["n", "~", ""]),
    "float": (r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?", [*"-0123456789"]),
}


_READERS: dict[str, Callable[[str], Any]] = {
    f"{_TAG}bool": "true".__eq__,
    f"{_TAG}int": int,
    f"{_TAG}null": lambda _: None,
    f"{_TAG}float": float,
}


class _Loader(yaml.SafeLoader):
    """Reads `yes`, `on` and dates as the strings they are written as: YAML 1.2, not 1.1."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (typed as its base has it)


class _Dumper(yaml.SafeDumper):
    """Quotes what either version of YAML would take for something else than a string."""


for _name, (_pattern, _first) in _SCALARS.items():
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(_TAG + _name, re.compile(f"(?:{_pattern})$"), _first)


@dataclass(frozen=True)
class Place:
    """Where something stands in a file: `steps[2].route.arms.billing`, and the line, from 1 on."""

    file: str
    path: str = ""
    line: int = 1

    def __str__(self) -> str:
        return ", ".join([self.file, f"line {self.line}", *([self.path] if self.path else [])])


def wrong(place: Place, summary: str, *, expected: str, got: str, hint: str | None = None) -> InputError:
    """Return the error of what stands at a place."""
    return InputError(summary, expected=expected, got=got, blame=str(place), hint=hint)


@dataclass(frozen=True)
class Value:
    """A node: its place, and a str, int, float, bool or None, a list of nodes, or a dict of nodes by such keys."""

    place: Place
    content: Any

    @property
    def shown(self) -> str:
        """What kind of thing it is, for messages."""
        if isinstance(self.content, dict):
            return f"a mapping of {', '.join(map(str, self.content)) or 'nothing'}"
        return f"a list of {len(self.content)}" if isinstance(self.content, list) else repr(self.content)


def write(document: Any) -> str:
    """Return a document of dicts, lists and scalars as YAML."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def read(text: str, file: str) -> Value:
    """Return the one document of a YAML text.

    Raises:
        InputError: it is no YAML, or has a tag, an anchor or an alias, two equal keys, or too much of anything.
    """
    if len(text) > LONGEST:
        raise _too_much(Place(file), f"at most {LONGEST:,} characters", "more")
    try:
        _guard(text, file)
        node = _Loader(text).get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(file, line=1 if mark is None else mark.line + 1)
        got = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise wrong(place, f"{file} is no YAML", expected="one YAML document", got=got) from None
    if node is None:
        raise wrong(Place(file), f"{file} is empty", expected="a YAML document", got="nothing")
    return _value(node, Place(file))


def _guard(text: str, file: str) -> None:
    """Refuse what needs no more than its events to be seen, before anything is built of it."""
    depth = 0
    events: Any = yaml.parse(text, Loader=_Loader)
    for count, event in enumerate(events):
        place = Place(file, line=event.start_mark.line + 1)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST or count > _MOST:
            most = f"at most {_DEEPEST} levels, and {_MOST:,} keys, names and brackets"
            raise _too_much(place, most, "more")
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            what = f"*{event.anchor}" if isinstance(event, yaml.AliasEvent) else f"&{event.anchor}"
            raise wrong(place, "anchors and aliases are not read", expected="the step written out", got=what)
        if (tag := getattr(event, "tag", None)) is not None:
            raise wrong(place, "tags are not read", expected="plain YAML", got=str(tag))


def _too_much(place: Place, expected: str, got: str) -> InputError:
    hint = "name the parts as steps of their own, or build it in Python"
    return wrong(place, "the pipeline is too large for a file", expected=expected, got=got, hint=hint)


def _value(node: yaml.Node, place: Place) -> Value:
    place = Place(place.file, place.path, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        members = [
            _value(member, Place(place.file, f"{place.path}[{index}]")) for index, member in enumerate(node.value)
        ]
        return Value(place, members)
    return Value(place, _mapping(node, place) if isinstance(node, yaml.MappingNode) else _scalar(node, place))


def _mapping(node: yaml.MappingNode, place: Place) -> dict[Any, Value]:
    found: dict[Any, Value] = {}
    for key_node, value_node in node.value:
        here = Place(place.file, place.path, key_node.start_mark.line + 1)
        if not isinstance(key_node, yaml.ScalarNode):
            raise wrong(here, "a key is one word", expected="a string, a number, true, false or null", got="several")
        key = _scalar(key_node, here)
        if key in found:
            raise wrong(here, f"the key {key!r} stands twice", expected="each key once", got=repr(key))
        found[key] = _value(value_node, Place(place.file, _below(place.path, str(key_node.value))))
    return found


def _below(path: str, key: str) -> str:
    if not re.fullmatch(r"[\w-]+", key):
        return f"{path}[{key!r:.80}]"
    return f"{path}.{key}" if path else key


def _scalar(node: yaml.Node, place: Place) -> Any:
    text = str(node.value)
    try:
        return _READERS.get(node.tag, str)(text)
    except ValueError:  # Python reads no integer of thousands of digits
        raise wrong(place, "the number is too long", expected="a shorter one", got=f"{len(text)} digits") from None
