"""Embedding many texts: metier beside sentence-transformers used directly, at its defaults."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from metier import Runtime
from metier_contracts import Embed

from benchmarks.corpus import labelled_texts
from benchmarks.figures import Figure, at_least, interleaved, median_ratio

MODEL = "all-MiniLM-L6-v2"
TEXTS = 600


def measure(rounds: int = 5) -> list[Figure]:
    """Measure on 600 texts whose lengths are log-normal, in turn."""
    from sentence_transformers import SentenceTransformer

    texts = lognormal_texts(TEXTS, seed=0)
    with Runtime() as other:
        card = next(info.card for info in other.models() if info.card.id == MODEL)
    plain = card.model_copy(update={"id": "bench/float32", "dtypes": ("float32",)})
    with Runtime(cards=[plain]) as runtime:
        peer = SentenceTransformer(str(runtime.pull(MODEL)), device="cpu")
        request = Embed(texts=texts)
        answer = runtime.run(request, model=MODEL)
        reduced = answer.provenance is not None and answer.provenance.dtype == "bfloat16"
        works: list[Callable[[], object]] = [
            lambda: peer.encode(texts, show_progress_bar=False),
            lambda: runtime.run(request, model=plain.id),
            *([lambda: runtime.run(request, model=MODEL), products(peer, texts)] if reduced else []),
        ]
        theirs, ours, *fast = interleaved(works, rounds)
        reference = peer.encode(texts, show_progress_bar=False, normalize_embeddings=True)
    cosine = float(np.sum(answer.vectors * reference, axis=1).min())
    figures = [
        Figure(f"sentence-transformers encode(), {TEXTS} texts, median", statistics.median(theirs), "s"),
        Figure(f"metier embed, float32, {TEXTS} texts, median", statistics.median(ours), "s"),
        at_least("speed against sentence-transformers' default, float32", median_ratio(theirs, ours), "x", 1.3),
        at_least("least cosine to the float32 reference", cosine, "", 0.999),
    ]
    if not reduced:
        return figures
    reached, bound = fast
    return [
        *figures,
        Figure(f"metier embed, bfloat16, {TEXTS} texts, median", statistics.median(reached), "s"),
        Figure("matrix products of these texts alone, bfloat16, median", statistics.median(bound), "s"),
        Figure("speed where all else took no time (the bound)", median_ratio(theirs, bound), "x"),
        at_least("speed against sentence-transformers' default, bfloat16", median_ratio(theirs, reached), "x", 3.5),
    ]


def products(peer: Any, texts: Sequence[str]) -> Callable[[], object]:
    """Return the work that no embedding of these texts in bfloat16 can do without: the products with the weights.

    Not a token of padding, no attention, no normalisation and no tokeniser; passes of 2,048 tokens, as metier's.
    """
    import torch

    module = peer[0].auto_model
    weights = [layer.weight.detach().bfloat16() for layer in module.encoder.modules() if hasattr(layer, "in_features")]
    tokens = sum(map(len, peer.tokenizer(list(texts), truncation=True, max_length=peer.max_seq_length)["input_ids"]))
    passes = [2_048] * (tokens // 2_048) + [tokens % 2_048]
    inputs = {
        (count, width): torch.randn(count, width, dtype=torch.bfloat16)
        for count in set(passes)
        for width in {weight.shape[1] for weight in weights}
    }

    def work() -> None:
        with torch.inference_mode():
            for count in passes:
                for weight in weights:
                    torch.nn.functional.linear(inputs[count, weight.shape[1]], weight)

    return work


def lognormal_texts(count: int, seed: int) -> list[str]:
    """Return texts of real words whose lengths in words are log-normal: median 30, sigma 0.9, 3 to 250."""
    random = np.random.default_rng(seed)
    words = " ".join(item.text for item in labelled_texts()[:20_000]).split()
    lengths = np.clip(np.exp(random.normal(np.log(30), 0.9, count)), 3, 250).astype(int)
    starts = random.integers(0, len(words) - 250, count)
    return [" ".join(words[start : start + length]) for start, length in zip(starts, lengths, strict=True)]
