import pytest
from metier.weights import WeightStore
from metier_contracts import ChecksumError, UnsafeWeightsError, WeightsError


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "config.json").write_bytes(b"{}")
    return folder


@pytest.fixture
def store(root):
    return WeightStore(root, offline=True)


def test_a_folder_is_used_in_place(folder, store, root, make_card):
    assert store.ensure(make_card(f"path:{folder}")) == folder
    assert not root.exists()


def test_of_a_file_the_folder_that_holds_it_is_returned(folder, store, make_card, digest):
    card = make_card(f"path:{folder}/config.json", sha256=digest(b"{}"))
    assert store.ensure(card) == folder
    assert store.locate(card) == folder


def test_the_home_folder_is_expanded(folder, store, make_card, monkeypatch):
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.setenv("USERPROFILE", str(folder.parent))
    assert store.ensure(make_card("path:~/mine")) == folder


def test_missing_weights(folder, store, make_card):
    card = make_card(f"path:{folder}/absent")
    assert store.locate(card) is None
    with pytest.raises(WeightsError, match="are missing") as caught:
        store.ensure(card)
    assert str(folder / "absent") in caught.value.expected


@pytest.mark.parametrize("source", ["path:", "path:relative/folder", "path:~no-such-user-here/x"])
def test_a_path_that_means_nothing_certain(source, store, make_card):
    with pytest.raises(WeightsError) as caught:
        store.ensure(make_card(source))
    assert "path:/folder" in caught.value.expected
    assert store.locate(make_card(source)) is None
    assert store.size(make_card(source)) == 0


def test_each_listed_file_is_checked(folder, store, make_card, digest):
    good = {"model.safetensors": digest(b"weights"), "config.json": digest(b"{}")}
    assert store.ensure(make_card(f"path:{folder}", sha256=good)) == folder
    with pytest.raises(ChecksumError, match=r"config\.json"):
        store.ensure(make_card(f"path:{folder}", sha256={**good, "config.json": "0" * 64}))


def test_one_digest_is_of_the_weights(folder, store, make_card, digest):
    assert store.ensure(make_card(f"path:{folder}", sha256=digest(b"weights"))) == folder
    with pytest.raises(ChecksumError):
        store.ensure(make_card(f"path:{folder}", sha256=digest(b"{}")))


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a\\b", "a//b", "", "C:x"])
def test_a_table_cannot_point_out_of_the_folder(name, folder, store, make_card):
    with pytest.raises(WeightsError, match="file name"):
        store.ensure(make_card(f"path:{folder}", sha256={name: "0" * 64}))


def test_a_pickle_needs_a_grant(folder, root, make_card):
    (folder / "model.pkl").write_bytes(b"")
    card = make_card(f"path:{folder}")
    with pytest.raises(UnsafeWeightsError):
        WeightStore(root).ensure(card)
    assert WeightStore(root, grants=["acme/tiny"]).ensure(card) == folder


def test_the_users_own_files_are_never_removed(folder, store, make_card):
    card = make_card(f"path:{folder}")
    assert store.remove(card) is False
    assert store.size(card) == len(b"weights") + len(b"{}")
