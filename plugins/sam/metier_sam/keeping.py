"""`Embedding`, and `Keeper`: a memory of embeddings that is bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from metier_contracts.authoring import tensor_bytes

from metier_sam.placing import tensors_in


@dataclass(frozen=True)
class Embedding:
    """What a model keeps of a picture.

    `features`: its tensors, nested as the model wants them. `size`: height and width of the picture. `frame`: height
    and width that the picture was scaled to before it was padded, the frame of coordinates that the model reads.
    """

    features: Any
    size: tuple[int, int]
    frame: tuple[int, int]

    @property
    def nbytes(self) -> int:
        """The bytes of its tensors."""
        return tensor_bytes(tensors_in(self.features))


class Keeper:
    """Keeps the embeddings used last, as many as fit into `limit` bytes."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[str, Embedding] = OrderedDict()

    def get(self, digest: str) -> Embedding | None:
        """Return the embedding of the picture with this digest, now the one used last, or None."""
        if digest in self._kept:
            self._kept.move_to_end(digest)
        return self._kept.get(digest)

    def put(self, digest: str, embedding: Embedding) -> None:
        """Keep an embedding, in place of those that were not used for longest; one over the limit is not kept."""
        if embedding.nbytes > self._limit:
            return
        self._kept[digest] = embedding
        self._kept.move_to_end(digest)
        while self.nbytes > self._limit:
            self._kept.popitem(last=False)

    @property
    def nbytes(self) -> int:
        """The bytes of all that is kept."""
        return sum(embedding.nbytes for embedding in self._kept.values())

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
