"""What goes into messages: records as their JSON, errors by class and fields, and the answers of a model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import metier_contracts
from metier_contracts import FitRequest, InputError, Manifest, MetierError, Placement, Response
from metier_contracts.beside import arrays_beside
from numpy.typing import NDArray

from metier.environments import Environment
from metier.plugins.discovery import PluginRecord

Arrays = list[NDArray[Any]]
Wire = dict[str, Any]


def write_error(error: MetierError) -> Wire:
    """Return an error as JSON: its class, those it derives from, and its fields as far as JSON can hold them."""
    kinds = [kind.__name__ for kind in type(error).__mro__ if issubclass(kind, MetierError)]
    fields = {name: value for name, value in vars(error).items() if _is_json(value)}
    return {"kinds": kinds, "text": error.summary, "fields": fields}


def read_error(wire: Mapping[str, Any]) -> MetierError:
    """Return the error; one of a plugin's own class comes as the nearest that metier_contracts has."""
    known = (getattr(metier_contracts, name, None) for name in wire["kinds"])
    kind = next((kind for kind in known if isinstance(kind, type) and issubclass(kind, MetierError)), MetierError)
    error = kind.__new__(kind)
    MetierError.__init__(error, str(wire["text"]))
    vars(error).update(wire["fields"])
    return error


def _is_json(value: object) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def write_answers(answers: Sequence[object], response: type[Response], arrays: Arrays) -> list[Wire]:
    """Return a model's answers as JSON. Of what is neither a response nor an error only the type's name crosses."""
    return [_write_answer(answer, response, arrays) for answer in answers]


def _write_answer(answer: object, response: type[Response], arrays: Arrays) -> Wire:
    if isinstance(answer, MetierError):
        return {"error": write_error(answer)}
    if not isinstance(answer, response):
        return {"stranger": type(answer).__name__}
    before = len(arrays)
    try:
        with arrays_beside(arrays):
            return {"response": answer.to_json()}
    except Exception as error:  # a record that was built past its own checks may hold anything
        del arrays[before:]
        refused = error if isinstance(error, InputError) else InputError(f"{type(error).__name__}: {error}")
        return {"error": write_error(refused)}


def read_answers(wires: Sequence[Wire], response: type[Response], arrays: Arrays) -> list[Response | MetierError]:
    """Return the answers; one of a foreign type as an object whose type has that name."""
    return [_read_answer(wire, response, arrays) for wire in wires]


def _read_answer(wire: Wire, response: type[Response], arrays: Arrays) -> Response | MetierError:
    if "error" in wire:
        return read_error(wire["error"])
    if "stranger" in wire:
        # The runtime judges it as it would the object itself, by what its type is called.
        return cast("Response", type(str(wire["stranger"]), (), {})())
    with arrays_beside(arrays):
        return response.from_json(wire["response"])


def write_placement(placement: Placement) -> Wire:
    """Return a placement as JSON."""
    return {
        "device": placement.device,
        "dtype": placement.dtype,
        "directory": _text(placement.directory),
        "allow_pickle": placement.allow_pickle,
        "scratch": _text(placement.scratch),
    }


def read_placement(wire: Mapping[str, Any]) -> Placement:
    """Return the placement."""
    return Placement(
        wire["device"], wire["dtype"], _path(wire["directory"]), wire["allow_pickle"], _path(wire["scratch"])
    )


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path.absolute())


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def write_record(record: PluginRecord) -> Wire:
    """Return what a worker has to know of its plugin as JSON."""
    return {
        "name": record.name,
        "package": record.package,
        "version": record.version,
        "module": record.module,
        "manifest": None if record.manifest is None else record.manifest.to_json(),
        "environment": None if record.environment is None else record.environment.to_json(),
        "checkout": _text(record.checkout),
    }


def read_record(wire: Mapping[str, Any]) -> PluginRecord:
    """Return the record of a plugin that is to be imported."""
    manifest = None if wire["manifest"] is None else Manifest.from_json(wire["manifest"])
    environment = None if wire["environment"] is None else Environment.from_json(wire["environment"])
    names = (wire["name"], wire["package"], wire["version"], wire["module"])
    checkout = _path(wire["checkout"])
    return PluginRecord(*names, state="ready", manifest=manifest, environment=environment, checkout=checkout)


def write_fit(request: FitRequest, arrays: Arrays) -> Wire:
    """Return a fit request as JSON, with the place of its class."""
    kind = type(request)
    with arrays_beside(arrays):
        return {"module": kind.__module__, "kind": kind.__qualname__, "request": request.to_json()}


def read_fit(wire: Mapping[str, Any], arrays: Arrays) -> FitRequest:
    """Return the fit request."""
    kind = getattr(import_module(wire["module"]), wire["kind"])
    with arrays_beside(arrays):
        return cast("FitRequest", kind.from_json(wire["request"]))
