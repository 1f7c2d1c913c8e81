"""Loader `spacy`: extract by a trained spaCy pipeline, on the CPU."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import spacy
from metier_contracts import (
    CallContext,
    DeviceError,
    Entity,
    Extract,
    Extraction,
    InputError,
    MetierError,
    ModelCard,
    ModelLoadError,
    Placement,
    Request,
    Response,
)
from metier_contracts.authoring import attempt, read_options, unsupported
from spacy.util import load_config

from metier_mlm.options import SpacyOptions

_FINDERS = frozenset({"ner", "beam_ner", "entity_ruler", "span_ruler"})


class SpacyPipeline:
    """A spaCy pipeline of which only the parts run that find entities. Its entities carry no score."""

    device = "cpu"
    dtype = "float32"

    def __init__(self, card: ModelCard, pipeline: Any, batch_size: int) -> None:
        self.card = card
        self._pipeline = pipeline
        self._batch_size = batch_size
        self._bytes = _resident_bytes(pipeline)

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Response | MetierError]:
        """Answer each request, in order; checks `context` before each text."""
        context.check()
        texts = [attempt(partial(self._text, request)) for request in requests]
        good = list(dict.fromkeys(text for text in texts if isinstance(text, str)))
        found = self._find(good, context) if good else {}
        return [
            text if isinstance(text, MetierError) else _answer(request, found[text])
            for request, text in zip(requests, texts, strict=True)
        ]

    def _text(self, request: Request[Any]) -> str:
        if not isinstance(request, Extract):
            raise unsupported(request, self.card)
        if len(request.text) > self._pipeline.max_length:
            raise InputError(
                "the text is too long for the pipeline",
                expected=f"at most {self._pipeline.max_length} characters",
                got=f"{len(request.text)}",
                blame="text of the request",
            )
        return request.text

    def _find(self, texts: Sequence[str], context: CallContext) -> dict[str, tuple[Entity, ...] | MetierError]:
        found = attempt(lambda: self._pipe(texts, context))
        if isinstance(found, MetierError) and len(texts) > 1:
            # One text stopped the stream: alone, each fails for itself.
            return {text: answer for one in texts for text, answer in self._find([one], context).items()}
        return {texts[0]: found} if isinstance(found, MetierError) else dict(zip(texts, found, strict=True))

    def _pipe(self, texts: Sequence[str], context: CallContext) -> list[tuple[Entity, ...]]:
        found = []
        # Outside a zone the pipeline would remember every word it ever saw.
        with self._pipeline.memory_zone():
            for document in self._pipeline.pipe(texts, batch_size=self._batch_size):
                context.check()
                found.append(tuple(_entity(span) for span in document.ents))
        return found

    def resident_bytes(self) -> int:
        """Return the bytes of weights, vectors and the strings of the vocabulary, measured once at load."""
        return self._bytes

    def close(self) -> None:
        """Drop the pipeline."""
        self._pipeline = None


def load(card: ModelCard, placement: Placement) -> SpacyPipeline:
    """Return the pipeline in `placement.directory`, the folder that holds config.cfg."""
    options = read_options(SpacyOptions, card)
    if placement.device != "cpu":
        raise DeviceError(f"{card.id} runs on the CPU alone", expected="cpu", got=placement.device)
    folder = (placement.directory or Path()) / options.subfolder
    config = load_config(folder / "config.cfg")
    names = list(config["nlp"]["pipeline"])
    needed = _needed(config, names)
    if not _FINDERS & needed:
        raise ModelLoadError(
            f"the pipeline of {card.id} finds no entities", expected="a component ner", got=", ".join(names)
        )
    pipeline = spacy.load(folder, exclude=[name for name in names if name not in needed])
    return SpacyPipeline(card, pipeline, options.batch_size)


def _needed(config: Any, names: Sequence[str]) -> set[str]:
    """Return the components that find entities, and those whose output they listen to."""
    components = config["components"]
    finders = {name for name in names if components.get(name, {}).get("factory", name) in _FINDERS}
    listens = any("Listener" in str(components.get(name, {}).get("model", "")) for name in finders)
    sources = {"tok2vec", "transformer", "curated_transformer"} if listens else set()
    return finders | {name for name in names if components.get(name, {}).get("factory") in sources}


def _resident_bytes(pipeline: Any) -> int:
    weights = 0
    for _, component in pipeline.components:
        for node in getattr(getattr(component, "model", None), "walk", list)():
            weights += sum(node.get_param(name).nbytes for name in node.param_names if node.has_param(name))
    strings = sum(sys.getsizeof(text) for text in pipeline.vocab.strings)
    return int(weights + pipeline.vocab.vectors.data.nbytes + strings)


def _entity(span: Any) -> Entity:
    return Entity(text=span.text, label=span.label_, start=span.start_char, end=span.end_char)


def _answer(request: Any, found: tuple[Entity, ...] | MetierError) -> Response | MetierError:
    if isinstance(found, MetierError):
        return found
    wanted = request.entity_types
    return Extraction(entities=tuple(entity for entity in found if wanted is None or entity.label in wanted))
