"""Every object of a picture: a grid of points is tried, and what is good, stable and new is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.ops import masks_to_boxes, nms

from metier_sam.options import EverythingOptions
from metier_sam.prompts import Decoded, Prompts

Found = tuple[NDArray[np.bool_], NDArray[np.float32]]


class _Good(NamedTuple):
    """Masks that may stay: eight pixels a byte, uint8 [K, H, W / 8], their boxes float [K, 4] and scores [K]."""

    packed: NDArray[np.uint8]
    boxes: torch.Tensor
    scores: torch.Tensor


def search(
    decode: Callable[[Prompts], Decoded], size: tuple[int, int], at_once: int, options: EverythingOptions
) -> Found:
    """Return masks bool [M, H, W] and their predicted IoU float32 [M], the best first.

    The rules are those of SamAutomaticMaskGenerator of segment-anything, without crops.

    Args:
        decode: reads prompts, with all readings of each.
        size: height and width of the picture.
        at_once: how many prompts `decode` is given.
        options: the grid and the thresholds.
    """
    batches = Prompts.grid(options.points_per_side, size).batches(at_once)
    packed, boxes, scores = zip(*(_good(decode(batch), options) for batch in batches), strict=True)
    kept = nms(torch.cat(boxes), torch.cat(scores), options.box_nms_thresh)
    masks = np.unpackbits(np.concatenate(packed)[kept.numpy()], axis=2, count=size[1])
    return masks.astype(np.bool_), torch.cat(scores)[kept].numpy()


def _good(decoded: Decoded, options: EverythingOptions) -> _Good:
    logits, scores = decoded.logits.flatten(0, 1), decoded.scores.flatten(0, 1).float()
    sure = scores > options.pred_iou_thresh
    logits, scores = logits[sure], scores[sure]
    inner = (logits > options.stability_score_offset).sum(dim=(1, 2))
    outer = (logits > -options.stability_score_offset).sum(dim=(1, 2))
    masks = logits > 0
    # A mask without a pixel has no box; one that the outer threshold leaves empty too is 0 / 0.
    stable = (inner >= options.stability_score_thresh * outer) & masks.any(dim=2).any(dim=1)
    masks = masks[stable]
    return _Good(np.packbits(masks.cpu().numpy(), axis=2), masks_to_boxes(masks).cpu(), scores[stable].cpu())
