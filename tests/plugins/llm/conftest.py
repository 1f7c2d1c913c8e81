"""Language models for the tests: the trained one, and small random ones of several architectures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from metier.plugins import discover
from metier.weights import WeightStore
from metier_contracts import ModelCard
from transformers import AutoModelForCausalLM, AutoTokenizer, GPT2Config, LlamaConfig, MistralConfig, Qwen3MoeConfig

from tests.support.checkpoints import causal

SIZES: dict[str, Any] = {
    "vocab_size": 320,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "head_dim": 8,
    "initializer_range": 0.3,
}
CONFIGS = {
    "grouped queries": lambda: LlamaConfig(**SIZES),
    "sliding window": lambda: MistralConfig(**SIZES, sliding_window=8),
    "mixture of experts": lambda: Qwen3MoeConfig(
        **SIZES, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=24, decoder_sparse_step=1
    ),
    "learned positions": lambda: GPT2Config(
        vocab_size=320, n_embd=32, n_layer=3, n_head=4, n_positions=512, initializer_range=0.3
    ),
}


def small(config: Any) -> Any:
    """Return a random model in float64, in which no tie falls by chance of rounding; experts know float32 at most."""
    torch.manual_seed(7)
    dtype = torch.float32 if hasattr(config, "num_experts") else torch.float64
    return AutoModelForCausalLM.from_config(config, dtype=dtype).eval()


@pytest.fixture(scope="session", params=CONFIGS)
def module(request: pytest.FixtureRequest) -> Any:
    """A small random model of each architecture."""
    return small(CONFIGS[request.param]())


@pytest.fixture(scope="session")
def llama() -> Any:
    """A small random Llama."""
    return small(CONFIGS["grouped queries"]())


@pytest.fixture(scope="session")
def cards() -> dict[str, ModelCard]:
    """The cards that come with the plugin, by id."""
    [manifest] = [record.manifest for record in discover() if record.name == "llm" and record.manifest is not None]
    return {card.id: card for card in manifest.models}


@pytest.fixture(scope="session")
def smollm2_card(cards: dict[str, ModelCard]) -> ModelCard:
    """The card of the default."""
    return cards["smollm2-135m-instruct"]


@pytest.fixture(scope="session")
def smollm2_folder(smollm2_card: ModelCard) -> Path:
    """SmolLM2-135M-Instruct in safetensors, converted in the user's cache as the runtime does."""
    from metier_llm.conversion import converted

    store = WeightStore()
    folder, scratch = store.ensure(smollm2_card), store.scratch(smollm2_card)
    assert folder is not None
    assert scratch is not None
    return converted(folder, smollm2_card.options["gguf_file"], scratch)


@pytest.fixture(scope="session")
def tokenizer(smollm2_folder: Path) -> Any:
    """Its tokenizer."""
    return AutoTokenizer.from_pretrained(smollm2_folder, local_files_only=True)


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of transformers with a small random model, whose chat template knows tools."""
    return causal(tmp_path_factory.mktemp("small"), "qwen2")


@pytest.fixture(scope="session")
def small_tokenizer(small_folder: Path) -> Any:
    """Its tokenizer."""
    return AutoTokenizer.from_pretrained(small_folder, local_files_only=True)
