"""Pictures, cards, and checkpoints of each format with random weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import metier_sam
import numpy as np
import pytest
from metier_contracts import CallContext, ModelCard, Placement, read_manifest
from metier_contracts.hooks import MANIFEST_NAME
from metier_sam.plugin import metier_load
from numpy.typing import NDArray

from tests.support import checkpoints

Picture = NDArray[np.uint8]


@pytest.fixture(scope="session")
def cards() -> Mapping[str, ModelCard]:
    manifest = read_manifest(Path(metier_sam.__file__).with_name(MANIFEST_NAME))
    return {card.id: card for card in manifest.models}


@pytest.fixture(scope="session")
def coins() -> Picture:
    """A photograph of 24 coins, grey as RGB, 303 x 384."""
    from skimage import data

    return np.repeat(data.coins()[:, :, None], 3, axis=2)


@pytest.fixture(scope="session")
def cat() -> Picture:
    """A photograph of a cat, 300 x 451."""
    from skimage import data

    picture: Picture = data.chelsea()
    return picture


@pytest.fixture
def context() -> CallContext:
    return CallContext()


@pytest.fixture(scope="session")
def card_for() -> Callable[..., ModelCard]:
    def card_for(loader: str, **options: Any) -> ModelCard:
        return ModelCard(
            id="built",
            plugin="sam",
            architecture="sam",
            licence="Apache-2.0",
            options={"loader": loader, **options},
            tasks={"segment": {"prompts": ("points", "boxes", "mask", "everything")}},
        )

    return card_for


@pytest.fixture(scope="session")
def load(card_for: Callable[..., ModelCard]) -> Callable[..., Any]:
    """Load the checkpoint in a folder by a loader with these options."""

    def load(loader: str, directory: Path | None = None, **options: Any) -> Any:
        return metier_load(card=card_for(loader, **options), placement=Placement(directory=directory))

    return load


@pytest.fixture(scope="session")
def sam_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small checkpoint of segment-anything."""
    return checkpoints.segment_anything(tmp_path_factory.mktemp("sam"))


@pytest.fixture(scope="session")
def sam(load: Callable[..., Any], sam_folder: Path) -> Any:
    return load("segment-anything", sam_folder, **checkpoints.LAX)
