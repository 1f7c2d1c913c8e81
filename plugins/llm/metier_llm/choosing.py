"""classify by a language model: how probable is each label as its answer?"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from metier_contracts import CallContext, Classification, Classify, InputError, Message, ModelCard
from metier_contracts.authoring import unsupported

from metier_llm.conversation import ChatTemplate
from metier_llm.options import CausalOptions
from metier_llm.scoring import Scorer, common

_NOTHING, _ELSE = "N/A", "?"
_KEPT = 64


@dataclass(frozen=True, slots=True)
class _Question:
    """A choice that many texts are put to.

    `answers`: the tokens of each label as the model's whole answer. `beginning`: the tokens before the text.
    `priors`: the log-likelihood of each answer after a text that says nothing.
    """

    answers: Sequence[Sequence[int]]
    beginning: Sequence[int]
    priors: Sequence[float]


class Chooser:
    """Scores labels by their likelihood as the model's whole answer, against that after a text that says nothing.

    The division takes away what a label owes to its words and their number, and to the order of the examples
    (contextual calibration: Zhao et al. 2021, "Calibrate Before Use").
    """

    def __init__(
        self, card: ModelCard, options: CausalOptions, tokenizer: Any, template: ChatTemplate, scorer: Scorer, end: int
    ) -> None:
        self._card = card
        self._options = options
        self._tokenizer = tokenizer
        self._template = template
        self._scorer = scorer
        self._end = end
        self._questions: OrderedDict[tuple[object, ...], _Question] = OrderedDict()

    def answer(self, request: Classify, context: CallContext) -> Classification:
        """Return the scores of the labels: a softmax over their calibrated log-likelihoods."""
        choices = request.choices
        if request.text is None or choices is None or request.multi_label:
            raise unsupported(request, self._card)
        question = self._question(request, choices, context)
        likelihoods = self._likelihoods(self._prompt(request, choices, request.text), question, context)
        margins = [likelihood - prior for likelihood, prior in zip(likelihoods, question.priors, strict=True)]
        top = max(margins)
        weights = [math.exp(margin - top) for margin in margins]
        scores = {label: weight / sum(weights) for label, weight in zip(choices, weights, strict=True)}
        return Classification(label=max(scores, key=scores.__getitem__), scores=scores)

    def _question(self, request: Classify, labels: Sequence[str], context: CallContext) -> _Question:
        key = (tuple(labels), None if request.examples is None else request.examples.digest)
        question = self._questions.get(key)
        if question is None:
            nothing, other = (self._prompt(request, labels, text) for text in (_NOTHING, _ELSE))
            answers = [[*self._tokenizer.encode(label, add_special_tokens=False), self._end] for label in labels]
            asked = _Question(answers, nothing[: common(nothing, other)], ())
            question = replace(asked, priors=self._likelihoods(nothing, asked, context))
            self._questions[key] = question
            while len(self._questions) > _KEPT:
                self._questions.popitem(last=False)
        return question

    def _likelihoods(self, prompt: Sequence[int], question: _Question, context: CallContext) -> list[float]:
        shared = min(common(question.beginning, prompt), len(prompt) - 1)
        return self._scorer.log_likelihoods(prompt[:shared], prompt[shared:], question.answers, context)

    def _prompt(self, request: Classify, labels: Sequence[str], text: str) -> list[int]:
        told = self._options.classify_prompt.format(labels=", ".join(labels))
        messages = [Message(role="system", content=told)]
        for example in () if request.examples is None else request.examples.examples:
            messages += [
                Message(role="user", content=example.text),
                Message(role="assistant", content=example.label),
            ]
        prompt = self._template.encode([*messages, Message(role="user", content=text)])
        context = self._card.tasks[request.task].context
        if context is not None and len(prompt) > context:
            raise InputError(
                "the text, the labels and the examples are longer than the model reads",
                expected=f"at most {context} tokens in all",
                got=f"{len(prompt)} tokens",
                blame="text or examples of the request",
                hint="give fewer examples, a shorter text, or a model that learns from examples (`metier models`)",
            )
        return prompt
