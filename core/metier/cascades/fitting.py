"""`fit_cascade`: from labelled texts and two models to the card of a cascade that keeps a promise, or a refusal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from metier_contracts import (
    Capabilities,
    Cascade,
    CascadeFit,
    CascadeReport,
    Classification,
    Classify,
    InputError,
    ModelCard,
    Price,
    Quality,
)

from metier.cascades.bound import about_needed, allowed_losses, fewest_examples, lowest_threshold
from metier.cascades.sample import Sample
from metier.cascades.scaling import calibrated_error, calibration_error, fitted_temperature
from metier.revisions import revision_of

AskAll = Callable[[str, Sequence[Classify]], Sequence[Classification]]

PLUGIN = "metier"
"""What stands in the place of a plugin on the card of a composed model: the runtime itself runs it."""


def fit_cascade(request: CascadeFit, cheap: ModelCard, strong: ModelCard, ask: AskAll) -> ModelCard:
    """Return the card of the cascade with the lowest threshold that keeps the promise.

    Args:
        request: what to fit.
        cheap: the card of the model asked first.
        strong: the card of the model asked where that one is not sure.
        ask: answers requests by the model of an id, in order, or raises.

    Raises:
        InputError: the sample is too small, a model has learned from it, or no threshold keeps the promise.
    """
    _check_sample(request, cheap, strong)
    labels = request.labelled.labels
    questions = [Classify(text=text, labels=labels) for text in request.labelled.texts]
    sample = Sample(request.labelled, ask(cheap.id, questions), ask(strong.id, questions))
    # The same texts would be kept by any map of the scores that leaves their order. So the threshold is one of the
    # scores as they are, and the temperature, fitted on the same labels, has no part in the promise.
    threshold = _threshold(request, sample)
    report = _report(request, sample, threshold)
    cascade = Cascade(
        cheap=cheap.id,
        strong=strong.id,
        threshold=threshold,
        temperature=fitted_temperature(sample.scores, sample.truth),
        revisions={card.id: revision_of(card) for card in (cheap, strong)},
        remote=cheap.remote or strong.remote,
        report=report,
    )
    return _card(request, cheap, strong, cascade, report)


def _threshold(request: CascadeFit, sample: Sample) -> float:
    promise = request.max_loss, request.confidence
    allowed = allowed_losses(len(sample.truth), *promise)
    threshold = lowest_threshold(sample.confidence, sample.differences, allowed)
    if threshold is None:
        needed = about_needed(sample.confidence, sample.differences, *promise)
        raise _refusal(
            request,
            "no threshold keeps the promise: the cheap model is wrong even where it is surest",
            "another cheap model" if needed is None else f"about {needed:,} labelled examples, or another cheap model",
        )
    return threshold


def _report(request: CascadeFit, sample: Sample, threshold: float) -> CascadeReport:
    kept = sample.confidence >= threshold
    cheap, strong, cascade, random_mix, unit = sample.measured(kept)
    return CascadeReport(
        examples=len(kept),
        max_loss=request.max_loss,
        confidence=request.confidence,
        kept=float(kept.mean()),
        losses=int((sample.differences[kept] > 0).sum()),
        gains=int((sample.differences[kept] < 0).sum()),
        cheap=cheap,
        strong=strong,
        cascade=cascade,
        random_mix=random_mix,
        mixed_by=unit,
        best_single=request.strong if strong.accuracy > cheap.accuracy else request.cheap,
        calibration_error=calibration_error(sample.scores, sample.truth),
        calibrated_error=calibrated_error(sample.scores, sample.truth),
    )


def _card(
    request: CascadeFit, cheap: ModelCard, strong: ModelCard, cascade: Cascade, report: CascadeReport
) -> ModelCard:
    tables = [card.tasks[Classify.task] for card in (cheap, strong)]
    today = datetime.now(UTC).date().isoformat()
    return ModelCard(
        id=request.id,
        plugin=PLUGIN,
        architecture=strong.architecture,
        licence=" AND ".join(dict.fromkeys([cheap.licence, strong.licence])),
        bytes=cheap.bytes + strong.bytes,
        parameters=cheap.parameters + strong.parameters,
        devices=strong.devices,
        price=_price(cheap.price, strong.price, report, today),
        summary=f"{cheap.id}, and {strong.id} where the best score of that is below {cascade.threshold:.4g}.",
        tasks={
            Classify.task: Capabilities(
                labels=request.labelled.labels,
                languages=tuple(one for one in tables[0].languages if one in tables[1].languages),
            )
        },
        quality=(
            Quality(
                task=Classify.task,
                metric="accuracy",
                value=report.cascade.accuracy,
                dataset=f"the {report.examples:,} texts that the threshold was fitted on",
                source=f"the fit of {request.id}",
                date=today,
            ),
        ),
        cascade=cascade,
    )


def _price(cheap: Price | None, strong: Price | None, report: CascadeReport, today: str) -> Price | None:
    """Return what an answer costs in the mean, as on the sample; None where neither model has a price."""
    if cheap is None and strong is None:
        return None
    return Price(per_call=report.cascade.cost / 1000, source="the mean over the sample of the fit", date=today)


def _check_sample(request: CascadeFit, cheap: ModelCard, strong: ModelCard) -> None:
    for card in (cheap, strong):
        if card.lineage is not None and card.lineage.examples_sha256 == request.labelled.digest:
            raise InputError(
                f"the model {card.id!r} has learned from the very texts that are to test it",
                expected="labelled texts that neither model has learned from",
                got="those that it was fitted on",
                blame="labelled of the fit request",
                hint="set some texts aside before fitting, and give those",
            )
    if request.max_loss == 0:
        raise _refusal(request, "no sample proves that nothing at all is lost", "max_loss above 0")
    fewest = fewest_examples(request.max_loss, request.confidence)
    if len(request.labelled) < fewest:
        raise _refusal(
            request,
            "the sample is too small for the promise, whatever the models answer on it",
            f"at least {fewest:,} labelled examples, and more where the models differ",
        )


def _refusal(request: CascadeFit, summary: str, expected: str) -> InputError:
    return InputError(
        summary,
        expected=expected,
        got=f"{len(request.labelled):,} examples, max_loss={request.max_loss}, confidence={request.confidence}",
        blame="labelled, max_loss and confidence of the fit request",
        hint="label more texts, or promise less",
    )
