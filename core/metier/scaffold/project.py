"""Writing a new plugin's distribution from the templates, by copier."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from metier_contracts import CONTRACT_VERSION, ConfigError, InputError, StorageError

from metier._version import __version__
from metier.scaffold.names import Names, check_name

TEMPLATES = Path(__file__).parent / "templates"
_BASE = "base"
_EVERY_TEMPLATE = "every-template"
_EVERY_TASK = "every-task"


def templates() -> Mapping[str, tuple[str, ...]]:
    """Return the names of the templates, each with the tasks that it is written for."""
    names = _folders(TEMPLATES) - {_BASE, _EVERY_TEMPLATE}
    return {name: tuple(sorted(_folders(TEMPLATES / name) - {_EVERY_TASK})) for name in sorted(names)}


def _folders(within: Path) -> set[str]:
    return {path.name for path in within.iterdir() if path.is_dir()}


def new_plugin(name: str, task: str, template: str, into: Path, author: str | None = None) -> Path:
    """Write the distribution of a new plugin into `into/name`, and return that folder. Half of it is never left there.

    Args:
        name: of the distribution, the plugin and its model.
        task: what the model serves.
        template: how the model is made.
        into: the folder that the new one is put into, which is made where it is absent.
        author: who stands in its metadata and its licence.

    Raises:
        InputError: the name cannot be had, the template is not written for the task, or the folder is there already.
        ConfigError: copier is not installed.
        StorageError: the folder cannot be written.
    """
    layers = _layers(template, task)
    names = check_name(name)
    target = into / name
    _check_free(target)
    answers = _answers(names, task, template, author)
    try:
        into.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=into, prefix=f".{name}-") as folder:
            made = Path(folder) / name
            for layer in layers:
                _render(layer, made, answers)
            made.rename(target)
    except OSError as error:
        raise StorageError(
            f"{target} could not be written",
            expected="a folder that can be written to",
            got=f"{type(error).__name__}: {error}",
            blame="--into",
        ) from None
    return target


def _layers(template: str, task: str) -> list[Path]:
    """Return the folders to copy, one over the other."""
    known = templates()
    if template not in known:
        raise InputError("there is no such template", expected=", ".join(known), got=repr(template), blame="--template")
    if task not in known[template]:
        others = [name for name, tasks in known.items() if task in tasks]
        raise InputError(
            f"the template {template} is not written for the task {task!r}",
            expected=", ".join(known[template]),
            got=repr(task),
            blame="--task",
            hint=f"--template {others[0]} --task {task}" if others else None,
        )
    layers = (_BASE, f"{_EVERY_TEMPLATE}/{task}", f"{template}/{_EVERY_TASK}", f"{template}/{task}")
    return [TEMPLATES / layer for layer in layers if (TEMPLATES / layer).is_dir()]


def _check_free(target: Path) -> None:
    if target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InputError(
            f"{target} is there already",
            expected="a name under which nothing is there, or an empty folder",
            got="a folder that holds something" if target.is_dir() else "a file",
            blame="NAME, or --into",
            hint="move it away, or choose another name or another folder with --into",
        )


def _answers(names: Names, task: str, template: str, author: str | None) -> dict[str, Any]:
    return {
        "distribution": names.distribution,
        "module": names.module,
        "variable": names.variable,
        "task": task,
        "template": template,
        "author": author or f"The authors of {names.distribution}",
        "year": datetime.datetime.now(tz=datetime.UTC).year,
        "contract": CONTRACT_VERSION,
        "metier": __version__,
    }


def _render(layer: Path, target: Path, answers: dict[str, Any]) -> None:
    try:
        from copier import Settings, run_copy
    except ImportError as error:
        raise ConfigError(
            "new plugins are written by copier, which is not installed",
            got=str(error),
            blame="this environment",
            hint='pip install "metier[author]"',
        ) from None
    # Without the user's settings of copier: the same words write the same files everywhere.
    run_copy(str(layer), target, data=answers, defaults=True, overwrite=True, quiet=True, settings=Settings())
