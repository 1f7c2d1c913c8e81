"""What each request needs of a card."""

from typing import Any, Literal

import numpy as np
import pytest
from metier_contracts import (
    Act,
    Classify,
    Covariate,
    DetectAnomalies,
    Embed,
    EnvironmentSpec,
    Extract,
    FillMask,
    Forecast,
    Generate,
    GenerateImage,
    GraphSchema,
    GraphScore,
    Message,
    Rank,
    Request,
    Segment,
    Tool,
)

from ..samples.data import EXAMPLES, GAPPY, GRAPH, IMAGE, PLAIN

TEXT = frozenset({"text"})
LABELS = frozenset({"billing", "outage", "praise"})


@pytest.mark.parametrize(
    ("request_", "needs"),
    [
        (Classify(text="x"), {"modalities": TEXT, "labels": "listed"}),
        (Classify(text="x", labels=["a", "b"]), {"modalities": TEXT, "labels": frozenset("ab")}),
        (Classify[Literal["a", "b"]](text="x"), {"modalities": TEXT, "labels": frozenset("ab")}),
        (Classify(text="x", examples=EXAMPLES), {"modalities": TEXT, "labels": LABELS, "few_shot": True}),
        (Classify(image=IMAGE), {"modalities": frozenset({"image"}), "labels": "listed"}),
        (
            Classify(text="x", labels=["a"], multi_label=True),
            {"modalities": TEXT, "labels": frozenset("a"), "multi_label": True},
        ),
        (Embed(texts=["x"]), {"modalities": TEXT}),
        (Embed(images=[IMAGE]), {"modalities": frozenset({"image"})}),
        (Rank(query="x", candidates=["y"]), {}),
        (FillMask(text="[MASK]"), {}),
        (Extract(text="x"), {"labels": "listed"}),
        (Extract(text="x", entity_types=["a"]), {"labels": frozenset("a")}),
        (Segment(image=IMAGE, everything=True), {"prompts": frozenset({"everything"})}),
        (
            Segment(image=IMAGE, points=[[1, 1]], boxes=[[0, 0, 1, 1]], mask=np.zeros((4, 5), dtype=bool)),
            {"prompts": frozenset({"points", "boxes", "mask"})},
        ),
        (Forecast(series=PLAIN, horizon=1), {"quantiles": True}),
        (Forecast(series=PLAIN, horizon=1, quantiles=()), {}),
        (
            Forecast(series=GAPPY, horizon=1, covariates={"a": Covariate(past=[1, 2, 3, 4])}),
            {"quantiles": True, "covariates": True, "missing_values": True},
        ),
        (DetectAnomalies(series=PLAIN), {}),
        (DetectAnomalies(series=GAPPY), {"missing_values": True}),
        (GraphScore(graph=GRAPH, level="graph"), {"levels": frozenset({"graph"}), "graphs": GraphSchema(2, 1)}),
        (Generate(messages="x"), {"modalities": TEXT}),
        (
            Generate(messages="x", tools=(Tool(name="t"),), json_schema={"type": "object"}),
            {"modalities": TEXT, "tools": True, "json_schema": True},
        ),
        (
            Generate(messages=[Message(role="user", content=[{"image": IMAGE}])]),
            {"modalities": frozenset({"text", "image"})},
        ),
        (GenerateImage(prompt="x"), {}),
        (Act(goal="x", environment=EnvironmentSpec(kind="files")), {"environments": frozenset({"files"})}),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Request) else "",
)
def test_a_request_tells_what_it_needs(request_: Request[Any], needs: dict[str, Any]) -> None:
    assert request_.needs() == needs
