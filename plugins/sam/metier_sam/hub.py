"""Loader `transformers`: SAM, SAM-HQ, SAM 2 and their kin, as folders of the Hugging Face Hub hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from metier_contracts import ModelCard, Placement
from metier_contracts.authoring import read_options
from numpy.typing import NDArray

from metier_sam.embedder import Embedder
from metier_sam.keeping import Embedding
from metier_sam.options import TransformersOptions
from metier_sam.placing import choose_dtype, folder_of
from metier_sam.pretrained import read_segmenter
from metier_sam.prompts import Decoded, Prompts, mask_logits, to_frame


class HubModel(Embedder):
    """A mask generation model of transformers, with the image processor that its folder holds."""

    def __init__(self, card: ModelCard, module: Any, processor: Any, device: str, options: TransformersOptions) -> None:
        super().__init__(card, module, device, options)
        self._processor = processor

    def _encode(self, pixels: NDArray[np.uint8]) -> Embedding:
        inputs = self._processor(images=pixels, return_tensors="pt")
        values = inputs["pixel_values"].to(self.device, self._module.dtype)
        features = self._module.get_image_embeddings(values)
        # SAM-HQ gives the maps of early layers too. SAM 2 stretches the picture to a square, and says no other size.
        names = (
            ("image_embeddings", "intermediate_embeddings") if isinstance(features, tuple) else ("image_embeddings",)
        )
        [frame] = inputs.get("reshaped_input_sizes", [values.shape[-2:]])
        return Embedding(
            dict(zip(names, features if isinstance(features, tuple) else (features,), strict=True)),
            (pixels.shape[0], pixels.shape[1]),
            (int(frame[0]), int(frame[1])),
        )

    def _decode(self, embedding: Embedding, prompts: Prompts, multimask: bool) -> Decoded:
        answer = self._module(**embedding.features, **self._inputs(prompts, embedding), multimask_output=multimask)
        [logits] = self._processor.post_process_masks(
            answer.pred_masks.float(), [embedding.size], reshaped_input_sizes=[embedding.frame], binarize=False
        )
        return Decoded(logits, answer.iou_scores[0])

    def _inputs(self, prompts: Prompts, embedding: Embedding) -> dict[str, torch.Tensor]:
        """Return the prompts in the model's frame, under the names and with the axes of transformers."""
        inputs: dict[str, Any] = {}
        if prompts.points is not None:
            inputs["input_points"] = self._placed(prompts.points, embedding)
            inputs["input_labels"] = torch.as_tensor(prompts.labels, device=self.device)[None]
        if prompts.boxes is not None:
            inputs["input_boxes"] = self._placed(prompts.boxes, embedding)
        if prompts.mask is not None:
            encoder = self._module.prompt_encoder
            low = 4 * encoder.image_embedding_size[0]
            logits = mask_logits(prompts.mask, embedding.frame, encoder.input_image_size, low)
            inputs["input_masks"] = logits.to(self.device, self._module.dtype)
        return inputs

    def _placed(self, coordinates: NDArray[np.float64], embedding: Embedding) -> torch.Tensor:
        scaled = to_frame(coordinates, embedding.size, embedding.frame)
        return torch.as_tensor(scaled, dtype=torch.float, device=self.device)[None]


def load(card: ModelCard, placement: Placement) -> HubModel:
    """Return the model in `placement.directory`, a folder with config.json, weights and preprocessor_config.json."""
    options = read_options(TransformersOptions, card)
    dtype = choose_dtype(placement, (torch.float32, torch.bfloat16))
    folder = folder_of(card, placement) / options.subfolder
    module, processor = read_segmenter(folder, dtype)
    return HubModel(card, module.to(placement.device), processor, placement.device, options)
