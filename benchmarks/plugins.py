"""Plugins written to a folder for a measurement, installed as pip would: a package and its metadata."""

from __future__ import annotations

from pathlib import Path

_MANIFEST = """contract = "1.0"
name = "{name}"

[[models]]
id = "{name}-model"
architecture = "rule"
licence = "Apache-2.0"

[models.tasks.classify]
labels = "open"
few_shot = true
"""


def install(site: Path, name: str, code: str) -> None:
    """Write a distribution `bench-NAME` whose plugin NAME has one model, NAME-model."""
    package, info = site / f"bench_{name}", site / f"bench_{name}-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text("")
    (package / "plugin.py").write_text(code)
    (package / "metier-plugin.toml").write_text(_MANIFEST.format(name=name))
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: bench-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[metier.plugins]\n{name} = bench_{name}.plugin\n")
