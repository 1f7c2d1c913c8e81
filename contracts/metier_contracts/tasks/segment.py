"""segment: which pixels belong to the object?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from metier_contracts.arrays import ArraySpec, Boxes, Mask, Masks, Points, Scores
from metier_contracts.card import Capabilities
from metier_contracts.data.image import ImageField
from metier_contracts.invariants import Violation, length
from metier_contracts.refusal import Refusal, shown
from metier_contracts.request import Request, Response
from metier_contracts.size import Size


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

    `points`: float32 [P, 2], x and y in pixels, origin at the top left, together one prompt; `point_labels`: int64 [P],
    1 on the object and 0 off it (default: all 1). `boxes`: float32 [B, 4], left, top, right, bottom; one mask a box.
    `mask`: bool [H, W], a rough mask to refine. `multimask`: return all of the model's readings of a prompt (SAM has
    three). `everything`: no prompt, every object.
    """

    task: ClassVar[str] = "segment"

    image: ImageField
    points: Points | None = None
    point_labels: Annotated[NDArray[np.int64], ArraySpec("int64", "P")] | None = None
    boxes: Boxes | None = None
    mask: Mask | None = None
    multimask: bool = False
    everything: bool = False

    @model_validator(mode="after")
    def _check(self) -> Segment:
        prompted = any(prompt is not None for prompt in (self.points, self.boxes, self.mask))
        if prompted == self.everything:
            raise Refusal(
                "points, boxes or mask as a prompt, or everything=True, and not both",
                "both" if prompted else "neither",
                field="everything",
            )
        size = (self.image.height, self.image.width)
        if self.mask is not None and self.mask.shape != size:
            raise Refusal(f"a mask of the image's size {list(size)}", f"shape {list(self.mask.shape)}", field="mask")
        if self.points is not None:
            self._check_points(self.points, size)
        if self.point_labels is not None:
            self._check_point_labels(self.point_labels)
        if self.boxes is not None:
            self._check_boxes(self.boxes, size)
        return self

    def _check_points(self, points: NDArray[np.float32], size: tuple[int, int]) -> None:
        if points.shape[1] != 2 or len(points) == 0:
            raise Refusal("an array of shape [P, 2] with P >= 1", f"shape {list(points.shape)}", field="points")
        outside = ((points < 0) | (points > (size[1], size[0]))).any(axis=1)
        if outside.any():
            wanted = f"points (x, y) within the image of {size[1]} x {size[0]} pixels"
            raise Refusal(wanted, _first(points, outside), field="points")

    def _check_point_labels(self, labels: NDArray[np.int64]) -> None:
        count = 0 if self.points is None else len(self.points)
        if len(labels) != count:
            raise Refusal(f"as many as there are points: {count}", str(len(labels)), field="point_labels")
        if not np.isin(labels, (0, 1)).all():
            raise Refusal("1 on the object or 0 off it", shown(labels.tolist()), field="point_labels")

    def _check_boxes(self, boxes: NDArray[np.float32], size: tuple[int, int]) -> None:
        if boxes.shape[1] != 4 or len(boxes) == 0:
            raise Refusal("an array of shape [B, 4] with B >= 1", f"shape {list(boxes.shape)}", field="boxes")
        flat = (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
        if flat.any():
            wanted = "boxes (left, top, right, bottom) with left < right and top < bottom"
            raise Refusal(wanted, _first(boxes, flat), field="boxes")
        outside = ((boxes[:, :2] >= (size[1], size[0])) | (boxes[:, 2:] <= 0)).any(axis=1)
        if outside.any():
            wanted = f"boxes (left, top, right, bottom) that meet the image of {size[1]} x {size[0]} pixels"
            raise Refusal(wanted, _first(boxes, outside), field="boxes")

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        given = {"points": self.points, "boxes": self.boxes, "mask": self.mask, "everything": self.everything or None}
        return {"prompts": frozenset(name for name, prompt in given.items() if prompt is not None)}

    def workload(self) -> Size:
        """Return the pixels of the image, whatever the prompts."""
        return Size(self.image.height * self.image.width, "pixels")


def _first(rows: NDArray[np.float32], bad: Any) -> str:
    at = int(np.flatnonzero(bad)[0])
    return f"{tuple(rows[at].tolist())} at index {at}"


def masks_have_image_size(request: Segment, response: Segmentation, capabilities: Capabilities) -> Violation | None:
    """Masks are as large as the image."""
    size = (request.image.height, request.image.width)
    got = response.masks.shape[1:]
    return None if got == size else Violation("masks", f"[M, {size[0]}, {size[1]}]", str(list(response.masks.shape)))


def rows_agree(request: Segment, response: Segmentation, capabilities: Capabilities) -> Violation | None:
    """There is one score and one box for each mask."""
    count = len(response.masks)
    return length("scores", len(response.scores), count, "mask") or length("boxes", len(response.boxes), count, "mask")


def one_mask_a_prompt(request: Segment, response: Segmentation, capabilities: Capabilities) -> Violation | None:
    """There is one mask for each box, or one for the points and the mask, unless multimask or everything."""
    if request.multimask or request.everything:
        return None
    count = 1 if request.boxes is None else len(request.boxes)
    return length("masks", len(response.masks), count, "box" if request.boxes is not None else "prompt")


INVARIANTS = (masks_have_image_size, rows_agree, one_mask_a_prompt)
