"""Loader `promptable`: the small network that was trained for this plugin and comes with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from metier_contracts import ModelCard, ModelLoadError, Placement
from metier_contracts.authoring import read_options
from numpy.typing import NDArray

from metier_sam.embedder import Embedder
from metier_sam.keeping import Embedding
from metier_sam.options import PromptableOptions
from metier_sam.placing import choose_dtype
from metier_sam.promptable import MASKS
from metier_sam.promptable import load as load_network
from metier_sam.prompts import Decoded, Prompts

_OWN = Path(__file__).with_name("weights")
_SURE = 10.0


class Trained(Embedder):
    """The plugin's own network, which reads prompts in pixels of the picture and answers with its best mask first."""

    def _encode(self, pixels: NDArray[np.uint8]) -> Embedding:
        values = torch.from_numpy(pixels).to(self.device).permute(2, 0, 1) / 255
        size = (pixels.shape[0], pixels.shape[1])
        return Embedding(self._module.encode(values), size, frame=size)

    def _decode(self, embedding: Embedding, prompts: Prompts, multimask: bool) -> Decoded:
        logits, scores = self._module.decode(
            embedding.features,
            points=self._tensor(prompts.points),
            point_labels=None if prompts.labels is None else torch.as_tensor(prompts.labels, device=self.device),
            boxes=self._tensor(prompts.boxes),
            masks=self._mask(prompts),
            count=MASKS if multimask else 1,
        )
        return Decoded(logits, scores)

    def _mask(self, prompts: Prompts) -> torch.Tensor | None:
        if prompts.mask is None:
            return None
        logits = torch.from_numpy(prompts.mask).to(self.device).float() * (2 * _SURE) - _SURE
        return logits.expand(len(prompts), -1, -1)

    def _tensor(self, values: NDArray[Any] | None) -> torch.Tensor | None:
        return None if values is None else torch.as_tensor(values, dtype=torch.float, device=self.device)


def load(card: ModelCard, placement: Placement) -> Trained:
    """Return the model whose weights lie in `placement.directory`, or in the plugin where the card has no source."""
    options = read_options(PromptableOptions, card)
    path = (placement.directory or _OWN) / options.file
    if not path.is_file():
        raise ModelLoadError(
            f"no weights for {card.id}",
            expected=str(path),
            got="no such file",
            blame=f"`source` of the card {card.id}, or options.file",
        )
    network = load_network(path, placement.device, choose_dtype(placement))
    return Trained(card, network, placement.device, options)
