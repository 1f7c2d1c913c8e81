"""`Embedder`: a model that embeds a picture, which is dear, and then reads prompts on it, which is cheap."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from metier_contracts import CallContext, Image, MetierError, ModelCard, Request, Response, Segment, Segmentation
from metier_contracts.authoring import attempt, dtype_name, module_bytes
from numpy.typing import NDArray

from metier_sam.answers import segment_of, segmentation
from metier_sam.everything import search
from metier_sam.keeping import Embedding, Keeper
from metier_sam.options import EverythingOptions
from metier_sam.prompts import Decoded, Prompts

# Logits come at the picture's own size, with up to three readings a prompt: 64 prompts on 12 million pixels would take
# 9 GB at once.
_DECODED_BYTES = 2**30
_READINGS = 3


class Embedder(ABC):
    """A model whose embeddings are kept by what is in the picture: a second prompt on it costs the decoder alone.

    Args:
        card: the model's card.
        module: the network.
        device: where it is, for example "cuda:0".
        options: of the card.
    """

    def __init__(self, card: ModelCard, module: torch.nn.Module, device: str, options: EverythingOptions) -> None:
        self.card = card
        self.device = device
        self.dtype = dtype_name(next(module.parameters()).dtype)
        self._module: Any = module
        self._options = options
        self._weight_bytes = module_bytes(module)
        self._kept = Keeper(options.cache_bytes)

    @abstractmethod
    def _encode(self, pixels: NDArray[np.uint8]) -> Embedding:
        """Embed a picture, RGB uint8 [H, W, 3]."""

    @abstractmethod
    def _decode(self, embedding: Embedding, prompts: Prompts, multimask: bool) -> Decoded:
        """Read prompts on a picture: with `multimask` C is the number of the model's readings, else 1."""

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order; requests on one picture follow each other, so that it is embedded once.

        Raises:
            DeadlineExceeded, Cancelled: the caller no longer waits; checked before each picture and each pass.
        """
        answers: dict[int, Response | MetierError] = {}
        pictures: dict[str, list[int]] = {}
        for position, request in enumerate(requests):
            checked = attempt(partial(segment_of, request, self.card))
            if isinstance(checked, MetierError):
                answers[position] = checked
            else:
                pictures.setdefault(checked.image.digest(), []).append(position)
        for digest, positions in pictures.items():
            own: list[Any] = [requests[position] for position in positions]
            answers |= zip(positions, self._of_picture(digest, own, context), strict=True)
        return [answers[position] for position in range(len(requests))]

    @torch.inference_mode()
    def _of_picture(
        self, digest: str, requests: Sequence[Segment], context: CallContext
    ) -> list[Segmentation | MetierError]:
        context.check()
        embedding = attempt(partial(self._embed, digest, requests[0].image))
        if isinstance(embedding, MetierError):
            return [embedding for _ in requests]
        return [attempt(partial(self._answer, request, embedding, context)) for request in requests]

    def _embed(self, digest: str, image: Image) -> Embedding:
        embedding = self._kept.get(digest)
        if embedding is None:
            embedding = self._encode(image.pixels)
            self._kept.put(digest, embedding)
        return embedding

    def _answer(self, request: Segment, embedding: Embedding, context: CallContext) -> Segmentation:
        if request.everything:
            return self._everything(request, embedding, context)
        prompts, masks, scores = Prompts.of(request), [], []
        for batch in prompts.batches(self._at_once(embedding.size)):
            context.check()
            decoded = self._decode(embedding, batch, request.multimask)
            masks.append((decoded.logits > 0).flatten(0, 1).cpu().numpy())
            scores.append(decoded.scores.flatten(0, 1).float().cpu().numpy())
        return segmentation(np.concatenate(masks), np.concatenate(scores))

    def _everything(self, request: Segment, embedding: Embedding, context: CallContext) -> Segmentation:
        def decode(prompts: Prompts) -> Decoded:
            context.check()
            return self._decode(embedding, prompts, multimask=True)

        return segmentation(*search(decode, embedding.size, self._at_once(embedding.size), self._options))

    def _at_once(self, size: tuple[int, int]) -> int:
        """Return how many prompts are decoded at once on a picture of height and width `size`."""
        return min(self._options.points_per_batch, max(1, _DECODED_BYTES // (4 * _READINGS * size[0] * size[1])))

    def resident_bytes(self) -> int:
        """Return the bytes held now: weights, and embeddings kept."""
        return self._weight_bytes + self._kept.nbytes

    def close(self) -> None:
        """Drop the weights and the embeddings."""
        self._module = None
        self._kept.clear()
