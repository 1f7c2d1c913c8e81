"""extract by a language model: it writes a list of mentions, each bound to be a piece of the text."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from metier_contracts import Entity, Extract, Extraction, InferenceError, InputError, Message, ModelCard
from metier_contracts.authoring import unsupported

from metier_llm.checkpoint import Checkpoint
from metier_llm.constraints import Constraints, Matcher
from metier_llm.conversation import ChatTemplate
from metier_llm.engine import Decoding
from metier_llm.options import CausalOptions
from metier_llm.writing import Writer


class Extractor:
    """Makes readings of texts."""

    def __init__(
        self,
        card: ModelCard,
        options: CausalOptions,
        checkpoint: Checkpoint,
        template: ChatTemplate,
        constraints: Callable[[], Constraints],
    ) -> None:
        self._card = card
        self._options = options
        self._checkpoint = checkpoint
        self._template = template
        self._constraints = constraints

    def reading(self, request: Extract) -> Reading:
        """Return what is to be decoded for a request.

        Raises:
            UnsupportedError: it names no entity types, of which this model has none of its own.
            InputError: the text is too long.
        """
        if request.entity_types is None:
            raise unsupported(request, self._card)
        told = self._options.extract_prompt.format(entity_types=", ".join(request.entity_types))
        prompt = self._template.encode(
            [Message(role="system", content=told), Message(role="user", content=request.text)]
        )
        most = self._options.extract_tokens
        if len(prompt) + most > self._checkpoint.context:
            raise InputError(
                "the text is longer than the model reads",
                expected=f"at most {self._checkpoint.context - most} tokens with the question",
                got=f"{len(prompt)} tokens",
                blame="text of the request",
                hint="extract from parts of the text",
            )
        matcher = self._constraints().spans(request.text, request.entity_types, most)
        return Reading(request, prompt, most, matcher, self._checkpoint)


class Reading:
    """One text, and the mentions that the model lists."""

    def __init__(
        self, request: Extract, prompt: list[int], most: int, matcher: Matcher, checkpoint: Checkpoint
    ) -> None:
        self.decoding = Decoding(prompt, most, self._choose, self._take)
        self._request = request
        self._matcher = matcher
        self._ends = checkpoint.ends
        self._writer = Writer(checkpoint.tokenizer.backend_tokenizer)
        self._log_likelihoods: list[tuple[int, float]] = []  # with the place in the text where each token begins

    def _choose(self, logits: torch.Tensor) -> int:
        self._matcher.mask(logits)
        token = int(logits.argmax())
        self._log_likelihoods.append((len(self._writer.text), float(logits.log_softmax(0)[token])))
        return token

    def _take(self, token: int) -> bool:
        if token in self._ends:
            return True
        self._matcher.accept(token)
        self._writer.write(token)
        return self._matcher.finished

    def answer(self) -> Extraction:
        """Return the entities; a mention listed twice is looked for twice. Raise the decoding's error."""
        if self.decoding.error is not None:
            raise self.decoding.error
        text, entities = self._request.text, []
        after: dict[tuple[str, str], int] = {}
        for item, score in self._items():
            mention = (item["type"], item["text"])
            start = text.find(item["text"], after.get(mention, 0))
            if item["text"] and start >= 0:
                end = after[mention] = start + len(item["text"])
                entities.append(Entity(text=item["text"], label=item["type"], start=start, end=end, score=score))
        return Extraction(entities=tuple(sorted(entities, key=lambda entity: entity.start)))

    def _items(self) -> Iterator[tuple[dict[str, Any], float]]:
        """Yield each mention, and the probability that the model gives it after those before."""
        written = self._writer.text
        try:
            json.loads(written)
        except ValueError as error:
            raise InferenceError(
                "the model did not come to the end of its list",
                expected=f"a list within {self.decoding.most} tokens",
                got=f"{written[-80:]!r}",
                hint="raise options.extract_tokens of the card, or extract from parts of the text",
            ) from error
        decoder, place = json.JSONDecoder(), written.find("{")
        while place >= 0:
            item, end = decoder.raw_decode(written, place)
            yield item, min(1.0, math.exp(sum(value for at, value in self._log_likelihoods if place <= at < end)))
            place = written.find("{", end)
