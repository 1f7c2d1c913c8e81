"""Which tensors are alive."""

from __future__ import annotations

import gc


def tensors_alive(over: int = 0) -> set[int]:
    """Return the addresses of all tensor storages that are alive and hold more than `over` bytes."""
    import torch

    gc.collect()
    return {
        tensor.untyped_storage().data_ptr()
        for tensor in gc.get_objects()
        # By type: some objects of torch warn where they are asked for their class.
        if issubclass(type(tensor), torch.Tensor) and tensor.untyped_storage().nbytes() > over
    }
