"""The probes of the built-in tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from metier_contracts.card import Capabilities
from metier_contracts.examples import ExampleSet
from metier_contracts.probes import Probes
from metier_contracts.probes.measures import acquaintances, sales
from metier_contracts.probes.pictures import discs
from metier_contracts.probes.texts import passage
from metier_contracts.size import Size
from metier_contracts.tasks.classify import Classify
from metier_contracts.tasks.detect_anomalies import DetectAnomalies
from metier_contracts.tasks.embed import Embed
from metier_contracts.tasks.extract import Extract
from metier_contracts.tasks.fill_mask import MASK, FillMask
from metier_contracts.tasks.forecast import Forecast
from metier_contracts.tasks.generate import Generate, Sampling
from metier_contracts.tasks.generate_image import GenerateImage
from metier_contracts.tasks.graph_score import GraphScore
from metier_contracts.tasks.rank import Rank
from metier_contracts.tasks.segment import Segment

_TEXTS = (Size(50), Size(250), Size(1250))
_PICTURES = tuple(Size(side * side, "pixels") for side in (256, 512, 1024))
_SERIES = tuple(Size(points, "points") for points in (60, 240, 960))
_LABELS = ("an animal", "a journey", "a meal")
_EXAMPLES = ExampleSet.from_pairs((passage(80, number), _LABELS[number % 3]) for number in range(1000, 1024))
_CANDIDATES = (0.42, 0.58, 0.7, 0.83, 0.98, 1.15, 1.4, 1.94)
"""Their lengths by the mean: log-normal with sigma 0.5, as texts are. Padding makes a model take longer for these."""
_HORIZON = 12
_STEPS = 20


def _text(size: Size, number: int, capabilities: Capabilities) -> str | None:
    return passage(size.amount, number) if "text" in capabilities.modalities else None


def _classify(size: Size, number: int, capabilities: Capabilities) -> Classify | None:
    text = _text(size, number, capabilities)
    if text is None:
        return None
    if not capabilities.zero_shot:
        return Classify(text=text, examples=_EXAMPLES)
    return Classify(text=text, labels=_labels(capabilities))


def _classify_picture(size: Size, number: int, capabilities: Capabilities) -> Classify | None:
    if "image" not in capabilities.modalities:
        return None
    return Classify(image=discs(size.amount, number)[0], labels=_labels(capabilities))


def _labels(capabilities: Capabilities) -> Sequence[str] | None:
    return _LABELS if capabilities.labels == "open" else None


def _embed(size: Size, number: int, capabilities: Capabilities) -> Embed | None:
    text = _text(size, number, capabilities)
    return None if text is None else Embed(texts=[text])


def _embed_picture(size: Size, number: int, capabilities: Capabilities) -> Embed | None:
    return Embed(images=[discs(size.amount, number)[0]]) if "image" in capabilities.modalities else None


def _rank(size: Size, number: int, capabilities: Capabilities) -> Rank:
    lengths = (1.0, *_CANDIDATES)
    mean = size.amount / len(lengths)
    texts = [passage(round(length * mean), len(lengths) * number + position) for position, length in enumerate(lengths)]
    return Rank(query=texts[0], candidates=texts[1:])


def _extract(size: Size, number: int, capabilities: Capabilities) -> Extract:
    return Extract(
        text=passage(size.amount, number), entity_types=["PERSON"] if capabilities.labels == "open" else None
    )


def _fill_mask(size: Size, number: int, capabilities: Capabilities) -> FillMask:
    words = passage(size.amount, number).split()
    words[len(words) // 2] = MASK
    return FillMask(text=" ".join(words))


def _segment(size: Size, number: int, capabilities: Capabilities) -> Segment | None:
    image, box = discs(size.amount, number)
    if "boxes" in capabilities.prompts:
        return Segment(image=image, boxes=box[None])
    if "points" in capabilities.prompts:
        return Segment(image=image, points=box.reshape(1, 2, 2).mean(axis=1, dtype=np.float32))
    return Segment(image=image, everything=True) if "everything" in capabilities.prompts else None


def _forecast(size: Size, number: int, capabilities: Capabilities) -> Forecast:
    levels = (0.1, 0.5, 0.9) if capabilities.quantiles else ()
    return Forecast(series=sales(size.amount - _HORIZON, number), horizon=_HORIZON, quantiles=levels)


def _detect_anomalies(size: Size, number: int, capabilities: Capabilities) -> DetectAnomalies:
    return DetectAnomalies(series=sales(size.amount, number))


def _graph_score(size: Size, number: int, capabilities: Capabilities) -> GraphScore | None:
    if not capabilities.levels:
        return None
    return GraphScore(graph=acquaintances(size.amount, number, capabilities.graphs), level=capabilities.levels[0])


def _generate(size: Size, number: int, capabilities: Capabilities) -> Generate | None:
    text = _text(size, number, capabilities)
    return None if text is None else Generate.of(text, sampling=Sampling(max_tokens=size.output_tokens))


def _generate_image(size: Size, number: int, capabilities: Capabilities) -> GenerateImage:
    side = round((size.amount / _STEPS) ** 0.5)
    return GenerateImage(prompt=passage(60, number), width=side, height=side, steps=_STEPS, seed=number)


PROBES: Mapping[str, Sequence[Probes]] = {
    "classify": (Probes(_TEXTS, _classify), Probes(_PICTURES, _classify_picture)),
    "embed": (Probes(_TEXTS, _embed), Probes(_PICTURES, _embed_picture)),
    "rank": (Probes((Size(450), Size(1800), Size(7200)), _rank),),
    "fill-mask": (Probes((Size(50), Size(150), Size(450)), _fill_mask),),
    "extract": (Probes(_TEXTS, _extract),),
    "segment": (Probes(_PICTURES, _segment),),
    "forecast": (Probes(_SERIES, _forecast),),
    "detect-anomalies": (Probes(_SERIES, _detect_anomalies),),
    "graph-score": (Probes(tuple(Size(edges, "edges") for edges in (100, 1000, 10000)), _graph_score),),
    # Of two lengths of writing after the same reading follows the pace of a token.
    "generate": (
        Probes(
            (
                Size(100, output_tokens=24),
                Size(400, output_tokens=24),
                Size(400, output_tokens=72),
                Size(1600, output_tokens=24),
            ),
            _generate,
        ),
    ),
    "generate-image": (
        Probes(tuple(Size(side * side * _STEPS, "pixel-steps") for side in (256, 512)), _generate_image),
    ),
}
"""By task. There is none for act: what a step takes is the environment's matter."""
