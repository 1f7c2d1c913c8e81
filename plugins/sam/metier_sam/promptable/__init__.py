"""A small promptable network: a picture is encoded once, and each prompt is answered in a window around it.

`load(path, device, dtype)` gives a `PromptableNet`. `encode(pixels)` takes one picture, float [3, H, W] in 0..1, of any
size: nothing is resized or padded by the caller. `decode(features, points, point_labels, boxes, masks)` takes N prompts
in pixels of that picture, and returns logits [N, 3, H, W] with the IoU expected of each, [N, 3], the best first.
"""

from metier_sam.promptable.model import PromptableNet, load
from metier_sam.promptable.network import MASKS, Config
from metier_sam.promptable.windows import Features

__all__ = ["MASKS", "Config", "Features", "PromptableNet", "load"]
