"""What most plugins need alike: loaders by name, options of a card, checkpoints, answers that fail one by one.

A plugin may do without: the hook and the `Model` protocol are all that the runtime asks for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

from metier_contracts.card import ModelCard
from metier_contracts.contract import Contract
from metier_contracts.errors import (
    Cancelled,
    ConfigError,
    DeadlineExceeded,
    InferenceError,
    InputError,
    MetierError,
    ModelLoadError,
    UnsupportedError,
)
from metier_contracts.model import Model, Placement
from metier_contracts.request import Request

__all__ = [
    "Keeper",
    "LoaderOptions",
    "attempt",
    "dtype_name",
    "load_by",
    "module_bytes",
    "quiet_transformers",
    "read_options",
    "read_pretrained",
    "tensor_bytes",
    "unsupported",
]

T = TypeVar("T")
OptionsT = TypeVar("OptionsT", bound="LoaderOptions")
KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class LoaderOptions(Contract):
    """The base of a loader's options, which stand in `options` of its cards. `loader`: its name."""

    loader: str


def read_options(kind: type[OptionsT], card: ModelCard) -> OptionsT:
    """Return the card's options; raise `ConfigError` where the loader does not know one or it has a wrong value."""
    try:
        return kind.from_mapping(dict(card.options))
    except InputError as error:
        raise ConfigError(
            f"the options of the card {card.id} cannot be used: {error.summary}",
            expected=error.expected,
            got=error.got,
            blame=f"options of the card {card.id}",
        ) from None


def load_by(loaders: Mapping[str, str], card: ModelCard, placement: Placement) -> Model:
    """Return the model of a card, by the loader that its options name.

    Args:
        loaders: each loader's module, which is imported now and not before, and whose function
            `load(card, placement)` returns the model.
        card: what to load.
        placement: where, and from which folder.

    Raises:
        ConfigError: the card names none of the loaders.
        ModelLoadError: the loader failed. A `MetierError` of its own comes as it is.
    """
    name = str(card.options.get("loader"))
    if name not in loaders:
        raise ConfigError(
            f"the card {card.id} names no loader of the plugin {card.plugin}",
            expected=f"options.loader = one of {', '.join(loaders)}",
            got=repr(name),
            blame=f"options of the card {card.id}",
        )
    try:
        return cast("Model", import_module(loaders[name]).load(card, placement))
    except MetierError:
        raise
    except Exception as error:
        raise ModelLoadError(
            f"{card.id} could not be loaded from {placement.directory}",
            expected=f"what the loader {name!r} reads",
            got=f"{type(error).__name__}: {error}",
            blame=f"the files there, or the card {card.id}",
        ) from error


def read_pretrained(
    auto_class: Any, folder: Path, *, fresh: Callable[[Any, str], bool] | None = None, **settings: Any
) -> Any:
    """Return the module that a class of transformers (`AutoModel`, ...) reads from `folder`, in evaluation mode.

    Weights are read from safetensors, else from a torch checkpoint by `torch.load(weights_only=True)`. No network is
    used, no code in the folder runs, and nothing is printed.

    Args:
        auto_class: the class.
        folder: a folder of transformers.
        fresh: tells, of the module and a tensor's name, whether that may be absent and is then drawn at random.
            None: nothing may.
        settings: for `from_pretrained`, such as dtype.

    Raises:
        UnsafeWeightsError: the torch checkpoint holds more than tensors.
        ModelLoadError: weights that the architecture needs are missing.
    """
    from metier_contracts._interop import transformers

    return transformers.read_pretrained(auto_class, folder, fresh, **settings)


def quiet_transformers() -> AbstractContextManager[None]:
    """Keep transformers' progress bars and reports off the caller's terminal, and its loading in this thread alone.

    Failures raise, so nothing is lost. In threads of its own, each with an arena of the allocator, ten loads leave
    behind more than the model weighs. Other threads wait: while it makes a module, transformers sets torch's default
    dtype for the whole process, and two that do so at once may leave it changed.
    """
    from metier_contracts._interop import transformers

    return transformers.quiet_transformers()


def tensor_bytes(tensors: Iterable[Any]) -> int:
    """Return the bytes of the storages behind tensors of torch, each counted once."""
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


def module_bytes(*modules: Any) -> int:
    """Return the bytes of the parameters and buffers of modules of torch, each storage counted once."""
    return tensor_bytes(tensor for module in modules for tensor in (*module.parameters(), *module.buffers()))


def dtype_name(dtype: object) -> str:
    """Return "bfloat16" for torch.bfloat16."""
    return str(dtype).removeprefix("torch.")


class Keeper(Generic[KeyT, ValueT]):
    """A bounded memory of what is dear to compute again: the `size` values used last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[KeyT, ValueT] = OrderedDict()

    def get(self, key: KeyT) -> ValueT | None:
        """Return the value, now the one used last, or None."""
        if key in self._values:
            self._values.move_to_end(key)
        return self._values.get(key)

    def put(self, key: KeyT, value: ValueT) -> None:
        """Keep a value, in place of the one that was not used for longest where there are too many."""
        self._values[key] = value
        self._values.move_to_end(key)
        while len(self._values) > self._size:
            self._values.popitem(last=False)

    def values(self) -> list[ValueT]:
        """Return all that is kept."""
        return list(self._values.values())

    def clear(self) -> None:
        """Forget everything."""
        self._values.clear()


def attempt(work: Callable[[], T]) -> T | MetierError:
    """Return what `work` returns, or its failure as a `MetierError`: the answer to one request of a batch.

    The caller's deadline and cancellation concern the whole call, and pass through.
    """
    try:
        return work()
    except (DeadlineExceeded, Cancelled):
        raise
    except MetierError as error:
        return error
    except Exception as error:
        failure = InferenceError("the model failed on a request", got=f"{type(error).__name__}: {error}")
        failure.__cause__ = error
        return failure


def unsupported(request: Request[Any], card: ModelCard) -> UnsupportedError:
    """Return the error of a request that the model does not serve, or not with what it holds."""
    return UnsupportedError(
        f"{card.id} does not {getattr(request, 'task', type(request).__name__)} what was given",
        expected=f"a request for {', '.join(card.tasks)}, with what its card states",
        got=f"{type(request).__name__}({', '.join(sorted(request.model_fields_set))})",
        blame="the request, or the card's tasks",
    )
