"""What a card's `options` may say, for each loader."""

from __future__ import annotations

from typing import Annotated, Literal

from metier_contracts.authoring import LoaderOptions
from pydantic import AfterValidator, Field


def _holds_label(value: str) -> str:
    if "{label}" not in value:
        raise ValueError(f"a template that holds {{label}}, got {value!r}")
    return value


Template = Annotated[str, AfterValidator(_holds_label)]


class FolderOptions(LoaderOptions):
    """Options of every loader. `subfolder`: where the model lies below the card's folder."""

    subfolder: str = "."


class TextOptions(FolderOptions):
    """Options of every loader that runs transformers.

    `max_length`: the most tokens of one input, None for what the folder says. `batch_tokens`: the most tokens, padding
    included, of one forward pass, None for what suits the device.
    """

    max_length: int | None = Field(default=None, ge=8)
    batch_tokens: int | None = Field(default=None, ge=1)


class EncoderOptions(TextOptions):
    """Options of `sentence-encoder`.

    `text_prefix`, `query_prefix`, `passage_prefix`: put before the texts of embed and classify, the query of rank, and
    its candidates; None takes the prompt that the folder names for that use, if any. `template`: turns a label into the
    text it is compared by. `scale`: what cosines are multiplied by before softmax or sigmoid. `midpoint`: the cosine at
    which a multi_label score is 0.5; it differs from encoder to encoder. `head_c`: the inverse strength of
    regularisation of the logistic heads (the C of scikit-learn). `cached_heads`, `cached_labels`: how many few-shot
    heads and label vectors are kept.
    """

    text_prefix: str | None = None
    query_prefix: str | None = None
    passage_prefix: str | None = None
    template: Template = "This text is about {label}."
    scale: float = Field(default=20.0, gt=0)
    midpoint: float = Field(default=0.15, ge=-1, le=1)
    head_c: float = Field(default=10.0, gt=0)
    cached_heads: int = Field(default=32, ge=1)
    cached_labels: int = Field(default=1024, ge=1)


class NliOptions(TextOptions):
    """Options of `nli`. `template`: turns a label into the hypothesis that a text may entail."""

    template: Template = "This text is about {label}."


class HeadOptions(TextOptions):
    """Options of `sentence-head`. `text_prefix`: as the encoder's; it must be the one that the head was fitted with."""

    text_prefix: str | None = None


class TaggerOptions(TextOptions):
    """Options of `token-classification`.

    `overlap`: the tokens that neighbouring windows of a long text share. `word_tags`: "first" lets the first piece of a
    word decide for all of it; "each" takes each piece by itself, for scripts without spaces.
    """

    overlap: int = Field(default=64, ge=0)
    word_tags: Literal["first", "each"] = "first"


class MaskedOptions(TextOptions):
    """Options of `masked-lm`.

    `split_characters`: put a space between all characters, for models of sequences whose words are single letters.
    `vocabulary`: a WordPiece vocabulary below the card's folder, where the checkpoint ships no tokenizer.
    `lower_case`: whether that vocabulary knows lower case alone.
    """

    split_characters: bool = False
    vocabulary: str | None = None
    lower_case: bool = False


class SpacyOptions(FolderOptions):
    """Options of `spacy`. `batch_size`: how many texts the pipeline takes at once."""

    batch_size: int = Field(default=64, ge=1)
