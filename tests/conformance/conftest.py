"""Sizes of networks that only their classes state."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.series_checkpoints import small_timesfm


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    with small_timesfm():
        yield
