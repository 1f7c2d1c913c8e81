"""Whether cascades keep their promise: over resamples of real labelled sets, with the truth from texts held out."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from metier.cascades.bound import allowed_losses, lowest_threshold
from metier.cascades.scaling import calibrated_error, calibration_error
from numpy.typing import NDArray

from benchmarks.evaluate.labelled_sets import SETS, Answers, answers_of

RESAMPLES, SAMPLE, MAX_LOSS, CONFIDENCE, SEED = 200, 2000, 0.01, 0.95, 20261128
_LEVELS = 2**14


@dataclass(frozen=True)
class Outcomes:
    """Of each text the best score of the cheap model, float64 [N], and who was right, bool [N]."""

    scores: NDArray[np.float64]
    cheap_right: NDArray[np.bool_]
    strong_right: NDArray[np.bool_]

    @property
    def differences(self) -> NDArray[np.int64]:
        """1 where the strong model alone is right, -1 where the cheap one alone is, else 0."""
        return self.strong_right.astype(np.int64) - self.cheap_right

    def written(self) -> str:
        """Return sixteen bits a text in base 64: the score in steps of 1/16,384, then both answers."""
        levels = np.minimum(self.scores * _LEVELS, _LEVELS - 1).astype("<u2")
        packed = levels * 4 + self.cheap_right * np.uint16(2) + self.strong_right
        return base64.b64encode(packed.astype("<u2").tobytes()).decode()


def read(written: str) -> Outcomes:
    """Return what `Outcomes.written` wrote, the scores rounded down."""
    packed = np.frombuffer(base64.b64decode(written), "<u2").astype(np.int64)
    return Outcomes((packed // 4) / _LEVELS, packed % 4 >= 2, packed % 2 == 1)


def trial(outcomes: Outcomes, resamples: Sequence[int] = range(RESAMPLES)) -> dict[str, list[float | None]]:
    """Fit a threshold on each resample; return the share kept and the true loss of each, None where it is refused.

    A resample is a random part of the texts, and the truth is the loss on all others.
    """
    allowed = allowed_losses(SAMPLE, MAX_LOSS, CONFIDENCE)
    kept: list[float | None] = []
    lost: list[float | None] = []
    for number in resamples:
        order = np.random.default_rng([SEED, number]).permutation(len(outcomes.scores))
        sample, held_out = order[:SAMPLE], order[SAMPLE:]
        threshold = lowest_threshold(outcomes.scores[sample], outcomes.differences[sample], allowed)
        if threshold is None:
            kept.append(None)
            lost.append(None)
            continue
        keeps = outcomes.scores[held_out] >= threshold
        kept.append(round(float(keeps.mean()), 4))
        lost.append(round(float((outcomes.differences[held_out] * keeps).mean()), 5))
    return {"kept": kept, "lost": lost}


def naive(outcomes: Outcomes) -> int:
    """Return how many of the resamples break the promise where the loss seen on the sample is taken for the truth."""
    broken = 0
    for number in range(RESAMPLES):
        order = np.random.default_rng([SEED, number]).permutation(len(outcomes.scores))
        sample, held_out = order[:SAMPLE], order[SAMPLE:]
        falling = sample[np.argsort(-outcomes.scores[sample])]
        fine = np.flatnonzero(np.cumsum(outcomes.differences[falling]) <= MAX_LOSS * SAMPLE)
        threshold = outcomes.scores[falling[fine[-1]]] if len(fine) else np.inf
        keeps = outcomes.scores[held_out] >= threshold
        broken += bool((outcomes.differences[held_out] * keeps).mean() > MAX_LOSS)
    return broken


def row(answers: Answers) -> dict[str, Any]:
    """Return what is told of a set: the models alone, the promise over the resamples, and every outcome."""
    written = Outcomes(answers.scores.max(axis=1), answers.cheap_right, answers.strong_right).written()
    outcomes = read(written)
    each = trial(outcomes)
    seconds = answers.cheap_seconds / answers.strong_seconds
    return {
        "cheap_accuracy": round(float(outcomes.cheap_right.mean()), 4),
        "strong_accuracy": round(float(outcomes.strong_right.mean()), 4),
        **summary(each, outcomes, seconds),
        "broken_by_a_naive_threshold": naive(outcomes),
        "calibration_error": round(calibration_error(answers.scores, answers.truth), 4),
        "calibrated_error": round(calibrated_error(answers.scores, answers.truth), 4),
        "predictions": written,
        "each": {**each, "cheap_price": seconds},
    }


def summary(each: Mapping[str, Sequence[float | None]], outcomes: Outcomes, cheap_price: float) -> dict[str, Any]:
    """Return the counts of a trial, and the mean accuracy and price (strong alone: 1) of what it accepted."""
    kept, lost = (np.array(each[name], dtype=np.float64) for name in ("kept", "lost"))
    accepted = ~np.isnan(kept)
    strong = float(outcomes.strong_right.mean())
    price = cheap_price + 1 - np.nanmean(kept)
    share = float(np.clip((price - cheap_price) / (1 - cheap_price), 0, 1))
    return {
        "held_out": len(outcomes.scores) - SAMPLE,
        "refused": int((~accepted).sum()),
        "broken": int((lost[accepted] > MAX_LOSS).sum()),
        "kept": round(float(np.nanmean(kept)), 3),
        "mean_loss": round(float(np.nanmean(lost)), 4),
        "cascade_accuracy": round(strong - float(np.nanmean(lost)), 4),
        "price_in_strong_calls": round(float(price), 3),
        "random_mix_accuracy": round(share * strong + (1 - share) * float(outcomes.cheap_right.mean()), 4),
    }


def judge() -> dict[str, Any]:
    """Judge the promise on every set."""
    rows = {}
    for name in SETS:
        rows[name] = row(answers_of(name))
        print(name, {key: value for key, value in rows[name].items() if key not in ("predictions", "each")}, flush=True)
    return {
        "title": f"The promise of a cascade, kept or broken, over {RESAMPLES} resamples",
        "data": f"Promised: at most {MAX_LOSS} of accuracy lost against the strong model, confidence {CONFIDENCE}, "
        f"from {SAMPLE:,} labelled texts drawn at random. Broken: more was lost on the texts held out, which are all "
        "others that neither model learned from. Cheap is TF-IDF with logistic regression, strong a sentence encoder "
        "fitted by `Runtime.fit`; a price of 1 is that of the strong model alone, by the seconds that both took here. "
        + " ".join(f"{name.capitalize()}: {one.data}, {one.judged:,} texts." for name, one in SETS.items()),
        "rows": rows,
    }
