"""Array fields: numpy in memory, base64 or COCO run lengths on the wire.

`Vectors = Annotated[NDArray[np.float32], ArraySpec("float32", "N D")]` declares a field whose values are converted to
a contiguous array of that dtype and rank. Whatever offers `.numpy()` (a torch tensor on the CPU) or the array
protocol is taken without a copy where dtype and layout already fit.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True)
class ArraySpec:
    """The dtype, the axes (names separated by spaces) and the encoding of an array field."""

    dtype: str
    axes: str
    finite: bool = False
    run_lengths: bool = False

    def coerce(self, value: Any) -> NDArray[Any]:
        """Return `value` as an array of this dtype and rank; raise ValueError where it is none."""
        if isinstance(value, dict):
            value = decode_masks(value) if self.run_lengths else decode_array(value)
        array = self._convert(value)
        rank = len(self.axes.split())
        if array.ndim != rank:
            raise ValueError(f"an array [{self.axes.replace(' ', ', ')}], got shape {list(array.shape)}")
        if self.finite and not np.isfinite(array).all():
            raise ValueError(f"finite numbers, got {self._first_bad(array)}")
        return array

    def _convert(self, value: Any) -> NDArray[Any]:
        target = np.dtype(self.dtype)
        if hasattr(value, "detach"):
            value = value.detach()
        if hasattr(value, "numpy") and not isinstance(value, np.ndarray):
            value = value.numpy()
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise ValueError(f"an array of {self.dtype}, got something ragged: {error}") from None
        if array.size == 0 and array.dtype != target:
            array = array.astype(target)
        if not _converts(array.dtype, target):
            raise ValueError(f"an array of {self.dtype}, got dtype {array.dtype}")
        return np.ascontiguousarray(array, dtype=target) if array.ndim else array.astype(target)

    def _first_bad(self, array: NDArray[Any]) -> str:
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        return f"{array[index]} at {list(index)}"

    def encode(self, array: NDArray[Any]) -> dict[str, Any]:
        """Return the wire form of `array`."""
        return encode_masks(array) if self.run_lengths else encode_array(array)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.coerce,
            serialization=core_schema.plain_serializer_function_ser_schema(self.encode, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        note = f"{self.dtype} [{self.axes.replace(' ', ', ')}]"
        if self.run_lengths:
            properties: dict[str, Any] = {
                "size": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
                "counts": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
            }
            return _object(f"{note} as COCO run lengths, one list a mask, columns first", properties)
        properties = {
            "dtype": {"const": self.dtype},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "base64": {"type": "string", "contentEncoding": "base64"},
        }
        return _object(f"{note}, little-endian, rows first", properties)


def _object(description: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "description": description, "properties": properties, "required": list(properties)}


def _converts(given: np.dtype[Any], target: np.dtype[Any]) -> bool:
    """Allow what loses no meaning: any number to float, integers to integers, bool to anything; never text."""
    if given == target:
        return True
    if target.kind == "f":
        return given.kind in "fiub"
    if target.kind in "iu":
        return given.kind in "iub" and np.can_cast(given, target, casting="same_kind")
    return given.kind == target.kind


def encode_array(array: NDArray[Any]) -> dict[str, Any]:
    """Return `{"dtype", "shape", "base64"}` of an array, little-endian, rows first."""
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    raw = base64.b64encode(little.tobytes()).decode("ascii")
    return {"dtype": str(array.dtype), "shape": list(array.shape), "base64": raw}


def decode_array(wire: dict[str, Any]) -> NDArray[Any]:
    """Return the array that `encode_array` wrote."""
    try:
        dtype = np.dtype(wire["dtype"])
        raw = base64.b64decode(wire["base64"], validate=True)
        if dtype.hasobject:
            raise TypeError("an array of objects is not data")
        return np.frombuffer(bytearray(raw), dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(wire["shape"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"an array as {{dtype, shape, base64}}: {error}") from None


def encode_masks(masks: NDArray[np.bool_]) -> dict[str, Any]:
    """Return bool [M, H, W] as COCO run lengths: counts alternate from background, columns first."""
    _, height, width = masks.shape
    return {"size": [height, width], "counts": [_run_lengths(mask.ravel(order="F")) for mask in masks]}


def _run_lengths(flat: NDArray[np.bool_]) -> list[int]:
    if flat.size == 0:
        return []
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff(np.concatenate(([0], edges, [flat.size])))
    first = [0] if flat[0] else []
    return [*first, *map(int, counts)]


def decode_masks(wire: dict[str, Any]) -> NDArray[np.bool_]:
    """Return the bool [M, H, W] that `encode_masks` wrote."""
    try:
        height, width = wire["size"]
        counts = wire["counts"]
        masks = np.zeros((len(counts), height, width), dtype=np.bool_)
        for mask, runs in zip(masks, counts, strict=True):
            flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
            mask[:] = flat.reshape((height, width), order="F")
        return masks
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"masks as COCO run lengths {{size, counts}}: {error}") from None


Vectors = Annotated[NDArray[np.float32], ArraySpec("float32", "N D", finite=True)]
Scores = Annotated[NDArray[np.float32], ArraySpec("float32", "N", finite=True)]
Flags = Annotated[NDArray[np.bool_], ArraySpec("bool", "N")]
Masks = Annotated[NDArray[np.bool_], ArraySpec("bool", "M H W", run_lengths=True)]
Boxes = Annotated[NDArray[np.float32], ArraySpec("float32", "B 4", finite=True)]
Points = Annotated[NDArray[np.float32], ArraySpec("float32", "P 2", finite=True)]
Timestamps = Annotated[NDArray[np.datetime64], ArraySpec("datetime64[ns]", "T")]
