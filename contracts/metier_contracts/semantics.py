"""Semantics: what a value means beyond its type, declared in `Annotated[...]`.

`Annotated[NDArray[np.float32], BoxFrame("xywh")]` is an array of boxes as left, top, width and height. Where a step
gives it and the next takes `BoxFrame("xyxy")`, the pipeline is refused when it is built.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from metier_contracts.errors import InputError
from metier_contracts.refusal import shown

BoxFormat = Literal["xyxy", "xywh", "cxcywh"]
ChannelOrder = Literal["L", "LA", "RGB", "BGR", "RGBA", "BGRA", "HSV", "YCbCr", "CMYK"]
Scale = Literal["probability", "logit", "similarity", "distance"]

_SECONDS = {"s": 1, "min": 60, "h": 3600, "D": 86400}
_OLDER = {"S": "s", "T": "min", "H": "h"}  # as pandas wrote them before 2.2
_ALIAS = re.compile(r"(\d*)(s|S|min|T|h|H|D)")


@dataclass(frozen=True, repr=False)
class Semantic(ABC):
    """One kind of meaning. A subclass is a frozen dataclass; two of one class are compared where steps are composed."""

    @abstractmethod
    def admits(self, given: Self) -> bool | None:
        """Tell whether what is given is fit where this is taken; None where one of the two does not say enough."""

    def seen_in(self, value: Any) -> Self | None:
        """Return what a value itself shows of this kind; None where it shows nothing."""
        promised = getattr(type(value), "semantics", ())
        return next((one for one in promised if type(one) is type(self)), None)

    def holds(self, value: Any) -> bool | None:
        """Tell whether this holds of a value; None where that cannot be told from the value."""
        seen = self.seen_in(value)
        return None if seen is None else self.admits(seen)

    def __repr__(self) -> str:
        stated = [(field, getattr(self, field.name)) for field in fields(self)]
        arguments = [
            repr(value) if field.default is MISSING else f"{field.name}={value!r}"
            for field, value in stated
            if value != field.default
        ]
        return f"{type(self).__name__}({', '.join(arguments)})"


def _require(kind: str, value: object, known: Any) -> None:
    if value not in get_args(known):
        raise InputError(
            f"{kind} does not know {shown(value)}",
            expected=f"one of {', '.join(get_args(known))}",
            got=shown(value),
            blame=f"the argument of {kind}",
        )


def _together(verdicts: Iterable[bool | None]) -> bool | None:
    """Return False where one is, else None where one is, else True."""
    known = list(verdicts)
    return False if False in known else None if None in known else True


@dataclass(frozen=True, init=False, repr=False)
class Labels(Semantic):
    """A set of labels, for texts and `Classification` where a Literal does not serve; it admits a part of itself.

    `Classify[Annotated[str, Labels("a", "b")]]` takes its labels from here, as it does from a Literal.
    """

    labels: tuple[str, ...]

    def __init__(self, *labels: str) -> None:
        given: tuple[object, ...] = labels
        if not given or not all(isinstance(one, str) and one for one in given) or len({*given}) < len(given):
            raise InputError(
                "Labels needs distinct labels",
                expected="at least one text, none empty, each once",
                got=shown(labels),
                blame="the arguments of Labels",
                hint="spread a list: Labels(*names)",
            )
        object.__setattr__(self, "labels", labels)

    def admits(self, given: Self) -> bool | None:
        """Tell whether each label given is one of these."""
        return {*given.labels} <= {*self.labels}

    def seen_in(self, value: Any) -> Self | None:
        """Return the labels of a text, a collection of texts, or a response that scores labels or holds entities."""
        found = _labels(value)
        known = bool(found) and all(isinstance(label, str) and label for label in found)
        return type(self)(*dict.fromkeys(found)) if known else None

    def __repr__(self) -> str:
        return f"Labels({', '.join(map(repr, self.labels))})"


def _labels(value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list | tuple | set | frozenset):
        return tuple(value)
    if isinstance(entities := getattr(value, "entities", None), tuple):
        return tuple(entity.label for entity in entities)
    if isinstance(labels := getattr(value, "labels", None), tuple):
        return labels
    scores = getattr(value, "scores", None)
    return tuple(scores) if isinstance(scores, Mapping) else (getattr(value, "label", None),)


@dataclass(frozen=True, repr=False)
class BoxFrame(Semantic):
    """What the four numbers of a box are, and in which frame.

    `format`: "xyxy" (left, top, right, bottom), "xywh" (left, top, width, height) or "cxcywh" (centre, width, height),
    the origin at the top left. `normalized`: fractions of the image's width and height rather than pixels. `image`: the
    name of the image in which they count, where there are several ("page", "crop").
    """

    format: BoxFormat
    normalized: bool = False
    image: str | None = None

    def __post_init__(self) -> None:
        _require("BoxFrame", self.format, BoxFormat)

    def admits(self, given: Self) -> bool | None:
        """Tell whether format and unit are the same, and the image where both name one."""
        if (self.format, self.normalized) != (given.format, given.normalized):
            return False
        if self.image is None:
            return True
        return None if given.image is None else self.image == given.image

    def holds(self, value: Any) -> bool | None:
        """Tell when boxes cannot be these: a negative side, pixels where fractions are due, or fractions for pixels."""
        if (seen := self.seen_in(value)) is not None:
            return self.admits(seen)
        boxes = _boxes(value)
        if boxes is None or len(boxes) == 0:
            return None
        sides = boxes[:, 2:] - boxes[:, :2] if self.format == "xyxy" else boxes[:, 2:]
        if (sides < 0).any():
            return False
        # A box may reach past the edge of its image, but not by the whole image; and none is smaller than a pixel.
        if self.normalized:
            return False if (boxes < -1).any() or (boxes > 2).any() else None
        return False if (sides > 0).any() and (sides < 1).all() else None


def _boxes(value: Any) -> NDArray[np.float64] | None:
    try:
        boxes = np.asarray(getattr(value, "boxes", value), dtype=np.float64)
    except (TypeError, ValueError):
        return None
    return boxes.reshape(-1, 4) if boxes.ndim and boxes.shape[-1] == 4 else None


@dataclass(frozen=True, repr=False)
class Channels(Semantic):
    """The channels of a picture, in order, by Pillow's names, and "BGR" and "BGRA" as OpenCV has them."""

    order: ChannelOrder

    def __post_init__(self) -> None:
        _require("Channels", self.order, ChannelOrder)

    def admits(self, given: Self) -> bool | None:
        """Tell whether they are the same."""
        return self.order == given.order

    def seen_in(self, value: Any) -> Self | None:
        """Return the mode of a Pillow image; of an array [H, W] or [H, W, C] only that it has other channels."""
        mode: Any = getattr(value, "mode", None)
        if mode in get_args(ChannelOrder):
            return type(self)(mode)
        if not isinstance(value, np.ndarray) or not (value.ndim == 2 or (value.ndim == 3 and value.shape[2] <= 4)):
            return super().seen_in(value)
        count = value.shape[2] if value.ndim == 3 else 1
        plain: dict[int, ChannelOrder] = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
        own = len(re.findall("[A-Z]", self.order))
        return type(self)(plain[count]) if count != own and count in plain else None


@dataclass(frozen=True, repr=False)
class Frequency(Semantic):
    """The step of a series, as a pandas alias: "h", "D", "W-MON", "MS"."""

    alias: str

    def admits(self, given: Self) -> bool | None:
        """Tell whether the steps are equal: "h" admits "60min"."""
        return self._step == given._step

    @property
    def _step(self) -> int | str:
        """The seconds of a step where each is as long as the other, else the alias."""
        matched = _ALIAS.fullmatch(self.alias)
        if matched is None:
            return "W-SUN" if self.alias == "W" else self.alias
        count, unit = matched.groups()
        return int(count or 1) * _SECONDS[_OLDER.get(unit, unit)]

    def seen_in(self, value: Any) -> Self | None:
        """Return the frequency that a series states, else the median step of its timestamps where that decides."""
        stated, timestamps = getattr(value, "frequency", None), getattr(value, "timestamps", None)
        if isinstance(stated, str):
            return type(self)(stated)
        if not isinstance(timestamps, np.ndarray) or len(timestamps) < 2 or isinstance(self._step, str):
            return None
        seconds = int(np.median(np.diff(timestamps).astype("timedelta64[s]").astype(np.int64)))
        if not seconds:
            return None
        unit = next(name for name in ("D", "h", "min", "s") if seconds % _SECONDS[name] == 0)
        count = seconds // _SECONDS[unit]
        return type(self)(unit if count == 1 else f"{count}{unit}")


@dataclass(frozen=True, repr=False)
class Horizon(Semantic):
    """How many steps ahead a forecast reaches."""

    steps: int

    def admits(self, given: Self) -> bool | None:
        """Tell whether they are as many."""
        return self.steps == given.steps

    def seen_in(self, value: Any) -> Self | None:
        """Return the length of a forecast, a series or an array, whose rows are steps."""
        held = (value, getattr(value, "mean", None), getattr(value, "values", None))
        array = next((one for one in held if isinstance(one, np.ndarray) and one.ndim), None)
        return None if array is None else type(self)(len(array))


@dataclass(frozen=True, repr=False)
class GraphSchema(Semantic):
    """What a graph carries.

    `node_features` and `edge_features`: the columns of `x` and of `edge_attr`, by name in order or by number (0 for
    none); None says nothing of them. `undirected`: each edge is given in both directions.
    """

    node_features: tuple[str, ...] | int | None = None
    edge_features: tuple[str, ...] | int | None = None
    undirected: bool = False

    def admits(self, given: Self) -> bool | None:
        """Tell whether the columns are the same, by name where both name them, and edges go both ways if they must."""
        return _together(
            (
                _same_columns(given.node_features, self.node_features),
                _same_columns(given.edge_features, self.edge_features),
                True if given.undirected or not self.undirected else None,
            )
        )

    def seen_in(self, value: Any) -> Self | None:
        """Return how many columns a graph has, and whether its edges go both ways if that matters."""
        edges = getattr(value, "edge_index", None)
        if not isinstance(edges, np.ndarray):
            return None
        nodes, links = (0 if array is None else int(array.shape[1]) for array in (value.x, value.edge_attr))
        return type(self)(nodes, links, undirected=self.undirected and _both_ways(edges))

    def holds(self, value: Any) -> bool | None:
        """Tell whether a graph is like this; what its columns mean it does not show."""
        seen = self.seen_in(value)
        return None if seen is None else bool(self.admits(seen))


def _same_columns(given: tuple[str, ...] | int | None, wanted: tuple[str, ...] | int | None) -> bool | None:
    if wanted is None or given is None:
        return True if wanted is None else None
    if isinstance(given, tuple) and isinstance(wanted, tuple):
        return given == wanted
    count, expected = (len(one) if isinstance(one, tuple) else one for one in (given, wanted))
    return count == expected


def _both_ways(edges: NDArray[np.int64]) -> bool:
    return np.array_equal(np.unique(edges, axis=1), np.unique(edges[::-1], axis=1))


@dataclass(frozen=True, repr=False)
class ScoreKind(Semantic):
    """The scale of a score: a probability in 0..1, a logit, a similarity (more is nearer) or a distance (less is)."""

    scale: Scale

    def __post_init__(self) -> None:
        _require("ScoreKind", self.scale, Scale)

    def admits(self, given: Self) -> bool | None:
        """Tell whether they are the same."""
        return self.scale == given.scale

    def holds(self, value: Any) -> bool | None:
        """Tell when scores cannot be these: a probability outside 0..1, or a negative distance."""
        if (seen := self.seen_in(value)) is not None:
            return self.admits(seen)
        scores = _scores(value)
        if scores is None:
            return None
        negative = self.scale in ("probability", "distance") and (scores < 0).any()
        return False if negative or (self.scale == "probability" and (scores > 1).any()) else None


def _scores(value: Any) -> NDArray[np.float64] | None:
    held = getattr(value, "scores", value)
    try:
        return np.asarray([*held.values()] if isinstance(held, Mapping) else held, dtype=np.float64)
    except (TypeError, ValueError):
        return None
