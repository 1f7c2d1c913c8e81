"""`Manifest`: what a plugin states about itself in `metier-plugin.toml`, read without importing it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator, model_validator

from metier_contracts._version import CONTRACT_VERSION, parse_contract_version
from metier_contracts.card import ModelCard
from metier_contracts.contract import Contract
from metier_contracts.errors import ConfigError, InputError
from metier_contracts.refusal import Refusal

ImportPath = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]


class Contribution(Contract):
    """Something that a plugin brings besides models: where it is imported from, and what help says of it."""

    name: str = Field(min_length=1)
    help: str
    object: ImportPath
    json_schema: Mapping[str, Any] | None = None


class Override(Contract):
    """A check of the conformance kit that the plugin is known to fail, and the reason why that is right for it."""

    check: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")]
    reason: str = Field(min_length=1)


class Manifest(Contract):
    """A plugin's manifest.

    `contract`: the version of metier_contracts that the plugin was written for. `name`: the plugin's name, equal to its
    entry point's. `extra`: the extra of its distribution that installs `requires`, the top-level modules it needs.
    `overrides`: the checks of the conformance kit that it waives.
    """

    contract: str
    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$")]
    summary: str = ""
    extra: str | None = None
    requires: tuple[str, ...] = ()
    models: tuple[ModelCard, ...] = ()
    tasks: tuple[Contribution, ...] = ()
    commands: tuple[Contribution, ...] = ()
    policies: tuple[Contribution, ...] = ()
    environments: tuple[Contribution, ...] = ()
    overrides: tuple[Override, ...] = ()

    @field_validator("contract")
    @classmethod
    def _is_version(cls, value: str) -> str:
        try:
            parse_contract_version(value)
        except ValueError:
            raise Refusal(f"MAJOR.MINOR, for example {CONTRACT_VERSION!r}") from None
        return value

    @model_validator(mode="before")
    @classmethod
    def _name_cards(cls, data: Any) -> Any:
        """Give each card the plugin's name, so that a manifest need not repeat it."""
        if isinstance(data, dict) and isinstance(models := data.get("models"), list):
            named = [{"plugin": data.get("name"), **card} if isinstance(card, dict) else card for card in models]
            return {**data, "models": named}
        return data

    @model_validator(mode="after")
    def _check_cards(self) -> Manifest:
        ids = [card.id for card in self.models]
        if len(set(ids)) != len(ids):
            twice = next(i for i in ids if ids.count(i) > 1)
            raise Refusal("each model id once", f"{twice!r} more than once", field="models")
        stranger = next((card for card in self.models if card.plugin != self.name), None)
        if stranger is not None:
            wanted = f"cards of the plugin {self.name!r} (plugin may be left out)"
            raise Refusal(wanted, f"{stranger.id!r} of plugin {stranger.plugin!r}", field="models")
        return self


def read_manifest(path: Path) -> Manifest:
    """Read a manifest; raise `ConfigError` where the file is absent, no TOML, or does not fit the schema."""
    try:
        return Manifest.from_mapping(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(
            f"the manifest {path.name} cannot be read",
            expected="a TOML file in UTF-8",
            got=f"{type(error).__name__}: {error}",
            blame=f"the plugin that ships {path}",
            hint="correct the file, or install another version of the plugin that ships it",
        ) from None
    except InputError as error:
        raise ConfigError(
            f"the manifest {path.name} does not fit its schema: {error.summary}",
            expected=error.expected,
            got=error.got,
            blame=f"the plugin that ships {path}",
            hint=error.hint,
        ) from None
