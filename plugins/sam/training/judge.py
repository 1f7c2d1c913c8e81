"""Judge the promptable network on pictures that no training saw: `python judge.py --wheel stardist-0.9.2-....whl`.

For each object: one click, on the point deepest inside, and the tight box. Of the three masks the one counts that the
network itself expects to be best, never the one that is.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
import rivals
import torch
import truths
from metier_sam.promptable import Features, PromptableNet, load
from rivals import Box, Mask, Pixels
from scipy import ndimage

_WEIGHTS = Path(__file__).parents[1] / "metier_sam" / "weights" / "promptable.safetensors"
_RIVALS = {
    "grabcut": rivals.grabcut,
    "box": rivals.filled,
    "ellipse": rivals.ellipse,
    "threshold": rivals.threshold_in_box,
}


def iou(one: Mask, other: Mask) -> float:
    """Return the intersection over the union of two masks."""
    return float((one & other).sum() / max(1, (one | other).sum()))


def tight(mask: Mask) -> Box:
    """Return the smallest box that holds the mask."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def deepest(mask: Mask) -> tuple[int, int]:
    """Return x and y of the pixel of the mask that is farthest from its edge, the picture's edge being one."""
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    y, x = np.unravel_index(depth.argmax(), depth.shape)
    return int(x), int(y)


def judge(network: PromptableNet, cases: Iterable[truths.Case]) -> dict[str, object]:
    """Return the mean IoU of each way over all objects of a set, and the seconds that the network took."""
    found: dict[str, list[float]] = defaultdict(list)
    for case in cases:
        started = time.perf_counter()
        features = network.encode(torch.from_numpy(case.pixels).permute(2, 0, 1).float() / 255)
        found["seconds_encode"].append(time.perf_counter() - started)
        for mask in case.masks:
            for name, value in _object(network, features, case.pixels, mask).items():
                found[name].append(value)
    means = {name: round(float(np.mean(values)), 4) for name, values in sorted(found.items())}
    return {"pictures": len(found["seconds_encode"]), "objects": len(found["box_network"]), **means}


def _object(network: PromptableNet, features: Features, pixels: Pixels, mask: Mask) -> dict[str, float]:
    box, (x, y) = tight(mask), deepest(mask)
    point, label = torch.tensor([[[x + 0.5, y + 0.5]]]), torch.ones(1, 1, dtype=torch.int64)
    clicked, boxed = (
        partial(network.decode, features, point, label),
        partial(network.decode, features, boxes=torch.tensor([box], dtype=torch.float32)),
    )
    values = {f"box_{name}": iou(answer(pixels, box), mask) for name, answer in _RIVALS.items()}
    values["click_threshold"] = iou(rivals.threshold_at_click(pixels, x, y), mask)
    for kind, ask in (("click", clicked), ("box", boxed)):
        started = time.perf_counter()
        logits, _ = ask()
        values[f"seconds_{kind}"] = time.perf_counter() - started
        values[f"{kind}_network"] = iou((logits[0, 0] > 0).numpy(), mask)
    return values


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main() -> None:
    """Read the command line, judge, print a table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True, help="pip download --no-deps stardist==0.9.2")
    parser.add_argument("--weights", type=Path, default=_WEIGHTS)
    parser.add_argument("--out", type=Path, help="the JSON file to write")
    parser.add_argument("--sets", nargs="*", help="which sets; default: all")
    parser.add_argument("--threads", type=int, default=1)
    settings = parser.parse_args()
    torch.set_num_threads(settings.threads)
    network = load(settings.weights)
    known = truths.sets(settings.wheel)
    found = {name: judge(network, known[name]()) for name in settings.sets or known}
    columns = ["objects", "click_network", "click_threshold", *(f"box_{one}" for one in ("network", *_RIVALS))]
    print(" | ".join(["set", *columns]))
    for name, row in found.items():
        print(" | ".join([name, *(str(row[column]) for column in columns)]))
    if settings.out:
        facts = {
            "command": " ".join(["python", Path(sys.argv[0]).name, *sys.argv[1:]]),
            "machine": f"{_processor()}, {settings.threads} thread(s)",
            "torch": torch.__version__,
            "click": "the point deepest inside; the mask of three with the best expected IoU",
            "seeds": {"horses": 20, "glyphs": 21, "grabcut": 0},
            "truths": {name: getattr(truths, name).__doc__ for name in known},
        }
        settings.out.write_text(json.dumps({**facts, "mean_iou": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
