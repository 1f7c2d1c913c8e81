"""Distributions in a folder, with what they require."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name


@pytest.fixture
def distributions(tmp_path: Path) -> Callable[..., Mapping[str, Distribution]]:
    """Return a function ({"name version": requirements}) that writes distributions, and returns all written so far."""
    folder = tmp_path / "distributions"
    found: dict[str, Distribution] = {}

    def write(described: Mapping[str, list[str]]) -> Mapping[str, Distribution]:
        for title, requirements in described.items():
            name, _, version = title.partition(" ")
            info = folder / f"{name}-{version}.dist-info"
            info.mkdir(parents=True)
            lines = [f"Requires-Dist: {requirement}\n" for requirement in requirements]
            (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{''.join(lines)}")
            found[canonicalize_name(name)] = PathDistribution(info)
        return found

    return write
