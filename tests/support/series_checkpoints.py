"""Small forecasting checkpoints with random weights, in the form in which the published ones come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

QUANTILES = [round(0.1 * step, 1) for step in range(1, 10)]
_SIZES = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4, "dropout_rate": 0.1}
_PATCHES = {"input_patch_size": 8, "input_patch_stride": 8, "quantiles": QUANTILES, "use_reg_token": True}


def chronos(folder: Path, *, seed: int = 0) -> Path:
    """Save a checkpoint of Chronos, a T5 over 64 bins that draws 8 paths of up to 16 steps; return `folder`."""
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        **_SIZES, vocab_size=64, decoder_start_token_id=0, pad_token_id=0, eos_token_id=1, initializer_factor=2.0
    )
    config.chronos_config = {
        "tokenizer_class": "MeanScaleUniformBins",
        "tokenizer_kwargs": {"low_limit": -5.0, "high_limit": 5.0},
        "context_length": 64,
        "prediction_length": 16,
        "n_tokens": 64,
        "n_special_tokens": 2,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "use_eos_token": True,
        "model_type": "seq2seq",
        "num_samples": 8,
        "temperature": 1.0,
        "top_k": 50,
        "top_p": 1.0,
    }
    return _save(T5ForConditionalGeneration, config, folder, seed)


def chronos_bolt(folder: Path, *, seed: int = 0) -> Path:
    """Save a checkpoint of Chronos-Bolt, which gives nine quantiles of 16 steps; return `folder`."""
    from chronos.chronos_bolt import ChronosBoltModelForForecasting
    from transformers import T5Config

    config = T5Config(
        **_SIZES,
        vocab_size=2,
        decoder_start_token_id=0,
        pad_token_id=0,
        feed_forward_proj="relu",
        initializer_factor=0.3,
        chronos_pipeline_class="ChronosBoltPipeline",
        chronos_config={"context_length": 64, "prediction_length": 16, **_PATCHES},
        reg_token_id=1,
    )
    return _save(ChronosBoltModelForForecasting, config, folder, seed)


def chronos_2(folder: Path, *, seed: int = 0) -> Path:
    """Save a checkpoint of Chronos-2, which gives nine quantiles of 32 steps; return `folder`."""
    from chronos.chronos2 import Chronos2Model
    from chronos.chronos2.config import Chronos2CoreConfig

    config = Chronos2CoreConfig(
        **_SIZES,
        initializer_factor=0.3,
        chronos_pipeline_class="Chronos2Pipeline",
        chronos_config={
            "context_length": 64,
            "output_patch_size": 8,
            "max_output_patches": 4,
            "use_arcsinh": True,
            **_PATCHES,
        },
    )
    return _save(Chronos2Model, config, folder, seed)


def timesfm(folder: Path, *, seed: int = 0) -> Path:
    """Save a checkpoint of TimesFM 2.5, of the sizes that `small_timesfm` gives the class; return `folder`."""
    from safetensors.torch import save_file
    from timesfm.timesfm_2p5.timesfm_2p5_torch import TimesFM_2p5_200M_torch_module

    with torch.random.fork_rng(devices=[]), small_timesfm():
        torch.manual_seed(seed)
        module = TimesFM_2p5_200M_torch_module()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.normal_(0, 0.3)
        save_file(module.state_dict(), folder / "model.safetensors")
    return folder


@contextmanager
def small_timesfm() -> Iterator[None]:
    """Let the network of TimesFM 2.5, whose sizes are fixed, have two layers of width 32 while the block runs."""
    from timesfm.timesfm_2p5.timesfm_2p5_torch import TimesFM_2p5_200M_torch_module

    usual = TimesFM_2p5_200M_torch_module.config
    layers = usual.stacked_transformers
    block = replace(layers.transformer, model_dims=32, hidden_dims=32, num_heads=2)
    ends = {
        name: replace(getattr(usual, name), hidden_dims=32, **sizes)
        for name, sizes in {
            "tokenizer": {"output_dims": 32},
            "output_projection_point": {"input_dims": 32},
            "output_projection_quantiles": {"input_dims": 32},
        }.items()
    }
    small = replace(usual, stacked_transformers=replace(layers, num_layers=2, transformer=block), **ends)
    TimesFM_2p5_200M_torch_module.config = small
    try:
        yield
    finally:
        TimesFM_2p5_200M_torch_module.config = usual


def _save(kind: Callable[[Any], Any], config: Any, folder: Path, seed: int) -> Path:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        kind(config).save_pretrained(folder)
    return folder
