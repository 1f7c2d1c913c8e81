"""`TextTokenizer`: the fast tokenizer of a checkpoint, with its truncation set once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metier_contracts import InputError, ModelLoadError
from metier_contracts.authoring import quiet_transformers
from tokenizers import Encoding
from transformers import AutoTokenizer, BertTokenizer

TextInput = str | tuple[str, str]
"""A text, or a pair that a cross-encoder reads together."""


class TextTokenizer:
    """Turns texts into token ids.

    Args:
        tokenizer: the transformers tokenizer, which must be a fast one: only those give character positions.
        max_length: the most tokens of one input.
        overlap: None cuts off what is longer; else it goes on in further windows (`Encoding.overflowing`) that share so
            many tokens with the one before (half of `max_length` at most).
    """

    def __init__(self, tokenizer: Any, max_length: int, overlap: int | None = None) -> None:
        self.slow = tokenizer
        self.max_length = max_length
        self.windows = overlap is not None
        self.pad_id = int(tokenizer.pad_token_id or 0)
        self.has_type_ids = "token_type_ids" in tokenizer.model_input_names
        self._backend = tokenizer.backend_tokenizer
        self._backend.no_padding()
        self.overlap = min(overlap or 0, max_length // 2)
        self._backend.enable_truncation(max_length, stride=self.overlap, strategy="longest_first")

    def encode(self, inputs: Sequence[TextInput]) -> list[Encoding | InputError]:
        """Return one encoding for each input, or the error of an input that cannot be read."""
        try:
            return list(self._batch(inputs))
        except Exception:
            # The batch does not say which of its texts is to blame.
            return [self._one(item) for item in inputs]

    def _batch(self, inputs: Sequence[TextInput]) -> list[Encoding]:
        # Offsets cost time; only windows are read by position.
        encode = self._backend.encode_batch if self.windows else self._backend.encode_batch_fast
        return encode(list(inputs))  # type: ignore[no-any-return]

    def _one(self, item: TextInput) -> Encoding | InputError:
        try:
            return self._batch([item])[0]
        except Exception as error:
            return InputError(
                "a text cannot be turned into tokens",
                expected="text that UTF-8 can express",
                got=f"{type(error).__name__}: {error}",
                blame="the text of the request",
            )


def load_tokenizer(folder: Path) -> Any:
    """Return the transformers tokenizer in `folder`; raise `ModelLoadError` where it is no fast one."""
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not tokenizer.is_fast:
        raise ModelLoadError(
            f"the tokenizer in {folder} gives no character positions",
            expected="a tokenizer.json",
            got=type(tokenizer).__name__,
            hint="save it once with `AutoTokenizer.from_pretrained(...).save_pretrained(...)`",
        )
    return tokenizer


def load_vocabulary(path: Path, *, lower_case: bool) -> Any:
    """Return a WordPiece tokenizer over the vocabulary file at `path`, one token a line."""
    return BertTokenizer(vocab=str(path), do_lower_case=lower_case)


def context_length(tokenizer: Any, config: Any, *limits: int | None) -> int:
    """Return the most tokens of one input: the smallest of `limits` and of what tokenizer and architecture state.

    Raises `ModelLoadError` where none of them states any.
    """
    positions = getattr(config, "max_position_embeddings", None)
    # RoBERTa and its kin count positions from pad_token_id + 1.
    if positions is not None and config.model_type in _OFFSET_POSITIONS:
        positions -= config.pad_token_id + 1
    stated = [tokenizer.model_max_length, positions, *limits]
    length = int(min(limit for limit in stated if limit is not None))
    if length < _UNLIMITED:
        return length
    raise ModelLoadError(
        "nothing says how many tokens the model reads",
        expected="a limit in the tokenizer, the architecture or the card",
        got="none",
        hint="say options.max_length on the card",
    )


# What transformers says of a tokenizer that states no limit is 10 ** 30.
_UNLIMITED = 10**9
_OFFSET_POSITIONS = frozenset(
    {
        "camembert",
        "data2vec-text",
        "esm",
        "ibert",
        "longformer",
        "luke",
        "mpnet",
        "roberta",
        "roberta-prelayernorm",
        "xlm-roberta",
        "xlm-roberta-xl",
        "xmod",
    }
)
