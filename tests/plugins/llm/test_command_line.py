"""`metier run generate`, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import validate
from metier.cli import app
from metier_contracts import Generation
from typer.testing import CliRunner, Result

FEW = ("--prompt", "Why is the sky blue?", "--max-tokens", "12")


def generate(*flags: str) -> Result:
    return CliRunner().invoke(app, ["run", "generate", *flags])


def test_the_text_is_printed_as_it_comes() -> None:
    done, whole = generate(*FEW), Generation.from_json(generate(*FEW, "--json").stdout)
    assert done.exit_code == 0
    assert done.stdout == f"{whole.text}\n"
    assert "smollm2-135m-instruct on cpu, float32" in done.stderr
    assert f"{whole.input_tokens} tokens read, 12 written and cut off there (--max-tokens)" in done.stderr


def test_sampling_is_taken_from_flags() -> None:
    flags = (*FEW, "--temperature", "1.5", "--top-k", "40", "--top-p", "0.9")
    one, again, other = (generate(*flags, "--seed", seed).stdout for seed in ("1", "1", "2"))
    assert one == again != other
    first = generate(*FEW).stdout.split()[1]
    assert first not in generate(*FEW, "--stop", first, "--stop", "never").stdout


def test_a_schema_binds_the_text(tmp_path: Path) -> None:
    schema = {"type": "object", "properties": {"size": {"enum": ["s", "m"]}}, "required": ["size"]}
    (tmp_path / "size.json").write_text(json.dumps(schema), encoding="utf-8")
    done = generate("--prompt", "A shirt", "--schema", str(tmp_path / "size.json"), "--max-tokens", "60")
    assert done.exit_code == 0, done.stderr
    validate(json.loads(done.stdout), schema)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--prompt", "x", "--schema", "absent.json"), "absent.json"),
        ((), "--prompt is missing"),
        (("--prompt", "x", "--temperature", "-1"), "temperature"),
        (("--prompt", "x", "--model", "openai/gpt-5.4"), "privacy"),
    ],
)
def test_wrong_flags_are_told(flags: tuple[str, ...], told: str) -> None:
    done = generate(*flags)
    assert done.exit_code in (1, 2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr
