"""What every record shares: frozen, compared by content, picklable, and built safely by many threads at once."""

import copy
import pickle
import subprocess
import sys
from typing import Any, Literal

import numpy as np
import pytest
from metier_contracts import (
    Classification,
    Classify,
    Contract,
    Embedding,
    Graph,
    InputError,
    Provenance,
    Series,
    ToolCall,
)
from pydantic import ValidationError

from .samples import RECORDS
from .samples.data import EXAMPLES, NAN

every_record = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
PARAMETRISED = {
    "classify": Classify[Literal["billing", "outage", "praise"]](text="x", examples=EXAMPLES),
    "classification": Classification[Literal["a", "b"]](label="a", scores={"a": 0.5, "b": 0.5}),
    "classify str": Classify[str](text="x"),
}


@every_record
def test_a_record_is_frozen(record: Contract) -> None:
    with pytest.raises(ValidationError):
        setattr(record, next(iter(type(record).model_fields)), None)


@every_record
def test_a_record_has_no_hash(record: Contract) -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(record)


@every_record
def test_copies_are_equal(record: Contract) -> None:
    assert copy.copy(record) == record
    assert copy.deepcopy(record) == record
    assert record.model_copy() == record


@every_record
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_record_can_be_pickled(record: Contract, protocol: int) -> None:
    assert pickle.loads(pickle.dumps(record, protocol)) == record


@pytest.mark.parametrize("record", PARAMETRISED.values(), ids=PARAMETRISED)
def test_a_parametrised_record_can_be_pickled(record: Contract) -> None:
    again = pickle.loads(pickle.dumps(record))
    assert again == record
    assert type(again) is type(record)
    with pytest.raises(ValidationError):
        again.text = ""


def test_a_parametrised_record_can_be_sent_to_a_process_that_never_made_its_class() -> None:
    code = "import pickle, sys; print(type(pickle.load(sys.stdin.buffer)).__name__)"
    data = pickle.dumps(PARAMETRISED["classification"])
    done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "Classification[Literal['a', 'b']]"


def test_the_values_worked_out_once_travel_with_a_pickle() -> None:
    assert EXAMPLES.digest
    assert "digest" in pickle.loads(pickle.dumps(EXAMPLES)).__dict__


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (Series(values=[1, NAN], missing=True), Series(values=[1, NAN], missing=True), True),
        (Series(values=[1.0]), Series(values=[2.0]), False),
        (Series(values=[1.0]), Series(values=[1.0, 1.0]), False),
        (Embedding(vectors=[[1, 2]]), Embedding(vectors=[[1], [2]]), False),
        (Graph(edge_index=[[0], [0]], x=[[1]]), Graph(edge_index=[[0], [0]], num_nodes=1), False),
        (Classify(text="x", labels=["a"]), Classify(text="x", labels=("a",)), True),
        (Classify(text="x", labels=["a"]), Classify[Literal["a"]](text="x"), True),
        (Classify(text="x", labels=["a", "b"]), Classify(text="x", labels=["b", "a"]), False),
        (Classify[Literal["a"]](text="x"), Classify[Literal["b"]](text="x"), False),
        (Classify(text="x"), Classification(label="x", scores={}), False),
        (Classify(text="x"), "x", False),
        (Classify(text="x"), None, False),
    ],
)
def test_equality(left: Any, right: Any, equal: bool) -> None:
    assert (left == right) is equal
    assert (right == left) is equal
    assert (left != right) is not equal


@every_record
def test_every_sample_differs_from_every_other(record: Contract) -> None:
    assert [name for name, other in RECORDS.items() if other == record] == [
        name for name, other in RECORDS.items() if other is record
    ]


@pytest.mark.parametrize(
    "value", [object(), np.array([1]), np.float32(1), b"\xff"], ids=["object", "array", "scalar", "bytes"]
)
def test_what_json_cannot_hold_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match="ToolCall does not go into JSON") as caught:
        ToolCall(id="1", name="t", arguments={"x": value}).to_json()
    assert caught.value.expected
    assert caught.value.got
    assert caught.value.hint


def test_from_mapping_refuses_unknown_fields_and_takes_records() -> None:
    assert Classify.from_mapping({"text": "x"}) == Classify(text="x")
    assert Classify.from_mapping(Classify(text="x")) == Classify(text="x")
    with pytest.raises(InputError, match=r"Classify\.other"):
        Classify.from_mapping({"text": "x", "other": 1})


FIRST_USE = """
import sys, threading
from typing import Literal
from metier_contracts import Classify, Forecast, Generate, Series
sys.setswitchinterval(1e-6)
start, failed = threading.Barrier(12), []
def use():
    start.wait()
    try:
        Classify(text="x", labels=["a"], examples=[("t", "a")])
        Classify[Literal["a", "b"]](text="x").to_json()
        Forecast(series=Series(values=[1.0]), horizon=1).to_json()
        Generate.from_json(Generate(messages="x").to_json())
    except BaseException as error:
        failed.append(repr(error))
threads = [threading.Thread(target=use) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit("; ".join(failed[:3]) or 0)
"""


def test_the_first_use_by_many_threads_at_once_is_safe() -> None:
    # Validators are built at first use, and a runtime is used by many threads from its first moment.
    done = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_replaced_copies_and_leaves_the_old_record() -> None:
    old = Embedding(vectors=[[1.0, 0.0]])
    provenance = Provenance(model="m", plugin="p", plugin_version="1", device="cpu", seconds=0)
    new = old.replaced(provenance=provenance)
    assert (old.provenance, new.provenance) == (None, provenance)
    assert new == old.model_copy(update={"provenance": provenance})
    assert new.model_fields_set == {"vectors", "provenance"}
    assert Embedding.from_json(new.to_json()) == pickle.loads(pickle.dumps(new)) == new
