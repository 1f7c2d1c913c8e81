"""`Work`: what is to be decided for: a request, or a task and what its requests will need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from metier_contracts import Capabilities, InputError, Request, Size, Task, Unit
from metier_contracts.tasks.classify import literal_labels

from metier.sizes import merged
from metier.tasks import Tasks

_BITS = 4


@dataclass(frozen=True)
class Work:
    """A task, the capabilities that its requests need, and their size: None where they are not of one size."""

    task: str
    needs: Mapping[str, Any]
    size: Size | None = None

    @classmethod
    def of(cls, target: object, tasks: Tasks) -> Work:
        """Return the work that a request, a request's class or a task's name stands for, a task being one of `tasks`.

        Raises:
            InputError: it is none of these. UnknownTaskError: no task has that name.
        """
        if isinstance(target, str):
            return cls(tasks.get(target).name, {})
        if isinstance(target, type) and issubclass(target, Request) and hasattr(target, "task"):
            labels = literal_labels(target)
            return cls(tasks.get(target.task).name, {"labels": frozenset(labels)} if labels else {})
        if isinstance(target, Request):
            return cls.of_request(target, target.needs(), tasks.of(target))
        raise InputError(
            "that is no work to decide for",
            expected='a request, the class of one, or the name of a task such as "classify"',
            got=f"{type(target).__name__}: {target!r:.80}",
            blame="the first argument of decide",
        )

    @classmethod
    def of_request(cls, request: Request[Any], needs: Mapping[str, Any], task: Task) -> Work:
        """Return the work of one request of a task, its size rounded."""
        size = request.workload()
        return cls(task.name, needs, rounded(size) if _is_probed(task, size) else None)

    @classmethod
    def of_size(cls, name: str, size: Size, tasks: Tasks) -> Work:
        """Return the work of a request of which only the task and the size are known."""
        return cls(name, {}, size if _is_probed(tasks.get(name), size) else None)

    def sized(self, further: Mapping[str, Any], tasks: Tasks) -> Work:
        """Return the same work with the size by which models are measured for its needs and further ones."""
        if self.size is not None:
            return self
        return Work(self.task, self.needs, _typical(tasks.get(self.task), {**self.needs, **further}))

    @property
    def unit(self) -> Unit | None:
        """What the size counts."""
        return None if self.size is None else self.size.unit

    def __str__(self) -> str:
        """Return the size for people: 250 characters."""
        if self.size is None:
            return ""
        written = f", {self.size.output_tokens:,} tokens written" if self.size.output_tokens else ""
        return f"{self.size.amount:,} {self.size.unit}{written}"


def rounded(size: Size) -> Size:
    """Return a size with its numbers rounded up to 4 binary digits: at most an eighth more.

    Requests of nearly one size are decided alike, so that a choice can be remembered.
    """
    return merged([size], _rounded)


def _rounded(numbers: list[int]) -> int:
    [count] = numbers
    shift = max(0, count.bit_length() - _BITS)
    return -(-count >> shift) << shift


def _is_probed(task: Task, size: Size) -> bool:
    """Tell whether a size counts what the sizes count by which models are measured."""
    return any(probes.unit == size.unit for probes in task.probes)


def _typical(task: Task, needs: Mapping[str, Any]) -> Size | None:
    """Return the middle size by which models are measured for such needs, with what its request holds besides."""
    capabilities = Capabilities(labels="open", modalities=tuple(needs.get("modalities", ("text",))))
    middle = [each.sizes[(len(each.sizes) - 1) // 2] for each in task.probes]
    for probes, size in zip(task.probes, middle, strict=True):
        request = probes.make(size, 0, capabilities)
        if request is not None:
            return replace(request.workload(), amount=size.amount, output_tokens=size.output_tokens)
    return middle[0] if middle else None
