from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from metier.fitted import fitted_cards, fitting_folder, keep, unreadable_cards
from metier.paths import fitted_folder
from metier_contracts import (
    ClassifyFit,
    ConfigError,
    ExampleSet,
    Graph,
    GraphFit,
    ModelCard,
    StorageError,
)

EXAMPLES = ExampleSet.from_pairs([("good", "praise"), ("bad", "blame"), ("fine", "praise")])


def request_of(model: str = "mine/a", **fields: Any) -> ClassifyFit:
    return ClassifyFit(id=model, examples=EXAMPLES, **fields)


@pytest.fixture
def fit(plugins: Any) -> Callable[..., ModelCard]:
    """Keeps a model of one or more files."""

    def run(model: str = "mine/a", files: dict[str, bytes] | None = None, **fields: Any) -> ModelCard:
        with fitting_folder(model) as folder:
            for name, data in (files or {"weights.json": b"{}"}).items():
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(data)
            return keep(folder, plugins.model_card("drafted", "fittable", **fields), request_of(model), "acme/base")

    return run


def test_what_is_kept_is_found_again(fit: Any) -> None:
    assert fitted_cards() == []
    card = fit("mine/a", {"weights.json": b"{}", "deep/more.bin": b"more"})
    assert fitted_cards() == [card]
    home = Path(str(card.source).removeprefix("path:"))
    assert home.parent == fitted_folder()
    assert (home / "deep" / "more.bin").read_bytes() == b"more"
    assert card.id == "mine/a"
    assert card.sha256 == {
        "weights.json": hashlib.sha256(b"{}").hexdigest(),
        "deep/more.bin": hashlib.sha256(b"more").hexdigest(),
    }


def test_the_card_has_its_lineage(fit: Any) -> None:
    lineage = fit().lineage
    assert lineage.base == "acme/base"
    assert lineage.method == "head"
    assert lineage.examples_sha256 == EXAMPLES.digest
    assert lineage.num_examples == 3
    assert lineage.settings == {"epochs": 1, "learning_rate": 5e-5, "batch_size": 32, "seed": 0}


def test_the_lineage_of_a_graph_model(plugins: Any) -> None:
    graph = Graph(edge_index=np.array([[0, 1], [1, 2]]), num_nodes=3)
    request = GraphFit(id="mine/g", graphs=[graph], indices=[0, 2], targets=[0, 1], architecture="gat")
    with fitting_folder("mine/g") as folder:
        lineage = keep(
            folder, plugins.model_card("drafted", "fittable", tasks={"graph-score": {}}), request, "acme/base"
        ).lineage
    assert lineage is not None
    assert (lineage.method, lineage.num_examples) == ("gat", 2)
    assert lineage.settings == {"level": "node", "epochs": 100, "learning_rate": 1e-2, "seed": 0}


def test_a_fitted_model_does_not_become_the_default(fit: Any) -> None:
    card = fit(tasks={"classify": {"labels": ["a"], "default": True}, "embed": {"default": True}})
    assert [table.default for table in card.tasks.values()] == [False, False]
    assert card.tasks["classify"].labels == ("a",)


def test_nothing_is_left_where_the_block_fails() -> None:
    def fail() -> None:
        with fitting_folder("mine/a") as folder:
            (folder / "weights.json").touch()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(fitted_folder().iterdir()) == []


def test_a_folder_that_is_being_written_is_no_model(fit: Any) -> None:
    with fitting_folder("mine/a") as folder:
        (folder / "metier-card.json").write_text("half a ca")
        assert fitted_cards() == []


def test_a_later_fit_takes_the_place_as_a_whole(fit: Any) -> None:
    fit("mine/a", {"old.json": b"old"})
    card = fit("mine/a", {"new.json": b"new"})
    home = Path(str(card.source).removeprefix("path:"))
    assert sorted(path.name for path in home.iterdir()) == ["metier-card.json", "new.json"]
    assert fitted_cards() == [card]
    assert [path.name for path in fitted_folder().iterdir()] == [home.name]


def test_where_the_new_one_cannot_take_the_place_the_old_one_keeps_it(fit: Any, monkeypatch: Any) -> None:
    old = fit("mine/a", {"old.json": b"old"})
    replace = Path.replace

    def fail_once(self: Path, target: Path) -> Path:
        if target == fitted_folder() / "mine%2Fa":
            monkeypatch.setattr(Path, "replace", replace)
            raise OSError("no luck")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail_once)
    with pytest.raises(StorageError, match="'mine/a' cannot be written") as caught:
        fit("mine/a", {"new.json": b"new"})
    assert "METIER_DATA" in str(caught.value.hint)
    assert fitted_cards() == [old]
    assert (fitted_folder() / "mine%2Fa" / "old.json").read_bytes() == b"old"


@pytest.mark.parametrize(("one", "other"), [("a/b", "a--b"), ("a/b", "a-b"), ("a/b/c", "a/b-c"), ("a.b", "a/b")])
def test_no_two_ids_share_a_folder(one: str, other: str, fit: Any) -> None:
    fit(one)
    fit(other)
    assert {card.id for card in fitted_cards()} == {one, other}


def test_a_card_that_the_model_wrote_itself_is_not_among_the_digests(fit: Any) -> None:
    assert list(fit(files={"metier-card.json": b"mine", "weights.json": b"{}"}).sha256) == ["weights.json"]


def test_a_folder_that_has_moved_takes_its_models_along(fit: Any, tmp_path: Path, monkeypatch: Any) -> None:
    card = fit("mine/a")
    (tmp_path / "data").rename(tmp_path / "elsewhere")
    monkeypatch.setenv("METIER_DATA", str(tmp_path / "elsewhere"))
    (moved,) = fitted_cards()
    assert moved.source == f"path:{tmp_path / 'elsewhere' / 'fitted' / 'mine%2Fa'}"
    assert moved.model_copy(update={"source": card.source}) == card


def test_a_card_that_cannot_be_read_harms_no_other_and_names_the_file_and_the_way_out(fit: Any) -> None:
    path = Path(str(fit("mine/a").source).removeprefix("path:")) / "metier-card.json"
    sound = fit("mine/b")
    path.write_text("{}")
    assert fitted_cards() == [sound]
    (error,) = unreadable_cards()
    assert isinstance(error, ConfigError)
    assert error.blame == str(path)
    assert str(path.parent) in str(error.hint)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder would be")
    with pytest.raises(StorageError, match="'mine/a' cannot be written") as caught, fitting_folder("mine/a"):
        pytest.fail("there is no folder")
    assert str(fitted_folder()) in str(caught.value.expected)
