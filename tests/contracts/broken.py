"""For each invariant, responses that break it and no other."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from metier_contracts import (
    ActResult,
    ActStep,
    Anomalies,
    Classification,
    Embedding,
    Entity,
    Extraction,
    ForecastResult,
    GeneratedImage,
    Generation,
    GraphScores,
    Image,
    RankedToken,
    Ranking,
    Response,
    Segmentation,
    TokenRanking,
    ToolCall,
)
from metier_contracts.tasks import (
    act,
    classify,
    detect_anomalies,
    embed,
    extract,
    fill_mask,
    forecast,
    generate,
    generate_image,
    graph_score,
    rank,
    segment,
)

from .samples import EXCHANGES, Exchange

NAN = float("nan")


@dataclass(frozen=True)
class Broken:
    """A response to the request of the exchange `of`, the invariant that it breaks, and the field to be named."""

    invariant: Callable[..., Any]
    of: str
    response: Response
    field: str

    @property
    def exchange(self) -> Exchange:
        return EXCHANGES[self.of]


def _classified(label: str, **scores: float) -> Classification:
    return Classification(label=label, scores=scores)


def _ranked(*tokens: tuple[str, float]) -> TokenRanking:
    return TokenRanking(tokens=[RankedToken(token=token, score=score) for token, score in tokens])


def _segmented(count: int, *, size: tuple[int, int] = (4, 5), scores: int = 0, boxes: int = 0) -> Segmentation:
    return Segmentation(
        masks=np.zeros((count, *size), dtype=bool),
        scores=np.zeros(scores or count),
        boxes=np.ones((boxes or count, 4)),
    )


def _forecast(**changes: Any) -> ForecastResult:
    right = EXCHANGES["forecast"].response
    return ForecastResult(**{**{name: getattr(right, name) for name in ForecastResult.model_fields}, **changes})


def _anomalies(scores: list[float], flags: list[int]) -> Anomalies:
    return Anomalies(scores=scores, flags=np.array(flags, dtype=bool))


def _generation(text: str = "", **fields: Any) -> Generation:
    return Generation(**{"text": text, "finish_reason": "stop", "input_tokens": 1, "output_tokens": 1, **fields})


def _call(name: str, **arguments: Any) -> Generation:
    return _generation(finish_reason="tool_calls", tool_calls=(ToolCall(id="1", name=name, arguments=arguments),))


def _act(*steps: ActStep) -> ActResult:
    return ActResult(plan=(), steps=steps, reached=False)


_LIST = ActStep(action="list", outcome="done", seconds=0.25)
_TIMES = EXCHANGES["forecast"].response.timestamps
_EDGES = EXCHANGES["graph-score.edge"]

BROKEN: dict[str, Broken] = {
    "classify: a label is absent": Broken(
        classify.covers_labels, "classify", _classified("billing", billing=0.75, outage=0.25), "scores"
    ),
    "classify: a label too many": Broken(
        classify.covers_labels, "classify", _classified("billing", billing=1, outage=0, praise=0, other=0), "scores"
    ),
    "classify: not the card's labels": Broken(
        classify.covers_labels, "classify.image", _classified("cow", cow=1.0), "scores"
    ),
    "classify: no labels": Broken(
        classify.covers_labels, "classify.multi-label", _classified("late", late=1, rude=0), "scores"
    ),
    "classify: sum below 1": Broken(
        classify.scores_are_probabilities, "classify", _classified("billing", billing=0.5, outage=0, praise=0), "scores"
    ),
    "classify: sum above 1": Broken(
        classify.scores_are_probabilities,
        "classify",
        _classified("billing", billing=0.9, outage=0.9, praise=0),
        "scores",
    ),
    "classify: below 0": Broken(
        classify.scores_are_probabilities,
        "classify",
        _classified("billing", billing=0.75, outage=0.5, praise=-0.25),
        "scores",
    ),
    "classify: above 1 though multi-label": Broken(
        classify.scores_are_probabilities, "classify.multi-label", _classified("late", late=2, rude=0, kind=0), "scores"
    ),
    "classify: NaN": Broken(
        classify.scores_are_probabilities,
        "classify.multi-label",
        _classified("late", late=1, rude=NAN, kind=0),
        "scores",
    ),
    "classify: not the best": Broken(
        classify.label_is_best, "classify", _classified("praise", billing=0.75, outage=0, praise=0.25), "label"
    ),
    "classify: a label without a score": Broken(
        classify.label_is_best, "classify", _classified("other", billing=0.75, outage=0, praise=0.25), "label"
    ),
    "embed: a vector is absent": Broken(embed.one_vector_an_input, "embed", Embedding(vectors=[[1, 0, 0]]), "vectors"),
    "embed: a vector too many": Broken(
        embed.one_vector_an_input, "embed.images", Embedding(vectors=[[1], [1], [1]]), "vectors"
    ),
    "embed: not the card's dimensions": Broken(
        embed.one_vector_an_input, "embed", Embedding(vectors=[[1, 0], [1, 0]]), "vectors"
    ),
    "embed: not normalized": Broken(embed.unit_norm, "embed", Embedding(vectors=[[1, 0, 0], [0.5, 0, 0]]), "vectors"),
    "embed: a zero vector": Broken(embed.unit_norm, "embed", Embedding(vectors=[[1, 0, 0], [0, 0, 0]]), "vectors"),
    "rank: one twice": Broken(rank.is_permutation, "rank", Ranking(order=(0, 1, 1), scores=(3, 2, 1)), "order"),
    "rank: one is absent": Broken(rank.is_permutation, "rank", Ranking(order=(0, 1), scores=(3, 2, 1)), "order"),
    "rank: counted from 1": Broken(rank.is_permutation, "rank", Ranking(order=(1, 2, 3), scores=(3, 2, 1)), "order"),
    "rank: ascending": Broken(rank.scores_descend, "rank", Ranking(order=(0, 1, 2), scores=(1, 2, 3)), "scores"),
    "rank: a score is absent": Broken(rank.scores_descend, "rank", Ranking(order=(0, 1, 2), scores=(2, 1)), "scores"),
    "rank: NaN": Broken(rank.scores_descend, "rank", Ranking(order=(0, 1, 2), scores=(2, NAN, 1)), "scores"),
    "rank: infinite": Broken(
        rank.scores_descend, "rank", Ranking(order=(0, 1, 2), scores=(float("inf"), 1, 0)), "scores"
    ),
    "fill-mask: ascending": Broken(fill_mask.tokens_descend, "fill-mask", _ranked(("a", 0.1), ("b", 0.2)), "tokens"),
    "fill-mask: none": Broken(fill_mask.tokens_descend, "fill-mask", _ranked(), "tokens"),
    "fill-mask: too many": Broken(
        fill_mask.tokens_descend, "fill-mask", _ranked(("a", 0.4), ("b", 0.3), ("c", 0.2), ("d", 0.1)), "tokens"
    ),
    "extract: another text": Broken(
        extract.spans_match,
        "extract",
        Extraction(entities=[Entity(text="Zurich", label="place", start=13, end=19)]),
        "entities",
    ),
    "extract: an empty span": Broken(
        extract.spans_match,
        "extract",
        Extraction(entities=[Entity(text="", label="place", start=3, end=3)]),
        "entities",
    ),
    "extract: past the end": Broken(
        extract.spans_match,
        "extract",
        Extraction(entities=[Entity(text="Zürich.", label="place", start=13, end=99)]),
        "entities",
    ),
    "extract: bytes for characters": Broken(
        extract.spans_match,
        "extract",
        Extraction(entities=[Entity(text="Zürich", label="place", start=14, end=21)]),
        "entities",
    ),
    "extract: a type not asked for": Broken(
        extract.types_are_wanted,
        "extract",
        Extraction(entities=[Entity(text="Zürich", label="town", start=13, end=19)]),
        "entities",
    ),
    "extract: out of order": Broken(
        extract.spans_ascend,
        "extract",
        Extraction(entities=tuple(reversed(EXCHANGES["extract"].response.entities))),
        "entities",
    ),
    "segment: masks of another size": Broken(
        segment.masks_have_image_size, "segment", _segmented(2, size=(5, 4)), "masks"
    ),
    "segment: a score is absent": Broken(segment.rows_agree, "segment", _segmented(2, scores=1), "scores"),
    "segment: a box too many": Broken(segment.rows_agree, "segment", _segmented(2, boxes=3), "boxes"),
    "segment: one mask for two boxes": Broken(segment.one_mask_a_prompt, "segment", _segmented(1), "masks"),
    "forecast: other levels": Broken(
        forecast.covers_horizon, "forecast", _forecast(quantile_levels=(0.1, 0.5, 0.8)), "quantile_levels"
    ),
    "forecast: a column is absent": Broken(
        forecast.covers_horizon, "forecast", _forecast(quantiles=[[0, 1], [0, 1]]), "quantiles"
    ),
    "forecast: a row is absent": Broken(
        forecast.covers_horizon, "forecast", _forecast(quantiles=[[0, 1, 2]]), "quantiles"
    ),
    "forecast: a mean too many": Broken(forecast.covers_horizon, "forecast", _forecast(mean=[1, 2, 3]), "mean"),
    "forecast: crossing quantiles": Broken(
        forecast.quantiles_ascend, "forecast", _forecast(quantiles=[[0, 1, 2], [0, 2, 1]]), "quantiles"
    ),
    "forecast: no timestamps": Broken(forecast.timestamps_follow, "forecast", _forecast(timestamps=None), "timestamps"),
    "forecast: timestamps from nowhere": Broken(
        forecast.timestamps_follow,
        "forecast.point",
        ForecastResult(mean=[1], quantiles=np.zeros((1, 0)), quantile_levels=(), timestamps=_TIMES[:1]),
        "timestamps",
    ),
    "forecast: a timestamp is absent": Broken(
        forecast.timestamps_follow, "forecast", _forecast(timestamps=_TIMES[:1]), "timestamps"
    ),
    "forecast: timestamps of the past": Broken(
        forecast.timestamps_follow, "forecast", _forecast(timestamps=_TIMES - np.timedelta64(1, "h")), "timestamps"
    ),
    "forecast: descending timestamps": Broken(
        forecast.timestamps_follow, "forecast", _forecast(timestamps=_TIMES[::-1]), "timestamps"
    ),
    "detect-anomalies: a score is absent": Broken(
        detect_anomalies.one_score_a_point, "detect-anomalies", _anomalies([0], [0, 0, 0, 0, 0, 0, 0]), "scores"
    ),
    "detect-anomalies: a flag is absent": Broken(
        detect_anomalies.one_score_a_point, "detect-anomalies", _anomalies([0, 0, 0, 0, 0, 0, 0], [0]), "flags"
    ),
    "detect-anomalies: a lower score is flagged": Broken(
        detect_anomalies.flags_follow_scores,
        "detect-anomalies",
        _anomalies([0, 1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 1, 0]),
        "flags",
    ),
    "graph-score: a node is absent": Broken(
        graph_score.one_row_a_target, "graph-score", GraphScores(scores=np.zeros((3, 1))), "scores"
    ),
    "graph-score: an edge too many": Broken(
        graph_score.one_row_a_target, "graph-score.edge", GraphScores(scores=np.zeros((4, 1))), "scores"
    ),
    "graph-score: an embedding is absent": Broken(
        graph_score.one_row_a_target,
        "graph-score",
        GraphScores(scores=np.zeros((4, 1)), embeddings=np.zeros((3, 2))),
        "embeddings",
    ),
    "graph-score: a label too many": Broken(
        graph_score.one_label_a_column, "graph-score", GraphScores(scores=np.zeros((4, 1)), labels=("a", "b")), "labels"
    ),
    "generate: no JSON": Broken(generate.fits_schema, "generate", _generation("Zürich"), "text"),
    "generate: against the schema": Broken(generate.fits_schema, "generate", _generation('{"city": 3}'), "text"),
    "generate: an unknown tool": Broken(
        generate.tools_exist, "generate.tools", _call("clock", city="Bern"), "tool_calls"
    ),
    "generate: a tool without tools": Broken(
        generate.tools_exist,
        "generate",
        _generation(finish_reason="tool_calls", tool_calls=(ToolCall(id="1", name="weather", arguments={}),)),
        "tool_calls",
    ),
    "generate: a wrong argument": Broken(
        generate.tools_exist, "generate.tools", _call("weather", city="Bern", days="two"), "tool_calls"
    ),
    "generate: too long": Broken(
        generate.stays_within_tokens, "generate.tools", _generation(output_tokens=257), "output_tokens"
    ),
    "generate-image: on its side": Broken(
        generate_image.has_size,
        "generate-image",
        GeneratedImage(image=Image(pixels=np.zeros((5, 4, 3), dtype=np.uint8)), seed=11),
        "image",
    ),
    "generate-image: another seed": Broken(
        generate_image.keeps_seed,
        "generate-image",
        GeneratedImage(image=Image(pixels=np.zeros((4, 5, 3), dtype=np.uint8)), seed=12),
        "seed",
    ),
    "act: too many steps": Broken(act.within_budget, "act", _act(*[_LIST] * 4), "steps"),
    "act: too long": Broken(
        act.within_budget, "act", _act(ActStep(action="wait", outcome="done", seconds=2.5)), "steps"
    ),
    "act: too dear": Broken(
        act.within_budget, "act", _act(ActStep(action="ask", outcome="failed", cost=0.75)), "steps"
    ),
    "act: not approved": Broken(
        act.within_approval, "act", _act(_LIST, ActStep(action="delete", risk="irreversible", outcome="done")), "steps"
    ),
    "act: not approved though it failed": Broken(
        act.within_approval, "act", _act(ActStep(action="delete", risk="irreversible", outcome="failed")), "steps"
    ),
}
