import pytest
from metier.weights import sha256_of
from metier.weights.checksum import card_digests, check_file, check_files
from metier_contracts import ChecksumError, WeightsError

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1


@pytest.fixture
def abc(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    return path


def test_sha256_of_is_the_standards_own_example(abc):
    assert sha256_of(abc) == ABC


def test_a_file_larger_than_any_buffer(tmp_path, noise, digest):
    data = noise(3_000_001)
    (tmp_path / "large").write_bytes(data)
    assert sha256_of(tmp_path / "large") == digest(data)


def test_a_file_of_the_digest_passes(abc, make_card):
    check_file(make_card("wheel:tiny==1.0#tiny"), abc, ABC)


def test_a_mismatch_names_file_digests_and_command(abc, make_card, digest):
    abc.write_bytes(b"abd")
    with pytest.raises(ChecksumError) as caught:
        check_file(make_card("wheel:tiny==1.0#tiny"), abc, ABC)
    assert str(abc) in caught.value.summary
    assert ABC in caught.value.expected
    assert digest(b"abd") in caught.value.got
    assert "metier pull acme/tiny --force" in caught.value.hint


def test_a_missing_file_is_a_mismatch(tmp_path, make_card):
    with pytest.raises(ChecksumError) as caught:
        check_files(make_card("wheel:tiny==1.0#tiny"), tmp_path, {"absent": ABC})
    assert caught.value.got == "no such file"


def test_a_file_that_cannot_be_read(tmp_path, make_card):
    with pytest.raises(WeightsError, match="cannot be read"):
        check_file(make_card("wheel:tiny==1.0#tiny"), tmp_path, ABC)


def test_weights_on_a_path_are_for_the_user_to_mend(abc, make_card):
    with pytest.raises(ChecksumError) as caught:
        check_file(make_card(f"path:{abc}"), abc, "0" * 64)
    assert "correct `sha256`" in caught.value.hint


@pytest.mark.parametrize("names", [["readme.txt"], ["config.json", "model.safetensors"], ["a.txt", "m.GGUF"]])
def test_one_digest_stands_for_the_one_file_it_can_be_of(names, make_card):
    assert card_digests(make_card("path:/x", sha256=ABC), names) == {names[-1]: ABC}


@pytest.mark.parametrize("names", [[], ["a.json", "b.json"], ["a.safetensors", "b.safetensors"]])
def test_one_digest_for_no_one_file(names, make_card):
    with pytest.raises(WeightsError, match="one sha256"):
        card_digests(make_card("path:/x", sha256=ABC), names)
