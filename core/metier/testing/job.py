"""What a child process needs to know to rebuild a subject, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier_contracts import ModelCard

from metier.plugins.discovery import discover
from metier.tasks import Tasks
from metier.testing.subject import Subject


def job_of(subject: Subject) -> dict[str, Any]:
    """Return a subject as JSON holds it."""
    card = subject.model_card
    return {
        "plugin": subject.record.name,
        "package": subject.record.package,
        "card": None if card is None else card.to_json(),
        "requests": [[request.task, request.to_json()] for request in subject.requests],
        "directory": _text(subject.directory),
        "scratch": _text(subject.scratch),
        "allow_pickle": subject.allow_pickle,
        "tolerance": subject.tolerance,
    }


def subject_of(job: dict[str, Any]) -> Subject:
    """Return the subject that `job_of` wrote; the plugin is looked up anew, on this process's path."""
    records = discover()
    tasks = Tasks(records)
    return Subject(
        record=next(one for one in records if (one.name, one.package) == (job["plugin"], job["package"])),
        model_card=None if job["card"] is None else ModelCard.from_json(job["card"]),
        requests=[tasks.get(task).request.from_json(text) for task, text in job["requests"]],
        directory=_path(job["directory"]),
        scratch=_path(job["scratch"]),
        allow_pickle=job["allow_pickle"],
        tolerance=job["tolerance"],
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)
