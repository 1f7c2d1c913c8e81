"""generate-image: a picture from a prompt."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from metier_contracts.card import Capabilities
from metier_contracts.data.image import Image
from metier_contracts.invariants import Violation
from metier_contracts.request import Request, Response
from metier_contracts.size import Size
from metier_contracts.text import Text

_USUAL_STEPS = 30  # where the request leaves them to the model


class GeneratedImage(Response):
    """The picture, and the seed that draws it again."""

    image: Image
    seed: int


class GenerateImage(Request[GeneratedImage]):
    """Draw a picture. Sizes are in pixels. `guidance`: how strictly the prompt is followed, None for the default."""

    task: ClassVar[str] = "generate-image"

    prompt: Text
    negative_prompt: str = ""
    width: int = Field(default=512, ge=1)
    height: int = Field(default=512, ge=1)
    steps: int | None = Field(default=None, ge=1)
    guidance: float | None = Field(default=None, ge=0)
    seed: int | None = None

    def workload(self) -> Size:
        """Return the pixels of the picture, times the steps."""
        return Size(self.width * self.height * (self.steps or _USUAL_STEPS), "pixel-steps")


def has_size(request: GenerateImage, response: GeneratedImage, capabilities: Capabilities) -> Violation | None:
    """The picture has the size asked for."""
    got = (response.image.width, response.image.height)
    wanted = (request.width, request.height)
    return None if got == wanted else Violation("image", f"{wanted[0]} x {wanted[1]} pixels", f"{got[0]} x {got[1]}")


def keeps_seed(request: GenerateImage, response: GeneratedImage, capabilities: Capabilities) -> Violation | None:
    """The seed asked for was used."""
    if request.seed in (None, response.seed):
        return None
    return Violation("seed", str(request.seed), str(response.seed))


INVARIANTS = (has_size, keeps_seed)
