"""Which device a model goes to."""

from __future__ import annotations

import importlib.util
import re
from typing import Protocol

from metier_contracts import DeviceError, ModelCard

_DEVICE = re.compile(r"(auto|cpu|mps|cuda(?::(\d+))?)")


class DeviceQuery(Protocol):
    """What is asked of the machine; tests put a fake in its place."""

    def cuda_count(self) -> int:
        """Return how many CUDA devices torch can use."""
        ...

    def mps_available(self) -> bool:
        """Return whether torch can use Apple's Metal."""
        ...


class TorchDevices:
    """Asks torch, which it imports at the first question, and only where torch is installed."""

    def cuda_count(self) -> int:
        """Return how many CUDA devices torch can use."""
        if importlib.util.find_spec("torch") is None:
            return 0
        import torch

        return int(torch.cuda.device_count()) if torch.cuda.is_available() else 0

    def mps_available(self) -> bool:
        """Return whether torch can use Apple's Metal."""
        if importlib.util.find_spec("torch") is None:
            return False
        import torch

        return bool(torch.backends.mps.is_available())


def parse_device(text: str, origin: str | None = None) -> str:
    """Return `text` if it names a device ("auto", "cpu", "mps", "cuda", "cuda:N"); else raise `DeviceError`."""
    if _DEVICE.fullmatch(str(text)):
        return "cuda:0" if text == "cuda" else text
    raise DeviceError(
        "no such device",
        expected='"auto", "cpu", "cuda:N" or "mps"',
        got=repr(text),
        blame=origin or "the device given",
    )


def place(card: ModelCard, device: str, query: DeviceQuery) -> str:
    """Return the device for a card: the one asked for, or with "auto" the first of cuda:0, mps, cpu that serves.

    A card with an endpoint is "remote", whatever device was asked for.

    Raises:
        DeviceError: the machine lacks the device, or the card does not run on it.
    """
    if card.remote:
        return "remote"
    if device == "auto":
        return _best(card, query)
    kind = device.partition(":")[0]
    if kind not in card.devices:
        raise DeviceError(
            f"model {card.id!r} does not run on {device}",
            expected=f"one of {', '.join(card.devices)}",
            got=device,
            blame="the device given to Runtime",
            hint='use device="auto", or choose another model',
        )
    _require(device, kind, query)
    return device


def only_dtype(card: ModelCard) -> str | None:
    """Return the dtype that a card states, where it states one alone: of several the model takes the best."""
    return card.dtypes[0] if "dtypes" in card.model_fields_set and len(card.dtypes) == 1 else None


def _best(card: ModelCard, query: DeviceQuery) -> str:
    if "cuda" in card.devices and query.cuda_count() > 0:
        return "cuda:0"
    if "mps" in card.devices and query.mps_available():
        return "mps"
    if "cpu" in card.devices:
        return "cpu"
    raise DeviceError(
        f"this machine has no device for the model {card.id!r}",
        expected=f"one of {', '.join(card.devices)} that torch can use",
        got="cpu alone",
        blame="the machine, the torch build installed, or the choice of model",
        hint="choose another model, or see `metier doctor`",
    )


def _require(device: str, kind: str, query: DeviceQuery) -> None:
    if kind == "cuda" and int(device.partition(":")[2]) >= (count := query.cuda_count()):
        raise _absent(device, f"{count} CUDA devices that torch can use")
    if kind == "mps" and not query.mps_available():
        raise _absent(device, "no Metal device that torch can use")


def _absent(device: str, found: str) -> DeviceError:
    return DeviceError(
        f"this machine has no device {device}",
        expected=f"a {device} that torch can use",
        got=found,
        blame="the device given to Runtime, or the torch build installed",
        hint='use device="auto", or see `metier doctor`',
    )
