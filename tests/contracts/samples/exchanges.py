"""For each task one or more requests, each with a response that is right for it and the capabilities of its model."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from metier_contracts import (
    TASKS,
    Act,
    ActResult,
    ActStep,
    Anomalies,
    Approval,
    Budget,
    Capabilities,
    Classification,
    Classify,
    Covariate,
    DetectAnomalies,
    Embed,
    Embedding,
    Entity,
    EnvironmentSpec,
    Extract,
    Extraction,
    FillMask,
    Forecast,
    ForecastResult,
    Generate,
    GeneratedImage,
    GenerateImage,
    Generation,
    GraphScore,
    GraphScores,
    Image,
    ImagePart,
    Message,
    Rank,
    RankedToken,
    Ranking,
    Request,
    Response,
    Sampling,
    Segment,
    Segmentation,
    Task,
    TextPart,
    TokenRanking,
)

from .data import EXAMPLES, GAPPY, GRAPH, HOURLY, IMAGE, PLAIN
from .messages import CALL, PROVENANCE, TOOL


@dataclass(frozen=True)
class Exchange:
    """A request, a response that keeps the contract, and what the model's card states for the task."""

    request: Request[Any]
    response: Response
    capabilities: Capabilities = field(default_factory=Capabilities)

    @property
    def task(self) -> Task:
        return TASKS[self.request.task]


_MASKS = np.zeros((2, 4, 5), dtype=bool)
_MASKS[0, 1:3, 2:4] = True
_MASKS[1, :, 0] = True
_BOXES = [[2, 1, 4, 3], [0, 0, 1, 4]]
_ANSWER_SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
_ENTITIES = (
    Entity(text="Zoë", label="person", start=0, end=3, score=0.9),
    Entity(text="Zürich", label="place", start=13, end=19),
)
_LATER = np.datetime64("2024-02-29T04", "ns") + np.arange(2) * np.timedelta64(1, "h")

EXCHANGES: dict[str, Exchange] = {
    "classify": Exchange(
        Classify(text="the card was billed twice", labels=("billing", "outage", "praise"), examples=EXAMPLES),
        Classification(
            label="billing", scores={"billing": 0.75, "outage": 0.125, "praise": 0.125}, provenance=PROVENANCE
        ),
        Capabilities(labels="open", few_shot=True),
    ),
    "classify.image": Exchange(
        Classify(image=IMAGE),
        Classification(label="cat", scores={"dog": 0.25, "cat": 0.75}),
        Capabilities(modalities=("image",), labels=("cat", "dog")),
    ),
    "classify.multi-label": Exchange(
        Classify(text="late and rude", labels=("late", "rude", "kind"), multi_label=True),
        Classification(label="late", scores={"late": 0.9, "rude": 0.9, "kind": 0.0}),
        Capabilities(labels="open", multi_label=True),
    ),
    "embed": Exchange(
        Embed(texts=["one", "two"]),
        Embedding(vectors=[[1, 0, 0], [0.6, 0.8, 0]]),
        Capabilities(dimensions=3, normalized=True),
    ),
    "embed.images": Exchange(
        Embed(images=(IMAGE, IMAGE)),
        Embedding(vectors=[[3.5, -1], [3.5, -1]], provenance=PROVENANCE),
        Capabilities(modalities=("text", "image")),
    ),
    "rank": Exchange(
        Rank(query="capital of France", candidates=["Bern", "Paris", "Paris is the capital"]),
        Ranking(order=(2, 1, 0), scores=(8.5, 8.5, -3.25)),
    ),
    "fill-mask": Exchange(
        FillMask(text="Paris is the [MASK] of France.", top_k=3),
        TokenRanking(tokens=(RankedToken(token="capital", score=0.9), RankedToken(token="heart", score=0.05))),
    ),
    "extract": Exchange(
        Extract(text="Zoë lives in Zürich.", entity_types=["person", "place", "date"]),
        Extraction(entities=_ENTITIES),
        Capabilities(labels="open"),
    ),
    "segment": Exchange(
        Segment(image=IMAGE, boxes=_BOXES),
        Segmentation(masks=_MASKS, scores=[0.9, 0.5], boxes=_BOXES),
        Capabilities(modalities=("image",), prompts=("points", "boxes")),
    ),
    "segment.points": Exchange(
        Segment(image=IMAGE, points=[[2.5, 1], [0, 4]], point_labels=[1, 0], mask=_MASKS[0], multimask=True),
        Segmentation(masks=_MASKS, scores=[0.75, 0.5], boxes=_BOXES),
        Capabilities(modalities=("image",), prompts=("points", "mask")),
    ),
    "segment.everything": Exchange(
        Segment(image=IMAGE, everything=True),
        Segmentation(masks=np.zeros((0, 4, 5), dtype=bool), scores=[], boxes=np.zeros((0, 4))),
        Capabilities(modalities=("image",), prompts=("everything",)),
    ),
    "forecast": Exchange(
        Forecast(
            series=HOURLY,
            horizon=2,
            quantiles=(0.1, 0.5, 0.9),
            covariates={"price": Covariate(past=np.arange(6), future=[6, 7]), "wind": Covariate(past=np.arange(6) / 7)},
        ),
        ForecastResult(
            mean=[1.0, 2.0],
            quantiles=[[0.5, 1.0, 1.5], [1.0, 2.0, 2.0]],
            quantile_levels=(0.1, 0.5, 0.9),
            timestamps=_LATER,
        ),
        Capabilities(quantiles=True, covariates=True),
    ),
    "forecast.point": Exchange(
        Forecast(series=GAPPY, horizon=1, quantiles=()),
        ForecastResult(mean=[0.25], quantiles=np.zeros((1, 0)), quantile_levels=()),
        Capabilities(missing_values=True),
    ),
    "detect-anomalies": Exchange(
        DetectAnomalies(series=PLAIN, sensitivity=0.25),
        Anomalies(scores=[0, 0.5, 9, 0, 0, 0.5, 0], flags=[False, False, True, False, False, False, False]),
    ),
    "graph-score": Exchange(
        GraphScore(graph=GRAPH),
        GraphScores(scores=np.arange(12).reshape(4, 3), labels=("a", "b", "c"), embeddings=np.eye(4, 2)),
        Capabilities(levels=("node",)),
    ),
    "graph-score.edge": Exchange(
        GraphScore(graph=GRAPH, level="edge", edges=[[0, 3], [3, 0]]),
        GraphScores(scores=[[0.25], [0.5]]),
        Capabilities(levels=("node", "edge")),
    ),
    "generate": Exchange(
        Generate(
            messages=(
                Message(role="system", content="Answer in JSON."),
                Message(role="user", content=(TextPart(text="Which city?"), ImagePart(image=IMAGE))),
            ),
            json_schema=_ANSWER_SCHEMA,
            sampling=Sampling(max_tokens=16, temperature=0.5, seed=3),
        ),
        Generation(text='{"city": "Zürich"}', finish_reason="stop", input_tokens=12, output_tokens=9),
        Capabilities(modalities=("text", "image"), json_schema=True),
    ),
    "generate.tools": Exchange(
        Generate(messages="Is it raining in Zürich?", tools=(TOOL,)),
        Generation(text="", tool_calls=(CALL,), finish_reason="tool_calls", input_tokens=12, output_tokens=9),
        Capabilities(tools=True),
    ),
    "generate-image": Exchange(
        GenerateImage(prompt="a red cube", negative_prompt="text", width=5, height=4, steps=2, guidance=7.5, seed=11),
        GeneratedImage(image=Image(pixels=np.full((4, 5, 3), (255, 0, 0), dtype=np.uint8)), seed=11),
    ),
    "act": Exchange(
        Act(
            goal="rename the file",
            environment=EnvironmentSpec(kind="files", config={"root": "/data"}),
            budget=Budget(max_steps=3, max_seconds=2.0, max_cost=0.5),
            approval=Approval(allowed="write"),
        ),
        ActResult(
            plan=("look", "rename"),
            steps=(
                ActStep(action="list", outcome="done", seconds=0.5, cost=0.125),
                ActStep(action="rename", arguments={"to": "b"}, risk="write", outcome="done", seconds=0.5),
                ActStep(action="delete", risk="irreversible", outcome="refused"),
            ),
            reached=True,
        ),
        Capabilities(environments=("files",)),
    ),
}
