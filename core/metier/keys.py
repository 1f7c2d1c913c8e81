"""The keys of remote models: which environment variables hold them, and whether these are set. Nothing is sent."""

from __future__ import annotations

import os
from collections.abc import Iterable

from metier_contracts import ModelCard


def key_set(card: ModelCard) -> bool | None:
    """Tell whether the variable of a card's key is set; None where the card needs no key."""
    return None if card.key_env is None else bool(os.environ.get(card.key_env, "").strip())


def keys_of(cards: Iterable[ModelCard]) -> dict[str, bool]:
    """Return each variable that the cards name, and whether it is set."""
    return {card.key_env: bool(key_set(card)) for card in cards if card.key_env is not None}
