"""Arrays as tensors on a device."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray


def tensor_of(array: NDArray[Any], device: str) -> torch.Tensor:
    """Return an array as a tensor, without a copy on the CPU unless it may only be read, which torch cannot express."""
    return torch.from_numpy(array if array.flags.writeable else array.copy()).to(device)
