"""The reader, against pages of which every character is known."""

import json
from collections.abc import Iterator
from pathlib import Path

import acme_ocr
import numpy as np
import pytest
from acme_ocr import Line, Ocr, OcrText
from acme_ocr.reader import in_rows
from acme_ocr.task import OCR, order_form
from jsonschema import validate
from metier import Runtime
from metier_contracts import Capabilities, Image, read_manifest
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

MODEL = "pp-ocrv6-small"


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    """A runtime that keeps the reader loaded."""
    with Runtime() as made:
        yield made


def page(*rows: tuple[str, ...]) -> Image:
    """Draw rows of cells."""
    picture = Picture.new("RGB", (640, 60 * len(rows) + 40), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=24)
    for place, row in enumerate(rows):
        for column, cell in enumerate(row):
            draw.text((30 + 300 * column, 30 + 60 * place), cell, fill="black", font=font)
    return Image.from_pil(picture)


def test_text_boxes_and_scores(runtime: Runtime) -> None:
    found = runtime.run(Ocr(image=page(("Invoice", "INV-2041"), ("Total due", "EUR 1,204.50"))), model=MODEL)
    assert found.text == "Invoice INV-2041\nTotal due EUR 1,204.50"
    assert [line.text for line in found.lines] == ["Invoice", "INV-2041", "Total due", "EUR 1,204.50"]
    assert np.allclose(found.lines[3].box, (330, 95, 480, 120), atol=12)
    assert min(line.score for line in found.lines) > 0.9


def test_an_empty_page(runtime: Runtime) -> None:
    found = runtime.run(Ocr(image=Image(pixels=np.full((80, 90, 3), 255, np.uint8))), model=MODEL)
    assert (found.text, found.lines) == ("", ())


def test_each_probe_is_read_alone_and_in_a_batch(runtime: Runtime) -> None:
    requests = [Ocr(image=order_form(512, number)) for number in (1, 2)]
    together = list(runtime.map(requests, model=MODEL, progress=False))
    assert [answer.text for answer in together] == [runtime.run(request, model=MODEL).text for request in requests]
    assert together[0].text.splitlines()[0] == "2 boxes of no. 3 at $1.11"


def test_rows() -> None:
    lines = [
        Line(text=text, box=box, score=1)
        for text, box in (
            ("right", (50, 1, 60, 11)),
            ("below", (0, 20, 9, 30)),
            ("left", (0, 3, 9, 13)),
        )
    ]
    assert [[line.text for line in row] for row in in_rows(lines)] == [["left", "right"], ["below"]]


@pytest.mark.parametrize(
    ("text", "box", "field"),
    [
        ("ab", (0, 0, 9, 9), None),
        ("ab", (0, 0, 11, 9), "lines"),
        ("ab", (5, 0, 5, 9), "lines"),
        ("ac", (0, 0, 9, 9), "text"),
    ],
)
def test_invariants(text: str, box: tuple[float, float, float, float], field: str | None) -> None:
    request = Ocr(image=np.zeros((10, 10, 3), np.uint8))
    answer = OcrText(text=text, lines=(Line(text="ab", box=box, score=1),))
    violation = OCR.violation(request, answer, Capabilities())
    assert (None if violation is None else violation.field) == field


def test_the_manifest_tells_of_the_request() -> None:
    manifest = read_manifest(Path(acme_ocr.__file__).with_name("metier-plugin.toml"))
    [told] = manifest.tasks
    assert (told.name, told.help) == (OCR.name, OCR.summary)
    assert told.json_schema is not None
    validate(json.loads(Ocr(image=np.zeros((2, 2, 3), np.uint8)).to_json()), dict(told.json_schema))
