"""What a card's `options` may say, for each loader."""

from __future__ import annotations

from metier_contracts.authoring import LoaderOptions
from pydantic import Field

MEBIBYTE = 2**20


class EverythingOptions(LoaderOptions):
    """Options of every loader whose models embed a picture before they read prompts.

    `cache_bytes`: the most bytes of embeddings that are kept between calls. `points_per_batch`: the most prompts of one
    pass, of which large pictures take fewer. The others govern requests for everything: a grid of `points_per_side` x
    `points_per_side` points is tried. What they show is kept if its predicted IoU exceeds `pred_iou_thresh`, and if its
    mask at the threshold plus `stability_score_offset` has an IoU of `stability_score_thresh` with that at the
    threshold minus as much. Of two masks whose boxes have an IoU over `box_nms_thresh` the better stays.
    """

    cache_bytes: int = Field(default=128 * MEBIBYTE, ge=0)
    points_per_side: int = Field(default=32, ge=1)
    points_per_batch: int = Field(default=64, ge=1)
    pred_iou_thresh: float = 0.88
    stability_score_thresh: float = 0.95
    stability_score_offset: float = Field(default=1.0, ge=0)
    box_nms_thresh: float = Field(default=0.7, ge=0, le=1)


class PromptableOptions(EverythingOptions):
    """Options of `promptable`. `file`: the weights, below the card's folder or, without one, among the plugin's own."""

    file: str = "promptable.safetensors"


class SegmentAnythingOptions(EverythingOptions):
    """Options of `segment-anything`, for requests for everything those of SamAutomaticMaskGenerator by its names.

    `file`: the checkpoint below the card's folder, where the card's source names no file and the folder holds several.
    `crop_n_layers`: how often the picture is cut, each time into four times as many crops that are searched too;
    `crop_overlap_ratio`: by how much of the picture's length the crops of the first layer overlap;
    `crop_n_points_downscale_factor`: what divides the points a side from layer to layer; `crop_nms_thresh`: as
    `box_nms_thresh`, between crops. `min_mask_region_area`: holes and islands of fewer pixels go.
    """

    file: str | None = None
    crop_n_layers: int = Field(default=0, ge=0)
    crop_nms_thresh: float = Field(default=0.7, ge=0, le=1)
    crop_overlap_ratio: float = Field(default=512 / 1500, ge=0, lt=1)
    crop_n_points_downscale_factor: int = Field(default=1, ge=1)
    min_mask_region_area: int = Field(default=0, ge=0)


class TransformersOptions(EverythingOptions):
    """Options of `transformers`. `subfolder`: where the model lies below the card's folder."""

    subfolder: str = "."


class GrabCutOptions(LoaderOptions):
    """Options of `grabcut`.

    `iterations`: how often colours and cut are fitted to each other. `margin`: how much of its surroundings a box is
    judged against, as a share of its longer side. `seed_radius`: pixels around a point that share its label.
    """

    iterations: int = Field(default=5, ge=1)
    margin: float = Field(default=0.5, gt=0)
    seed_radius: int = Field(default=3, ge=1)
