"""A second prompt on a picture beside the first: SAM vit_b through metier, and by segment-anything used directly."""

from __future__ import annotations

import statistics
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from metier import Runtime
from metier_contracts import ModelCard, Segment

from benchmarks.figures import Figure, at_least, interleaved, seconds_of

MODEL = "bench/sam-vit-b"
BOX = np.array([135.0, 80.0, 210.0, 150.0], dtype=np.float32)


def measure(pictures: int = 3, prompts: int = 15) -> list[Figure]:
    """Measure with random weights, which take as long as trained ones. A busy machine slows prompts most."""
    import torch
    from segment_anything import SamPredictor, sam_model_registry
    from skimage import data

    sam = sam_model_registry["vit_b"]()
    predictor = SamPredictor(sam)
    requests = [Segment(image=np.roll(data.chelsea(), shift, axis=1), boxes=BOX[None]) for shift in range(pictures)]
    with tempfile.TemporaryDirectory() as folder:
        torch.save(sam.state_dict(), Path(folder) / "sam_vit_b.pth")
        with Runtime(cards=[_card(folder)]) as runtime:
            runtime.load(MODEL)
            asked = [partial(runtime.run, request, model=MODEL) for request in requests]
            firsts, encodes = [], []
            for ask, request in zip(asked, requests, strict=True):
                firsts.append(seconds_of(ask))
                encodes.append(seconds_of(partial(predictor.set_image, request.image.pixels)))
            decode = partial(predictor.predict, box=BOX, multimask_output=False)
            seconds, decodes = interleaved([asked[-1], decode], prompts)
    return _figures(firsts, encodes, seconds, decodes)


def _figures(firsts: list[float], encodes: list[float], seconds: list[float], decodes: list[float]) -> list[Figure]:
    first, second = statistics.median(firsts), statistics.median(seconds)
    encode, decode = statistics.median(encodes), statistics.median(decodes)
    return [
        Figure("SamPredictor.set_image, vit_b, median", encode, "s"),
        Figure("SamPredictor.predict, vit_b, one box, median", decode * 1e3, "ms"),
        Figure("metier segment, vit_b, first prompt on a picture, median", first, "s"),
        Figure("metier segment, vit_b, further prompts on it, median", second * 1e3, "ms"),
        at_least("first prompt against a further one", first / second, "x", 50),
        Figure("set_image and predict against predict, directly", (encode + decode) / decode, "x"),
    ]


def _card(folder: str) -> ModelCard:
    return ModelCard(
        id=MODEL,
        plugin="sam",
        architecture="sam",
        source=f"path:{folder}/sam_vit_b.pth",
        licence="Apache-2.0",
        options={"loader": "segment-anything"},
        tasks={"segment": {"modalities": ["image"], "prompts": ["boxes"]}},
    )
