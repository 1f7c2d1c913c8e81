"""Masks from one click and from a box, on pictures that no training saw, beside ways that need no training.

The click is on the point deepest inside the object, the box is tight. Of the masks that a model offers, the one counts
that it expects to be best, never the one that is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
from metier import Runtime
from metier_contracts import Segment
from scipy import ndimage

from benchmarks.evaluate import rivals
from benchmarks.evaluate.pictures import SETS, Case, Mask, Pixels
from benchmarks.evaluate.rivals import Box

DEFAULT = "promptable"
Point = tuple[int, int]
Way = Callable[[Pixels, Any], Mask]
"""Takes a picture and a prompt on it, and returns a mask bool [H, W]."""


def judge() -> dict[str, Any]:
    """Judge every way on every set."""
    rows: dict[str, Any] = {}
    with Runtime() as runtime:
        asked = prompts(runtime)
        for name, cases in SETS.items():
            found = list(cases())
            for prompt, ways in asked.items():
                each = overlaps(found, prompt, ways)
                means = {way: round(float(np.mean(values)), 3) for way, values in each.items()}
                own = [round(value, 3) for value in each[DEFAULT]]
                columns = {way: means.get(way) for way in asked["box"]}
                rows[f"{name}, {prompt}"] = {"objects": len(own), **columns, "each": own}
                print(f"{name}, {prompt}: {len(own)} objects", means, flush=True)
    return {"title": "Masks from one click and from a box, mean IoU", "data": _truths(), "rows": rows}


def _truths() -> str:
    said = {name: " ".join((cases.__doc__ or "").split()).removeprefix("Yield ") for name, cases in SETS.items()}
    return "\n".join(
        ["Where the pictures and their truths are from:\n", *(f"- {name}: {text}" for name, text in said.items())]
    )


def prompts(runtime: Runtime) -> Mapping[str, Mapping[str, Way]]:
    """Return the ways to answer each kind of prompt."""
    models: dict[str, Way] = {model: partial(_asked, runtime, model) for model in (DEFAULT, "grabcut")}
    return {
        "box": {**models, "box fill": rivals.filled, "ellipse": rivals.ellipse, "threshold": rivals.threshold_in_box},
        "click": {**models, "threshold": rivals.threshold_at_click},
    }


def _asked(runtime: Runtime, model: str, pixels: Pixels, prompt: Box | Point) -> Mask:
    """Ask a model through metier; a click is on the middle of its pixel."""
    asked = {"boxes": [prompt]} if len(prompt) == 4 else {"points": [[value + 0.5 for value in prompt]]}
    mask: Mask = runtime.run(Segment.from_mapping({"image": pixels, **asked}), model=model).masks[0]
    return mask


def overlaps(cases: Iterable[Case], prompt: str, ways: Mapping[str, Way]) -> dict[str, list[float]]:
    """Return the IoU of each way with each object of each picture, in order."""
    point_at: Callable[[Mask], Box | Point] = tight if prompt == "box" else deepest
    asked = [(case.pixels, point_at(mask), mask) for case in cases for mask in case.masks]
    return {name: [iou(way(pixels, where), mask) for pixels, where, mask in asked] for name, way in ways.items()}


def iou(one: Mask, other: Mask) -> float:
    """Return the intersection over the union of two masks."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def tight(mask: Mask) -> Box:
    """Return the smallest box that holds the mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def deepest(mask: Mask) -> Point:
    """Return x and y of the pixel of the mask that is farthest from its edge, the picture's edge being one."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return int(x), int(y)
