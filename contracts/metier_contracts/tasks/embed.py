"""embed: a vector for each text or image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import model_validator

from metier_contracts.arrays import Vectors
from metier_contracts.card import Capabilities
from metier_contracts.data.image import ImageField
from metier_contracts.invariants import Violation, length
from metier_contracts.refusal import Refusal
from metier_contracts.request import Request, Response
from metier_contracts.size import Size
from metier_contracts.text import Text

_NORM_TOLERANCE = 1e-3


class Embedding(Response):
    """`vectors`: float32 [N, D], row i for input i."""

    vectors: Vectors


class Embed(Request[Embedding]):
    """Embed texts or images (one of the two, at least one input)."""

    task: ClassVar[str] = "embed"

    texts: Sequence[Text] | None = None
    images: Sequence[ImageField] | None = None

    @model_validator(mode="after")
    def _check(self) -> Embed:
        if (self.texts is None) == (self.images is None):
            raise Refusal("one of texts and images", "neither" if self.images is None else "both", field="texts")
        if len(self) == 0:
            raise Refusal("at least one input", "none", field="texts" if self.images is None else "images")
        return self

    def __len__(self) -> int:
        return len(self.texts if self.texts is not None else self.images or ())

    def needs(self) -> Mapping[str, Any]:
        """Return the capabilities this request needs."""
        return {"modalities": frozenset({"text" if self.images is None else "image"})}

    def workload(self) -> Size:
        """Return the characters of all texts, or the pixels of all images."""
        if self.images is not None:
            return Size(sum(image.height * image.width for image in self.images), "pixels")
        return Size(sum(map(len, self.texts or ())))


def one_vector_an_input(request: Embed, response: Embedding, capabilities: Capabilities) -> Violation | None:
    """There are as many vectors as inputs, of the card's dimension."""
    dimensions = capabilities.dimensions
    if dimensions is not None and response.vectors.shape[1] != dimensions:
        return Violation("vectors", f"{dimensions} columns, as the card says", f"{response.vectors.shape[1]}")
    return length("vectors", len(response.vectors), len(request), "input")


def unit_norm(request: Embed, response: Embedding, capabilities: Capabilities) -> Violation | None:
    """Vectors have length 1 where the card says `normalized`."""
    if not capabilities.normalized or len(response.vectors) == 0:
        return None
    # Of the ways to sum these, the one that runs least code: the runtime checks every answer, if only of one text.
    for square in np.add.reduce(response.vectors * response.vectors, axis=1).tolist():
        if abs(square**0.5 - 1) > _NORM_TOLERANCE:
            return Violation("vectors", f"rows of norm 1 within {_NORM_TOLERANCE:g}", f"norm {square**0.5:.6f}")
    return None


INVARIANTS = (one_vector_an_input, unit_norm)
