"""Cards of real models whose plugins are not here, with their published figures; each says from where and when.

Parameters are those that the makers name. Bytes are those of 16-bit weights unless a source states them.
"""

from __future__ import annotations

from typing import Any

from metier_contracts import ModelCard

_READ = "2026-11-28"
_SMALL_THINKER = "https://huggingface.co/PowerInfer/SmallThinker-21BA3B-Instruct (README): 0-shot, chain of thought"
_UI_TARS = "https://huggingface.co/bytedance-research/UI-TARS-7B-SFT (README)"


def _card(model: str, plugin: str, architecture: str, parameters: int, licence: str, **fields: Any) -> ModelCard:
    basis: dict[str, Any] = {
        "id": model,
        "plugin": plugin,
        "architecture": architecture,
        "parameters": parameters,
        "bytes": 2 * parameters,
        "licence": licence,
        "source": f"hf:{model}",
        "devices": ["cpu", "cuda"],
    }
    return ModelCard.from_mapping({**basis, **fields})


def _quality(task: str, value: float, dataset: str, source: str) -> list[dict[str, Any]]:
    figure = {"task": task, "metric": "accuracy", "value": value, "dataset": dataset, "source": source, "date": _READ}
    return [figure]


_TEXT = {"generate": {"modalities": ["text"]}}
_SEES = {"generate": {"modalities": ["text", "image"]}}
_ACTS = {"act": {"environments": ["screen"]}}
_PAINTS = {"generate-image": {}}

GENERAL = (
    _card(
        "Qwen/Qwen3-30B-A3B",
        "llm",
        "moe",
        30_532_122_624,
        "Apache-2.0",
        active_parameters=3_300_000_000,
        tasks=_TEXT,
        quality=_quality("generate", 0.851, "MMLU", _SMALL_THINKER),
    ),
    _card(
        "Qwen/Qwen3-14B",
        "llm",
        "llm",
        14_800_000_000,
        "Apache-2.0",
        tasks=_TEXT,
        quality=_quality("generate", 0.8482, "MMLU", _SMALL_THINKER),
    ),
    _card(
        "microsoft/phi-4",
        "llm",
        "llm",
        14_000_000_000,
        "MIT",
        tasks=_TEXT,
        quality=_quality("generate", 0.8458, "MMLU", _SMALL_THINKER),
    ),
    _card(
        "Qwen/Qwen3-8B",
        "llm",
        "llm",
        8_200_000_000,
        "Apache-2.0",
        tasks=_TEXT,
        quality=_quality("generate", 0.8179, "MMLU", _SMALL_THINKER),
    ),
)
"""Language models judged by one and the same party."""

VLMS = (
    _card(
        "HuggingFaceTB/SmolVLM-Instruct",
        "vlm",
        "vlm",
        2_200_000_000,
        "Apache-2.0",
        tasks=_SEES,
        quality=_quality("generate", 0.388, "MMMU", "https://huggingface.co/blog/smolvlm"),
    ),
    _card(
        "Qwen/Qwen2.5-VL-3B-Instruct",
        "vlm",
        "vlm",
        3_000_000_000,
        "Qwen-Research",
        tasks=_SEES,
        quality=_quality("generate", 0.531, "MMMU", "https://huggingface.co/Qwen/Qwen2.5-VL-3B-Instruct"),
    ),
)

LAMS = (
    _card(
        "ByteDance-Seed/UI-TARS-2B-SFT",
        "lam",
        "lam",
        2_000_000_000,
        "Apache-2.0",
        tasks=_ACTS,
        quality=_quality("act", 0.729, "VisualWebBench", _UI_TARS),
    ),
    _card(
        "ByteDance-Seed/UI-TARS-7B-SFT",
        "lam",
        "lam",
        7_000_000_000,
        "Apache-2.0",
        tasks=_ACTS,
        quality=_quality("act", 0.797, "VisualWebBench", _UI_TARS),
    ),
)

DIFFUSION = (
    _card(
        "stable-diffusion-v1-5/stable-diffusion-v1-5",
        "diffusion",
        "diffusion",
        1_066_235_307,  # text encoder, VAE and UNet: https://forums.fast.ai/t/101515
        "CreativeML-OpenRAIL-M",
        bytes=4_270_000_000,
        tasks=_PAINTS,
    ),
    _card(
        "stabilityai/stable-diffusion-xl-base-1.0",
        "diffusion",
        "diffusion",
        3_502_000_000,  # UNet 2.6 billion, encoders 695 and 123 million, VAE 84 million: https://arxiv.org/abs/2307.01952
        "CreativeML-OpenRAIL++-M",
        tasks=_PAINTS,
    ),
)

PUBLISHED = (*GENERAL, *VLMS, *LAMS, *DIFFUSION)
