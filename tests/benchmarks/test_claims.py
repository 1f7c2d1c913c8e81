"""Each kind of work of the claims ledger, done in every way on one item."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from metier import Runtime
from metier.claims import classifying, relating
from metier.claims.bench import work_of
from metier.claims.measure import do
from metier.claims.work import Asked, Scale
from metier.cli.bench import LANGUAGE_MODEL, SPECIALISTS


@pytest.mark.parametrize("task", SPECIALISTS)
def test_every_way_answers_a_tiny_slice(task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METIER_DATA", str(tmp_path))
    monkeypatch.setattr(classifying, "TRAIN", 120)
    monkeypatch.setattr(relating, "EPOCHS", 2)
    tiny = Scale(dict.fromkeys(SPECIALISTS, 1), dict.fromkeys(SPECIALISTS, 1), rounds=1)
    work = work_of(task, LANGUAGE_MODEL, SPECIALISTS[task], tiny)
    with Runtime() as runtime:
        done = do(runtime, work, 1, lambda _: None)
    for way, one in zip(work.ways, done, strict=True):
        assert one.failed == 0 or way.role == "language model"
        assert np.isfinite(work.metric.of(work.items, one.answers)).all()
        assert bool(one.dollars) == isinstance(way, Asked)
