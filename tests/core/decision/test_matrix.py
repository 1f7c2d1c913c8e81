"""Which architecture for which work: the real cards of the built-in plugins, and published ones of families not here.

Nothing in the deciding code knows an architecture: each row follows from figures alone, and with the figures of two
cards exchanged the decision goes the other way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

import metier.decision
import numpy as np
import pytest
from metier import Requirements, Runtime
from metier.decision.candidate import Candidate
from metier.decision.decision import Decision
from metier.decision.profile import Machine
from metier_contracts import (
    Act,
    Classify,
    EnvironmentSpec,
    Forecast,
    Generate,
    GenerateImage,
    Graph,
    GraphScore,
    Image,
    ImagePart,
    Message,
    ModelCard,
    Segment,
    Series,
    TextPart,
)
from metier_contracts.card import Architecture

from .fixed import fix_machine
from .published import DIFFUSION, GENERAL, PUBLISHED

MACHINES = (Machine(processor="p", cores=2), Machine(processor="p", cores=2, accelerators=("NVIDIA A10G",)))
MOLECULE = Graph(
    edge_index=np.array([[0, 1], [1, 0]]),
    num_nodes=2,
    x=np.ones((2, 72), np.float32),
    edge_attr=np.ones((2, 14), np.float32),
)
PICTURE = Image(pixels=np.zeros((64, 64, 3), dtype=np.uint8))
FIGURES = ("parameters", "active_parameters", "bytes", "price", "quality", "licence")


@dataclass(frozen=True)
class Row:
    """Some work, what is required for it, the kinds that may be chosen, and whose figures are exchanged."""

    name: str
    work: Any
    chosen: set[str]
    exchanged: tuple[str, str]
    requirements: Requirements = field(default_factory=Requirements)

    def __str__(self) -> str:
        return self.name


ROWS = (
    Row(
        "text generation",
        Generate(messages=[Message(role="user", content="Write a letter.")]),
        {"llm", "slm"},
        ("smollm2-135m-instruct", "qwen2.5-0.5b-instruct"),
    ),
    Row(
        "image and text",
        Generate(messages=[Message(role="user", content=(ImagePart(image=PICTURE), TextPart(text="What is this?")))]),
        {"vlm"},
        ("HuggingFaceTB/SmolVLM-Instruct", "Qwen/Qwen2.5-VL-3B-Instruct"),
        Requirements(privacy="local"),  # else a language model behind an API that sees is cheaper at today's prices
    ),
    Row(
        "on the device",
        Generate,
        {"slm"},
        ("smollm2-135m-instruct", "Qwen/Qwen3-8B"),
        Requirements(privacy="local", device="cpu", memory="4GB", licence="commercial"),
    ),
    Row(
        "classification of high throughput",
        Classify(text="I was charged twice", labels=["billing", "other"]),
        {"mlm", "embedding"},
        ("all-MiniLM-L6-v2", "smollm2-135m-instruct"),
        Requirements(throughput=30),
    ),
    Row(
        "segmentation",
        Segment(image=PICTURE, boxes=[(1.0, 1.0, 9.0, 9.0)]),
        {"sam"},
        ("promptable", "sam2.1-hiera-tiny"),
    ),
    Row(
        "execution of tasks",
        Act(goal="Book the room", environment=EnvironmentSpec(kind="screen")),
        {"lam"},
        ("ByteDance-Seed/UI-TARS-2B-SFT", "ByteDance-Seed/UI-TARS-7B-SFT"),
    ),
    Row(
        "general language at a bounded cost",
        Generate,
        {"moe"},
        ("Qwen/Qwen3-30B-A3B", "Qwen/Qwen3-14B"),
        Requirements(quality=0.84, metric="accuracy", dataset="MMLU", cost_per_1k=2.0),
    ),
    Row(
        "forecasts",
        Forecast(series=Series(values=np.arange(60.0)), horizon=12),
        {"timeseries"},
        ("auto", "chronos-bolt-small"),
    ),
    Row(
        "relations",
        GraphScore(graph=MOLECULE, level="graph"),
        {"gnn"},
        ("admet-regression", "admet-classification"),
    ),
    Row(
        "pictures from text",
        GenerateImage(prompt="a cat"),
        {"diffusion"},
        (DIFFUSION[0].id, DIFFUSION[1].id),
    ),
)


@pytest.fixture(params=MACHINES, ids=["without a GPU", "with a GPU"])
def decided(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Decides with the built-in cards, the published ones, and the given ones over both."""
    fix_machine(monkeypatch, request.param)
    opened: dict[tuple[int, ...], Runtime] = {}

    def decide(row: Row, *cards: ModelCard) -> Decision:
        key = tuple(map(id, cards))
        if key not in opened:
            over = {card.id for card in cards}
            opened[key] = Runtime(privacy="any", cards=[*(card for card in PUBLISHED if card.id not in over), *cards])
        return opened[key].decide(row.work, row.requirements)

    yield decide
    for runtime in opened.values():
        runtime.close()


def cards() -> Mapping[str, ModelCard]:
    with Runtime(cards=PUBLISHED) as runtime:
        return {info.card.id: info.card for info in runtime.models()}


def exchanged(one: ModelCard, other: ModelCard) -> list[ModelCard]:
    return [
        ModelCard.from_mapping({**to.model_dump(), **{name: getattr(of, name) for name in FIGURES}})
        for to, of in ((one, other), (other, one))
    ]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_work_goes_to_its_architecture(row: Row, decided: Any) -> None:
    decision = decided(row)
    assert decision.chosen is not None, decision.explain()
    assert decision.chosen.architecture in row.chosen
    assert decision.chosen.model == row.exchanged[0]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_with_two_cards_figures_exchanged_the_other_is_chosen(row: Row, decided: Any) -> None:
    known = cards()
    decision = decided(row, *exchanged(*(known[model] for model in row.exchanged)))
    assert decision.chosen is not None, decision.explain()
    assert decision.chosen.model == row.exchanged[1]


def test_states_of_all_kinds_are_among_the_candidates(decided: Any) -> None:
    found: set[str] = set()
    for row in ROWS:
        decision = decided(row)
        rows: list[Candidate] = [*decision.ranked, *(each.candidate for each in decision.rejected)]
        found |= {candidate.state for candidate in rows}
    assert {"pull", "install", "key"} <= found


def test_the_mixture_wins_by_its_active_parameters_alone(decided: Any) -> None:
    row = next(row for row in ROWS if row.chosen == {"moe"})
    dense = ModelCard.from_mapping({**GENERAL[0].model_dump(), "active_parameters": None})
    assert decided(row, dense).chosen.model != dense.id


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_amounts_on_the_real_cards_are_exact(row: Row, decided: Any) -> None:
    tight = Requirements(latency_ms=0.5, cost_per_1k=1e-7, throughput=1e9, memory=10, quality=0.999)
    decision = decided(replace(row, requirements=tight))
    assert decision.chosen is None
    amounts = 0
    for rejection in decision.rejected:
        capable = not {bound.constraint for bound in rejection.bounds} & {"needs", "settings", "plugin"}
        for bound in (each for each in rejection.bounds if each.by is not None):
            for share, enough in ((1.0, True), (0.99, False)):
                again = decided(replace(row, requirements=_alone(bound, share)))
                fits = rejection.candidate.model in {candidate.model for candidate in again.ranked}
                assert fits == (capable and enough)
            amounts += 1
    assert amounts


def _alone(bound: Any, share: float) -> Requirements:
    """One constraint relaxed by a share of the amount, and nothing else required."""
    amount = bound.by * share
    ceiling = bound.constraint in ("latency_ms", "cost_per_1k", "memory")
    value = bound.wanted + amount if ceiling else bound.wanted - amount
    return Requirements.from_mapping({bound.constraint: int(value) if bound.constraint == "memory" else value})


def test_no_architecture_is_named_in_the_deciding_code() -> None:
    folder = Path(metier.decision.__file__).parent
    files = [folder / f"{name}.py" for name in DECIDING]
    named = re.compile("|".join(rf"[\"']{name}[\"']" for name in get_args(Architecture)))
    assert [file.name for file in files if named.search(file.read_text(encoding="utf-8"))] == []
    assert named.search('if card.architecture == "moe"')


DECIDING = ("constraints", "decision", "decider", "requirements", "work", "yardstick", "candidate", "estimate", "book")
