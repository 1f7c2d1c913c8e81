"""`Fitting`: from a request to a fitted model that is kept on this machine and known by its id."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from metier_contracts import (
    CallContext,
    CascadeFit,
    Classification,
    Classify,
    ContractViolation,
    FitRequest,
    FittableModel,
    InputError,
    ModelCard,
    UnsupportedError,
)

from metier.cascades.fitting import fit_cascade
from metier.catalog import Catalog, Entry
from metier.fitted import card_file, fitting_folder, keep
from metier.mapping import reporting
from metier.perform import blame, plugin_errors
from metier.residency import Residency
from metier.selection import Selector
from metier.weights.progress import ProgressCallback

MapClassify = Callable[[Sequence[Classify], str, ProgressCallback], Iterator[Classification]]
"""Answers requests by the model of an id, in order, and tells how many are done."""


class Fitting:
    """Fits what a runtime is asked to: by the base's own `fit`, or a cascade by the answers of its two models."""

    def __init__(self, catalog: Catalog, selector: Selector, residency: Residency, ask: MapClassify) -> None:
        self._catalog = catalog
        self._selector = selector
        self._residency = residency
        self._ask = ask
        self._keeping = threading.Lock()

    def fit(self, request: FitRequest, *, replace: bool, progress: bool | ProgressCallback) -> ModelCard:
        """Do what `Runtime.fit` says."""
        if isinstance(request, CascadeFit):
            card = self._cascade(request, replace, progress)
        else:
            card = self._from_base(request, replace, progress)
        self._residency.unload(card.id, CallContext())
        return card

    def _from_base(self, request: FitRequest, replace: bool, progress: bool | ProgressCallback) -> ModelCard:
        entry = base_of(request, self._catalog, self._selector)
        check_new_id(request.id, replace, self._catalog)
        with reporting(progress, f"fit {request.id}") as report:
            context = CallContext(seed=request.seed, progress=report)
            with self._residency.pinned(entry.card, context) as resident, fitting_folder(request.id) as folder:
                if not isinstance(resident.model, FittableModel):
                    raise UnsupportedError(
                        f"the model {entry.card.id!r} cannot be fitted from",
                        expected="a model with the method fit(request, directory, context)",
                        got=type(resident.model).__name__,
                        blame=f"base of the fit request, or {blame(entry)}",
                        hint="leave base out for a model that can, or name another",
                    )
                with resident.lane.held(context), plugin_errors(entry):
                    drafted = resident.model.fit(request, folder, context)
                check_drafted(request, drafted, entry)
                return self._keep(folder, drafted, request, entry.card.id, replace)

    def _cascade(self, request: CascadeFit, replace: bool, progress: bool | ProgressCallback) -> ModelCard:
        cheap, strong = (self._catalog.get(model) for model in (request.cheap, request.strong))
        for entry in (cheap, strong):
            self._selector.allow(entry)
        check_new_id(request.id, replace, self._catalog)
        with reporting(progress, f"fit {request.id}") as report:
            total = 2 * len(request.labelled)

            def ask(model: str, questions: Sequence[Classify]) -> list[Classification]:
                before = 0 if model == cheap.card.id else len(questions)
                return list(self._ask(questions, model, lambda done, _: report(before + done, total)))

            drafted = fit_cascade(request, cheap.card, strong.card, ask)
            with fitting_folder(request.id) as folder:
                return self._keep(folder, drafted, request, request.strong, replace)

    def _keep(self, folder: Path, drafted: ModelCard, request: FitRequest, base: str, replace: bool) -> ModelCard:
        with self._keeping:
            check_new_id(request.id, replace, self._catalog)  # another fit may have taken it meanwhile
            card = keep(folder, drafted, request, base)
            self._catalog.add("fitted", card)
        self._selector.forget()
        return card


def base_of(request: FitRequest, catalog: Catalog, selector: Selector) -> Entry:
    """Return the entry to fit from: the one that the request names, else the task's default among those that can."""
    if not isinstance(request, FitRequest):
        raise InputError(
            "that is not a fit request",
            expected="ClassifyFit, ExtractFit, GraphFit or CascadeFit",
            got=f"{type(request).__name__}: {request!r:.80}",
            blame="the first argument of fit",
        )
    if request.base is not None:
        entry = catalog.get(request.base)
        selector.allow(entry)
        return entry
    task = request.task
    stated = [entry for entry in catalog.entries if task in entry.card.fits and selector.allows(entry)]
    able = [entry for entry in stated if entry.ready]
    if not able:
        raise UnsupportedError(
            f"no model here can be fitted for {task}",
            expected=f"a ready model whose card states fits = [{task!r}]",
            got=", ".join(f"{entry.card.id}, which is not ready" for entry in stated) or "none",
            blame="base=None of the fit request, or the set of plugins installed",
            hint="`metier doctor` shows the plugins that are not installed",
        )
    return min(able, key=lambda entry: (not _is_default(entry.card, task), entry.card.id))


def _is_default(card: ModelCard, task: str) -> bool:
    return task in card.tasks and card.tasks[task].default


def check_new_id(model: str, replace: bool, catalog: Catalog) -> None:
    """Raise `InputError` where the id is another model's, unless that one is fitted and may be replaced."""
    kept = card_file(model).is_file()  # perhaps by another process, so that no catalog tells
    origin = catalog.get(model).origin if model in catalog else "fitted" if kept else None
    if origin is None or (origin == "fitted" and replace):
        return
    raise InputError(
        f"the id {model!r} is taken",
        expected="a new id, or replace=True" if origin == "fitted" else "a new id",
        got=f"the id of a model of origin {origin!r}",
        blame="id of the fit request",
        hint="`metier models` lists the ids",
    )


def check_drafted(request: FitRequest, drafted: object, entry: Entry) -> None:
    """Raise `ContractViolation` unless a model's `fit` has returned the card of a model of its plugin for that task."""
    wanted = f"a ModelCard of plugin {entry.card.plugin!r} that serves {request.task}"
    if not isinstance(drafted, ModelCard):
        got = type(drafted).__name__
    elif drafted.plugin != entry.card.plugin or request.task not in drafted.tasks:
        got = f"one of plugin {drafted.plugin!r} that serves {', '.join(drafted.tasks)}"
    else:
        return
    raise ContractViolation(
        f"the model {entry.card.id!r} did not return what it fitted", expected=wanted, got=got, blame=blame(entry)
    )
