"""`metier run TASK`: perform one request."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from metier_contracts import TASKS, Generate, InputError, Request, Response, Task, UnsupportedError
from typer.core import TyperGroup

from metier.cli import options
from metier.cli.flags import request_builder
from metier.cli.output import errors_to_exit_codes
from metier.cli.requests import COMMANDS
from metier.cli.responses import print_as_it_comes, print_response
from metier.cli.writers import WRITERS, Writer, no_file
from metier.runtime import Runtime
from metier.tasks import Tasks


class _TaskGroup(TyperGroup):
    """The commands of the built-in tasks, and of those that plugins bring.

    Help reads manifests. A plugin's task is imported once its command is to run.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *(name for name in Tasks.installed() if name not in COMMANDS)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = super().get_command(ctx, cmd_name)
        return found if found is not None else _shown_command(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.commands and not args[0].startswith("-"):
            with errors_to_exit_codes():
                self.add_command(_brought_command(Tasks.installed().get(args[0], "the command line")), args[0])
        return super().resolve_command(ctx, args)


app = typer.Typer(cls=_TaskGroup, help="Perform one request of a task.", no_args_is_help=True, rich_markup_mode=None)


def _perform(
    kind: type[Request[Any]],
    build: Callable[..., Request[Any]],
    prepare: Callable[..., Writer],
    request: Annotated[
        Path | None, typer.Option(help="A file with the whole request as JSON in place of flags; - for stdin.")
    ] = None,
    model: options.Model = None,
    device: options.Device = None,
    deadline: options.Deadline = None,
    max_cost: options.MaxCost = None,
    offline: options.Offline = False,
    as_json: options.Json = False,
    **flags: Any,
) -> None:
    with errors_to_exit_codes():
        write = prepare(**{name: flags.pop(name) for name in inspect.signature(prepare).parameters})
        asked = build(**flags) if request is None else _read_request(kind, request)
        with Runtime(device=device, offline=offline or None) as runtime:
            if as_json:
                response = runtime.run(asked, model=model, deadline=deadline, max_cost=max_cost)
                typer.echo(response.to_json())
            else:
                response = _shown(runtime, asked, model, deadline, max_cost)
        write(asked, response)


def _shown(
    runtime: Runtime, asked: Request[Any], model: str | None, deadline: float | None, max_cost: float | None
) -> Response:
    """Perform a request and print the answer: free text as it comes, where the model streams."""
    if isinstance(asked, Generate) and asked.json_schema is None and not asked.tools:
        with suppress(UnsupportedError):
            return print_as_it_comes(runtime.stream(asked, model=model, deadline=deadline, max_cost=max_cost))
    response: Response = runtime.run(asked, model=model, deadline=deadline, max_cost=max_cost)
    print_response(asked, response)
    return response


def _read_request(kind: type[Request[Any]], file: Path) -> Request[Any]:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InputError(
            f"the request {file} cannot be read", expected="a JSON file", got=str(error), blame="--request"
        ) from None
    return kind.from_json(data)


def _command(
    kind: type[Request[Any]], build: Callable[..., Request[Any]], prepare: Callable[..., Writer] = no_file
) -> Callable[..., None]:
    """Return the command of a task: the flags of its request, of what it writes, then those that every task has."""
    command = functools.partial(_perform, kind, build, prepare)
    own = [*_parameters(build), *_parameters(prepare)]
    shared = _shared()
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *shared)]

    def run(**flags: Any) -> None:
        command(**flags)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__doc__ = build.__doc__
    return run


def _shared() -> list[inspect.Parameter]:
    """Return the parameters of the flags that every task has."""
    return _parameters(_perform)[3:-1]


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())


def _shown_command(name: str) -> Any:
    """Return what stands for the command of a plugin's task in a listing; None where there is no such task."""
    told = next((info.help for info in Tasks.installed().infos() if info.name == name), None)
    return None if told is None else _made(lambda: None, name, told)


def _brought_command(task: Task) -> Any:
    """Return the command of a plugin's task, its flags made of the fields of the request."""
    taken = {"json", "help", *(parameter.name for parameter in _shared())}
    return _made(_command(task.request, request_builder(task.request, taken)), task.name, task.summary)


def _made(function: Callable[..., None], name: str, told: str) -> Any:
    holder = typer.Typer(add_completion=False, rich_markup_mode=None)
    holder.command(name, help=told)(function)
    return typer.main.get_command(holder)


for _task, _build in COMMANDS.items():
    app.command(_task, help=_build.__doc__)(_command(TASKS[_task].request, _build, WRITERS.get(_task, no_file)))
