"""How well models do on a labelled sample of the user's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from metier_contracts import Classify, ExampleSet, MetierError, ModelCard

from metier.decision.calibrate import Outcome
from metier.decision.measure import now
from metier.decision.profile import MeasuredQuality
from metier.decision.store import ProfileStore
from metier.intervals import wilson_interval
from metier.revisions import revision_of
from metier.runtime import Runtime

_BATCH = 32
_FOLDS = 5


@dataclass(frozen=True)
class Judge:
    """Measures how often models give the texts of a sample their labels, and keeps it in `store`.

    A text that a model fails on counts as wrong. A model that learns from examples, and answers nothing without, is
    shown four fifths of the sample for each of the other fifth. `again`: measure anew what is kept already.
    """

    runtime: Runtime
    store: ProfileStore
    sample: ExampleSet
    again: bool = False

    def run(self, card: ModelCard) -> Iterator[Outcome]:
        """Yield the outcome for one model; a failure is an outcome too, and never raised."""
        table = card.tasks[Classify.task]
        requests = self._plain() if table.zero_shot else self._with_examples()
        if unmet := table.unmet(requests[0].needs()):
            yield Outcome(card, Classify.task, "left out", reason="; ".join(unmet))
            return
        kept = None if self.again else self._kept(card)
        if kept is not None:
            yield Outcome(card, Classify.task, "current", quality=kept)
            return
        try:
            yield Outcome(card, Classify.task, "measured", quality=self._judged(card, requests))
        except MetierError as error:
            yield Outcome(card, Classify.task, "failed", reason=str(error))
        finally:
            self.runtime.unload(card.id)

    def _plain(self) -> list[Classify]:
        return [Classify(text=text, labels=self.sample.labels) for text in self.sample.texts]

    def _with_examples(self) -> list[Classify]:
        """Return each text with those of the other folds as examples."""
        pairs = [(example.text, example.label) for example in self.sample.examples]
        folds = min(_FOLDS, len(pairs))
        others = [
            ExampleSet.from_pairs([pair for place, pair in enumerate(pairs) if place % folds != fold])
            for fold in range(folds)
        ]
        return [Classify(text=text, examples=others[place % folds]) for place, (text, _) in enumerate(pairs)]

    def _kept(self, card: ModelCard) -> MeasuredQuality | None:
        found = self.store.qualities(card.id, Classify.task, revision_of(card))
        return next((quality for quality in found if quality.sample == self.sample.digest), None)

    def _judged(self, card: ModelCard, requests: Sequence[Classify]) -> MeasuredQuality:
        answers: list[Any] = list(
            self.runtime.map(requests, model=card.id, batch_size=_BATCH, progress=False, on_error="collect")
        )
        failures = [answer for answer in answers if isinstance(answer, Exception)]
        if len(failures) == len(answers):
            raise failures[0]
        given = [None if isinstance(answer, Exception) else answer.label for answer in answers]
        wanted = [example.label for example in self.sample.examples]
        right = sum(label == answer for label, answer in zip(wanted, given, strict=True))
        low, high = wilson_interval(right, len(wanted))
        quality = MeasuredQuality(
            model=card.id,
            task=Classify.task,
            weights=revision_of(card),
            sample=self.sample.digest,
            metric="accuracy",
            value=right / len(wanted),
            low=low,
            high=high,
            macro_f1=macro_f1(wanted, given),
            count=len(wanted),
            failures=len(failures),
            measured=now(),
        )
        self.store.keep(quality)
        return quality


def macro_f1(wanted: Sequence[str], given: Sequence[str | None]) -> float:
    """Return the mean over the labels of the sample of the harmonic mean of precision and recall."""
    right = Counter(label for label, answer in zip(wanted, given, strict=True) if label == answer)
    of_label, as_label = Counter(wanted), Counter(given)
    return sum(2 * right[label] / (of_label[label] + as_label[label]) for label in of_label) / len(of_label)
