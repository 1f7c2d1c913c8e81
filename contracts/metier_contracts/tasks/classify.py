"""classify: which of these labels fits?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Generic, Literal, get_args, get_origin

from pydantic import Field, model_validator

from metier_contracts.card import Capabilities
from metier_contracts.data.image import ImageField
from metier_contracts.examples import ExampleSet, LabelT_co, take_as_is
from metier_contracts.invariants import Violation
from metier_contracts.refusal import Refusal, shown
from metier_contracts.request import Request, Response
from metier_contracts.semantics import Labels, ScoreKind
from metier_contracts.size import Size, characters
from metier_contracts.text import Text

SUM_TOLERANCE = 1e-3


class Classification(Response, Generic[LabelT_co]):
    """The best label and the score of every label.

    `scores`: in 0..1; they sum to 1 unless the request was multi_label, where each stands for itself.
    `input_tokens`, `output_tokens`: what a language model read and wrote for it, where its server counts them.
    """

    semantics: ClassVar = (ScoreKind("probability"),)

    label: LabelT_co
    scores: Mapping[str, float]
    input_tokens: int | None = Field(default=None, ge=0)
    output_tokens: int | None = Field(default=None, ge=0)

    def above(self, threshold: float = 0.5) -> tuple[str, ...]:
        """Return the labels whose score is at least `threshold`, best first: the answer to a multi_label request."""
        kept = [label for label, score in self.scores.items() if score >= threshold]
        return tuple(sorted(kept, key=self.scores.__getitem__, reverse=True))


class Classify(Request[Classification[LabelT_co]], Generic[LabelT_co]):
    """Choose among labels for a text or an image.

    `labels`: the labels to choose among; None takes those of the Literal in `Classify[Literal["a", "b"]]`, or of the
    `Labels` in `Classify[Annotated[str, Labels("a", "b")]]`, else those of `examples`, else the model's own.
    `multi_label`: score each label for itself. `examples`: labelled texts to learn from; build the `ExampleSet` once,
    since the model keeps what it learned by the set's digest.
    """

    task: ClassVar[str] = "classify"

    text: Text | None = None
    image: ImageField | None = None
    labels: Sequence[LabelT_co] | None = None
    multi_label: bool = False
    examples: Annotated[ExampleSet[LabelT_co] | None, take_as_is] = None

    @model_validator(mode="before")
    @classmethod
    def _take_labels(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("labels") is None:
            labels = literal_labels(cls)
            if labels:
                return {**data, "labels": labels}
        return data

    @model_validator(mode="after")
    def _check(self) -> Classify[LabelT_co]:
        if (self.text is None) == (self.image is None):
            raise Refusal("one of text and image", "neither" if self.image is None else "both", field="text")
        labels, examples = self.labels, self.examples
        if labels is not None:
            distinct = set(labels)
            if not distinct:
                raise Refusal("at least one label, or None for the model's own", field="labels", got="none")
            if len(distinct) != len(labels):
                raise Refusal("each label once", f"{_repeated(labels)!r} more than once", field="labels")
            if examples is not None and not distinct.issuperset(examples.labels):
                stray = next(label for label in examples.labels if label not in distinct)
                raise Refusal(
                    f"examples whose labels are among {shown(list(labels))}", f"the label {stray!r}", field="examples"
                )
            if "" in distinct:
                raise Refusal("labels that are not empty", "''", field="labels")
        return self

    @property
    def choices(self) -> Sequence[LabelT_co] | None:
        """The labels to choose among, or None for the model's own."""
        if self.labels is None and self.examples is not None:
            return self.examples.labels
        return self.labels

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        choices = self.choices
        needs: dict[str, Any] = {
            "modalities": frozenset({"text" if self.image is None else "image"}),
            "labels": "listed" if choices is None else frozenset(choices),
        }
        if self.multi_label:
            needs["multi_label"] = True
        if self.examples is not None:
            needs["few_shot"] = True
        return needs

    def workload(self) -> Size:
        """Return the characters of the text, or the pixels of the image, with the labels and the examples."""
        size = Size(
            len(self.text or ""),
            choice_characters=characters(self.choices),
            example_characters=0 if self.examples is None else self.examples.characters,
        )
        if self.image is None:
            return size
        return replace(size, amount=self.image.height * self.image.width, unit="pixels")


def literal_labels(kind: type[Any]) -> tuple[str, ...]:
    """Return ("a", "b") for `Classify[Literal["a", "b"]]` or `Classify[Annotated[str, Labels("a", "b")]]`, else ()."""
    arguments = kind.__pydantic_generic_metadata__["args"]
    if not arguments:
        return ()
    declared = [one.labels for one in getattr(arguments[0], "__metadata__", ()) if isinstance(one, Labels)]
    if declared:
        return declared[-1]
    return get_args(arguments[0]) if get_origin(arguments[0]) is Literal else ()


def _repeated(labels: Sequence[str]) -> str:
    return next(label for position, label in enumerate(labels) if label in labels[:position])


def covers_labels(request: Classify, response: Classification, capabilities: Capabilities) -> Violation | None:
    """Scores stand for exactly the labels asked for (or the card's own)."""
    choices = request.choices
    if choices is None:
        choices = capabilities.labels if isinstance(capabilities.labels, tuple) else None
    if choices is None or (len(choices) == len(response.scores) and response.scores.keys() == set(choices)):
        return None
    return Violation("scores", f"a score for exactly {shown(list(choices))}", _odd(choices, response))


def _odd(choices: Sequence[str], response: Classification) -> str:
    absent = [label for label in choices if label not in response.scores]
    stray = [label for label in response.scores if label not in choices]
    odd = f"without {shown(absent)}" if absent else f"with {shown(stray)} besides"
    return f"scores for {shown(list(response.scores))}, {odd}"


def scores_are_probabilities(
    request: Classify, response: Classification, capabilities: Capabilities
) -> Violation | None:
    """Each score lies in 0..1, and they sum to 1 unless multi_label."""
    total = 0.0
    for label, score in response.scores.items():
        if not 0.0 <= score <= 1.0:
            return Violation("scores", "each in 0..1", f"{score} for {label!r}")
        total += score
    if not request.multi_label and abs(total - 1.0) > SUM_TOLERANCE:
        return Violation("scores", f"a sum of 1 within {SUM_TOLERANCE}", f"{total:.6f}")
    return None


def label_is_best(request: Classify, response: Classification, capabilities: Capabilities) -> Violation | None:
    """The label is one with the highest score."""
    scores = response.scores
    if response.label in scores and scores[response.label] >= max(scores.values()):
        return None
    best = max(scores, key=scores.__getitem__, default=None)
    return Violation("label", f"the label with the highest score, {best!r}", repr(response.label))


INVARIANTS = (covers_labels, scores_are_probabilities, label_is_best)
