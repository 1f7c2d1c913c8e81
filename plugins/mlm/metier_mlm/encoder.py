"""`Encoder`: a text model whose rows are vectors; the base of the loaders that work on embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from metier_contracts import CallContext, MetierError, ModelCard, Placement
from numpy.typing import NDArray
from transformers import AutoModel

from metier_mlm.checkpoint import checkpoint_folder, load_network
from metier_mlm.forward import Batch, Network
from metier_mlm.options import TextOptions
from metier_mlm.placing import choose_dtype, default_batch_tokens
from metier_mlm.pooling import Recipe, pool, read_recipe
from metier_mlm.text_model import Piece, TextModel
from metier_mlm.tokens import TextTokenizer, context_length, load_tokenizer

Vectors = NDArray[np.float32]


class EncoderParts(NamedTuple):
    """What an `Encoder` is made of, and the folder that it was read from."""

    tokenizer: TextTokenizer
    network: Network
    recipe: Recipe
    folder: Path


class Encoder(TextModel):
    """A text model that pools token vectors as its folder says. Texts longer than the context are cut off."""

    def __init__(self, card: ModelCard, parts: EncoderParts) -> None:
        super().__init__(card, parts.tokenizer, parts.network)
        self._recipe = parts.recipe

    def _reduce(self, output: Any, batch: Batch) -> torch.Tensor:
        vectors = pool(output.last_hidden_state, batch["attention_mask"], self._recipe.mode)
        return torch.nn.functional.normalize(vectors, dim=1) if self._recipe.normalized else vectors

    def _embed(self, texts: Sequence[str], context: CallContext) -> Vectors:
        """Return unit vectors float32 [N, D]; raise what any of the texts failed with."""
        pieces = self._read(list(dict.fromkeys(texts)), context)
        found = []
        for text in texts:
            piece = pieces[text]
            if isinstance(piece, MetierError):
                raise piece
            found.append(piece)
        return unit(stack(found))


def read_encoder(placement: Placement, options: TextOptions) -> EncoderParts:
    """Return the parts of an encoder, read from `placement.directory`."""
    folder = checkpoint_folder(placement.directory or Path(), options.subfolder)
    recipe = read_recipe(folder)
    module = load_network(AutoModel, folder, choose_dtype(placement), placement.device, fresh="pooler")
    tokenizer = load_tokenizer(folder)
    limit = context_length(tokenizer, module.config, options.max_length, recipe.max_length)
    budget = options.batch_tokens or default_batch_tokens(placement.device)
    text_tokenizer = TextTokenizer(tokenizer, limit)
    network = Network(module, placement.device, budget, text_tokenizer.pad_id)
    return EncoderParts(text_tokenizer, network, recipe, folder)


def stack(pieces: Sequence[Sequence[Piece]]) -> Vectors:
    """Return float32 [N, D], row i for input i."""
    return np.stack([windows[0].row for windows in pieces])


def unit(vectors: Vectors) -> Vectors:
    """Return the rows at length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.finfo(np.float32).tiny))
