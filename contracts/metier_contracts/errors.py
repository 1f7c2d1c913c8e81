"""Every error that metier raises.

    MetierError
    ├── InputError (also ValueError)         what the caller gave does not fit the contract
    │   ├── UnknownTaskError                 no task of that name
    │   └── UnsupportedError                 the model does not offer that verb
    ├── PipelineTypeError (also TypeError)   two steps do not fit together
    ├── ConfigError                          metier.toml, METIER_* or Runtime(config=...)
    ├── SelectionError                       no one model could be chosen
    │   ├── UnknownModelError
    │   ├── NoCapableModelError
    │   ├── AmbiguousModelError              strict=True and more than one model fits
    │   └── PrivacyError                     private data would go to a remote model
    ├── PluginError                          a plugin cannot be used
    │   ├── PluginUnavailableError           its extra is not installed
    │   └── PluginQuarantinedError           it is broken
    ├── ModelError                           a model failed at its work
    │   ├── ModelLoadError
    │   ├── WorkerDiedError                  the process of an isolated plugin died at it
    │   ├── InferenceError
    │   │   └── RemoteError                  the server of a remote model failed, or cannot be reached
    │   │       └── RateLimitedError         it asks for fewer requests
    │   └── ContractViolation                it answered, and the answer breaks an invariant
    ├── WeightsError                         weights cannot be had or trusted
    │   ├── ChecksumError
    │   ├── OfflineError                     they would have to be fetched and offline=True
    │   ├── UnsafeWeightsError               a pickle without a grant
    │   └── StorageError                     the disk is full or the cache is read-only
    ├── ResourceError                        this machine cannot hold it
    │   ├── MemoryBudgetError
    │   └── DeviceError
    ├── BudgetExceededError                  it could cost more than max_cost allows
    ├── ProfileError                         the profiles kept on this machine cannot be read or written
    ├── DeadlineExceeded (also TimeoutError)
    ├── Cancelled
    └── RuntimeClosedError

A message has up to five parts: a summary, what was expected, what came, who is to blame, and what to do next.
"""

from __future__ import annotations


class MetierError(Exception):
    """The root of the tree.

    Args:
        summary: one sentence that says what went wrong.
        expected: what would have been right.
        got: what came instead.
        blame: who can mend it: the caller's field, or a plugin with its version.
        hint: the next thing to type or to change.
    """

    def __init__(
        self,
        summary: str,
        *,
        expected: str | None = None,
        got: str | None = None,
        blame: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(summary)
        self.summary = summary
        self.expected = expected
        self.got = got
        self.blame = blame
        self.hint = hint

    def __str__(self) -> str:
        parts = (("expected", self.expected), ("got", self.got), ("to blame", self.blame), ("next", self.hint))
        return "\n".join([self.summary, *(f"  {name}: {text}" for name, text in parts if text)])

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.args, dict(self.__dict__))


def _rebuild(kind: type[MetierError], args: tuple[object, ...], state: dict[str, object]) -> MetierError:
    error = kind.__new__(kind)  # not kind(...): a subclass may have a constructor of its own
    error.args = args
    error.__dict__.update(state)
    return error


class InputError(MetierError, ValueError):
    """What the caller gave does not fit the contract."""


class UnknownTaskError(InputError):
    """No task has that name."""


class UnsupportedError(InputError):
    """The model does not offer what was asked of it (streaming, fitting)."""


class PipelineTypeError(MetierError, TypeError):
    """Two steps of a pipeline do not fit together, or a step lacks the annotations that say whether they do."""


class ConfigError(MetierError):
    """A setting cannot be used."""


class SelectionError(MetierError):
    """No one model could be chosen."""


class UnknownModelError(SelectionError):
    """No card has that id."""


class NoCapableModelError(SelectionError):
    """No card can do what the request needs."""


class AmbiguousModelError(SelectionError):
    """Several cards fit, none is the default, and strict=True."""


class PrivacyError(SelectionError):
    """Private data of a pipeline would go to a remote model."""


class PluginError(MetierError):
    """A plugin cannot be used."""


class PluginUnavailableError(PluginError):
    """The plugin is not there to be used: its extra is not installed, or its environment is gone."""


class PluginQuarantinedError(PluginError):
    """The plugin is broken; `metier doctor` says how to mend it."""


class ModelError(MetierError):
    """A model failed at its work."""


class ModelLoadError(ModelError):
    """The model could not be loaded."""


class WorkerDiedError(ModelError):
    """The process that an isolated plugin runs in died, or was stopped, during the call."""


class InferenceError(ModelError):
    """The model raised while it inferred."""


class RemoteError(InferenceError):
    """The server of a remote model failed, refused the key, or could not be reached."""


class RateLimitedError(RemoteError):
    """The server of a remote model asks for fewer requests, and did so until the retries were spent.

    `retry_after`: the seconds after which it takes more, None where it did not say.
    """

    def __init__(self, summary: str, *, retry_after: float | None = None, **parts: str | None) -> None:
        super().__init__(summary, **parts)
        self.retry_after = retry_after


class ContractViolation(ModelError):  # noqa: N818  (a violation is the field's word for it)
    """The model's answer breaks an invariant of the task."""


class WeightsError(MetierError):
    """Weights cannot be had, or cannot be trusted."""


class ChecksumError(WeightsError):
    """A file's sha256 differs from the one on the card."""


class OfflineError(WeightsError):
    """The weights are not on this machine and offline=True forbids fetching them."""


class UnsafeWeightsError(WeightsError):
    """The weights are a pickle that nobody granted."""


class StorageError(WeightsError):
    """The weights could not be written: the disk is full, or the cache is read-only."""


class ResourceError(MetierError):
    """This machine cannot hold or place the model."""


class MemoryBudgetError(ResourceError):
    """The model does not fit into the memory budget."""


class DeviceError(ResourceError):
    """The device does not exist here, or the model does not run on it."""


class BudgetExceededError(MetierError):
    """The request was not sent: it could cost more than is left of a budget, or what it can cost has no bound."""


class ProfileError(MetierError):
    """The profiles kept on this machine cannot be read or written."""


class DeadlineExceeded(MetierError, TimeoutError):  # noqa: N818  (gRPC's and Go's name)
    """The deadline passed before the answer was there."""


class Cancelled(MetierError):  # noqa: N818  (the field's name)
    """The caller cancelled the call."""


class RuntimeClosedError(MetierError):
    """The runtime has been closed."""
