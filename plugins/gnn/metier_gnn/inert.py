"""Reading checkpoints that name classes of other packages, without those packages and without running anything."""

from __future__ import annotations

import pickle  # for the name of the error alone
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from metier_contracts import UnsafeWeightsError
from torch.serialization import get_unsafe_globals_in_checkpoint, safe_globals


class Inert:
    """Stands in for any class that a checkpoint names, takes whatever it is given, and does nothing with it."""

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        pass


def read_inert(path: Path) -> dict[str, Any]:
    """Return what a torch file holds, by the reader that accepts tensors and plain values alone.

    Each class that it names is replaced by `Inert`, those that are dictionaries by one: nothing of the file is run.

    Raises:
        UnsafeWeightsError: the file asks for more, such as a call.
    """
    names = get_unsafe_globals_in_checkpoint(path)
    stand_ins: list[Any] = [(OrderedDict if name.endswith("AttributeDict") else Inert, name) for name in names]
    try:
        with safe_globals(stand_ins):
            found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise UnsafeWeightsError(
            f"the checkpoint {path} needs a full unpickler, which this plugin never uses",
            expected="tensors, plain values and objects without code of their own",
            got=str(error).splitlines()[0],
            blame="the file",
        ) from error
    return found
