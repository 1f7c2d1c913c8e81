"""The request of the task `ocr`, and its response."""

from typing import Annotated, ClassVar

from metier_contracts import BoxFrame, Contract, ImageField, Request, Response, Size
from pydantic import Field


class Line(Contract):
    """A line of text, or a cell of a table.

    `box`: left, top, right, bottom in pixels, the origin at the picture's top left. `score`: how sure the model is.
    """

    text: str = Field(min_length=1)
    box: Annotated[tuple[float, float, float, float], BoxFrame("xyxy")]
    score: float = Field(ge=0, le=1)


class OcrText(Response):
    """What was read.

    `text`: all of it, a row of the picture a line. `lines`: its parts in reading order; none where nothing is written.
    """

    text: str
    lines: tuple[Line, ...]


class Ocr(Request[OcrText]):
    """Read the text in a picture."""

    task: ClassVar[str] = "ocr"

    image: ImageField = Field(description="The picture to read.")

    def workload(self) -> Size:
        """Return the pixels."""
        return Size(self.image.width * self.image.height, "pixels")
