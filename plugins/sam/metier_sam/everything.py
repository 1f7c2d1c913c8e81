"""Every object of a picture: a grid of points is tried, and what is good, stable and new is kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.ops import masks_to_boxes, nms

from metier_sam.options import EverythingOptions
from metier_sam.prompts import Decoded, Prompts

Found = tuple[NDArray[np.bool_], NDArray[np.float32]]


def search(decode: Callable[[Prompts], Decoded], size: tuple[int, int], options: EverythingOptions) -> Found:
    """Return masks bool [M, H, W] and their predicted IoU float32 [M], the best first.

    The rules are those of SamAutomaticMaskGenerator of segment-anything, without crops.

    Args:
        decode: reads prompts, with all readings of each.
        size: height and width of the picture.
        options: the grid and the thresholds.
    """
    found = [
        _good(decode(batch), options)
        for batch in Prompts.grid(options.points_per_side, size).batches(options.points_per_batch)
    ]
    masks, scores = torch.cat([one[0] for one in found]), torch.cat([one[1] for one in found])
    kept = nms(masks_to_boxes(masks), scores, options.box_nms_thresh) if len(masks) else torch.zeros(0).long()
    return masks[kept].numpy(), scores[kept].numpy()


def _good(decoded: Decoded, options: EverythingOptions) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the masks [K, H, W] that may stay, and their scores [K], on the CPU."""
    logits, scores = decoded.logits.flatten(0, 1), decoded.scores.flatten(0, 1).float()
    sure = scores > options.pred_iou_thresh
    logits, scores = logits[sure], scores[sure]
    inner = (logits > options.stability_score_offset).sum(dim=(1, 2))
    outer = (logits > -options.stability_score_offset).sum(dim=(1, 2))
    masks = logits > 0
    # A mask without a pixel has no box; one that the outer threshold leaves empty too is 0 / 0.
    stable = (inner >= options.stability_score_thresh * outer) & masks.any(dim=2).any(dim=1)
    return masks[stable].cpu(), scores[stable].cpu()
