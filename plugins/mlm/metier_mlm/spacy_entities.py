"""The spacy loader: extract with the named-entity recognizer of a spaCy pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from metier_contracts import (
    CallContext,
    Entity,
    Extraction,
    InferenceError,
    ModelCard,
    ModelLoadError,
    Placement,
    Request,
)

from metier_mlm.answering import Answer, answered
from metier_mlm.checkpoint import load_errors

TEXTS_PER_BATCH = 64


def load(card: ModelCard, placement: Placement) -> SpacyModel:
    """Return the recognizer of a folder that spaCy saved. Its files are data: no code of a package is run."""
    import spacy

    with load_errors(card):
        config = spacy.util.load_config(str(placement.directory / "config.cfg"))  # type: ignore[operator]
        names = list(config["nlp"]["pipeline"])
        if "ner" not in names:
            raise ModelLoadError(
                f"the pipeline of {card.id!r} has no recognizer", expected="a component 'ner'", got=", ".join(names)
            )
        # What the recognizer does not listen to is not even read.
        kept = {"ner", "transformer"} | ({"tok2vec"} if _listens(config) else set())
        pipeline = spacy.load(str(placement.directory), exclude=[name for name in names if name not in kept])
    return SpacyModel(card, pipeline)


def _listens(config: Any) -> bool:
    return "Tok2VecListener" in str(config["components"]["ner"])


class SpacyModel:
    """Finds entities; spaCy gives them no score."""

    device = "cpu"
    dtype = "float32"

    def __init__(self, card: ModelCard, pipeline: Any) -> None:
        self.card = card
        self._pipeline = pipeline
        self._bytes = _parameter_bytes(pipeline)

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> list[Answer]:
        """Answer each request, in order."""
        if self._pipeline is None:
            raise InferenceError(f"the model {self.card.id!r} is closed")
        answers: list[Answer] = []
        for start in range(0, len(requests), TEXTS_PER_BATCH):
            context.check()
            batch = requests[start : start + TEXTS_PER_BATCH]
            documents = self._pipeline.pipe([getattr(request, "text", "") for request in batch])
            answers += [answered(_answer, request, one) for request, one in zip(batch, documents, strict=True)]
        return answers

    def resident_bytes(self) -> int:
        """Return the bytes of the networks' parameters and the vocabulary's vectors."""
        return self._bytes

    def close(self) -> None:
        """Let go of the pipeline."""
        self._pipeline = None


def _answer(request: Any, document: Any) -> Extraction:
    wanted = request.entity_types
    found = [
        Entity(text=span.text, label=span.label_, start=span.start_char, end=span.end_char)
        for span in document.ents
        if wanted is None or span.label_ in wanted
    ]
    return Extraction(entities=tuple(found))


def _parameter_bytes(pipeline: Any) -> int:
    networks = [pipe.model for _, pipe in pipeline.pipeline if hasattr(pipe, "model")]
    nodes = {id(node): node for network in networks for node in network.walk()}
    parameters = [node.get_param(name) for node in nodes.values() for name in node.param_names if node.has_param(name)]
    return int(sum(array.nbytes for array in parameters) + pipeline.vocab.vectors.data.nbytes)
