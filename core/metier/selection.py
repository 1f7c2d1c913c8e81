"""Choosing the model for a request: named, required, the user's default, the plugins' default, the cheapest.

Only cards that state every capability the request needs are considered, and of those the ones whose plugin is ready.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from metier_contracts import (
    AmbiguousModelError,
    ModelCard,
    NoCapableModelError,
    PrivacyError,
    Request,
    UnknownModelError,
)

from metier.catalog import Catalog, Entry, check_id
from metier.config import Config
from metier.decision.requirements import Requirements
from metier.decision.work import Work
from metier.permission import PHRASES, Forbidden, forbidden_by, refused
from metier.plugins.importing import require_usable
from metier.terms import ANY, Terms

if TYPE_CHECKING:
    from metier.decision.decider import Decider
    from metier.decision.decision import Decision

_REMEMBERED = 1024
_SHOWN = 6


@dataclass
class Selector:
    """Chooses among a catalog's entries, and remembers what it chose for requests of the same needs."""

    catalog: Catalog
    config: Config
    pulled: Callable[[ModelCard], bool] = lambda _: True
    _chosen: dict[Any, Entry] = field(default_factory=dict)

    @cached_property
    def decider(self) -> Decider:
        """What decides among the cards of the catalog by requirements."""
        from metier.decision.decider import Decider

        return Decider(self.catalog, self.config, self.pulled)

    def choose(self, request: Request[Any], terms: Terms = ANY, *, stream: bool = False) -> Entry:
        """Return the entry that serves `request` on these terms, piece by piece where `stream` asks for that.

        Raises:
            InputError: the model's id is no str. UnknownModelError: it is no id.
            NoCapableModelError: no card (or not that one) states what the request needs, or meets the requirements.
            AmbiguousModelError: strict, and several cards are equally entitled.
            PluginUnavailableError: the only capable cards belong to a plugin whose extra is missing.
        """
        model = terms.model
        if model is not None:
            check_id(model)
        needs = {**request.needs(), "stream": True} if stream else request.needs()
        work = None if terms.require is None else Work.of_request(request, needs, self.catalog.tasks.of(request))
        key = (type(request), terms, work and work.size, *needs.items())
        chosen = self._chosen  # what is found in the catalog of now shall not outlive a `forget` in the meantime
        entry = chosen.get(key)
        if entry is None:
            self.catalog.tasks.of(request)
            entry = self.choose_for(work or Work(request.task, needs), terms)
            if len(chosen) >= _REMEMBERED:
                chosen.clear()
            chosen[key] = entry
        return entry

    def choose_for(self, work: Work, terms: Terms) -> Entry:
        """Return the entry for work of which no request need be there yet; it is not remembered. Raises as `choose`."""
        named = None if terms.model is None else self._named(work, terms, terms.model)
        if terms.require is not None:
            return self._required(work, terms, terms.require, named)
        return named or self._best(work, terms)

    def forget(self) -> None:
        """Forget earlier choices: the catalog has changed."""
        self._chosen = {}

    def _named(self, work: Work, terms: Terms, model: str) -> Entry:
        entry = self.catalog.get(model)
        unmet = self._unmet(entry, work.task, work.needs)
        if unmet:
            raise self._incapable(work.task, work.needs, [entry], named=model)
        self.allow(entry, terms)
        return entry

    def _required(self, work: Work, terms: Terms, require: Requirements, named: Entry | None) -> Entry:
        """Return the cheapest that meets the requirements and whose plugin is ready, or the one named if it does."""
        decision = self.decider.decide(work, require.replaced(privacy="local") if terms.private else require)
        fitting = [self.catalog.get(candidate.model) for candidate in decision.ranked]
        if named is not None:
            fitting = [entry for entry in fitting if entry.card.id == named.card.id]
        if not fitting:
            raise _unfit(decision, named)
        usable = [entry for entry in fitting if self.catalog.ready(entry)]
        if not usable:
            require_usable(fitting[0].card.plugin, fitting[0].plugin)
        return usable[0]

    def _unmet(self, entry: Entry, task: str, needs: Mapping[str, Any]) -> list[str]:
        table = entry.card.tasks.get(task)
        return [f"does not serve {task}"] if table is None else table.unmet(needs)

    def allow(self, entry: Entry, terms: Terms = ANY) -> None:
        """Raise `NoCapableModelError` where the settings forbid this model, `PrivacyError` where terms do."""
        if terms.private and entry.card.remote:
            raise PrivacyError(
                f"the model {entry.card.id!r} is remote and the data are private",
                expected="a model that runs on this machine",
                got=str(entry.card.source),
                blame="the choice of model for private data",
                hint="name a local model",
            )
        if (setting := self._forbidden(entry)) is not None:
            raise refused(entry, setting, self.catalog, self.config)

    def _best(self, work: Work, terms: Terms) -> Entry:
        task, needs = work.task, work.needs
        if (default := self.config.defaults.get(task)) is not None:
            entry = self._default(task, default)
            if not self._unmet(entry, task, needs):
                self.allow(entry, terms)
                return entry
        serving = self.catalog.serving(task)
        capable = [entry for entry in serving if not self._unmet(entry, task, needs) and self.allows(entry, terms)]
        if not capable:
            raise self._incapable(task, needs, serving)
        usable = [entry for entry in capable if self.catalog.ready(entry)]
        if not usable:
            require_usable(capable[0].card.plugin, capable[0].plugin)
        return self._settle(task, usable, self.config.strict if terms.strict is None else terms.strict)

    def _default(self, task: str, model: str) -> Entry:
        try:
            return self.catalog.get(model)
        except UnknownModelError as error:
            error.blame = f"defaults.{task} in metier.toml or Runtime(config=...)"
            raise

    def allows(self, entry: Entry, terms: Terms = ANY) -> bool:
        """Tell whether requests may go to this model, by the terms and by the settings."""
        return not (entry.card.remote and terms.private) and self._forbidden(entry) is None

    def _forbidden(self, entry: Entry) -> Forbidden | None:
        return forbidden_by(entry, self.catalog, self.config)

    def _settle(self, task: str, capable: Sequence[Entry], strict: bool) -> Entry:
        proposed = [entry for entry in capable if entry.card.tasks[task].default]
        if len(capable) == 1 or len(proposed) == 1:
            return (proposed or capable)[0]
        if strict:
            ids = [entry.card.id for entry in (proposed or capable)]
            raise AmbiguousModelError(
                f"{len(ids)} models serve this {task} request and none is preferred",
                expected="one choice, since strict=True",
                got=", ".join(ids),
                blame="the call, or the defaults of metier.toml",
                hint=f'name one: model="{ids[0]}", or defaults = {{ {task} = "{ids[0]}" }} in metier.toml',
            )
        return min(proposed or capable, key=_price)

    def _why_forbidden(self, entry: Entry) -> str:
        setting = self._forbidden(entry)
        return "remote, which private data forbid" if setting is None else PHRASES[setting]

    def _incapable(
        self, task: str, needs: Mapping[str, Any], entries: Sequence[Entry], *, named: str | None = None
    ) -> NoCapableModelError:
        lacks = [
            (
                entry.card.id,
                self._unmet(entry, task, needs) or [self._why_forbidden(entry)],
            )
            for entry in entries[:_SHOWN]
        ]
        rows = [f"{model} ({'; '.join(unmet)})" for model, unmet in lacks]
        more = f", and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
        subject = "no model here can" if named is None else f"the model {named!r} cannot"
        return NoCapableModelError(
            f"{subject} do what this {task} request needs",
            expected=", ".join(f"{name}: {_show(need)}" for name, need in needs.items()) or task,
            got=(", ".join(rows) + more) or f"no card serves {task}",
            blame=f"the request, or {'the set of plugins installed' if named is None else 'model=...'}",
            hint="`metier models` shows what each model does; `metier doctor` what is not installed",
        )


def _unfit(decision: Decision, named: Entry | None) -> NoCapableModelError:
    from metier.decision.report import least_change, required, said

    asked = [each for each in decision.rejected if named is None or each.candidate.model == named.card.id]
    rows = [f"{each.candidate.model} ({'; '.join(map(said, each.bounds))})" for each in asked[:_SHOWN]]
    more = f", and {len(asked) - _SHOWN} more" if len(asked) > _SHOWN else ""
    return NoCapableModelError(
        f"no model here meets what is required for this {decision.task} request"
        if named is None
        else f"the model {named.card.id!r} does not meet what is required for this {decision.task} request",
        expected=required(decision.requirements),
        got=(", ".join(rows) + more) or f"no card serves {decision.task}",
        blame="require=...",
        hint=least_change(decision),
    )


def _show(need: Any) -> str:
    return ", ".join(sorted(need)) if isinstance(need, frozenset) else str(need)


def _price(entry: Entry) -> tuple[float, int, int, str]:
    """Order by money, then by the parameters that one token passes, then by bytes."""
    card = entry.card
    price = card.price
    if price is None:
        money = math.inf if card.remote else 0.0  # what nobody has stated is not free
    else:
        money = price.per_call + price.per_million_input_tokens + price.per_million_output_tokens
    return (money, card.active_parameters or card.parameters, card.bytes, card.id)
