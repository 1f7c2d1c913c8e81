"""What the options of a local language model's card may say; those of remote ones stand in `remote.options`."""

from __future__ import annotations

from metier_contracts.authoring import LoaderOptions
from pydantic import Field, field_validator


class CausalOptions(LoaderOptions):
    """Options of `causal-lm`.

    Args:
        subfolder: where the model lies below the card's folder.
        gguf_file: the GGUF file there that holds the weights; None reads safetensors.
        chat_template: a Jinja template that takes the place of the folder's own.
        max_sequences: the most sequences that are decoded side by side; those beyond wait for a place.
        cache_tokens: the most tokens, of all those sequences together, whose keys and values are kept.
        prefill_chunk: the most tokens of a prompt that are read in one forward pass. Between two of them the caller's
            deadline and cancellation are looked at.
        classify_prompt: what the model is told before the text of a classify request. `{labels}` stands for the labels.
        extract_prompt: what it is told before the text of an extract request. `{entity_types}` stands for the types.
        extract_tokens: the most tokens of the answer to an extract request.
    """

    subfolder: str = "."
    gguf_file: str | None = None
    chat_template: str | None = None
    max_sequences: int = Field(default=16, ge=1)
    cache_tokens: int = Field(default=32_768, ge=16)
    prefill_chunk: int = Field(default=256, ge=1)
    classify_prompt: str = "You label texts. The possible labels are: {labels}. Reply with one label."
    extract_prompt: str = "List every mention of these types in the text: {entity_types}. Copy each from the text."
    extract_tokens: int = Field(default=256, ge=16)

    @field_validator("classify_prompt")
    @classmethod
    def _holds_labels(cls, value: str) -> str:
        return _holding("{labels}", value)

    @field_validator("extract_prompt")
    @classmethod
    def _holds_types(cls, value: str) -> str:
        return _holding("{entity_types}", value)


def _holding(place: str, prompt: str) -> str:
    if place not in prompt:
        raise ValueError(f"a prompt that holds {place}, got {prompt!r}")
    return prompt
