"""GGUF files are converted once, and whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from metier_contracts import ModelLoadError
from metier_llm import conversion
from metier_llm.conversion import converted
from safetensors.torch import load_file

FILE = "small.gguf"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, small_tokenizer: Any) -> Path:
    """A Llama of two layers in a GGUF file."""
    folder = tmp_path_factory.mktemp("gguf")
    writer = gguf.GGUFWriter(folder / FILE, "llama")
    random = np.random.default_rng(3)
    tokenizer = json.loads(small_tokenizer.backend_tokenizer.to_str())["model"]
    tokens = small_tokenizer.convert_ids_to_tokens(range(len(small_tokenizer)))
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_block_count(2)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_rope_dimension_count(8)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * 3 + [1] * (len(tokens) - 3))
    writer.add_token_merges([" ".join(pair) for pair in tokenizer["merges"]])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_chat_template(small_tokenizer.chat_template)
    shapes = {"token_embd": (len(tokens), 32), "output_norm": (32,)}
    for layer in range(2):
        for name, shape in {
            "attn_q": (32, 32),
            "attn_k": (16, 32),
            "attn_v": (16, 32),
            "attn_output": (32, 32),
            "ffn_gate": (64, 32),
            "ffn_up": (64, 32),
            "ffn_down": (32, 64),
            "attn_norm": (32,),
            "ffn_norm": (32,),
        }.items():
            shapes[f"blk.{layer}.{name}"] = shape
    for name, shape in shapes.items():
        weights = random.normal(size=shape).astype(np.float32)
        if len(shape) == 1:
            writer.add_tensor(f"{name}.weight", weights)
        else:
            packed = gguf.quants.quantize(weights, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(f"{name}.weight", packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return folder


def test_what_is_written_is_what_the_file_holds(folder: Path, tmp_path: Path) -> None:
    made = converted(folder, FILE, tmp_path)
    state = load_file(made / "model.safetensors")
    reader = gguf.GGUFReader(folder / FILE)
    tensors = {tensor.name: gguf.quants.dequantize(tensor.data, tensor.tensor_type) for tensor in reader.tensors}
    np.testing.assert_array_equal(state["model.embed_tokens.weight"], tensors["token_embd.weight"])
    np.testing.assert_array_equal(state["model.layers.1.mlp.down_proj.weight"], tensors["blk.1.ffn_down.weight"])
    assert {tensor.dtype for tensor in state.values()} == {torch.float32}


def test_it_is_made_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = converted(folder, FILE, tmp_path)
    monkeypatch.setattr(conversion, "_convert", lambda *_: pytest.fail("converted again"))
    assert converted(folder, FILE, tmp_path) == made
    assert [path.name for path in tmp_path.iterdir()] == [made.name]


@pytest.mark.parametrize("harm", ["altered", "cut", "record gone"])
def test_what_is_no_longer_whole_is_made_anew(folder: Path, tmp_path: Path, harm: str) -> None:
    made = converted(folder, FILE, tmp_path)
    weights = made / "model.safetensors"
    right = weights.read_bytes()
    if harm == "record gone":
        (made / "converted.json").unlink()
    else:
        weights.write_bytes(right[:-9] if harm == "cut" else right[:-1] + bytes([right[-1] ^ 1]))
    assert converted(folder, FILE, tmp_path) == made
    assert weights.read_bytes() == right


def test_a_failure_leaves_nothing_behind(folder: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / FILE).write_bytes((folder / FILE).read_bytes()[:4000])
    scratch = tmp_path / "scratch"
    with pytest.raises(Exception, match=r".+"):
        converted(broken, FILE, scratch)
    assert list(scratch.iterdir()) == []


def test_another_process_may_be_first(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    convert = conversion._convert

    def slow(source: Path, file: str, into: Path) -> None:
        convert(source, file, into)
        shutil.copytree(into, tmp_path / into.name.partition(".")[0])

    monkeypatch.setattr(conversion, "_convert", slow)
    monkeypatch.setattr(conversion.shutil, "rmtree", lambda *_, **__: None)
    assert (converted(folder, FILE, tmp_path) / "model.safetensors").is_file()


def test_a_file_that_is_not_there_is_told(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelLoadError, match=r"other\.gguf"):
        converted(folder, "other.gguf", tmp_path)
