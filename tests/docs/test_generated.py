"""What the hook writes into the pages."""

import json
import re

import pytest
from metier.cli import app
from metier.decision.prices import DEFAULT_PRICES
from metier_contracts import TASKS, Capabilities, Contribution, Lineage, Manifest, ModelCard, Price, Quality
from typer.main import get_command


@pytest.fixture
def results(expand, tmp_path, monkeypatch):
    """A folder that stands in for docs/results."""
    import folders

    (tmp_path / "results").mkdir()
    monkeypatch.setattr(folders, "DOCS", tmp_path)
    return tmp_path / "results"


MACHINE = {"processor": "acme", "cores": 2}


def test_every_task_has_a_row(expand):
    page = expand("<!-- generate: task-table -->")
    for task in TASKS.values():
        assert f"| `{task.name}` | [{task.request.__name__}](" in page


def test_every_command_has_its_help(expand):
    page = expand("<!-- generate: command-line -->")
    for name, command in get_command(app).commands.items():
        assert f"## metier {name}\n" in page
        for child in getattr(command, "commands", {}):
            assert f"Usage: metier {name} {child} " in page


def test_every_key_of_the_manifest_has_a_row(expand):
    sections = dict(
        re.findall(r"^## (\w+)$(.*?)(?=^## |\Z)", expand("<!-- generate: manifest-schema -->"), re.M | re.S)
    )
    for kind in (Manifest, ModelCard, Capabilities, Contribution, Price, Quality, Lineage):
        assert re.findall(r"^\| `(\w+)` ", sections[kind.__name__], re.M) == list(kind.model_fields)
    assert "| `licence` | string | must be there |" in sections["ModelCard"]
    assert "| `thread_safe` | boolean | `false` |" in sections["ModelCard"]


def test_every_list_price_has_a_row_with_its_source(expand):
    page = expand("<!-- generate: prices -->")
    for name, price in DEFAULT_PRICES.items():
        assert f"| `{name}` | {price.dollars} | {price.source} | {price.date} |" in page


def test_the_rule_of_estimates_is_the_modules(expand):
    assert "2 floating-point operations for each active parameter" in expand("<!-- generate: estimate-rule -->")


def test_a_class_shows_fields_methods_and_what_it_raises(expand):
    page = expand("<!-- generate: api metier_contracts Classify CallContext -->")
    assert "    multi_label: bool = False" in page
    assert "#### CallContext.check\n\n```python\ndef check(self) -> None: ...\n```" in page
    assert "_cancelled" not in page


def test_a_function_shows_its_overloads(expand):
    page = expand("<!-- generate: api metier parallel -->")
    assert "def parallel(a: Step[A, B1], b: Step[A, B2], /) -> Step[A, tuple[B1, B2]]: ..." in page
    assert "**Raises**\n\n- `PipelineTypeError`: " in page


def test_evaluations_become_tables(expand, results):
    result = {
        "title": "Sentiment",
        "date": "2026-01-31",
        "command": "evaluate",
        "data": "Some texts.",
        "machine": MACHINE,
        "rows": {"majority": {"accuracy": 0.5, "fit_seconds": None, "predictions": "01"}},
    }
    (results / "a.json").write_text(json.dumps(result), encoding="utf-8")
    page = expand("<!-- generate: evaluations -->")
    assert "Some texts." in page
    assert "|  | accuracy | fit seconds |\n| --- | --- | --- |\n| majority | 0.5 |  |" in page
    assert "on 2026-01-31 by evaluate (processor acme, cores 2)" in page


def test_figures_become_tables(expand, results):
    figure = {"name": "import", "value": 0.21, "unit": "s", "goal": "at most 0.3 s", "met": True}
    (results / "b.json").write_text(
        json.dumps({"title": "Speed", "machine": MACHINE, "figures": [figure]}), encoding="utf-8"
    )
    assert "| import | 0.21 s | at most 0.3 s | met |" in expand("<!-- generate: figures -->")


def test_claims_become_verdicts_and_tables(expand, results):
    interval = {"low": 0.25, "high": 0.75}
    row = {
        "name": "small",
        "role": "specialist",
        "given": "2 labels",
        "quality": 0.5,
        "interval": interval,
        "failed": 0,
        "seconds": 0.0125,
        "asked": "together",
        "dollars": 0.001,
        "fit_seconds": None,
    }
    comparison = {
        "specialist": "small",
        "language_model": "lm",
        "gain": 0.1,
        "gain_interval": interval,
        "quality": "better",
        "quicker": 20.0,
        "quicker_range": interval,
        "cheaper": 20.0,
        "cheaper_range": interval,
        "verdict": "20 times cheaper, quality better",
        "holds": True,
    }
    claim = {
        "title": "Letters",
        "data": "Three letters.",
        "metric": "accuracy",
        "higher_is_better": True,
        "items": 3,
        "timed": 1,
        "rounds": 6,
        "rows": [row],
        "trials": [],
        "comparisons": [comparison],
        "tokens": None,
        "remote": [],
    }
    ledger = {"title": "Claims", "date": "2026-01-31", "machine": MACHINE, "claims": [claim]}
    (results / "c.json").write_text(json.dumps(ledger), encoding="utf-8")
    page = expand("<!-- generate: claims -->")
    assert "| Letters | small | 20 (0.25 to 0.75) |" in page
    assert "| small | specialist | 2 labels | 0.500 | 0.250 to 0.750 |  | 12.5 | together | 0.001 |  |" in page
    assert "- small beside lm: 20 times cheaper, quality better; cheaper by 20" in page
    assert "with 97 % confidence" in page
    assert expand("<!-- generate: evaluations -->") == expand("<!-- generate: figures -->")  # told once


def test_without_results_the_pages_say_so(expand, results):
    assert expand("<!-- generate: figures -->") == expand("<!-- generate: evaluations -->") != ""
