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

from metier_contracts import beside
from metier_contracts.refusal import Refusal, shown, shown_error
from metier_contracts.semantics import BoxFrame

_HINTS = {
    "b": "compare: array > 0",
    "f": "write float('nan') for None, and convert texts: np.array(texts, dtype=float)",
    "i": "convert whole numbers: array.astype('int64')",
    "M": "np.array(texts, dtype='datetime64[ns]') reads ISO 8601, and takes datetimes without a time zone",
}


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
            array = beside.take(value)
            if array is not None and array.dtype == self.dtype and array.ndim == len(self.axes.split()):
                return array
            value = self._decode(value) if array is None else array
        array = self._convert(as_array(value))
        if array.ndim != len(self.axes.split()):
            raise Refusal(f"an array of shape [{self.axes.replace(' ', ', ')}]", f"shape {list(array.shape)}")
        if self.finite and not np.isfinite(array).all():
            raise Refusal("finite numbers", self._first_bad(array))
        return array

    def _convert(self, array: NDArray[Any]) -> NDArray[Any]:
        target = np.dtype(self.dtype)
        if array.size == 0 and array.dtype != target:
            array = array.astype(target)
        if not _converts(array.dtype, target):
            raise Refusal(f"an array of {self.dtype}", f"dtype {array.dtype}", hint=_HINTS.get(target.kind))
        if not _fits(array, target):
            raise Refusal(f"values within the range of {self.dtype}", f"{array.min()} to {array.max()}")
        with np.errstate(over="ignore"):  # a float too large for float32 becomes infinite: `finite` refuses that
            return np.ascontiguousarray(array, dtype=target) if array.ndim else array.astype(target)

    def _first_bad(self, array: NDArray[Any]) -> str:
        index = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        return f"{array[index]} at {list(index)}"

    def _decode(self, wire: dict[str, Any]) -> NDArray[Any]:
        if not self.run_lengths:
            return decode_array(wire)
        return decode_mask(wire) if self._single else decode_masks(wire)

    @property
    def _single(self) -> bool:
        return len(self.axes.split()) == 2

    def encode(self, array: NDArray[Any]) -> dict[str, Any]:
        """Return the wire form of `array`."""
        if (place := beside.put(array)) is not None:
            return place
        if not self.run_lengths:
            return encode_array(array)
        return encode_mask(array) if self._single else encode_masks(array)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.coerce,
            serialization=core_schema.plain_serializer_function_ser_schema(self.encode, when_used="json"),
        )

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        note = f"{self.dtype} [{self.axes.replace(' ', ', ')}]"
        if self.run_lengths:
            runs: dict[str, Any] = {"type": "array", "items": {"type": "integer"}}
            properties: dict[str, Any] = {
                "size": {**runs, "minItems": 2, "maxItems": 2},
                "counts": runs if self._single else {"type": "array", "items": runs},
            }
            return _object(f"{note} as COCO run lengths, columns first", properties)
        properties = {
            "dtype": {"const": self.dtype},
            "shape": {"type": "array", "items": {"type": "integer"}},
            "base64": {"type": "string", "contentEncoding": "base64"},
        }
        return _object(f"{note}, little-endian, rows first", properties)


def as_array(value: Any) -> NDArray[Any]:
    """Return `value` as numpy, without a copy where its library allows that; `Refusal` where it cannot be."""
    try:
        tensor = value.detach() if hasattr(value, "detach") else value
        array = tensor.numpy() if hasattr(tensor, "numpy") and not isinstance(tensor, np.ndarray) else tensor
        array = np.asarray(array)
    except (TypeError, ValueError, RuntimeError) as error:
        raise Refusal(
            "an array, a tensor of a dtype that numpy has, on the CPU, or nested lists of equal lengths",
            f"{shown(value, 40)}: {shown_error(error)}",
            hint="for a tensor: .to_dense(), .float() or .cpu(), whichever it lacks",
        ) from None
    # pandas and jax lend read-only memory, of which torch.from_numpy warns.
    return array if array.flags.writeable or isinstance(value, np.ndarray) else array.copy()


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


def _fits(array: NDArray[Any], target: np.dtype[Any]) -> bool:
    """Tell whether each value lies in the range of `target`: numpy would let it wrap around."""
    if array.size == 0 or array.dtype == target:
        return True
    if target.kind == "M":
        return bool(((array.astype(target).astype(array.dtype) == array) | np.isnat(array)).all())
    if target.kind in "iu":
        return bool(np.iinfo(target).min <= int(array.min()) and int(array.max()) <= np.iinfo(target).max)
    return True


def encode_array(array: NDArray[Any]) -> dict[str, Any]:
    """Return `{"dtype", "shape", "base64"}` of an array, little-endian, rows first."""
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    raw = base64.b64encode(little.tobytes()).decode("ascii")
    return {"dtype": str(array.dtype), "shape": list(array.shape), "base64": raw}


def decode_array(wire: dict[str, Any]) -> NDArray[Any]:
    """Return the array that `encode_array` wrote."""
    try:
        dtype = np.dtype(wire["dtype"])
        if dtype.kind not in "biufM":
            raise TypeError(f"numbers, truth values or dates, not {dtype}")
        raw = base64.b64decode(wire["base64"], validate=True)
        return np.frombuffer(bytearray(raw), dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(wire["shape"])
    except (KeyError, TypeError, ValueError, SyntaxError) as error:
        raise Refusal("an array as {dtype, shape, base64}", shown_error(error)) from None


def encode_masks(masks: NDArray[np.bool_]) -> dict[str, Any]:
    """Return bool [M, H, W] as COCO run lengths: counts alternate from background, columns first."""
    _, height, width = masks.shape
    return {"size": [height, width], "counts": [_run_lengths(mask.ravel(order="F")) for mask in masks]}


def encode_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Return bool [H, W] as COCO run lengths."""
    return {"size": list(mask.shape), "counts": _run_lengths(mask.ravel(order="F"))}


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
        # Checked before anything of that size is allocated.
        for runs in counts:
            if min(runs, default=0) < 0 or sum(runs) != height * width:
                raise ValueError(f"runs over {sum(runs)} pixels for a mask of {height} x {width}")
        masks = np.zeros((len(counts), height, width), dtype=np.bool_)
        for mask, runs in zip(masks, counts, strict=True):
            flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
            mask[:] = flat.reshape((height, width), order="F")
        return masks
    except (KeyError, TypeError, ValueError, MemoryError) as error:
        raise Refusal("COCO run lengths {size, counts}", shown_error(error)) from None


def decode_mask(wire: dict[str, Any]) -> NDArray[np.bool_]:
    """Return the bool [H, W] that `encode_mask` wrote."""
    masks = decode_masks({**wire, "counts": [wire.get("counts")]})
    return masks.reshape(masks.shape[1:])


Vectors = Annotated[NDArray[np.float32], ArraySpec("float32", "N D", finite=True)]
Scores = Annotated[NDArray[np.float32], ArraySpec("float32", "N", finite=True)]
Flags = Annotated[NDArray[np.bool_], ArraySpec("bool", "N")]
Mask = Annotated[NDArray[np.bool_], ArraySpec("bool", "H W", run_lengths=True)]
Masks = Annotated[NDArray[np.bool_], ArraySpec("bool", "M H W", run_lengths=True)]
Boxes = Annotated[NDArray[np.float32], ArraySpec("float32", "B 4", finite=True), BoxFrame("xyxy")]
Points = Annotated[NDArray[np.float32], ArraySpec("float32", "P 2", finite=True)]
Timestamps = Annotated[NDArray[np.datetime64], ArraySpec("datetime64[ns]", "T")]
