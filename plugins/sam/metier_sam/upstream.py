"""Loader `segment-anything`: SAM by its authors' own package, from their own checkpoints."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, ModelCard, Placement, Segment, Segmentation
from metier_contracts.authoring import read_options
from numpy.typing import NDArray
from segment_anything import SamAutomaticMaskGenerator, SamPredictor
from segment_anything.modeling import Sam

from metier_sam.answers import segmentation
from metier_sam.checkpoint import build, checkpoint_file, read_state
from metier_sam.embedder import Embedder
from metier_sam.keeping import Embedding
from metier_sam.options import SegmentAnythingOptions
from metier_sam.placing import choose_dtype, folder_of
from metier_sam.prompts import Decoded, Prompts, mask_logits, to_frame

# Options that SamAutomaticMaskGenerator does not know.
_OURS = {"loader", "file", "cache_bytes"}


class SegmentAnything(Embedder):
    """SAM behind its SamPredictor, and for everything its SamAutomaticMaskGenerator."""

    def __init__(self, card: ModelCard, sam: Sam, device: str, options: SegmentAnythingOptions) -> None:
        super().__init__(card, sam, device, options)
        self._settings = options.model_dump(exclude=_OURS)

    def _encode(self, pixels: NDArray[np.uint8]) -> Embedding:
        predictor = SamPredictor(self._module)
        predictor.set_image(pixels)
        return Embedding(predictor.features, predictor.original_size, predictor.input_size)

    def _decode(self, embedding: Embedding, prompts: Prompts, multimask: bool) -> Decoded:
        predictor = SamPredictor(self._module)
        _show(predictor, embedding)
        logits, scores, _ = predictor.predict_torch(
            self._placed(prompts.points, embedding),
            None if prompts.labels is None else torch.as_tensor(prompts.labels, dtype=torch.int, device=self.device),
            self._placed(prompts.boxes, embedding),
            self._mask(prompts, embedding),
            multimask_output=multimask,
            return_logits=True,
        )
        return Decoded(logits, scores)

    def _placed(self, coordinates: NDArray[np.float64] | None, embedding: Embedding) -> torch.Tensor | None:
        if coordinates is None:
            return None
        scaled = to_frame(coordinates, embedding.size, embedding.frame)
        return torch.as_tensor(scaled, dtype=torch.float, device=self.device)

    def _mask(self, prompts: Prompts, embedding: Embedding) -> torch.Tensor | None:
        if prompts.mask is None:
            return None
        [low, _] = self._module.prompt_encoder.mask_input_size
        logits = mask_logits(prompts.mask, embedding.frame, self._module.image_encoder.img_size, low)
        return logits.to(self.device).repeat(len(prompts), 1, 1, 1)

    def _everything(self, request: Segment, embedding: Embedding, context: CallContext) -> Segmentation:
        at_once = self._at_once(embedding.size)
        generator = SamAutomaticMaskGenerator(self._module, **{**self._settings, "points_per_batch": at_once})
        generator.predictor = _Reminded(self._module, embedding, context)
        found = generator.generate(request.image.pixels)
        masks = np.array([one["segmentation"] for one in found], dtype=np.bool_)
        scores = np.array([one["predicted_iou"] for one in found], dtype=np.float32)
        return segmentation(masks.reshape(-1, *embedding.size), scores)


class _Reminded(SamPredictor):  # type: ignore[misc]
    """A predictor that knows one picture's embedding already, and asks before each pass whether the caller waits."""

    def __init__(self, sam: Sam, embedding: Embedding, context: CallContext) -> None:
        super().__init__(sam)
        self._embedding = embedding
        self._context = context

    def set_image(self, image: NDArray[np.uint8], image_format: str = "RGB") -> None:
        """Embed an image, which is a crop of the picture unless it is as large."""
        self._context.check()
        if image.shape[:2] == self._embedding.size:
            _show(self, self._embedding)
        else:
            super().set_image(image, image_format)

    def predict_torch(self, *prompts: Any, **settings: Any) -> Any:
        """Read prompts as SamPredictor does."""
        self._context.check()
        return super().predict_torch(*prompts, **settings)


def _show(predictor: SamPredictor, embedding: Embedding) -> None:
    """Put the predictor into the state in which `set_image` leaves it."""
    predictor.features = embedding.features
    predictor.original_size, predictor.input_size = embedding.size, embedding.frame
    predictor.is_image_set = True


def load(card: ModelCard, placement: Placement) -> SegmentAnything:
    """Return the model whose checkpoint lies in `placement.directory`."""
    options = read_options(SegmentAnythingOptions, card)
    path = checkpoint_file(card, folder_of(card, placement), options.file)
    sam = build(path, read_state(path))
    return SegmentAnything(card, sam.to(placement.device, choose_dtype(placement)), placement.device, options)
