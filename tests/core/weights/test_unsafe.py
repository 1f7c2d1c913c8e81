import io
import json
import pickle
import struct
import tarfile

import pytest
from metier.weights import refuse_pickles
from metier_contracts import UnsafeWeightsError

PICKLE = pickle.dumps({"weights": [1, 2]}, protocol=4)


@pytest.fixture
def refuse(tmp_path, make_card):
    """Write one file and pass its folder to `refuse_pickles`."""

    def refuse(name, data, *, allowed=False):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
        refuse_pickles(make_card(f"path:{tmp_path}"), tmp_path, allowed)

    return refuse


@pytest.mark.parametrize("name", ["m.pkl", "m.pickle", "m.joblib", "deep/er/m.PKL", "m.pkl.gz", "m.joblib.xz"])
def test_pickles_by_name(name, refuse):
    with pytest.raises(UnsafeWeightsError):
        refuse(name, b"whatever it holds")


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["model", "model.dat", "model.bin", "model.pt", "model.safetensors", "config.json"])
def test_pickles_by_content(name, protocol, refuse):
    with pytest.raises(UnsafeWeightsError):
        refuse(name, pickle.dumps({"weights": [1, 2]}, protocol=protocol))


def test_the_error_says_what_to_do(refuse, tmp_path):
    with pytest.raises(UnsafeWeightsError) as caught:
        refuse("m.pkl", PICKLE)
    assert str(tmp_path / "m.pkl") in caught.value.summary
    assert caught.value.expected == "safetensors or GGUF"
    assert 'grants = ["acme/tiny"]' in caught.value.hint
    assert "metier.toml" in caught.value.hint


def test_a_grant_lets_it_pass(refuse):
    refuse("m.pkl", PICKLE, allowed=True)


@pytest.mark.parametrize("name", ["model.bin", "model.pt", "model.pth", "model.ckpt"])
@pytest.mark.parametrize("zipped", [True, False])
def test_torch_checkpoints_pass_in_both_formats(name, zipped, refuse):
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(3)}, buffer, _use_new_zipfile_serialization=zipped)
    refuse(name, buffer.getvalue())
    buffer.seek(0)
    assert torch.load(buffer, weights_only=True)["w"].shape == (3,)


def test_the_older_torch_format_passes_under_a_name_of_torch_alone(refuse):
    torch = pytest.importorskip("torch")
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(3)}, buffer, _use_new_zipfile_serialization=False)
    with pytest.raises(UnsafeWeightsError):
        refuse("model.dat", buffer.getvalue())


@pytest.mark.parametrize(("member", "refused"), [("pickle", True), ("weights.txt", False)])
def test_torch_tars_need_a_grant_and_other_tars_do_not(member, refused, refuse):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(member), io.BytesIO())
    if refused:
        with pytest.raises(UnsafeWeightsError, match="torch tar"):
            refuse("model.pt", buffer.getvalue())
    else:
        refuse("model.pt", buffer.getvalue())


@pytest.mark.parametrize("header_length", [640, 896, 1152, 1408])
def test_safetensors_whose_header_length_reads_like_a_pickle(header_length, refuse):
    header = json.dumps({"__metadata__": {"format": "pt"}}).encode().ljust(header_length)
    data = struct.pack("<Q", header_length) + header
    assert data[0] == 0x80
    assert data[1] in range(2, 6)
    refuse("model.safetensors", data)


@pytest.mark.parametrize("data", [b"", b"\x80", b"GGUF\x03\x00", b"\x80\x01", b"\x80\x06", b"PK\x03\x04"])
def test_other_bytes_pass(data, refuse):
    refuse("model", data)


def test_of_a_single_file_source_only_that_file_counts(tmp_path, make_card):
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    (tmp_path / "neighbour.pkl").write_bytes(PICKLE)
    refuse_pickles(make_card(f"path:{tmp_path / 'model.gguf'}"), tmp_path, allowed=False)
    with pytest.raises(UnsafeWeightsError):
        refuse_pickles(make_card(f"path:{tmp_path}"), tmp_path, allowed=False)
