"""Environments made for real, with pip: numpy 1 and transformers 4 there, 2 and 5 here, and pipelines through both."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier import Runtime, task
from metier.cli import app
from metier.doctor.plugins import examine
from metier.environments import Environment, environments, installer
from metier.environments.making import make_environment, remove_environment
from metier.paths import environments_folder
from metier_contracts import (
    Extract,
    Extraction,
    FillMask,
    Image,
    ModelCard,
    PluginError,
    Segment,
    Segmentation,
    StorageError,
    WorkerDiedError,
)
from tokenizers import Tokenizer
from typer.testing import CliRunner

from tests.core.environments.conftest import NEW, manifest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="workers need descriptors to be handed over")


@pytest.fixture
def picture() -> Image:
    pixels = np.zeros((400, 600, 3), np.uint8)  # 720 kB: goes through shared memory
    pixels[100:200, 50:250] = 200
    pixels[300:310, :, 1:] = 255  # bright on the mean, dark in red
    return Image(pixels=pixels)


@pytest.fixture
def new(plugins: Any) -> None:
    """A plugin in this process, which needs numpy 2."""
    plugins.write("new", code=NEW, manifest=manifest("new", "numpy").encode())


@task(model="old-threshold")
def by_old(image: Image) -> Segment:
    return Segment(image=image, everything=True)


@pytest.mark.usefixtures("old", "new")
def test_plugins_for_numpy_1_and_2_work_in_one_pipeline(picture: Image) -> None:
    assert int(np.__version__.partition(".")[0]) >= 2

    @task(model="new-threshold")
    def by_new(found: Segmentation) -> Segment:
        return Segment(image=picture, mask=found.masks[0])

    with Runtime() as runtime:
        first = runtime.run(by_old, picture)
        both = runtime.run(by_old >> by_new, picture)
    assert first.masks.dtype == bool
    assert np.array_equal(first.masks[0], picture.pixels.mean(axis=2) > 100)
    assert np.array_equal(both.masks[0], picture.pixels[..., 0] > 100)
    assert both.boxes.tolist() == [[50, 100, 250, 200]]


@pytest.fixture
def filler(words: Tokenizer, tmp_path: Path) -> ModelCard:
    """A masked language model with random weights, for the mlm plugin."""
    import torch
    import transformers

    folder = tmp_path / "filler"
    special = {"mask_token": "[MASK]", "pad_token": "[PAD]", "unk_token": "[UNK]"}
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, **special)
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = transformers.BertForMaskedLM(transformers.BertConfig(vocab_size=len(tokenizer), **sizes))
    module.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return ModelCard(
        id="filler",
        plugin="mlm",
        architecture="mlm",
        licence="Apache-2.0",
        source=f"path:{folder}",
        options={"loader": "masked-lm"},
        tasks={"fill-mask": {}},
    )


@task(model="old-words")
def in_words(text: str) -> Extract:
    return Extract(text=text)


@task(model="filler")
def without_the_last(found: Extraction) -> FillMask:
    *kept, _ = (word.text for word in found.entities)
    return FillMask(text=" ".join([*kept, "[MASK]"]), top_k=3)


@pytest.mark.usefixtures("old")
def test_transformers_4_and_5_work_in_one_pipeline(filler: ModelCard) -> None:
    import transformers

    assert transformers.__version__.startswith("5.")
    with Runtime(cards=[filler]) as runtime:
        first = runtime.run(in_words, "the parcel arrived late")
        both = runtime.run(in_words >> without_the_last, "the parcel arrived late")
        assert list(runtime._workers._workers) == ["old"]  # mlm is in this process
    assert [(word.text, word.label) for word in first.entities] == [
        ("the", "transformers 4"),
        ("parcel", "transformers 4"),
        ("arrived", "transformers 4"),
        ("late", "transformers 4"),
    ]
    assert both.provenance is not None
    assert both.provenance.plugin == "mlm"
    assert {one.token for one in both.tokens} < {"the", "parcel", "arrived", "late", "whole", "today"}


@pytest.mark.usefixtures("old", "plugins")
def test_its_death_costs_that_request_and_no_more(picture: Image) -> None:
    with Runtime() as runtime:
        with pytest.raises(WorkerDiedError):
            runtime.run(Segment(image=picture, points=np.zeros((1, 2), np.float32)), model="old-threshold")
        assert runtime.run(by_old, picture).masks.any()


@pytest.mark.usefixtures("plugins")
def test_what_was_made(old: Environment) -> None:
    assert (old.package, old.plugins) == ("old", ("old",))
    assert environments() == [old]
    for installed in ("numpy-1", "transformers-4"):
        assert list(old.folder.glob(f"lib/python*/site-packages/{installed}.*.dist-info"))
    (record,) = examine()
    assert (record.state, record.environment) == ("ready", old)
    listed = CliRunner().invoke(app, ["plugin", "list", "--json"])
    assert '"runs": "venv"' in listed.stdout
    assert str(old.folder) in listed.stdout


@pytest.fixture
def no_pip_runs(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """In the place of pip: something that leaves the distributions of this environment and one more in the new one."""

    def instead(*, extra: Path | None = None) -> None:
        def install(requirements: Any, python: Path, report: Any) -> None:
            (site,) = python.parent.parent.glob("lib/python*/site-packages")
            for name in ("metier", *(() if extra is None else (extra.name,))):
                info = site / f"{name}-0.1.0.dist-info"
                info.mkdir()
                (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1.0\n")

        monkeypatch.setattr(installer, "install", install)

    return instead


def test_a_distribution_without_plugins_is_refused_and_leaves_nothing(no_pip_runs: Callable[..., None]) -> None:
    no_pip_runs(extra=Path("plain"))
    with pytest.raises(PluginError, match=r"plain 0\.1\.0 has no plugin that works") as caught:
        make_environment("plain", lambda _: None)
    assert caught.value.got == "no such entry point"
    assert [path.name for path in environments_folder().iterdir()] == [".lock"]


def test_what_cannot_be_installed_leaves_nothing_and_shows_the_last_lines(tmp_path: Path) -> None:
    lines: list[str] = []
    missing = tmp_path / "acme-1.0-py3-none-any.whl"
    with pytest.raises(PluginError) as caught:
        make_environment(f"metier-acme @ {missing.as_uri()}", lines.append)
    assert "No such file or directory" in str(caught.value.got)
    assert lines
    assert [path.name for path in environments_folder().iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("given", "kept"), [("./acme[fast]", "{here}/acme[fast]"), ("acme", "acme"), ("./none", "./none")]
)
def test_a_path_is_kept_in_full_for_a_later_renewal(given: str, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("acme").mkdir()

    def install(requirements: Any, python: Path, report: Any) -> None:
        raise PluginError(requirements[-1])

    monkeypatch.setattr(installer, "install", install)
    with pytest.raises(PluginError) as asked:
        make_environment(given, lambda _: None)
    assert asked.value.summary == kept.format(here=Path.cwd())


def test_a_kill_leaves_a_folder_that_counts_for_nothing(no_pip_runs: Callable[..., None]) -> None:
    left = environments_folder() / "acme-killed"
    (left / "bin").mkdir(parents=True)
    assert environments() == []
    no_pip_runs()
    with pytest.raises(PluginError):
        make_environment("metier", lambda _: None)
    assert not left.exists()


def test_there_is_nothing_to_remove_where_there_is_no_environment() -> None:
    assert not remove_environment("no-such-package")


def test_without_pip_uv_does_it_and_without_both_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installer, "find_spec", lambda name: None)
    uv = tmp_path / "uv"
    uv.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    uv.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    lines: list[str] = []
    with pytest.raises(PluginError, match="uv could not"):
        installer.install(["a", "b"], Path(sys.executable), lines.append)
    assert lines == [f"pip install --python {sys.executable} a b"]
    uv.unlink()
    with pytest.raises(PluginError, match="no installer is at hand"):
        installer.install(["a"], Path(sys.executable), lines.append)


def test_install_beside_metier_and_uninstall_by_command(plugins: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins.write("acme", package="acme")
    calls: list[tuple[str, Any, Path]] = []
    monkeypatch.setattr(installer, "install", lambda names, python, report: calls.append(("install", names, python)))
    monkeypatch.setattr(installer, "uninstall", lambda name, python, report: calls.append(("uninstall", name, python)))
    here = Path(sys.executable)
    assert CliRunner().invoke(app, ["plugin", "install", "acme"]).exit_code == 0
    assert CliRunner().invoke(app, ["plugin", "uninstall", "acme"]).exit_code == 0
    assert calls == [("install", ["acme"], here), ("uninstall", "acme", here)]


def test_a_folder_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("METIER_DATA", str(tmp_path / "file"))
    with pytest.raises(StorageError, match="the folder of environments cannot be written") as caught:
        make_environment("acme", lambda _: None)
    assert caught.value.blame == str(tmp_path / "file" / "environments")
