from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from metier_contracts import CallContext, Classify, ClassifyFit, Embed, ExampleSet, InputError, UnsupportedError

EXAMPLES = ExampleSet.from_pairs(
    [
        ("I was charged twice", "billing"),
        ("Refund me", "billing"),
        ("No signal", "fault"),
        ("It crashes", "fault"),
        ("Thank you", "praise"),
        ("Great service", "praise"),
    ]
)


@pytest.fixture(scope="module")
def model(encoder: Any, load: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("desk")
    card = encoder.fit(ClassifyFit(id="desk", examples=EXAMPLES), folder, CallContext())
    return load(card, folder)


def test_it_knows_its_labels(model: Any, context: CallContext) -> None:
    answer = model.infer([Classify(text="Why is there a charge on my card?")], context)[0]
    assert answer.label == "billing"
    assert list(answer.scores) == ["billing", "fault", "praise"]
    assert sum(answer.scores.values()) == pytest.approx(1.0)


def test_some_of_its_labels(model: Any, context: CallContext) -> None:
    answer = model.infer([Classify(text="Why is there a charge?", labels=["praise", "billing"])], context)[0]
    assert list(answer.scores) == ["praise", "billing"]
    assert answer.label == "billing"


def test_what_it_cannot_do_fails_alone(model: Any, context: CallContext) -> None:
    requests = [Classify(text="x", labels=["other"]), Embed(texts=["x"]), Classify(text="Thanks a lot")]
    stranger, odd, good = model.infer(requests, context)
    assert isinstance(stranger, InputError)
    assert isinstance(odd, UnsupportedError)
    assert good.label == "praise"


def test_its_bytes_hold_the_head(model: Any, encoder: Any) -> None:
    weights = encoder._network.resident_bytes()
    assert model.resident_bytes() == weights + 3 * (384 + 1) * 4


def test_the_folder_is_moved_freely(encoder: Any, load: Any, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    card = encoder.fit(ClassifyFit(id="desk", examples=EXAMPLES), first, CallContext())
    first.rename(second)
    moved = load(card, second)
    assert moved.infer([Classify(text="Thank you")], CallContext())[0].label == "praise"
    moved.close()
