"""`check_plugin`: the conformance kit of this version of the contract."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from metier_contracts import (
    CONTRACT_VERSION,
    MetierError,
    ModelCard,
    PluginUnavailableError,
    Request,
    UnknownModelError,
)

from metier._version import __version__
from metier.config import load_settings
from metier.environments.environment import normalized
from metier.plugins.discovery import PluginRecord, discover
from metier.testing.catalogue import CHECKS
from metier.testing.check import Check
from metier.testing.closeness import TOLERANCE
from metier.testing.outcome import Outcome, run_checks
from metier.testing.report import Report, Result, Status
from metier.testing.requests import requests_for
from metier.testing.subject import Subject
from metier.testing.supervision import run_apart
from metier.weights import WeightStore

TIMEOUT_SECONDS = 120.0

_PLUGIN_CHECKS = tuple(check for check in CHECKS if check.scope == "plugin")
_MODEL_CHECKS = tuple(check for check in CHECKS if check.scope == "model")
_BY_ID = {check.id: check for check in CHECKS}


def check_plugin(
    name_or_distribution: str,
    *,
    cards: Sequence[ModelCard | str] | None = None,
    requests: Sequence[Request[Any]] = (),
    strict: bool = False,
    tolerance: float = TOLERANCE,
    timeout: float = TIMEOUT_SECONDS,
    isolated: bool = True,
) -> Report:
    """Check an installed plugin, or every plugin of a distribution, against the contract.

    Each model is loaded and asked in a child process: a plugin that crashes or hangs fails a check, and no more.

    Args:
        name_or_distribution: the plugin's name, or that of its distribution.
        cards: which models: ids of the manifest, or cards of your own, such as one whose source is a small
            checkpoint. Their weights are pulled where they are missing. By default all of the manifest that need none
            or have theirs here already; remote ones are asked only where they are named.
        requests: what to ask, in the place of the contract's probes for the tasks of these requests.
        strict: whether a warning, and an override that nothing needs, makes the report fail.
        tolerance: by how much two answers to one request may differ, absolute up to a magnitude of 1 and relative
            beyond.
        timeout: the seconds after which a check that has not ended has failed.
        isolated: whether models are loaded in child processes. Without, a plugin can harm this one; many models of a
            heavy library are then checked in less time.

    Raises:
        PluginUnavailableError: no such plugin or distribution is installed.
        UnknownModelError: one of the cards named is none of that plugin's.
    """
    records = _records(name_or_distribution)
    _check_named(cards or (), records)
    results: list[Result] = []
    notes: list[str] = []
    for record in records:
        run = _Run(record, tuple(requests), tolerance, timeout, isolated, strict)
        found = run.results(cards)
        results += found
        notes += run.notes(found)
    first = records[0]
    return Report(first.package, first.version, CONTRACT_VERSION, __version__, tuple(results), tuple(notes), strict)


def _records(name: str) -> list[PluginRecord]:
    records = discover()
    found = [record for record in records if normalized(record.package) == normalized(name)]
    found = found or [record for record in records if record.name == name]
    if not found:
        raise PluginUnavailableError(
            f"no plugin and no distribution {name!r} is installed here",
            expected="the name of a plugin, or of a distribution with an entry point in the group metier.plugins",
            got=repr(name),
            blame="the name",
            hint="install it into this environment, for example `pip install -e .`; `metier doctor` lists the plugins",
        )
    return found


def _check_named(cards: Sequence[ModelCard | str], records: Sequence[PluginRecord]) -> None:
    """Raise `UnknownModelError` where a card is none of these plugins', and so would be passed over."""
    if any(record.manifest is None for record in records):
        return
    plugins = [record.name for record in records]
    known = [card.id for record in records if record.manifest is not None for card in record.manifest.models]
    for card in cards:
        if (card not in known) if isinstance(card, str) else (card.plugin not in plugins):
            raise UnknownModelError(
                f"{(card if isinstance(card, str) else card.id)!r} is no model of {', '.join(plugins)}",
                expected=f"one of {', '.join(known)}, or a card whose plugin is one of {', '.join(plugins)}",
                got=repr(card) if isinstance(card, str) else f"a card of the plugin {card.plugin!r}",
                blame="the cards named",
            )


@dataclass
class _Run:
    """The checks of one plugin."""

    record: PluginRecord
    requests: Sequence[Request[Any]]
    tolerance: float
    timeout: float
    isolated: bool
    strict: bool

    @property
    def _overrides(self) -> dict[str, str]:
        manifest = self.record.manifest
        return {} if manifest is None else {override.check: override.reason for override in manifest.overrides}

    def results(self, cards: Sequence[ModelCard | str] | None) -> list[Result]:
        results = [self._result(outcome, None) for outcome in self._of_plugin()]
        broken = {result.check for result in results if result.status in ("failed", "waived")}
        chosen = self._cards(cards)
        tried = False
        for card in chosen:
            found = list(self._of_model(card, named=cards is not None, broken=broken))
            tried = tried or any(outcome.check == "load" and outcome.ended != "skipped" for outcome in found)
            results += [self._result(outcome, card) for outcome in found]
        if chosen and not tried and not broken:
            detail = "no model could be tried: name one (`--model ID`, cards=[...]), and its weights are pulled"
            results.append(self._result(Outcome("load", "failed", detail), None))
        return results

    def _of_plugin(self) -> Iterator[Outcome]:
        yield from self._told(Subject(self.record), _PLUGIN_CHECKS, (), apart=True)

    def _of_model(self, card: ModelCard, *, named: bool, broken: set[str]) -> Iterator[Outcome]:
        settings = load_settings().config
        store = WeightStore(offline=settings.offline, grants=settings.grants)
        absent = card.remote or (card.source is not None and store.locate(card) is None)
        if absent and not named:
            why = "a remote model is asked only where it is named" if card.remote else f"`metier pull {card.id}` first"
            yield Outcome("load", "skipped", why)
            return
        try:
            directory = None if broken else store.ensure(card)
        except MetierError as error:
            yield Outcome("load", "failed", f"its weights cannot be had: {error}")
            return
        subject = Subject(
            self.record,
            card,
            requests_for(card, self.requests),
            directory,
            store.scratch(card),
            card.id in settings.grants,
            self.tolerance,
        )
        yield from self._told(subject, _MODEL_CHECKS, broken, apart=self.isolated)
        subject.close()

    def _told(
        self, subject: Subject, checks: Sequence[Check], broken: Sequence[str] | set[str], *, apart: bool
    ) -> Iterator[Outcome]:
        if apart:
            return run_apart(subject, checks, broken, timeout=self.timeout)
        return run_checks(subject, checks, broken)

    def _cards(self, cards: Sequence[ModelCard | str] | None) -> list[ModelCard]:
        own = {card.id: card for card in (self.record.manifest.models if self.record.manifest is not None else ())}
        if cards is None:
            return [card for card in own.values() if card.cascade is None]
        wanted = [own.get(card) if isinstance(card, str) else card for card in cards]
        return [card for card in wanted if card is not None and card.plugin == self.record.name]

    def _result(self, outcome: Outcome, card: ModelCard | None) -> Result:
        reason = self._overrides.get(outcome.check)
        status: Status = outcome.ended
        if outcome.ended == "failed" and reason is not None:
            status = "waived"
        elif outcome.ended == "failed" and _BY_ID[outcome.check].advisory and not self.strict:
            status = "warned"
        used = reason if status == "waived" else None
        model = None if card is None else card.id
        name = self.record.name
        return Result(outcome.check, name, model, status, outcome.detail, used, outcome.seconds, outcome.blocked)

    def notes(self, results: Sequence[Result]) -> list[str]:
        """Return what is to say of overrides that nothing needs."""
        waived = {result.check for result in results if result.reason is not None}
        unknown = [f"the override of {name!r} names no check" for name in self._overrides if name not in _BY_ID]
        idle = [name for name in self._overrides if name in _BY_ID and name not in waived]
        return [*unknown, *(f"the override of {name!r} is not needed: no model fails that check" for name in idle)]
