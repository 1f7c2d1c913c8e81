"""segment: which pixels belong to the object?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from metier_contracts.arrays import ArraySpec, Boxes, Masks, Points, Scores
from metier_contracts.card import Capabilities
from metier_contracts.data.image import ImageField
from metier_contracts.invariants import Violation, length
from metier_contracts.request import Request, Response


class Segmentation(Response):
    """M masks.

    `masks`: bool [M, H, W], the image's size. `scores`: float32 [M], the model's own estimate of the IoU.
    `boxes`: float32 [M, 4], left, top, right, bottom in pixels of the image, origin at the top left.
    """

    masks: Masks
    scores: Scores
    boxes: Boxes


class Segment(Request[Segmentation]):
    """Segment an image by prompts, or everything in it.

    `points`: float32 [P, 2], x and y in pixels, origin at the top left; `point_labels`: int64 [P], 1 on the object and
    0 off it (default: all 1). `boxes`: float32 [B, 4], left, top, right, bottom; one mask a box. `mask`: bool [H, W], a
    rough mask to refine. `multimask`: return the model's three readings of one prompt. `everything`: no prompt, every
    object.
    """

    task: ClassVar[str] = "segment"

    image: ImageField
    points: Points | None = None
    point_labels: Annotated[NDArray[np.int64], ArraySpec("int64", "P")] | None = None
    boxes: Boxes | None = None
    mask: Annotated[NDArray[np.bool_], ArraySpec("bool", "H W")] | None = None
    multimask: bool = False
    everything: bool = False

    @model_validator(mode="after")
    def _check(self) -> Segment:
        prompted = any(prompt is not None for prompt in (self.points, self.boxes, self.mask))
        if prompted == self.everything:
            raise ValueError("points, boxes or mask as a prompt, or everything=True, and not both")
        if self.point_labels is not None and (
            self.points is None
            or len(self.points) != len(self.point_labels)
            or not np.isin(self.point_labels, (0, 1)).all()
        ):
            raise ValueError("one point label for each point, 1 on the object or 0 off it")
        size = (self.image.height, self.image.width)
        if self.mask is not None and self.mask.shape != size:
            raise ValueError(f"a mask of the image's size {list(size)}, got {list(self.mask.shape)}")
        if self.points is not None:
            self._check_points(self.points, size)
        if self.boxes is not None:
            self._check_boxes(self.boxes, size)
        return self

    def _check_points(self, points: NDArray[np.float32], size: tuple[int, int]) -> None:
        if points.shape[1] != 2 or len(points) == 0:
            raise ValueError(f"points float32 [P, 2] with P >= 1, got shape {list(points.shape)}")
        if ((points < 0) | (points > (size[1], size[0]))).any():
            raise ValueError(f"points (x, y) within the image of {size[1]} x {size[0]} pixels, got {points.tolist()}")

    def _check_boxes(self, boxes: NDArray[np.float32], size: tuple[int, int]) -> None:
        if boxes.shape[1] != 4 or len(boxes) == 0:
            raise ValueError(f"boxes float32 [B, 4] with B >= 1, got shape {list(boxes.shape)}")
        if (boxes[:, 2:] <= boxes[:, :2]).any():
            raise ValueError(
                f"boxes as left, top, right, bottom with left < right and top < bottom, got {boxes.tolist()}"
            )
        if ((boxes[:, :2] >= (size[1], size[0])) | (boxes[:, 2:] <= 0)).any():
            raise ValueError(f"boxes that meet the image of {size[1]} x {size[0]} pixels, got {boxes.tolist()}")

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        given = {"points": self.points, "boxes": self.boxes, "mask": self.mask, "everything": self.everything or None}
        return {"prompts": frozenset(name for name, prompt in given.items() if prompt is not None)}


def masks_have_image_size(request: Segment, response: Segmentation, capabilities: Capabilities) -> Violation | None:
    """Masks are as large as the image."""
    size = (request.image.height, request.image.width)
    got = response.masks.shape[1:]
    return None if got == size else Violation("masks", f"[M, {size[0]}, {size[1]}]", str(list(response.masks.shape)))


def rows_agree(request: Segment, response: Segmentation, capabilities: Capabilities) -> Violation | None:
    """There is one score and one box for each mask."""
    count = len(response.masks)
    return length("scores", len(response.scores), count, "mask") or length("boxes", len(response.boxes), count, "mask")


INVARIANTS = (masks_have_image_size, rows_agree)
