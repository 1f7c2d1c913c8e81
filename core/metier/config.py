"""Settings: `metier.toml` of the user and of the project, `METIER_*`, and `Runtime(config=...)`, in one schema."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from metier_contracts import ConfigError, Contract, InputError, ModelCard
from pydantic import field_validator

from metier.memory import parse_bytes
from metier.paths import project_config_file, user_config_file

Privacy = Literal["local", "any"]
_FROM_ENVIRONMENT = ("device", "memory", "privacy", "offline", "strict")
_MERGED = ("cards", "defaults", "grants")


class Config(Contract):
    """Every setting.

    `device`: "auto", "cpu", "cuda:N" or "mps". `memory`: the byte budget of all loaded models, a number or "4GB"; None
    for four fifths of the machine's memory. `privacy`: "local" never chooses a remote card. `offline`: never open a
    socket. `strict`: an ambiguous choice of model is an error. `cards`: the user's own models. `defaults`: the model
    of each task. `grants`: ids of models whose pickles may be read.
    """

    device: str = "auto"
    memory: int | None = None
    privacy: Privacy = "local"
    offline: bool = False
    strict: bool = False
    cards: tuple[ModelCard, ...] = ()
    defaults: Mapping[str, str] = {}
    grants: tuple[str, ...] = ()

    @field_validator("memory", mode="before")
    @classmethod
    def _read_bytes(cls, value: Any) -> Any:
        return parse_bytes(value) if isinstance(value, str) else value


@dataclass(frozen=True)
class Settings:
    """The settings in force, and for each that is not at its default, where it came from."""

    config: Config
    origins: Mapping[str, str] = field(default_factory=dict)

    def rows(self) -> list[tuple[str, Any, str]]:
        """Return (name, value, origin) of every setting."""
        names = Config.model_fields
        return [(name, getattr(self.config, name), self.origins.get(name, "default")) for name in names]


def load_settings(
    source: Config | Mapping[str, Any] | str | Path | None = None, arguments: Mapping[str, Any] | None = None
) -> Settings:
    """Return the settings in force.

    Args:
        source: a file, a mapping or a `Config` that takes the place of the two files; None reads the user's file and
            then the project's over it. `METIER_*` stands over them.
        arguments: what the program itself gave, over everything.

    Raises:
        ConfigError: a file is absent or no TOML, or a value does not fit; the message names its origin.
    """
    layers = [*_file_layers(source), ("environment", _environment()), ("arguments", arguments or {})]
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, layer in layers:
        _check(origin, layer)
        for name, value in layer.items():
            values[name] = _merge(name, values.get(name), value)
            origins[name] = f"{origins[name]}, {origin}" if name in origins and name in _MERGED else origin
    return Settings(_check("settings", values), origins)


def _file_layers(source: Config | Mapping[str, Any] | str | Path | None) -> list[tuple[str, Mapping[str, Any]]]:
    if isinstance(source, Config):
        return [("Runtime(config=...)", {name: getattr(source, name) for name in source.model_fields_set})]
    if isinstance(source, Mapping):
        return [("Runtime(config=...)", source)]
    if source is not None:
        return [(str(source), _read(Path(source)))]
    files = [user_config_file(), project_config_file()]
    return [(str(path), _read(path)) for path in files if path is not None and path.is_file()]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"the settings file {path} cannot be read",
            expected="a TOML file in UTF-8",
            got=f"{type(error).__name__}: {error}",
            blame=str(path),
            hint="mend the file, or see what is read with `metier doctor --config`",
        ) from None


def _environment() -> dict[str, str]:
    found = {name: os.environ.get(f"METIER_{name.upper()}") for name in _FROM_ENVIRONMENT}
    return {name: value for name, value in found.items() if value}


def _merge(name: str, before: Any, value: Any) -> Any:
    """Put a nearer layer over a farther one: tables by key, cards by id, lists by union, all else as a whole."""
    if before is None:
        return value
    if name == "defaults":
        return {**before, **value}
    if name == "grants":
        return [*before, *value]
    if name == "cards":
        nearer = {_card_id(card) for card in value}
        return [*(card for card in before if _card_id(card) not in nearer), *value]
    return value


def _card_id(card: Any) -> Any:
    return card.id if isinstance(card, ModelCard) else card.get("id")


def _check(origin: str, values: Mapping[str, Any]) -> Config:
    try:
        config = Config.from_mapping(dict(values))
    except InputError as error:
        raise ConfigError(
            f"a setting does not fit: {error.summary}",
            expected=error.expected,
            got=error.got,
            blame=origin,
            hint="correct it; `metier doctor --config` prints each setting with its origin",
        ) from None
    ids = [card.id for card in config.cards]
    if len(set(ids)) != len(ids):
        twice = next(i for i in ids if ids.count(i) > 1)
        raise ConfigError(f"two cards have the id {twice!r}", expected="each id once", got=twice, blame=origin)
    return config
