"""Settings: `metier.toml` of the user and of the project, `METIER_*`, and `Runtime(config=...)`, in one schema."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from metier_contracts import ConfigError, Contract, InputError, ModelCard
from pydantic import Field, field_validator

from metier.memory import parse_bytes
from metier.paths import project_config_file, user_config_file

Privacy = Literal["local", "any"]
Isolation = Literal["inproc", "process", "venv"]
_FROM_ENVIRONMENT = ("device", "memory", "privacy", "offline", "strict", "max_cost", "licence_policy", "lock")
_MERGED = ("cards", "defaults", "grants", "isolation", "prices")


class Config(Contract):
    """Every setting.

    `device`: "auto", "cpu", "cuda:N" or "mps". `memory`: the byte budget of all loaded models, a number or "4GB"; None
    for four fifths of the machine's memory. `privacy`: "local" never chooses a remote card. `offline`: never open a
    socket. `strict`: an ambiguous choice of model is an error. `max_cost`: the most US dollars that all calls of a
    runtime may cost together. `cards`: the user's own models. `defaults`: the model of each task. `grants`: ids of
    models whose pickles may be read. `prices`: US dollars of an hour of a device, over the table of list prices: "cpu"
    for one core, "cuda" or "mps" for a GPU, or a part of a GPU's name. `isolation`: where each plugin runs, by name,
    "*" for those not named: "inproc", in this process; "process", in a worker of its own; or "venv", in a worker with
    the environment that `metier plugin install --isolated` made. `worker_memory`: the most bytes that a worker may
    hold, None for what `memory` is. `load_timeout`: the seconds that it has to load a model.
    `licence_policy`: the licences whose models may be used, "commercial" for all that allow commercial use and ask for
    no more than a notice, or the ids of models whose licence you have seen to; None for all. `lock`: a metier.lock, so
    that no model is loaded whose files differ from it; a relative path starts at the settings file that names it.
    """

    device: str = "auto"
    memory: int | None = Field(default=None, gt=0)
    privacy: Privacy = "local"
    offline: bool = False
    strict: bool = False
    max_cost: float | None = Field(default=None, ge=0)
    cards: tuple[ModelCard, ...] = ()
    defaults: Mapping[str, str] = {}
    grants: tuple[str, ...] = ()
    prices: Mapping[str, Annotated[float, Field(ge=0)]] = {}
    isolation: Mapping[str, Isolation] = {}
    worker_memory: int | None = Field(default=None, gt=0)
    load_timeout: float = Field(default=600.0, gt=0)
    licence_policy: tuple[str, ...] | None = None
    lock: str | None = None

    @field_validator("licence_policy", mode="before")
    @classmethod
    def _take_one_licence(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("memory", "worker_memory", mode="before")
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
    given = [(f"Runtime({name}=...)", {name: value}) for name, value in (arguments or {}).items()]
    layers = [*_file_layers(source), *_environment(), *given]
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
    if isinstance(source, str | Path):
        return [(str(source), _read(Path(source).expanduser()))]
    if source is not None:
        raise ConfigError(
            "config is none that can be read",
            expected="a path, a mapping or a Config",
            got=f"{type(source).__name__}: {source!r:.80}",
            blame="Runtime(config=...)",
        )
    files = [user_config_file(), project_config_file()]
    return [(str(path), _read(path)) for path in files if path is not None and path.is_file()]


def _read(path: Path) -> Mapping[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
        if isinstance(lock := values.get("lock"), str):
            values["lock"] = str(path.absolute().parent / Path(lock).expanduser())
        return values
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"the settings file {path} cannot be read",
            expected="a TOML file in UTF-8",
            got=f"{type(error).__name__}: {error}",
            blame=str(path),
            hint="mend the file, or see what is read with `metier doctor --config`",
        ) from None


def _environment() -> list[tuple[str, Mapping[str, Any]]]:
    variables = {f"METIER_{name.upper()}": name for name in _FROM_ENVIRONMENT}
    return [(variable, {name: value}) for variable, name in variables.items() if (value := os.environ.get(variable))]


def _merge(name: str, before: Any, value: Any) -> Any:
    """Put a nearer layer over a farther one: tables by key, cards by id, lists by union, all else as a whole."""
    if before is None:
        return value
    if name in ("defaults", "isolation", "prices"):
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
    _check_names(origin, values)
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
    check_cards(config.cards, origin)
    return config


def _check_names(origin: str, values: Mapping[str, Any]) -> None:
    names = Config.model_fields
    for name in values:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, n=1)
            raise ConfigError(
                f"no setting is named {name!r}",
                expected=f"perhaps {near[0]!r}; all are {', '.join(names)}" if near else f"one of {', '.join(names)}",
                got=repr(name),
                blame=origin,
                hint="correct the name or take it out; `metier doctor --config` prints each setting with its origin",
            )


def check_defaults(settings: Settings, tasks: Collection[str]) -> None:
    """Raise `ConfigError` where a default is set for what is none of the tasks, which plugins may bring."""
    for task in settings.config.defaults:
        if task not in tasks:
            raise ConfigError(
                f"a default is set for {task!r}, which is no task",
                expected=f"one of {', '.join(tasks)}",
                got=repr(task),
                blame=f"defaults in {settings.origins['defaults']}",
                hint='write a task and a model id: defaults = { classify = "some/model" }; a plugin\'s task is known '
                "while that is installed",
            )


def check_cards(cards: Sequence[ModelCard], origin: str) -> None:
    """Raise `ConfigError` unless these are cards, each of an id of its own."""
    seen = set()
    for card in cards:
        if not isinstance(card, ModelCard):
            raise ConfigError("that is no card", expected="a ModelCard", got=f"{card!r:.80}", blame=origin)
        if card.id in seen:
            raise ConfigError(
                f"two cards have the id {card.id!r}",
                expected="each id once",
                got=repr(card.id),
                blame=origin,
                hint="give one of them another id",
            )
        seen.add(card.id)
