"""Arrays beside the JSON: whatever a record holds is the same on the other side, and no array is in the JSON."""

import json
from typing import Any

import numpy as np
import pytest
from metier_contracts import Contract, Embedding, Image, InputError, Segmentation
from metier_contracts.beside import arrays_beside

from .samples import RECORDS


@pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
def test_a_record_comes_back_equal(record: Contract) -> None:
    with arrays_beside([]) as arrays:
        text = record.to_json()
    assert not {"base64", "counts"} & _keys(json.loads(text))
    with arrays_beside(arrays):
        assert type(record).from_json(text) == record


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {key for held in value.values() for key in _keys(held)}
    return {key for held in value for key in _keys(held)} if isinstance(value, list) else set()


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (Embedding(vectors=np.ones((2, 3), np.float32)), "vectors"),
        (Image(pixels=np.full((4, 5, 3), 7, np.uint8)), "pixels"),
        (Segmentation(masks=np.ones((1, 4, 5), bool), boxes=[[0, 0, 5, 4]], scores=[1.0]), "masks"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Contract) else "",
)
def test_an_array_is_neither_copied_nor_encoded(record: Contract, field: str) -> None:
    with arrays_beside([]) as arrays:
        text = record.to_json()
    assert any(array is getattr(record, field) for array in arrays)
    with arrays_beside(arrays):
        assert np.shares_memory(getattr(type(record).from_json(text), field), getattr(record, field))


def test_without_its_arrays_the_text_is_refused() -> None:
    with arrays_beside([]):
        text = Embedding(vectors=np.ones((2, 3), np.float32)).to_json()
    for arrays in ([], [np.ones(3, np.float32)], [np.ones((2, 3), "U1")]):
        with arrays_beside(arrays), pytest.raises(InputError, match=r"Embedding\.vectors is not valid"):
            Embedding.from_json(text)
    with pytest.raises(InputError):
        Embedding.from_json(text)


def test_an_array_of_another_dtype_is_converted_as_any_other() -> None:
    with arrays_beside([np.ones((2, 3), np.float64)]):
        assert Embedding.from_json('{"vectors": {"beside": 0}}').vectors.dtype == np.float32


def test_outside_of_the_block_arrays_are_in_the_json() -> None:
    record = Embedding(vectors=np.ones((2, 3), np.float32))
    with arrays_beside([]):
        pass
    assert "base64" in record.to_json()
