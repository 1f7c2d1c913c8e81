"""Task: its name, its summary, and the table of tasks."""

import pytest
from metier_contracts import TASKS, Classify, FitRequest, GraphFit, Rank, Request, Response

from .samples import FITS


def test_the_tasks_are_named_by_their_requests() -> None:
    assert all(name == task.name == task.request.task for name, task in TASKS.items())
    assert len({task.request for task in TASKS.values()}) == len(TASKS)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_has_a_summary_of_one_sentence(name: str) -> None:
    assert TASKS[name].summary.endswith(".")
    assert "\n" not in TASKS[name].summary


@pytest.mark.parametrize("name", TASKS)
def test_a_request_names_its_response(name: str) -> None:
    task = TASKS[name]
    base = next(kind for kind in task.request.__mro__ if kind.__name__.startswith("Request["))
    (named,) = base.__pydantic_generic_metadata__["args"]
    assert issubclass(named, task.response) or named.__pydantic_generic_metadata__["origin"] is task.response
    assert issubclass(task.request, Request)
    assert issubclass(task.response, Response)


def test_only_generate_streams() -> None:
    assert [name for name, task in TASKS.items() if task.chunk is not None] == ["generate"]


@pytest.mark.parametrize("fit", [fit for fit in FITS.values() if isinstance(fit, FitRequest)], ids=lambda fit: fit.id)
def test_a_fit_request_belongs_to_a_task(fit: FitRequest) -> None:
    assert fit.task in TASKS


def test_needs_are_nothing_unless_said() -> None:
    assert Rank(query="q", candidates=["a"]).needs() == {}
    assert Classify(text="x").needs()
    assert GraphFit.task == "graph-score"
