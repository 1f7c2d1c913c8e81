"""classify by a remote language model: it is asked to write the label, in JSON where its server enforces a schema."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from metier_contracts import Classification, Classify, Generate, ImagePart, InferenceError, Message, ModelCard, Sampling
from metier_contracts.authoring import unsupported

from metier_llm.remote.likelihoods import shares
from metier_llm.remote.wire import Answer

_TOLD = "You label what the user sends. The possible labels are, as JSON: {labels}. {reply}"
_REPLY = "Reply with the label that fits best, and nothing else."
_REPLY_JSON = 'Reply with the label that fits best, as JSON: {"label": ...}'
_REPLY_LABELS = 'Reply with all labels that fit, or none, as JSON: {"labels": [...]}'


class Question:
    """A request to classify, put to a model that writes.

    Args:
        request: what is to be classified.
        card: the model's. `json_schema` of its table for classify says that the server enforces a schema.

    Raises:
        UnsupportedError: there are no labels to choose among, or several are asked for without a schema.
    """

    def __init__(self, request: Classify, card: ModelCard) -> None:
        capabilities = card.tasks[request.task]
        own = capabilities.labels if isinstance(capabilities.labels, tuple) else None
        labels = request.choices or own
        if labels is None or (request.multi_label and not capabilities.json_schema):
            raise unsupported(request, card)
        self._request = request
        self._labels: Sequence[str] = labels
        self._json = capabilities.json_schema
        self._most = capabilities.output_tokens or Sampling().max_tokens

    def asked(self) -> Generate:
        """Return the request to write."""
        reply = _REPLY_LABELS if self._request.multi_label else _REPLY_JSON if self._json else _REPLY
        told = _TOLD.format(labels=json.dumps(list(self._labels), ensure_ascii=False), reply=reply)
        messages = [Message(role="system", content=told)]
        for example in () if self._request.examples is None else self._request.examples.examples:
            messages += [
                Message(role="user", content=example.text),
                Message(role="assistant", content=self._answer(example.label)),
            ]
        messages.append(_put(self._request))
        schema = self._schema() if self._json else None
        return Generate(messages=tuple(messages), json_schema=schema, sampling=Sampling(max_tokens=self._most))

    def read(self, answer: Answer) -> Classification:
        """Return the labels that were written. Their scores are what the server tells of likelihoods, else 1 and 0.

        Raises:
            InferenceError: the answer is cut off, held back, or holds no label of these.
        """
        written = answer.generation
        if written.finish_reason != "stop":
            raise self._no_label(f"{written.text[-80:]!r}, ended by {written.finish_reason!r}")
        chosen = self._chosen(written.text)
        scores = None if self._request.multi_label else self._likelihoods(answer, chosen[0])
        if scores is None:
            scores = {label: float(label in chosen) for label in self._labels}
        return Classification(
            label=max((*chosen, *self._labels), key=scores.__getitem__),
            scores=scores,
            input_tokens=written.input_tokens if written.tokens_known else None,
            output_tokens=written.output_tokens if written.tokens_known else None,
        )

    def _schema(self) -> dict[str, Any]:
        label = {"type": "string", "enum": list(self._labels)}
        several = {"labels": {"type": "array", "items": label}}
        fields = several if self._request.multi_label else {"label": label}
        return {"type": "object", "properties": fields, "required": [*fields], "additionalProperties": False}

    def _answer(self, label: str) -> str:
        if not self._json:
            return label
        said = {"labels": [label]} if self._request.multi_label else {"label": label}
        return json.dumps(said, ensure_ascii=False)

    def _chosen(self, text: str) -> Sequence[str]:
        if not self._json:
            chosen: Any = [text.strip()]
        else:
            try:
                said = json.loads(text)
                chosen = said["labels"] if self._request.multi_label else [said["label"]]
            except (ValueError, TypeError, LookupError):
                chosen = None
        if not isinstance(chosen, list) or not all(label in self._labels for label in chosen):
            raise self._no_label(repr(text[:80]))
        return chosen

    def _likelihoods(self, answer: Answer, chosen: str) -> dict[str, float] | None:
        text = answer.generation.text
        quoted = {label: json.dumps(label, ensure_ascii=False) if self._json else label for label in self._labels}
        start = text.rfind(quoted[chosen])
        found = shares(answer.tokens, start, list(quoted.values()), quoted[chosen]) if start >= 0 else None
        return None if found is None else {label: found[form] for label, form in quoted.items()}

    def _no_label(self, got: str) -> InferenceError:
        return InferenceError(
            "the model answered with no label that it was given",
            expected=f"one of {', '.join(self._labels)}, within {self._most} tokens",
            got=got,
            hint="raise output_tokens in the table tasks.classify of the card where it was cut off, or choose another"
            " model",
        )


def _put(request: Classify) -> Message:
    if request.image is not None:
        return Message(role="user", content=(ImagePart(image=request.image),))
    return Message(role="user", content=request.text or "")
