"""What the settings forbid: remote models by `offline` and `privacy`, licences by `licence_policy`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from metier_contracts import ModelCard, NoCapableModelError

from metier.catalog import Catalog, Entry
from metier.config import Config
from metier.licences import is_allowed

Forbidden = Literal["offline", "privacy", "licence"]

PHRASES: Mapping[Forbidden, str] = {
    "offline": "remote, which offline forbids",
    "privacy": "remote, which privacy forbids",
    "licence": "its licence, which licence_policy forbids",
}
"""What forbids a model, said in a list of what each lacks."""


def forbidden_by(entry: Entry, catalog: Catalog, config: Config) -> Forbidden | None:
    """Return the setting that forbids a model, or one that it is composed of; None where all may be used."""
    return remote_forbidden_by(entry.card, config) or ("licence" if unlicensed(entry, catalog, config) else None)


def remote_forbidden_by(card: ModelCard, config: Config) -> Literal["offline", "privacy"] | None:
    """Return the setting that forbids a model because it is remote."""
    if not card.remote:
        return None
    return "offline" if config.offline else "privacy" if config.privacy == "local" else None


def unlicensed(entry: Entry, catalog: Catalog, config: Config) -> list[Entry]:
    """Return the models of which the policy allows no use: this one, or for a composed one those it consists of."""
    policy = config.licence_policy
    if policy is None or entry.card.id in policy:
        return []
    if entry.card.cascade is not None:
        return [found for member in catalog.members(entry) for found in unlicensed(member, catalog, config)]
    return [] if is_allowed(entry.card.licence, policy) else [entry]


def refused(entry: Entry, setting: Forbidden, catalog: Catalog, config: Config) -> NoCapableModelError:
    """Return the error for a model that a setting forbids."""
    if setting != "licence":
        said, allowed = (
            ("offline=True", "offline = false") if setting == "offline" else ('privacy="local"', 'privacy = "any"')
        )
        return NoCapableModelError(
            f"the model {entry.card.id!r} is remote and {said} forbids it",
            expected="a model that runs on this machine",
            got=str(entry.card.source),
            blame=f"the choice of model, or {said}",
            hint=f"choose a local model, or set {allowed} in metier.toml or for the Runtime",
        )
    policy = config.licence_policy or ()
    first = unlicensed(entry, catalog, config)[0].card
    part = "" if first.id == entry.card.id else f", by its part {first.id!r}"
    return NoCapableModelError(
        f"the licence of the model {entry.card.id!r} is not allowed by licence_policy{part}",
        expected=f"a licence among {', '.join(policy) or 'none'}",
        got=first.licence,
        blame="the choice of model, or licence_policy in metier.toml",
        hint=f"choose another model or, if you may use this one so, name the licence or the model: licence_policy = "
        f"[{', '.join(repr(name) for name in (*policy, first.id))}]".replace("'", '"'),
    )
