"""The task `ocr`: what holds of every answer, and the pictures to measure models by."""

from metier_contracts import Capabilities, Image, Probes, Size, Task, Violation

from acme_ocr.ocr import Ocr, OcrText


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
    words = [word for line in response.lines for word in line.text.split()]
    return None if response.text.split() == words else Violation("text", " ".join(words), response.text)


def order_form(side: int, number: int) -> Image:
    """Return a drawn square page of `side` pixels; each number another."""
    from PIL import Image as Picture
    from PIL import ImageDraw, ImageFont

    page = Picture.new("RGB", (side, side), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=side / 20)
    for row in range(8):
        words = f"{number + row + 1} boxes of no. {3 * number + 7 * row} at ${row + 1}.{number % 90 + 10}"
        draw.text((side / 10, side * (row + 1) / 10), words, fill="black", font=font)
    return Image.from_pil(page)


def order_form_of(size: Size, number: int, capabilities: Capabilities) -> Ocr:
    """Return a request of about so many pixels."""
    return Ocr(image=order_form(round(size.amount**0.5), number))


SIZES = tuple(Size(side * side, "pixels") for side in (256, 512, 1024))

OCR = Task(
    request=Ocr,
    response=OcrText,
    invariants=(boxes_within_the_picture, text_is_that_of_the_lines),
    probes=(Probes(SIZES, order_form_of),),
)
