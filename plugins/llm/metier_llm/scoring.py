"""`Scorer`: how probable are these continuations of a prompt?"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import torch
from metier_contracts import CallContext

from metier_llm.cache import KeyValues
from metier_llm.network import Network

_ROWS = 16
_KEPT = 4


class Scorer:
    """Scores continuations. Beginnings that many prompts share are read once, and the last few of them kept.

    Args:
        network: the language model.
        chunk: the most tokens of a prompt in one forward pass.
    """

    def __init__(self, network: Network, chunk: int) -> None:
        self._network = network
        self._chunk = chunk
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, ...], KeyValues] = OrderedDict()

    @torch.inference_mode()
    def log_likelihoods(
        self,
        beginning: Sequence[int],
        prompt: Sequence[int],
        continuations: Sequence[Sequence[int]],
        context: CallContext,
    ) -> list[float]:
        """Return the natural logarithm of each continuation's probability, all its tokens together.

        Args:
            beginning: what other prompts begin with too.
            prompt: what follows it: at least one token.
            continuations: at least one token each.
            context: checked before each forward pass.
        """
        with self._lock:
            cache = self._begun(beginning, context)
            try:
                first = self._read(prompt, cache, context).log_softmax(-1)
                scores = [float(first[tokens[0]]) for tokens in continuations]
                longer = [place for place, tokens in enumerate(continuations) if len(tokens) > 1]
                for start in range(0, len(longer), _ROWS):
                    context.check()
                    places = longer[start : start + _ROWS]
                    rest = self._rest([continuations[place] for place in places], cache)
                    for place, score in zip(places, rest, strict=True):
                        scores[place] += score
            finally:
                # Always cut at the same place: to go on from another would round otherwise.
                cache.keep(len(beginning))
        return scores

    def _begun(self, beginning: Sequence[int], context: CallContext) -> KeyValues:
        """Return the cache that holds the beginning alone."""
        key = tuple(beginning)
        if key not in self._kept:
            cache = self._network.new_cache([0])
            if beginning:
                self._read(beginning, cache, context)
            self._kept[key] = cache
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _read(self, tokens: Sequence[int], cache: KeyValues, context: CallContext) -> torch.Tensor:
        """Return the logits [V] after the tokens, which join the cache."""
        for start in range(0, len(tokens), self._chunk):
            context.check()
            logits = self._network.next_logits([tokens[start : start + self._chunk]], cache)
        return logits[0]

    def _rest(self, continuations: Sequence[Sequence[int]], cache: KeyValues) -> list[float]:
        """Return the log-likelihood of what follows each continuation's first token."""
        width = max(map(len, continuations)) - 1
        # What stands behind the end of a shorter one is read after all that counts.
        rows = [[*tokens[:-1], *[tokens[-1]] * (width + 1 - len(tokens))] for tokens in continuations]
        likelihoods = self._network.all_logits(rows, cache.repeated(len(rows))).log_softmax(-1)
        return [
            float(sum(row[place, token] for place, token in enumerate(tokens[1:])))
            for row, tokens in zip(likelihoods, continuations, strict=True)
        ]

    def nbytes(self) -> int:
        """Return the bytes of what is kept."""
        return sum(cache.nbytes() for cache in list(self._kept.values()))

    def close(self) -> None:
        """Drop it."""
        self._kept.clear()


def common(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many tokens both begin with."""
    pairs = zip(first, second, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))
