"""The probes of each task."""

from __future__ import annotations

import numpy as np
import pytest
from metier_contracts import TASKS, Capabilities, Classify, GraphSchema, GraphScore, Image, Probes, Rank, Segment, Size
from metier_contracts.probes.measures import acquaintances, sales
from metier_contracts.probes.pictures import discs
from metier_contracts.probes.texts import PROSE, passage

ABLE = Capabilities(
    modalities=("text", "image"),
    labels="open",
    levels=("node",),
    prompts=("boxes", "points"),
    quantiles=True,
)
EVERY = [
    pytest.param(task, probes, size, id=f"{name} {size.amount} {size.unit} {size.output_tokens}")
    for name, task in TASKS.items()
    for probes in task.probes
    for size in probes.sizes
]


@pytest.mark.parametrize(("task", "probes", "size"), EVERY)
def test_a_probe_has_the_size_asked_for_and_is_served(task: object, probes: Probes, size: Size) -> None:
    request = probes.make(size, 0, ABLE)
    assert request is not None
    made = request.workload()
    assert made.unit == probes.unit == size.unit
    assert made.output_tokens == size.output_tokens
    assert made.amount == pytest.approx(size.amount, rel=0.1, abs=45)
    assert ABLE.unmet(request.needs()) == []


@pytest.mark.parametrize(("task", "probes", "size"), EVERY)
def test_a_number_makes_the_same_request_again_and_another_another(task: object, probes: Probes, size: Size) -> None:
    assert probes.make(size, 3, ABLE) == probes.make(size, 3, ABLE)
    assert probes.make(size, 3, ABLE) != probes.make(size, 4, ABLE)


def test_every_task_but_act_has_probes_of_ascending_sizes() -> None:
    assert [name for name, task in TASKS.items() if not task.probes] == ["act"]
    for task in TASKS.values():
        for probes in task.probes:
            assert list(probes.sizes) == sorted(probes.sizes, key=lambda size: (size.amount, size.output_tokens))


def test_a_model_of_pictures_alone_is_given_no_text() -> None:
    texts, pictures = TASKS["classify"].probes
    blind, deaf = Capabilities(labels="open"), Capabilities(labels="open", modalities=("image",))
    assert texts.make(texts.sizes[0], 0, deaf) is None
    assert pictures.make(pictures.sizes[0], 0, blind) is None
    assert isinstance(pictures.make(pictures.sizes[0], 0, deaf), Classify)


def test_a_model_with_labels_of_its_own_chooses_among_those() -> None:
    (texts, _) = TASKS["classify"].probes
    request = texts.make(texts.sizes[0], 0, Capabilities(labels=("yes", "no")))
    assert isinstance(request, Classify)
    assert request.labels is None


@pytest.mark.parametrize("prompt", ["boxes", "points", "everything"])
def test_a_picture_is_segmented_by_a_prompt_that_the_model_takes(prompt: str) -> None:
    (probes,) = TASKS["segment"].probes
    request = probes.make(probes.sizes[0], 0, Capabilities(prompts=(prompt,)))
    assert isinstance(request, Segment)
    assert set(request.needs()["prompts"]) == {prompt}
    assert probes.make(probes.sizes[0], 0, Capabilities(prompts=("mask",))) is None


def test_requests_to_rank_share_no_text() -> None:
    (probes,) = TASKS["rank"].probes
    requests = [probes.make(probes.sizes[0], number, ABLE) for number in range(16)]
    texts = [text for request in requests if isinstance(request, Rank) for text in (request.query, *request.candidates)]
    assert len(set(texts)) == len(texts) == 16 * 9


def test_a_passage_is_prose_in_whole_words() -> None:
    assert passage(60, 0) == PROSE[: len(passage(60, 0))]
    assert set(passage(3 * len(PROSE), 5).split()) == set(PROSE.split())


def test_the_disc_of_a_picture_is_in_its_box() -> None:
    image, (left, top, right, bottom) = discs(128 * 128, 1)
    assert isinstance(image, Image)
    assert 0 < left < right < 128
    assert 0 < top < bottom < 128
    row, column = int((top + bottom) / 2), int((left + right) / 2)
    inside = image.pixels[row - 5 : row + 5, column - 5 : column + 5].reshape(-1, 3)
    assert inside.std(axis=0).max() < 10  # one colour, but for the grain


def test_a_series_has_a_season() -> None:
    values = sales(240, 0).values
    detrended = values - np.polyval(np.polyfit(np.arange(240), values, 1), np.arange(240))
    assert np.argmax(np.abs(np.fft.rfft(detrended))) == 240 // 12


def test_a_graph_goes_both_ways_and_has_hubs() -> None:
    graph = acquaintances(2000, 0)
    pairs = set(map(tuple, graph.edge_index.T.tolist()))
    assert pairs == {(target, source) for source, target in pairs}
    degrees = np.bincount(graph.edge_index[0])
    assert degrees.max() > 5 * np.median(degrees)


@pytest.mark.parametrize("schema", [None, GraphSchema(72, 14, undirected=True), GraphSchema(("mass", "rank"))], ids=str)
def test_a_graph_has_the_features_that_the_model_takes(schema: GraphSchema | None) -> None:
    (probes,) = TASKS["graph-score"].probes
    able = Capabilities(levels=("graph",), graphs=schema)
    request = probes.make(probes.sizes[0], 0, able)
    assert isinstance(request, GraphScore)
    assert able.unmet(request.needs()) == []
    assert schema is None or schema.holds(request.graph)
