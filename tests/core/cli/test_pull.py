"""`metier pull`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"\x02\x00\x00\x00\x00\x00\x00\x00{}")
    return folder


def test_prints_where_the_weights_are(plugins: Any, metier: Any, weights: Path) -> None:
    plugins.write("acme", plugins.card("acme-keywords", source=f"path:{weights}"))
    ran = metier("pull", "acme-keywords")
    assert (ran.code, ran.out.strip()) == (0, f"acme-keywords: {weights}")
    assert metier("pull", "acme-keywords", "--json").json == {"acme-keywords": str(weights)}


def test_a_flipped_byte_is_refused(plugins: Any, metier: Any, weights: Path) -> None:
    file = weights / "model.safetensors"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    plugins.write("acme", plugins.card("acme-keywords", source=f"path:{weights}", sha256={file.name: digest}))
    assert metier("pull", "acme-keywords").code == 0
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    ran = metier("pull", "acme-keywords")
    assert ran.code == 1
    assert digest in ran.err
    assert file.name in ran.err


def test_a_model_without_weights_says_so(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"))
    assert "has no weights to pull" in metier("pull", "acme-keywords").out


def test_an_unknown_model_is_bad_usage_and_suggests(plugins: Any, metier: Any) -> None:
    plugins.write("acme", plugins.card("acme-keywords"))
    ran = metier("pull", "acme-keyword")
    assert ran.code == 2
    assert "'acme-keywords'" in ran.err


def test_no_id_is_bad_usage(metier: Any) -> None:
    assert metier("pull").code == 2
