"""Options of cards, and that the README lists them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import metier_sam
import pytest
from metier_contracts import ConfigError, ModelCard
from metier_contracts.authoring import LoaderOptions, read_options
from metier_sam.options import (
    EverythingOptions,
    GrabCutOptions,
    PromptableOptions,
    SegmentAnythingOptions,
    TransformersOptions,
)
from metier_sam.plugin import LOADERS

KINDS: list[type[LoaderOptions]] = [
    EverythingOptions,
    PromptableOptions,
    SegmentAnythingOptions,
    TransformersOptions,
    GrabCutOptions,
]
README = Path(metier_sam.__file__).parent.parent / "README.md"


def test_options_are_read(card_for: Callable[..., ModelCard]) -> None:
    options = read_options(SegmentAnythingOptions, card_for("segment-anything", crop_n_layers=1, cache_bytes=0))
    assert (options.crop_n_layers, options.cache_bytes, options.points_per_side, options.file) == (1, 0, 32, None)


@pytest.mark.parametrize(
    ("kind", "wrong", "named"),
    [
        (EverythingOptions, {"cache_bytes": -1}, "cache_bytes"),
        (EverythingOptions, {"points_per_side": 0}, "points_per_side"),
        (SegmentAnythingOptions, {"crop_overlap_ratio": 1.0}, "crop_overlap_ratio"),
        (TransformersOptions, {"crop_n_layers": 1}, "crop_n_layers"),
        (GrabCutOptions, {"iterations": 0}, "iterations"),
        (GrabCutOptions, {"margin": 0.0}, "margin"),
    ],
)
def test_wrong_options(
    card_for: Callable[..., ModelCard], kind: type[LoaderOptions], wrong: dict[str, object], named: str
) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        read_options(kind, card_for("any", **wrong))
    assert caught.value.blame == "options of the card built"


def test_the_readme_lists_every_option_and_loader() -> None:
    text = README.read_text(encoding="utf-8")
    names = {name for kind in KINDS for name in kind.model_fields} - {"loader"} | set(LOADERS)
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
