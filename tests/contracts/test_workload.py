"""`Request.workload`: how much there is to work on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from metier_contracts import (
    Act,
    Classify,
    Covariate,
    DetectAnomalies,
    Embed,
    EnvironmentSpec,
    ExampleSet,
    Extract,
    FillMask,
    Forecast,
    Generate,
    GenerateImage,
    Graph,
    GraphScore,
    Image,
    ImagePart,
    Message,
    Rank,
    Request,
    Response,
    Sampling,
    Segment,
    Series,
    Size,
    TextPart,
    Tool,
)

PICTURE = Image(pixels=np.zeros((28, 56, 3), dtype=np.uint8))
SERIES = Series(values=np.arange(10.0))
PATH = Graph(edge_index=np.array([[0, 1, 1, 2], [1, 0, 2, 1]]), num_nodes=3)
COVARIATE = Covariate(past=np.zeros(10), future=np.zeros(4))


@pytest.mark.parametrize(
    ("request_", "size"),
    [
        (Classify(text="four"), Size(4)),
        (Classify(image=PICTURE), Size(28 * 56, "pixels")),
        (Embed(texts=["four", "sixsix"]), Size(10)),
        (Embed(images=[PICTURE, PICTURE]), Size(2 * 28 * 56, "pixels")),
        (Rank(query="four", candidates=["a", "bc"]), Size(7)),
        (FillMask(text="a [MASK]"), Size(8)),
        (Extract(text="four"), Size(4)),
        (Segment(image=PICTURE, everything=True), Size(28 * 56, "pixels")),
        (Forecast(series=SERIES, horizon=4), Size(14, "points")),
        (Forecast(series=SERIES, horizon=4, covariates={"price": COVARIATE}), Size(24, "points")),
        (DetectAnomalies(series=SERIES), Size(10, "points")),
        (GraphScore(graph=PATH), Size(4, "edges")),
        (Generate.of("four", sampling=Sampling(max_tokens=9)), Size(4, output_tokens=9)),
        (GenerateImage(prompt="a", width=10, height=20, steps=3), Size(600, "pixel-steps")),
        (GenerateImage(prompt="a", width=10, height=20), Size(200 * 30, "pixel-steps")),
        (Act(goal="a", environment=EnvironmentSpec(kind="k")), Size(20, "steps")),
    ],
)
def test_each_task_counts_in_its_own_unit(request_: Request[Any], size: Size) -> None:
    assert request_.workload() == size


def test_a_generation_reads_every_message_its_pictures_and_its_tools() -> None:
    parts = Message(role="user", content=(TextPart(text="four"), ImagePart(image=PICTURE)))
    spoken = Generate(messages=[Message(role="system", content="sixsix"), parts])
    assert spoken.workload().amount == 6 + 4 + 28 * 56 // 196
    clock = Tool(name="clock")
    assert Generate(messages="four", tools=[clock]).workload().amount == 4 + len(clock.to_json())


def test_what_is_told_besides_is_counted_apart() -> None:
    labels, types = ["bill", "pr\u00e4ise"], ["ORG"]
    examples = ExampleSet.from_pairs([("Again?", "bill"), ("Thanks", "pr\u00e4ise")])
    turns = '{"role":"user","content":"Again?"},{"role":"assistant","content":"bill"},'
    both = Classify(text="four", labels=labels, examples=examples).workload()
    assert both == Size(4, choice_characters=len('["bill", "pr\u00e4ise"]'), example_characters=2 * len(turns) + 2)
    assert Classify(text="four", examples=examples).workload() == both
    assert Classify(image=PICTURE, labels=labels).workload() == Size(28 * 56, "pixels", 0, both.choice_characters)
    assert Extract(text="four", entity_types=types).workload() == Size(4, choice_characters=len('["ORG"]'))


def test_a_request_of_another_task_counts_the_characters_of_its_json() -> None:
    class Greet(Request[Response]):
        name: str

    greeting = Greet(name="Ada")
    assert greeting.workload() == Size(len(greeting.to_json()))
