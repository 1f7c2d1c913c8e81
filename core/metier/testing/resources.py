"""Non-functional checks of what a plugin takes: imports, memory, and time around its calls."""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from metier_contracts import Model

from metier.memory import format_bytes
from metier.testing.check import Check
from metier.testing.finding import Failure
from metier.testing.subject import Subject

# Libraries that take a noticeable part of a second to import, whether a manifest names them or not.
_HEAVY = frozenset(
    (
        "cv2",
        "gensim",
        "jax",
        "lightgbm",
        "matplotlib",
        "onnxruntime",
        "pandas",
        "scipy",
        "sentence_transformers",
        "sklearn",
        "spacy",
        "statsforecast",
        "tensorflow",
        "tokenizers",
        "torch",
        "torch_geometric",
        "torchvision",
        "transformers",
        "xgboost",
    )
)
_CYCLES = 8
# What malloc may keep without anybody holding it.
_ALLOCATOR_SLACK = 4 * 2**20
_GROWTH_SHARE = 0.05
# Constants that libraries make once are no larger.
_SMALL_TENSOR = 4096
_BYTES_SHARE = 0.5
_BYTES_SLACK = 2**20
_HIDDEN_SLACK = 16 * 2**20
_BOOKKEEPING_SECONDS = 0.005
_TIMED = 15


def _import_budget(subject: Subject) -> None:
    manifest = subject.record.manifest
    required = {module.partition(".")[0] for module in manifest.requires} if manifest is not None else set()
    heavy = {name.partition(".")[0] for name in set(sys.modules) - subject.modules} & (_HEAVY | required)
    if heavy:
        raise Failure(f"importing {subject.record.module} imports {', '.join(sorted(heavy))}")


def _memory(subject: Subject) -> None:
    request, sizes, held = subject.asked()[0], list[int](), 0
    with _frozen():
        for _ in range(_CYCLES):
            with subject.loaded() as model:
                subject.ask_one(model, request)
                held = model.resident_bytes()
            del model
            sizes.append(_resident())
        left = _tensors()
    if left:
        raise Failure(f"{left} tensors are alive after close()")
    # The first loads fill the allocators' pools, and a block may be freed late: the low marks tell.
    growth = min(sizes[-3:]) - min(sizes[1:4])
    allowed = _GROWTH_SHARE * max(held, subject.card.bytes) + _ALLOCATOR_SLACK
    if growth > allowed:
        raise Failure(f"the process grew by {format_bytes(growth)} over {_CYCLES} loads and closes")


@contextmanager
def _frozen() -> Iterator[None]:
    """Keep the collector from what is there already, which takes it half a second each time it looks."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _tensors() -> int:
    """Return how many storages of torch are alive that are neither frozen nor small."""
    gc.collect()
    if "torch" not in sys.modules:
        return 0
    import torch

    return len(
        {
            tensor.untyped_storage().data_ptr()
            for tensor in gc.get_objects()
            # By type: some objects of torch warn where they are asked for their class.
            if issubclass(type(tensor), torch.Tensor) and tensor.untyped_storage().nbytes() > _SMALL_TENSOR
        }
    )


def _resident() -> int:
    """Return the bytes of this process, once the allocator has given back what nothing holds any more."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
    return int(psutil.Process().memory_info().rss)


def _bytes(subject: Subject) -> None:
    declared, before = subject.card.bytes, _resident()
    with subject.loaded() as model:
        told, grown = model.resident_bytes(), _resident() - before
    if abs(told - declared) > _BYTES_SHARE * max(told, declared) + _BYTES_SLACK:
        raise Failure(f"the card says {format_bytes(declared)}, the loaded model {format_bytes(told)}")
    if subject.device == "cpu" and grown > (1 + _BYTES_SHARE) * told + _HIDDEN_SLACK:
        raise Failure(f"the model says {format_bytes(told)}, and the process grew by {format_bytes(grown)}")


def _overhead(subject: Subject) -> None:
    # The least, since a busy machine adds to some of them.
    taken = min(_bookkeeping(subject.model) for _ in range(_TIMED))
    if taken > _BOOKKEEPING_SECONDS:
        raise Failure(f"resident_bytes(), device and dtype take {1000 * taken:.1f} ms")


def _bookkeeping(model: Model) -> float:
    """Return the seconds that what the runtime asks around a call takes."""
    started = time.perf_counter()
    model.resident_bytes()
    getattr(model, "device", None)
    getattr(model, "dtype", None)
    return time.perf_counter() - started


RESOURCES = (
    Check(
        "import-budget",
        "non-functional",
        "Importing the plugin's module imports no heavy library: that waits until a model is loaded.",
        "Import it inside metier_load, or name loaders in a table for load_by of metier_contracts.authoring.",
        _import_budget,
        scope="plugin",
        needs=("import",),
    ),
    Check(
        "memory",
        "non-functional",
        "Loading and closing the model again and again does not make the process grow, and leaves no tensor.",
        "Drop every reference in close(); keep no model, cache or batch in a module or a default argument.",
        _memory,
        needs=("reload",),
    ),
    Check(
        "bytes",
        "non-functional",
        "The card's bytes, resident_bytes() and what the process grows by agree within half, or a few MB.",
        "State what resident_bytes() says of the loaded model, and count there all that the model holds.",
        _bytes,
        needs=("reload",),
    ),
    Check(
        "overhead",
        "non-functional",
        "What the runtime asks of a model around a call (resident_bytes, device, dtype) takes less than 5 ms.",
        "Work such figures out when the model is loaded, and return what was kept.",
        _overhead,
        needs=("load",),
        advisory=True,
    ),
)
