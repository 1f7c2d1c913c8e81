import logging
import socket
import time

import pytest
from metier.weights import WeightStore
from metier_contracts import Cancelled, ChecksumError, OfflineError, WeightsError

FILES = {
    "model.safetensors": b"weights",
    "sub/model.gguf": b"GGUF weights",
    "config.json": b"{}",
    "merges.txt": b"a b",
    "spiece.model": b"pieces",
    "chat_template.jinja": b"{{ x }}",
    "pytorch_model.bin": b"a checkpoint",
    "training_args.pt": b"a checkpoint",
    "model.pkl": b"a pickle",
    "modeling_tiny.py": b"1 / 0",
    ".gitattributes": b"",
}
DATA = {name for name in FILES if not name.endswith((".bin", ".pt", ".pkl", ".py", ".gitattributes"))}
MODEL = "/acme/tiny/resolve/" + "c" * 40 + "/model.safetensors"


@pytest.fixture
def store(root, server, monkeypatch):
    """A store in this process, whose Hub is the loopback server."""
    from huggingface_hub import close_session, constants

    # Read from HF_ENDPOINT at import, which another test may have done long ago.
    monkeypatch.setattr(constants, "ENDPOINT", server.url)
    template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    yield WeightStore(root)
    close_session()


@pytest.fixture
def card(hub, make_card):
    """The card of a repository with these files."""

    def card(files=FILES, **fields):
        return make_card("hf:acme/tiny", **{"revision": hub(files), **fields})

    return card


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "metier-weights.json"
    }


def test_beside_a_hub_client_that_is_too_old_it_says_so(store, card, monkeypatch):
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub, "__version__", "0.36.2")
    with pytest.raises(WeightsError) as caught:
        store.ensure(card())
    assert (caught.value.expected, caught.value.got) == ("huggingface_hub 1.0 or later", "0.36.2")


class TestChoice:
    def test_without_a_table_only_data_comes(self, store, card, root, listing):
        folder = store.ensure(card())
        assert contents(folder) == {name: FILES[name] for name in DATA}
        assert listing(root) == [folder.name, f"{folder.name}.lock"]

    def test_with_a_table_only_what_it_lists(self, store, card, digest):
        names = ("pytorch_model.bin", "config.json")
        folder = store.ensure(card(sha256={name: digest(FILES[name]) for name in names}))
        assert contents(folder) == {name: FILES[name] for name in names}

    def test_a_listed_file_that_is_not_there(self, store, card, server):
        with pytest.raises(WeightsError, match="does not hold the weights") as caught:
            store.ensure(card(sha256={"absent.gguf": "0" * 64}))
        assert caught.value.expected == "absent.gguf"
        assert not server.gets(MODEL)

    def test_a_repository_of_checkpoints_alone(self, store, card):
        with pytest.raises(WeightsError, match="does not hold the weights") as caught:
            store.ensure(card({"pytorch_model.bin": b"x", "config.json": b"{}"}))
        assert "sha256" in caught.value.hint

    def test_one_digest_is_of_the_weights(self, store, card, digest):
        files = {"model.safetensors": b"weights", "config.json": b"{}"}
        assert store.ensure(card(files, sha256=digest(b"weights")))

    def test_a_name_that_would_leave_the_folder_does_not_come(self, store, card, root, listing):
        folder = store.ensure(card({"model.safetensors": b"w", "../evil.json": b"{}", "a\\b.json": b"{}"}))
        assert contents(folder) == {"model.safetensors": b"w"}
        assert listing(root) == [folder.name, f"{folder.name}.lock"]


class TestPinning:
    @pytest.mark.parametrize("revision", [None, "main", "v1.0", "abc123"])
    def test_a_revision_that_can_move(self, revision, store, card):
        with pytest.raises(WeightsError, match="does not pin") as caught:
            store.ensure(card(revision=revision))
        assert "pin a revision" in caught.value.hint

    @pytest.mark.parametrize("source", ["hf:tiny", "hf:acme/tiny/x", "hf:", "hf:../x", "hf:acme/tiny@main"])
    def test_malformed_sources(self, source, store, make_card):
        with pytest.raises(WeightsError) as caught:
            store.ensure(make_card(source, revision="c" * 40))
        assert caught.value.expected == "hf:ORG/NAME"

    def test_another_revision_is_another_pull(self, store, card):
        first = store.ensure(card())
        assert store.locate(card(revision="d" * 40)) is None
        assert store.locate(card()) == first


class TestChecks:
    def test_a_file_that_the_hub_lists_with_another_digest_is_not_fetched(self, store, card, server):
        wrong = card({"model.safetensors": b"weights"}, sha256={"model.safetensors": "0" * 64})
        with pytest.raises(ChecksumError, match=r"acme/tiny/model\.safetensors"):
            store.ensure(wrong)
        assert not server.gets(MODEL)

    def test_a_file_of_another_digest(self, store, card):
        wrong = card({"model.safetensors": b"w", "config.json": b"{}"}, sha256={"config.json": "0" * 64})
        with pytest.raises(ChecksumError, match=r"acme/tiny/config\.json"):
            store.ensure(wrong)
        assert store.locate(wrong) is None

    def test_bytes_that_differ_from_what_the_hub_lists(self, store, card, server):
        mixed = card()
        server.files[MODEL] = b"weighty"
        with pytest.raises(ChecksumError):
            store.ensure(mixed)
        server.files[MODEL] = b"weights"
        assert store.ensure(mixed)

    @pytest.mark.parametrize("sent", [b"weig", b"weights and more"])
    def test_another_size_than_the_hub_lists(self, sent, store, card, server):
        mixed = card()
        server.files[MODEL] = sent
        with pytest.raises(WeightsError, match="sent another"):
            store.ensure(mixed)

    def test_a_changed_file_is_refused_and_not_fetched_again(self, store, card, server):
        folder = store.ensure(card())
        (folder / "config.json").write_bytes(b"[]")
        server.seen.clear()
        with pytest.raises(ChecksumError, match=r"config\.json"):
            store.ensure(card())
        assert not server.seen


class TestInterruption:
    @pytest.fixture
    def large(self, noise):
        return noise(4_000_000)

    def test_a_killed_pull_goes_on_by_range(
        self, large, card, server, root, start_pull, kill, wait_until, digest, store, listing
    ):
        pulled = card({"model.safetensors": large, "config.json": b"{}"}, sha256={"model.safetensors": digest(large)})
        server.stalls[MODEL] = 3_000_000
        process = start_pull(pulled, HF_ENDPOINT=server.url)
        assert server.stalled.wait(30)
        wait_until(lambda: sum(path.stat().st_size for path in root.rglob("model.safetensors")) == 3_000_000)
        kill(process)
        server.release()
        second = start_pull(pulled, HF_ENDPOINT=server.url)
        output, _ = second.communicate()
        assert second.returncode == 0
        assert server.gets(MODEL) == [None, "bytes=3000000-"]
        folder = store.locate(pulled)
        assert output.strip() == str(folder)
        assert digest((folder / "model.safetensors").read_bytes()) == digest(large)
        assert listing(root) == [folder.name, f"{folder.name}.lock"]

    def test_a_server_without_ranges_sends_all_again(self, large, card, server, store):
        server.ranges = False
        server.breaks.append((MODEL, 1_000_000))
        folder = store.ensure(card({"model.safetensors": large}))
        assert server.gets(MODEL) == [None, "bytes=1000000-"]
        assert (folder / "model.safetensors").read_bytes() == large

    def test_a_connection_that_breaks_is_taken_up_again(self, large, card, server, store):
        server.breaks += [(MODEL, 1_000_000), (MODEL, 2_500_000)]
        folder = store.ensure(card({"model.safetensors": large}))
        assert server.gets(MODEL) == [None, "bytes=1000000-", "bytes=2500000-"]
        assert (folder / "model.safetensors").read_bytes() == large

    def test_what_cannot_be_checked_is_not_gone_on_from(self, hub, make_card, server, store):
        card = make_card("hf:acme/tiny", revision=hub({"model.safetensors": b"weights"}, lfs=False))
        server.statuses[MODEL] = (404, {})
        with pytest.raises(WeightsError):
            store.ensure(card)
        (unfinished,) = store.root.glob("*.unfinished")
        (unfinished / "model.safetensors").write_bytes(b"torn")
        server.statuses.clear()
        server.seen.clear()
        store.ensure(card)
        assert server.gets(MODEL) == [None]

    def test_a_callers_own_exception_passes_and_the_bytes_stay(self, large, card, server, store):
        def cancel(done, total):
            if 0 < done < total:
                raise Cancelled("enough")

        pulled = card({"model.safetensors": large})
        with pytest.raises(Cancelled):
            store.ensure(pulled, progress=cancel)
        calls = []
        store.ensure(pulled, progress=lambda *call: calls.append(call))
        assert int(server.gets(MODEL)[1].removeprefix("bytes=").removesuffix("-")) > 0
        assert calls[-1] == (len(large), len(large))
        assert [done for done, _ in calls] == sorted(done for done, _ in calls)


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "code", "hint"),
        [
            (403, "GatedRepo", "hf auth login"),
            (404, "RepoNotFound", "correct `source`"),
            (404, "RevisionNotFound", "correct `source`"),
            (400, "", "reaches the Hub"),
        ],
    )
    def test_what_the_hub_answers(self, status, code, hint, store, card, server):
        refused = card()
        server.statuses["/api/models/acme/tiny/tree/" + "c" * 40] = (status, {"X-Error-Code": code})
        with pytest.raises(WeightsError, match="could not be fetched") as caught:
            store.ensure(refused)
        assert type(caught.value) is WeightsError
        assert hint in caught.value.hint

    def test_a_file_that_the_hub_lists_and_does_not_send(self, store, card, server):
        refused = card()
        server.statuses[MODEL] = (404, {"X-Error-Code": "EntryNotFound"})
        with pytest.raises(WeightsError, match="could not be fetched"):
            store.ensure(refused)

    def test_a_hub_that_is_not_there(self, store, card, monkeypatch, caplog):
        from huggingface_hub import constants

        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setattr(time, "sleep", lambda _: None)  # huggingface_hub's, between its tries
        monkeypatch.setattr(logging.getLogger("huggingface_hub"), "propagate", True)
        with pytest.raises(WeightsError, match="could not be fetched") as caught:
            store.ensure(card())
        assert "metier pull acme/tiny" in caught.value.hint
        assert caplog.messages == []

    def test_the_hubs_own_offline_switch(self, card, server, root, start_pull):
        process = start_pull(card(), HF_ENDPOINT=server.url, HF_HUB_OFFLINE="1")
        output, _ = process.communicate()
        assert output == "OfflineError\n"
        assert not server.seen

    def test_an_offline_store_opens_nothing(self, card, server, root):
        with pytest.raises(OfflineError, match="not on this machine"):
            WeightStore(root, offline=True).ensure(card())
        assert not server.seen
        assert not root.exists()

    def test_an_offline_store_serves_what_was_pulled(self, card, server, store, root):
        folder = store.ensure(card())
        server.seen.clear()
        assert WeightStore(root, offline=True).ensure(card()) == folder
        assert not server.seen
