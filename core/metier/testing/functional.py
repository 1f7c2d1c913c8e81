"""Functional checks: whether a plugin does what its contract says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from metier_contracts import MetierError, Response

from metier.testing.check import Check
from metier.testing.closeness import difference
from metier.testing.finding import Failure, NotApplicable
from metier.testing.requests import Unserved
from metier.testing.subject import Subject


def _discovery(subject: Subject) -> None:
    if subject.record.state != "ready":
        raise Failure(f"{subject.record.state}: {subject.record.cause}; {subject.record.fix}")


def _import(subject: Subject) -> None:
    from metier.plugins.importing import import_plugin

    import_plugin(subject.record.module, subject.record.name)


def _load(subject: Subject) -> None:
    held: Any = subject.model.resident_bytes()
    if not isinstance(held, int) or held < 0:
        raise Failure(f"resident_bytes() returned {held!r}")


def _contract(subject: Subject) -> None:
    for name in subject.card.tasks:
        subject.tasks.get(name)
    for request, answer in zip(subject.asked(), subject.answers, strict=True):
        wanted = subject.tasks.get(request.task).response
        if not isinstance(answer, wanted):
            raise Failure(f"a {request.task} request was answered by a {type(answer).__name__}")


def _invariants(subject: Subject) -> None:
    for request, answer in zip(subject.asked(), subject.answers, strict=True):
        broken = subject.tasks.get(request.task).violation(request, answer, subject.card.tasks[request.task])
        if broken is not None:
            raise Failure(f"{request.task}, {broken.field}: expected {broken.expected}, got {broken.got}")


def _json(subject: Subject) -> None:
    for request, answer in zip(subject.asked(), subject.answers, strict=True):
        back = subject.tasks.get(request.task).response.from_json(answer.to_json())
        if back != answer:
            raise Failure(f"a {type(answer).__name__} came back as another: {difference(answer, back, 0)}")


def _responses(answers: Any, places: Sequence[int]) -> list[Response]:
    """Return the answers to a batch; raise `Failure` where there is not one response a request."""
    if not isinstance(answers, Sequence) or len(answers) != len(places):
        raise Failure(f"a batch of {len(places)} requests was answered by {answers!r:.80}")
    found = [answer for answer in answers if isinstance(answer, Response)]
    if len(found) != len(places):
        raise Failure("a request that is answered alone has an error in a batch")
    return found


def _order(subject: Subject) -> None:
    for places, answers in subject.batched:
        for answer, place in zip(_responses(answers, places), places, strict=True):
            if difference(answer, subject.answers[place], subject.tolerance) is None:
                continue
            for other in places:
                if difference(answer, subject.answers[other], 0) is None:
                    raise Failure(f"request {place} of a batch has the answer of request {other}")


def _empty_batch(subject: Subject) -> None:
    answers = subject.ask(subject.model, [])
    if not isinstance(answers, Sequence) or len(answers):
        raise Failure(f"infer([]) returned {answers!r:.80}")


def _bad_input(subject: Subject) -> None:
    try:
        answers = subject.ask(subject.model, [Unserved()])
    except MetierError:
        return
    if len(answers) != 1 or not isinstance(answers[0], MetierError):
        raise Failure(f"a request of an unknown task was answered by {answers!r:.80}")


def _errors(subject: Subject) -> None:
    for places in subject.batches():
        requests = [subject.requests[place] for place in places]
        first, *rest = requests
        if subject.card.tasks[first.task].max_batch == 1:
            raise NotApplicable("the model takes one request at a time")
        answers = subject.ask(subject.model, [first, Unserved(), *rest][: subject.card.tasks[first.task].max_batch])
        if not isinstance(answers[1], MetierError):
            raise Failure(f"the bad item of a batch was answered by {answers[1]!r:.80}")
        for request, answer in zip(requests, [answers[0], *answers[2:]], strict=False):
            if isinstance(answer, MetierError):
                raise Failure(f"a good item was answered by {answer.summary!r}, because its neighbour is bad")
            task = subject.tasks.get(request.task)
            if (broken := task.violation(request, answer, subject.card.tasks[request.task])) is not None:
                raise Failure(f"beside a bad item, {broken.field}: expected {broken.expected}, got {broken.got}")


FUNCTIONAL = (
    Check(
        "discovery",
        "functional",
        "The distribution's entry point leads to a manifest that can be read, for a contract of this version.",
        "Correct metier-plugin.toml or the entry point; `metier doctor` says what is wrong with it.",
        _discovery,
        scope="plugin",
    ),
    Check(
        "import",
        "functional",
        "The module that the entry point names is imported without an error, and implements metier_load.",
        "Import it in a fresh interpreter and correct what it raises; mark the hook with @hookimpl.",
        _import,
        scope="plugin",
        needs=("discovery",),
    ),
    Check(
        "load",
        "functional",
        "metier_load returns a Model, which says in resident_bytes() how many bytes it holds.",
        "Return an object with infer, resident_bytes and close; count bytes as an int, from 0.",
        _load,
        needs=("discovery", "import"),
    ),
    Check(
        "contract",
        "functional",
        "Each request that the card says it serves is answered by one response of the task's class.",
        "Return the class that the request names as its response; state on the card only what the model serves.",
        _contract,
        needs=("load",),
    ),
    Check(
        "invariants",
        "functional",
        "Each response holds the invariants of its task.",
        "The text names the field and what was expected there; docs/tasks.md lists the invariants of each task.",
        _invariants,
        needs=("contract",),
    ),
    Check(
        "json",
        "functional",
        "Each response goes into JSON and comes back equal.",
        "Build responses by their constructors, which check and convert; add no field and no subclass.",
        _json,
        needs=("contract",),
    ),
    Check(
        "empty-batch",
        "functional",
        "infer([]) returns an empty list.",
        "Do not stack or index the requests before looking whether there are any.",
        _empty_batch,
        needs=("load",),
    ),
    Check(
        "order",
        "functional",
        "A batch has one answer a request, in the order of the requests.",
        "Where the model sorts by length, put the answers back in their places before returning them.",
        _order,
        needs=("contract", "determinism"),
    ),
    Check(
        "bad-input",
        "functional",
        "A request that the model cannot serve is answered by a MetierError, and by nothing else.",
        "Answer it by unsupported(request, card) of metier_contracts.authoring, inside attempt(...).",
        _bad_input,
        needs=("contract",),
    ),
    Check(
        "errors",
        "functional",
        "A bad item of a batch is answered by its error, and its neighbours by their responses.",
        "Do the work of each item inside attempt(...) of metier_contracts.authoring, which makes a failure an answer.",
        _errors,
        needs=("invariants", "order", "bad-input"),
    ),
)
