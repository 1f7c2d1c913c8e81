"""What the loaders of task heads read from a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier_contracts import Placement

from metier_mlm.checkpoint import checkpoint_folder, load_network
from metier_mlm.forward import Network
from metier_mlm.options import TextOptions
from metier_mlm.placing import choose_dtype, default_batch_tokens
from metier_mlm.tokens import TextTokenizer, context_length, load_tokenizer


def read_text_model(
    auto_class: Any, placement: Placement, options: TextOptions, *, overlap: int | None = None, tokenizer: Any = None
) -> tuple[TextTokenizer, Network]:
    """Return tokenizer and network of the checkpoint in `placement.directory`.

    `overlap`: as in `TextTokenizer`. `tokenizer`: in place of the one that lies beside the checkpoint.
    """
    folder = checkpoint_folder(placement.directory or Path(), options.subfolder)
    module = load_network(auto_class, folder, choose_dtype(placement), placement.device)
    tokenizer = load_tokenizer(folder) if tokenizer is None else tokenizer
    length = context_length(tokenizer, module.config, options.max_length)
    text_tokenizer = TextTokenizer(tokenizer, length, overlap)
    budget = options.batch_tokens or default_batch_tokens(placement.device)
    # Where a model tells apart two kinds of tokens, the second text of a pair is of the second kind.
    pairs = text_tokenizer.has_type_ids and getattr(module.config, "type_vocab_size", 0) > 1
    return text_tokenizer, Network(module, placement.device, budget, text_tokenizer.pad_id, type_ids=pairs)
