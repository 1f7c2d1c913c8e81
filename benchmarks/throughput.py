"""Embedding many texts: metier beside sentence-transformers used directly, at its defaults."""

from __future__ import annotations

import statistics

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
    with Runtime() as runtime:
        folder = runtime.pull(MODEL)
        peer = SentenceTransformer(str(folder), device="cpu")
        request = Embed(texts=texts)
        ours, theirs = interleaved(
            [lambda: runtime.run(request, model=MODEL), lambda: peer.encode(texts, show_progress_bar=False)], rounds
        )
        answer = runtime.run(request, model=MODEL)
        reference = peer.encode(texts, show_progress_bar=False, normalize_embeddings=True)
    cosine = float(np.sum(answer.vectors * reference, axis=1).min())
    reduced = answer.provenance is not None and answer.provenance.dtype == "bfloat16"
    return [
        Figure(f"sentence-transformers encode(), {TEXTS} texts, median", statistics.median(theirs), "s"),
        Figure(f"metier embed, {TEXTS} texts, median", statistics.median(ours), "s"),
        at_least(
            "speed against sentence-transformers' default", median_ratio(theirs, ours), "x", 3.5 if reduced else 1.3
        ),
        at_least("least cosine to the float32 reference", cosine, "", 0.999),
    ]


def lognormal_texts(count: int, seed: int) -> list[str]:
    """Return texts of real words whose lengths in words are log-normal: median 30, sigma 0.9, 3 to 250."""
    random = np.random.default_rng(seed)
    words = " ".join(item.text for item in labelled_texts()[:20_000]).split()
    lengths = np.clip(np.exp(random.normal(np.log(30), 0.9, count)), 3, 250).astype(int)
    starts = random.integers(0, len(words) - 250, count)
    return [" ".join(words[start : start + length]) for start, length in zip(starts, lengths, strict=True)]
