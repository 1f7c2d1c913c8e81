"""Loader `rules`: classify by regular expressions that stand on the card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from metier_contracts import (
    CallContext,
    Capabilities,
    Classification,
    ConfigError,
    MetierError,
    ModelCard,
    Placement,
    Request,
)
from metier_contracts.authoring import LoaderOptions, attempt, read_options

from metier_classic.answering import classification, labels_among, text_to_classify


class RuleOptions(LoaderOptions):
    """Options of the loader.

    `rules`: for each label the regular expressions that speak for it, searched for in any case. `otherwise`: the label
    of a text in which none is found; without it such a text has every label alike.
    """

    rules: Mapping[str, tuple[str, ...]]
    otherwise: str | None = None


class Rules:
    """Counts for each label which of its expressions stand in a text."""

    def __init__(self, card: ModelCard, rules: Mapping[str, Sequence[re.Pattern[str]]], otherwise: str | None) -> None:
        self.card = card
        self._rules = rules
        self._otherwise = otherwise
        self._labels = tuple(dict.fromkeys((*rules, *([] if otherwise is None else [otherwise]))))

    def infer(self, requests: Sequence[Request[Any]], context: CallContext) -> Sequence[Classification | MetierError]:
        """Answer each request, in order; an item that fails is answered by its error."""
        context.check()
        return [attempt(partial(self._answer, request)) for request in requests]

    def _answer(self, given: Request[Any]) -> Classification:
        request, text = text_to_classify(given, self.card)
        labels = labels_among(request, self._labels, self.card)
        found = {label: sum(bool(rule.search(text)) for rule in self._rules.get(label, ())) for label in labels}
        if not any(found.values()):
            found = {label: int(self._otherwise in (label, None)) for label in labels}
        if request.multi_label:
            return classification({label: float(count > 0) for label, count in found.items()})
        total = sum(found.values())
        if not total:  # the request leaves out the very label that this text has
            return classification({label: 1 / len(labels) for label in labels})
        return classification({label: count / total for label, count in found.items()})

    def resident_bytes(self) -> int:
        """Return about the bytes of the expressions."""
        return sum(len(rule.pattern) for rules in self._rules.values() for rule in rules)

    def close(self) -> None:
        """Keep nothing."""


def load(card: ModelCard, placement: Placement) -> Rules:
    """Return the rules of the card."""
    options = read_options(RuleOptions, card)
    rules = {label: [_compiled(rule, label, card) for rule in given] for label, given in options.rules.items()}
    model = Rules(card, rules, options.otherwise)
    known = {*options.rules, *([] if options.otherwise is None else [options.otherwise])}
    listed = card.tasks.get("classify", Capabilities()).labels
    if not isinstance(listed, tuple) or set(listed) != known:
        raise ConfigError(
            f"the labels of {card.id} are not those of its rules",
            expected=f"labels = {sorted(known)} in its table of classify",
            got=repr(listed),
            blame=f"the card {card.id}",
        )
    return model


def _compiled(rule: str, label: str, card: ModelCard) -> re.Pattern[str]:
    try:
        return re.compile(rule, re.IGNORECASE)
    except re.error as error:
        raise ConfigError(
            f"a rule of {card.id} cannot be read",
            expected="a regular expression",
            got=f"{rule!r}: {error}",
            blame=f"options.rules of the card {card.id}, under {label!r}",
        ) from None
