"""The requests by which a model is tried: those of the contract's probes that its card says it serves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from metier_contracts import ModelCard, Request, Response

from metier.tasks import Tasks

_SMALL, _LARGER = (0, 1, 2), (3,)


class Unserved(Request[Response]):
    """A request of a task that no model serves: the bad item of a batch."""

    task: ClassVar[str] = "metier-testing-unserved"


def requests_for(card: ModelCard, given: Sequence[Request[Any]] = ()) -> list[Request[Any]]:
    """Return requests that the card says it serves, of two sizes and four contents for each task and unit.

    `given` take the place of the probes of their tasks; one that the card does not serve is left out.
    """
    own, tasks = {request.task for request in given}, Tasks.installed()
    probed = (request for task in card.tasks if task not in own for request in _probed(card, task, tasks))
    asked = [*given, *probed]
    return [
        request
        for request in asked
        if request.task in card.tasks and not card.tasks[request.task].unmet(request.needs())
    ]


def _probed(card: ModelCard, task: str, tasks: Tasks) -> list[Request[Any]]:
    table = card.tasks[task]
    made = [
        probes.make(size, number, table)
        for probes in tasks.probes(task)
        for size, numbers in zip(probes.sizes, (_SMALL, _LARGER), strict=False)
        for number in numbers
    ]
    return [request for request in made if request is not None]
