"""Manifests: read without an import, and refused with the path and the field."""

from pathlib import Path

import pytest
from metier_contracts import ConfigError, InputError, Manifest, ModelCard, read_manifest
from metier_contracts.hooks import MANIFEST_NAME

VALID = """
contract = "1.0"
name = "mlm"
summary = "Masked language models."
extra = "mlm"
requires = ["torch", "transformers"]

[[models]]
id = "mlm/base"
architecture = "mlm"
licence = "Apache-2.0"
source = "hf:org/name"
revision = "abc"

[models.tasks.classify]
labels = "open"
few_shot = true

[models.tasks.extract]
labels = ["person", "place"]

[models.options]
pooling = "mean"

[[models]]
id = "mlm/small"
plugin = "mlm"
architecture = "mlm"
licence = "MIT"
[models.tasks.fill-mask]

[[commands]]
name = "tok"
help = "Show the tokens of a text."
object = "metier_mlm.cli:main"
[commands.json_schema]
type = "object"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / MANIFEST_NAME


def _refused(path: Path, text: str) -> ConfigError:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_manifest(path)
    error = caught.value
    assert str(path) in error.blame
    assert error.expected
    assert error.got
    assert error.hint
    assert len(str(error)) < 800
    return error


def test_a_valid_manifest(path: Path) -> None:
    path.write_text(VALID, encoding="utf-8")
    manifest = read_manifest(path)
    assert (manifest.contract, manifest.name, manifest.requires) == ("1.0", "mlm", ("torch", "transformers"))
    base, small = manifest.models
    assert base == ModelCard(
        id="mlm/base",
        plugin="mlm",
        architecture="mlm",
        licence="Apache-2.0",
        source="hf:org/name",
        revision="abc",
        options={"pooling": "mean"},
        tasks={"classify": {"labels": "open", "few_shot": True}, "extract": {"labels": ("person", "place")}},
    )
    assert small.plugin == "mlm"
    assert not small.tasks["fill-mask"].few_shot
    assert manifest.commands[0].json_schema == {"type": "object"}


def test_the_least_manifest(path: Path) -> None:
    path.write_text('contract = "1.0"\nname = "empty"\n', encoding="utf-8")
    assert read_manifest(path) == Manifest(contract="1.0", name="empty")


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('name = "mlm"\nsummary', 'nmae = "mlm"\nsummary', "Manifest.name"),
        ('extra = "mlm"', 'extras = "mlm"', "Manifest.extras"),
        ('revision = "abc"', 'revison = "abc"', "Manifest.models[0].revison"),
        ("few_shot = true", "few_shots = true", "Manifest.models[0].tasks.classify.few_shots"),
        ("few_shot = true", 'few_shot = "often"', "Manifest.models[0].tasks.classify.few_shot"),
        ('architecture = "mlm"', 'architecture = "bert"', "Manifest.models[0].architecture"),
        ('licence = "Apache-2.0"', "", "Manifest.models[0].licence"),
        ('plugin = "mlm"', 'plugin = "llm"', "'mlm/small' of plugin 'llm'"),
        ('id = "mlm/small"', 'id = "mlm/base"', "'mlm/base' more than once"),
        ('id = "mlm/small"', 'id = "-small"', "Manifest.models[1].id"),
        ("[models.tasks.fill-mask]", "", "Manifest.models[1].tasks"),
        ('contract = "1.0"', "contract = 1.0", "Manifest.contract"),
        ('contract = "1.0"', 'contract = "1"', "MAJOR.MINOR"),
        ('contract = "1.0"', 'contract = "1.0.0"', "MAJOR.MINOR"),
        ('contract = "1.0"', "", "Manifest.contract"),
        ('name = "mlm"\nsummary', 'name = "My Plugin"\nsummary', "Manifest.name"),
        ('"metier_mlm.cli:main"', '"metier_mlm.cli.main"', "Manifest.commands[0].object"),
        ('"metier_mlm.cli:main"', '"os:system(1)"', "Manifest.commands[0].object"),
        ('source = "hf:org/name"', 'source = "org/name"', "Manifest.models[0].source"),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(path: Path, before: str, after: str, words: str) -> None:
    assert before in VALID
    error = _refused(path, VALID.replace(before, after, 1))
    assert MANIFEST_NAME in error.summary
    assert words in str(error)


@pytest.mark.parametrize("text", ['name = "mlm', "= 3", "[models", "a = 1\na = 2"])
def test_what_is_no_toml_is_refused(path: Path, text: str) -> None:
    error = _refused(path, text)
    assert "cannot be read" in error.summary
    assert "TOML" in error.expected
    assert "TOMLDecodeError" in error.got


def test_what_is_not_utf_8_is_refused(path: Path) -> None:
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(ConfigError, match="UTF-8"):
        read_manifest(path)


def test_an_absent_manifest_is_refused(path: Path) -> None:
    with pytest.raises(ConfigError, match="FileNotFoundError") as caught:
        read_manifest(path)
    assert str(path) in caught.value.blame


def test_a_manifest_built_in_python_raises_input_error() -> None:
    card = {"id": "a", "architecture": "rule", "licence": "MIT", "tasks": {"rank": {}}}
    with pytest.raises(InputError, match="more than once"):
        Manifest.from_mapping({"contract": "1.0", "name": "p", "models": [card, card]})


@pytest.mark.parametrize("names", [["Ocr"], ["read page"], ["ocr", "ocr"], ["-ocr"], [""]])
def test_tasks_have_names_like_the_built_in_ones_each_once(names: list[str]) -> None:
    tasks = [{"name": name, "help": "Read.", "object": "acme_ocr.task:OCR"} for name in names]
    with pytest.raises(InputError) as caught:
        Manifest.from_mapping({"contract": "1.0", "name": "acme", "tasks": tasks})
    assert "Manifest.tasks" in str(caught.value)


def test_tasks_of_several_words() -> None:
    told = {"name": "read-page-2", "help": "Read.", "object": "acme_ocr.task:OCR"}
    assert Manifest.from_mapping({"contract": "1.0", "name": "acme", "tasks": [told]}).tasks[0].name == "read-page-2"
