"""ocr: what does the picture say?"""

from typing import Annotated, ClassVar

from metier_contracts import (
    BoxFrame,
    Capabilities,
    Contract,
    Image,
    Probes,
    Request,
    Response,
    Size,
    Task,
    Violation,
)
from metier_contracts.data.image import ImageField
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont
from pydantic import Field

Box = Annotated[tuple[float, float, float, float], BoxFrame("xyxy")]


class Line(Contract):
    """A line of text, or a cell of a table.

    `box`: left, top, right, bottom in pixels of the picture, the origin at its top left. `score`: how sure the model is.
    """

    text: str = Field(min_length=1)
    box: Box
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


def boxes_within_the_picture(request: Ocr, response: OcrText, capabilities: Capabilities) -> Violation | None:
    """Every box has an area and lies within the picture."""
    width, height = request.image.width, request.image.height
    for line in response.lines:
        left, top, right, bottom = line.box
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            return Violation("lines", f"boxes within {width} x {height} pixels", f"{line.box} of {line.text!r}")
    return None


def text_is_that_of_the_lines(request: Ocr, response: OcrText, capabilities: Capabilities) -> Violation | None:
    """The text is that of the lines in their order, with white space between them."""
    wanted = [word for line in response.lines for word in line.text.split()]
    return None if response.text.split() == wanted else Violation("text", " ".join(wanted), response.text)


def order_form(side: int, number: int) -> Image:
    """Return a drawn square page of `side` pixels; each number another."""
    page = Picture.new("RGB", (side, side), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=side / 20)
    for row in range(8):
        words = f"{number + row + 1} boxes of no. {3 * number + 7 * row} at ${row + 1}.{number % 90 + 10}"
        draw.text((side / 10, side * (row + 1) / 10), words, fill="black", font=font)
    return Image.from_pil(page)


def probe(size: Size, number: int, capabilities: Capabilities) -> Ocr:
    """Return a request of about so many pixels."""
    return Ocr(image=order_form(round(size.amount**0.5), number))


SIZES = tuple(Size(side * side, "pixels") for side in (256, 512, 1024))
OCR = Task(
    request=Ocr,
    response=OcrText,
    invariants=(boxes_within_the_picture, text_is_that_of_the_lines),
    probes=(Probes(SIZES, probe),),
)
