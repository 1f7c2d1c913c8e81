"""Array fields: what is taken, what is shared, and what stands on the wire."""

import json
from typing import Any

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from metier_contracts import (
    Anomalies,
    Embedding,
    Forecast,
    Graph,
    GraphScores,
    Image,
    InputError,
    Segment,
    Segmentation,
    Series,
)
from metier_contracts.arrays import decode_array, decode_mask, decode_masks, encode_array, encode_mask, encode_masks

from .samples.data import IMAGE

FIXED = settings(derandomize=True, deadline=None, database=None)


# Masks as COCO run lengths.

KNOWN = np.array([[[0, 1, 1], [0, 1, 0]]], dtype=bool)


def test_run_lengths_of_a_known_mask() -> None:
    # Columns first: 0 0 | 1 1 | 1 0, that is two of background, three of object, one of background.
    assert encode_masks(KNOWN) == {"size": [2, 3], "counts": [[2, 3, 1]]}
    assert encode_mask(KNOWN[0]) == {"size": [2, 3], "counts": [2, 3, 1]}


@pytest.mark.parametrize(
    ("mask", "counts"),
    [
        ([[False, False], [False, False]], [4]),
        ([[True, True], [True, True]], [0, 4]),
        ([[True, False], [False, True]], [0, 1, 2, 1]),
        ([[True]], [0, 1]),
    ],
    ids=["none", "all", "diagonal", "one pixel"],
)
def test_run_lengths_start_with_the_background(mask: list[list[bool]], counts: list[int]) -> None:
    assert encode_mask(np.array(mask))["counts"] == counts


masks = arrays.arrays(bool, arrays.array_shapes(min_dims=3, max_dims=3, min_side=0, max_side=6))


@FIXED
@given(masks)
def test_masks_come_back(mask: np.ndarray[Any, Any]) -> None:
    again = decode_masks(json.loads(json.dumps(encode_masks(mask))))
    assert again.dtype == bool
    assert np.array_equal(again, mask)


@FIXED
@given(arrays.arrays(bool, arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=8)))
def test_a_mask_comes_back(mask: np.ndarray[Any, Any]) -> None:
    assert np.array_equal(decode_mask(json.loads(json.dumps(encode_mask(mask)))), mask)


@pytest.mark.parametrize("fill", [False, True])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_uniform_masks_come_back(count: int, fill: bool) -> None:
    mask = np.full((count, 7, 9), fill)
    response = Segmentation(masks=mask, scores=np.zeros(count), boxes=np.zeros((count, 4)))
    again = Segmentation.from_json(response.to_json())
    assert again == response
    assert again.masks.shape == (count, 7, 9)


def test_the_prompt_mask_is_run_lengths_too() -> None:
    request = Segment(image=IMAGE, mask=np.ones((4, 5), dtype=bool))
    assert json.loads(request.to_json())["mask"] == {"size": [4, 5], "counts": [0, 20]}


@pytest.mark.parametrize(
    "wire",
    [
        {"size": [2, 2], "counts": [[5]]},
        {"size": [2, 2], "counts": [[3]]},
        {"size": [2, 2], "counts": [[-1, 5]]},
        {"size": [2, 2], "counts": [["a"]]},
        {"size": [2, 2], "counts": [[1.5, 2.5]]},
        {"size": [2, 2], "counts": [4]},
        {"size": [2, 2], "counts": None},
        {"size": [-2, -2], "counts": [[4]]},
        {"size": [2], "counts": [[2]]},
        {"size": "2x", "counts": []},
        {"size": [10**9, 10**9], "counts": [[1]]},
        {"size": [10**9, 10**9], "counts": [[10**18]]},
        {"counts": []},
        {},
    ],
    ids=str,
)
def test_broken_run_lengths_are_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="COCO run lengths"):
        decode_masks(wire)


@pytest.mark.parametrize("counts", [[3], [[4]], "4", None])
def test_a_broken_mask_is_refused(counts: Any) -> None:
    with pytest.raises(ValueError, match="COCO run lengths"):
        decode_mask({"size": [2, 2], "counts": counts})


# Arrays as base64.

DTYPES = st.one_of(
    arrays.integer_dtypes(), arrays.unsigned_integer_dtypes(), arrays.floating_dtypes(), arrays.boolean_dtypes()
)


@FIXED
@given(arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, min_side=0, max_side=4)))
def test_arrays_come_back_bit_for_bit(array: np.ndarray[Any, Any]) -> None:
    again = decode_array(json.loads(json.dumps(encode_array(array))))
    assert again.shape == array.shape
    assert again.dtype == array.dtype
    assert again.tobytes() == array.tobytes()
    assert again.flags.writeable


def test_the_wire_is_little_endian_and_rows_first() -> None:
    wire = encode_array(np.asfortranarray(np.array([[1, 2], [3, 4]], dtype="int16")))
    assert wire == {"dtype": "int16", "shape": [2, 2], "base64": "AQACAAMABAA="}


@pytest.mark.parametrize(
    "wire",
    [
        {"dtype": "object", "shape": [1], "base64": "AAAAAAAAAAA="},
        {"dtype": "float64,object", "shape": [1], "base64": ""},
        {"dtype": "U4", "shape": [0], "base64": ""},
        {"dtype": "nonsense", "shape": [0], "base64": ""},
        {"dtype": "f8,,", "shape": [0], "base64": ""},
        {"dtype": 3, "shape": [0], "base64": ""},
        {"dtype": "float64", "shape": [3], "base64": "AAAA"},
        {"dtype": "float64", "shape": [2], "base64": "AAAAAAAAAAA="},
        {"dtype": "float64", "shape": "x", "base64": "AAAAAAAAAAA="},
        {"dtype": "float64", "shape": [1], "base64": "&"},
        {"dtype": "float64", "shape": [1], "base64": None},
        {"dtype": "float64", "shape": [1]},
        {},
    ],
    ids=str,
)
def test_a_broken_array_is_refused(wire: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="dtype, shape, base64"):
        decode_array(wire)


# What is taken.


@pytest.mark.parametrize(
    "vectors",
    [
        [[1, 2], [3, 4]],
        ((1.0, 2.0), (3.0, 4.0)),
        np.array([[1, 2], [3, 4]], dtype=np.int8),
        np.asfortranarray(np.array([[1, 2], [3, 4]], dtype=np.float64)),
        np.array([[1, 2], [3, 4]], dtype=">f4"),
        np.array([[1, 9, 2], [3, 9, 4]], dtype=np.float32)[:, ::2],
        torch.tensor([[1, 2], [3, 4]]),
        torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
    ],
    ids=["lists", "tuples", "int8", "columns first", "big-endian", "strided", "torch int", "torch with gradient"],
)
def test_vectors_become_contiguous_float32(vectors: Any) -> None:
    taken = Embedding(vectors=vectors).vectors
    assert taken.dtype == np.float32
    assert taken.dtype.isnative
    assert taken.flags.c_contiguous
    assert taken.tolist() == [[1, 2], [3, 4]]


def test_no_masks_may_be_an_empty_array_of_any_dtype() -> None:
    assert Segmentation(masks=np.zeros((0, 2, 2)), scores=[], boxes=np.zeros((0, 4))).masks.dtype == bool


@pytest.mark.parametrize("dtype", ["datetime64[D]", "datetime64[s]", "datetime64[us]", "datetime64[ns]"])
def test_timestamps_of_any_unit_become_nanoseconds(dtype: str) -> None:
    series = Series(values=[1, 2], timestamps=np.array(["2020-01-01", "2020-01-02"], dtype=dtype))
    assert series.timestamps.tolist() == [1577836800_000_000_000, 1577923200_000_000_000]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Embedding(vectors=[["a", "b"]]), "float32"),
        (lambda: Embedding(vectors=[[1, 2], [3]]), "nested lists of equal lengths"),
        (lambda: Embedding(vectors=[1, 2]), r"\[N, D\]"),
        (lambda: Embedding(vectors=[[1j, 2]]), "complex"),
        (lambda: Embedding(vectors=[[1e300, 2]]), "inf at \\[0, 0\\]"),
        (lambda: Embedding(vectors=[[1, float("nan")]]), "nan at \\[0, 1\\]"),
        (lambda: Embedding(vectors=None), "float32"),
        (lambda: Embedding(vectors=torch.ones(2, 2, dtype=torch.bfloat16)), "BFloat16"),
        (lambda: Embedding(vectors=torch.ones(2, 2, device="meta")), r"\.cpu\(\)"),
        (lambda: Graph(edge_index=[[0.0], [1.0]], num_nodes=2), "int64"),
        (lambda: Graph(edge_index=np.array([[2**63], [0]], dtype=np.uint64), num_nodes=2), "range of int64"),
        (lambda: Anomalies(scores=[1], flags=[1]), "bool"),
        (lambda: Series(values=[1, 2], timestamps=["2020-01-01", "2020-01-02"]), "ISO 8601"),
        (
            lambda: Series(values=[1, 2], timestamps=np.array(["1500-01-01", "1600-01-01"], dtype="datetime64[s]")),
            "range of datetime64",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_loses_meaning_is_refused(build: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        build()


# What is shared: no copy on the way in, and none on to torch.

VECTORS = np.arange(6, dtype=np.float32).reshape(3, 2)
FLOAT64 = np.arange(6, dtype=np.float64)
EDGES = np.array([[0, 1], [1, 0]], dtype=np.int64)
MASKS = np.ones((2, 4, 5), dtype=bool)
PIXELS = np.zeros((4, 5, 3), dtype=np.uint8)

SHARED = {
    "vectors": (VECTORS, lambda a: Embedding(vectors=a).vectors),
    "scores": (VECTORS, lambda a: GraphScores(scores=a).scores),
    "values": (FLOAT64, lambda a: Series(values=a).values),
    "values in a request": (FLOAT64, lambda a: Forecast(series=Series(values=a), horizon=1).series.values),
    "edges": (EDGES, lambda a: Graph(edge_index=a, num_nodes=2).edge_index),
    "features": (VECTORS, lambda a: Graph(edge_index=EDGES, x=a).x),
    "masks": (MASKS, lambda a: Segmentation(masks=a, scores=[0, 0], boxes=np.zeros((2, 4))).masks),
    "pixels": (PIXELS, lambda a: Image(pixels=a).pixels),
    "pixels in a request": (PIXELS, lambda a: Segment(image=a, everything=True).image.pixels),
}


@pytest.mark.parametrize(("array", "through"), SHARED.values(), ids=SHARED)
def test_a_numpy_array_is_shared(array: np.ndarray[Any, Any], through: Any) -> None:
    assert np.shares_memory(through(array), array)


@pytest.mark.parametrize(("array", "through"), SHARED.values(), ids=SHARED)
def test_a_tensor_is_shared_both_ways(array: np.ndarray[Any, Any], through: Any) -> None:
    tensor = torch.from_numpy(array)
    field = through(tensor)
    assert np.shares_memory(field, array)
    assert torch.from_numpy(field).data_ptr() == tensor.data_ptr()


def test_a_read_only_array_stays_the_callers() -> None:
    array = VECTORS.copy()
    array.flags.writeable = False
    assert np.shares_memory(Embedding(vectors=array).vectors, array)


def test_what_comes_off_the_wire_reaches_torch_without_a_warning() -> None:
    again = Embedding.from_json(Embedding(vectors=VECTORS).to_json())
    assert torch.from_numpy(again.vectors).tolist() == VECTORS.tolist()
