"""What type checkers must see: each `reveal_type` states its type, each `error` line must be refused.

It is checked by test_typing.py and never run.
"""

from typing import Literal, TypeVar, reveal_type

import numpy as np
from metier_contracts import (
    TASKS,
    Classification,
    Classify,
    Embed,
    ExampleSet,
    Forecast,
    Generate,
    Image,
    Model,
    Request,
    Response,
    Segment,
    Series,
    StreamingModel,
)

R = TypeVar("R", bound=Response)
Desk = Literal["a", "b"]


def run(request: Request[R]) -> R:
    raise NotImplementedError


def wants_str(answer: Classification[str]) -> None: ...


series = Series(values=np.array([1.0]))
examples = ExampleSet.from_pairs([("text", "a")])
narrow = run(Classify[Desk](text="x"))

reveal_type(narrow)  # Classification[Literal['a', 'b']]
reveal_type(narrow.label)  # Literal['a', 'b']
reveal_type(run(Classify(text="x", labels=["a"])))  # Classification[str]
reveal_type(run(Embed(texts=["x"])))  # Embedding
reveal_type(run(Forecast(series=series, horizon=2)))  # ForecastResult
reveal_type(run(Segment(image=Image.of("x.png"), everything=True)))  # Segmentation
reveal_type(run(Generate.of("hello")).text)  # str
reveal_type(Classify[Desk].from_json("{}"))  # Classify[Literal['a', 'b']]
reveal_type(examples)  # ExampleSet[str]
reveal_type(TASKS["classify"].request)  # type[Request[Any]]
reveal_type(ExampleSet[Desk].from_pairs([("text", "a")]))  # ExampleSet[Literal['a', 'b']]
wants_str(narrow)  # a label of a Literal is a str
Classify[Desk](text="x", examples=ExampleSet[Desk].from_pairs([("text", "a")]))

Classify(txt="x")  # error
Classify(text=3)  # error
Classify[Desk](text="x", labels=["c"])  # error
Classify[Desk](text="x", examples=examples)  # error
ExampleSet[Desk].from_pairs([("text", "c")])  # error
Forecast(series=series)  # error
run("x")  # error
run(narrow)  # error


class Complete:
    def infer(self, requests: object, context: object) -> list[Response]:
        return []

    def resident_bytes(self) -> int:
        return 0

    def close(self) -> None: ...


class Incomplete:
    def infer(self, requests: object, context: object) -> list[Response]:
        return []


complete: Model = Complete()
incomplete: Model = Incomplete()  # error
streaming: StreamingModel = Complete()  # error
