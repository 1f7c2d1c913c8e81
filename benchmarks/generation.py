"""Generating for many callers: metier beside transformers used directly, one by one and as one batch."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from metier import Runtime
from metier_contracts import Generate, Generation, Sampling

from benchmarks.figures import Figure, at_least, interleaved, median_ratio

MODEL = "smollm2-135m-instruct"
CALLERS = 16
TOKENS = 48
TOPICS = (
    *("the sea", "a lost key", "winter in the mountains", "how bread is made", "a train at night", "two old friends"),
    *("the first day of school", "a garden after rain", "why cats purr", "a letter that came late", "the moon"),
    *("a market in the morning", "the sound of a clock", "a walk by the river", "an empty house", "the colour blue"),
)
PROMPTS = tuple(f"Write a long story about {topic}." for topic in TOPICS)


def measure(rounds: int = 3) -> list[Figure]:
    """Measure 16 prompts, 48 tokens each, greedy, in float32, in turn."""
    requests = [Generate.of(prompt, sampling=Sampling(max_tokens=TOKENS)) for prompt in PROMPTS]
    with Runtime() as runtime, ThreadPoolExecutor(CALLERS) as callers:
        runtime.load(MODEL)

        def ask(request: Generate) -> Generation:
            return runtime.run(request, model=MODEL)

        written = sum(answer.output_tokens for answer in map(ask, requests))
        direct = _Direct(next(info.card for info in runtime.models() if info.card.id == MODEL))
        one_by_one, at_once, theirs, batch = interleaved(
            [
                lambda: [ask(request) for request in requests],
                lambda: list(callers.map(ask, requests)),
                lambda: [direct.generate([prompt]) for prompt in PROMPTS],
                lambda: direct.generate(PROMPTS),
            ],
            rounds,
            warm_up=0,
        )
    return [
        _rate("transformers' generate(), one by one", written, theirs),
        _rate("transformers' generate(), one batch of 16 that must all be there at the start", written, batch),
        _rate("metier, one caller", written, one_by_one),
        _rate("metier, 16 callers at once", written, at_once),
        Figure("speed of one caller against transformers' generate()", median_ratio(theirs, one_by_one), "x"),
        Figure("speed of 16 callers against transformers' one batch", median_ratio(batch, at_once), "x"),
        at_least("tokens a second of 16 callers against one by one", median_ratio(one_by_one, at_once), "x", 4),
    ]


def _rate(name: str, tokens: int, seconds: Sequence[float]) -> Figure:
    return Figure(f"{name}, median", tokens / statistics.median(seconds), "tokens/s")


class _Direct:
    """SmolLM2 by transformers alone, from the folder that metier made of its GGUF file."""

    def __init__(self, card: Any) -> None:
        from metier.weights import WeightStore
        from transformers import AutoModelForCausalLM, AutoTokenizer

        scratch = WeightStore(offline=True).scratch(card)
        assert scratch is not None
        (folder,) = (path for path in scratch.iterdir() if (path / "config.json").is_file())
        self._module: Any = AutoModelForCausalLM.from_pretrained(folder, dtype="float32", local_files_only=True).eval()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True, padding_side="left")

    def generate(self, prompts: Sequence[str]) -> None:
        """Generate for all prompts in one batch."""
        inputs = self._tokenizer.apply_chat_template(
            [[{"role": "user", "content": prompt}] for prompt in prompts],
            add_generation_prompt=True,
            padding=True,
            return_dict=True,
            return_tensors="pt",
        )
        self._module.generate(**inputs, max_new_tokens=TOKENS, do_sample=False)
