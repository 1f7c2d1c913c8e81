"""Weights: where they come from, where they are kept, and whether they are what the card says."""

from metier.weights.checksum import sha256_of
from metier.weights.progress import terminal_progress
from metier.weights.store import WeightStore
from metier.weights.unsafe import refuse_pickles

__all__ = ["WeightStore", "refuse_pickles", "sha256_of", "terminal_progress"]
