"""How a composed model answers: by its members, which the runtime runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from metier_contracts import (
    Cascade,
    Classification,
    Classify,
    MetierError,
    ModelCard,
    NoCapableModelError,
    Provenance,
    Request,
    Response,
    UnknownModelError,
    UnsupportedError,
)

from metier.cascades.scaling import scaled_scores
from metier.catalog import Catalog, Entry
from metier.revisions import revision_of

Answers = Sequence[Response | MetierError]
Ask = Callable[[str, Sequence[Request[Any]]], Answers]


def cascaded(entry: Entry, cascade: Cascade, requests: Sequence[Request[Any]], catalog: Catalog, ask: Ask) -> Answers:
    """Answer by the cheap model, and ask the strong one what the cheap one is not sure of, or failed at.

    Raises:
        UnknownModelError: a member is gone. NoCapableModelError: it is not the one that the cascade was fitted with.
    """
    _check_members(entry.card.id, cascade, catalog)
    labels = entry.card.tasks[Classify.task].labels
    answers: dict[int, Response | MetierError] = {}
    asked: dict[int, Request[Any]] = {}
    for position, request in enumerate(requests):
        if isinstance(request, Classify) and set(request.choices or labels or ()) == set(labels or ()):
            asked[position] = request.replaced(labels=labels)
        else:
            answers[position] = _other_labels(entry.card, request)
    first = dict(zip(asked, ask(cascade.cheap, list(asked.values())), strict=True)) if asked else {}
    unsure = [position for position, answer in first.items() if confidence_of(answer) < cascade.threshold]
    strong = ask(cascade.strong, [asked[position] for position in unsure]) if unsure else ()
    second = dict(zip(unsure, strong, strict=True))
    for position, cheap in first.items():
        answers[position] = _composed(entry, cascade, cheap, second.get(position))
    return [answers[position] for position in range(len(requests))]


def confidence_of(answer: Response | MetierError) -> float:
    """Return the best score of an answer, minus infinity where there is none."""
    return max(answer.scores.values()) if isinstance(answer, Classification) else -math.inf


def _composed(
    entry: Entry, cascade: Cascade, cheap: Response | MetierError, strong: Response | MetierError | None
) -> Response | MetierError:
    if isinstance(strong, MetierError):
        return strong
    if strong is not None:
        return strong.replaced(provenance=_provenance(entry, cheap, strong))
    if not isinstance(cheap, Classification):
        raise TypeError(f"{type(cheap).__name__} was kept")
    scores = scaled_scores(cheap.scores, cascade.temperature)
    return cheap.replaced(scores=scores, provenance=_provenance(entry, cheap))


def _provenance(entry: Entry, *answers: Response | MetierError) -> Provenance:
    """Return where the last of the answers came from, with the seconds and the cost of all."""
    parts = tuple(
        answer.provenance for answer in answers if isinstance(answer, Response) and answer.provenance is not None
    )
    return parts[-1].replaced(
        model=entry.card.id,
        plugin=entry.card.plugin,
        plugin_version="unknown" if entry.plugin is None else entry.plugin.version,
        seconds=math.fsum(part.seconds for part in parts),
        cost=math.fsum(part.cost for part in parts),
        cached=all(part.cached for part in parts),
        parts=parts,
    )


def _check_members(model: str, cascade: Cascade, catalog: Catalog) -> None:
    for member in cascade.members:
        if member not in catalog:
            raise UnknownModelError(
                f"the cascade {model!r} lacks its model {member!r}",
                expected=f"the model {member!r}, as it was when the cascade was fitted",
                got="no model of that id",
                blame=f"what took {member!r} away",
                hint="bring it back, or fit the cascade again with other models",
            )
        if (found := revision_of(catalog.get(member).card)) != cascade.revisions.get(member):
            raise NoCapableModelError(
                f"the model {member!r} is no longer the one that the cascade {model!r} was fitted with, "
                "and what was promised of that one does not hold for this one",
                expected=f"revision {str(cascade.revisions.get(member))[:12]}",
                got=f"revision {found[:12]}",
                blame=f"what replaced {member!r}",
                hint="fit the cascade again: rt.fit(CascadeFit(...), replace=True)",
            )


def _other_labels(card: ModelCard, request: Request[Any]) -> UnsupportedError:
    labels = card.tasks[Classify.task].labels or ()
    choices = request.choices if isinstance(request, Classify) else None
    return UnsupportedError(
        f"the cascade {card.id!r} chooses among the labels that it was fitted with, and no others",
        expected=", ".join(labels),
        got=", ".join(choices or ()) or type(request).__name__,
        blame="labels of the request",
        hint="leave labels out, or fit a cascade on these",
    )
