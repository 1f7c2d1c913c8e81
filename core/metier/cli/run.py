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
from metier_contracts import TASKS, Generate, InputError, Request, Response, UnsupportedError

from metier.cli import options
from metier.cli.output import errors_to_exit_codes
from metier.cli.requests import COMMANDS
from metier.cli.responses import print_as_it_comes, print_response
from metier.cli.writers import WRITERS, Writer, no_file
from metier.runtime import Runtime

app = typer.Typer(help="Perform one request of a task.", no_args_is_help=True, rich_markup_mode=None)


def _perform(
    task: str,
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
        asked = build(**flags) if request is None else _read_request(task, request)
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


def _read_request(task: str, file: Path) -> Request[Any]:
    try:
        data = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise InputError(
            f"the request {file} cannot be read", expected="a JSON file", got=str(error), blame="--request"
        ) from None
    return TASKS[task].request.from_json(data)


def _command(task: str, build: Callable[..., Request[Any]], prepare: Callable[..., Writer]) -> Callable[..., None]:
    """Return the command of a task: the flags of its request, of what it writes, then those that every task has."""
    command = functools.partial(_perform, task, build, prepare)
    own = [*_parameters(build), *_parameters(prepare)]
    shared = _parameters(_perform)[3:-1]
    parameters = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (*own, *shared)]

    def run(**flags: Any) -> None:
        command(**flags)

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__doc__ = build.__doc__
    return run


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    return list(inspect.signature(function, eval_str=True).parameters.values())


for _task, _build in COMMANDS.items():
    app.command(_task, help=_build.__doc__)(_command(_task, _build, WRITERS.get(_task, no_file)))
