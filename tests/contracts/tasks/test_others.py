"""The small helpers of requests and responses, and what invariants let pass."""

import numpy as np
import pytest
from metier_contracts import (
    TASKS,
    Anomalies,
    Capabilities,
    DetectAnomalies,
    Embed,
    Entity,
    Extraction,
    GraphScore,
    GraphScores,
    Ranking,
    Request,
    Response,
    Segment,
    Segmentation,
)

from ..samples.data import GRAPH, IMAGE, PLAIN


def _holds(request: Request, response: Response) -> bool:
    return TASKS[request.task].violation(request, response, Capabilities()) is None


def test_an_extraction_gives_the_entities_of_a_type() -> None:
    entities = [Entity(text=text, label=label, start=0, end=1) for text, label in (("a", "x"), ("b", "y"), ("c", "x"))]
    assert [entity.text for entity in Extraction(entities=entities).of("x")] == ["a", "c"]
    assert Extraction(entities=entities).of("z") == ()


@pytest.mark.parametrize(
    ("entity", "stands"),
    [
        (Entity(text="né", label="x", start=1, end=3), True),
        (Entity(text="ané", label="x", start=0, end=3), True),
        (Entity(text="né", label="x", start=0, end=2), False),
        (Entity(text="né", label="x", start=1, end=9), False),
        (Entity(text="", label="x", start=1, end=1), False),
        (Entity(text="né", label="x", start=3, end=1), False),
    ],
)
def test_an_entity_stands_in_a_text_at_its_span_alone(entity: Entity, stands: bool) -> None:
    assert entity.stands_in("ané") is stands


def test_the_best_of_a_ranking_is_its_first() -> None:
    assert Ranking(order=(2, 0, 1), scores=(3, 2, 1)).best == 2


def test_an_embed_request_counts_its_inputs() -> None:
    assert len(Embed(texts=["a", "b"])) == 2
    assert len(Embed(images=[IMAGE])) == 1


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        (GraphScore(graph=GRAPH), 4),
        (GraphScore(graph=GRAPH, level="edge"), 4),
        (GraphScore(graph=GRAPH, level="edge", edges=[[0], [3]]), 1),
        (GraphScore(graph=GRAPH, level="graph"), 1),
    ],
)
def test_a_graph_request_counts_its_targets(request_: GraphScore, count: int) -> None:
    assert request_.num_targets == count
    assert _holds(request_, GraphScores(scores=np.zeros((count, 2))))
    assert not _holds(request_, GraphScores(scores=np.zeros((count + 1, 2))))


@pytest.mark.parametrize(
    ("request_", "counts"),
    [
        (Segment(image=IMAGE, points=[[1, 1], [2, 2]]), {1}),
        (Segment(image=IMAGE, mask=np.ones((4, 5), dtype=bool)), {1}),
        (Segment(image=IMAGE, boxes=[[0, 0, 1, 1], [0, 0, 2, 2]]), {2}),
        (Segment(image=IMAGE, points=[[1, 1]], boxes=[[0, 0, 1, 1]]), {1}),
        (Segment(image=IMAGE, points=[[1, 1]], multimask=True), {0, 1, 2, 3}),
        (Segment(image=IMAGE, everything=True), {0, 1, 2, 3}),
    ],
    ids=["points", "mask", "boxes", "box and point", "multimask", "everything"],
)
def test_how_many_masks_a_prompt_gives(request_: Segment, counts: set[int]) -> None:
    def answer(count: int) -> Segmentation:
        return Segmentation(
            masks=np.zeros((count, 4, 5), dtype=bool), scores=np.zeros(count), boxes=np.ones((count, 4))
        )

    assert {count for count in range(4) if _holds(request_, answer(count))} == counts


@pytest.mark.parametrize(
    ("flags", "holds"),
    [
        ([0] * 7, True),
        ([1] * 7, True),
        ([0, 0, 0, 0, 0, 0, 1], True),
        ([0, 0, 0, 0, 0, 1, 1], True),
        ([1, 0, 0, 0, 0, 0, 0], False),
    ],
    ids=["none", "all", "the highest", "two", "the lowest"],
)
def test_flags_follow_scores(flags: list[int], holds: bool) -> None:
    answer = Anomalies(scores=np.arange(7), flags=np.array(flags, dtype=bool))
    assert _holds(DetectAnomalies(series=PLAIN), answer) is holds
