"""Where things stand on an invoice, and the picture of it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import matplotlib
import numpy as np
from invoices import FIELDS, Invoice
from metier_contracts import AnnotatedText, Entity, Image
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

WIDTH, HEIGHT = 800, 1000
FONTS = ("DejaVuSans", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral")
LEFT, MIDDLE, RIGHT = 60, 420, 740


@dataclass(frozen=True)
class Piece:
    """A text on the page: in which row of the page, where its left edge (or its right one) is, and how large it is."""

    row: int
    text: str
    x: int = LEFT
    right: bool = False
    size: int = 22


Layout = Callable[[Invoice], Iterator[Piece]]


def letter(given: Invoice) -> Iterator[Piece]:
    """The seller as a letterhead, then the buyer, then everything below each other."""
    yield Piece(0, given.seller, size=34)
    yield Piece(2, given.street)
    yield Piece(4, f"To: {given.buyer}")
    yield Piece(6, "INVOICE", size=30)
    yield Piece(8, f"Invoice no. {given.number}")
    yield Piece(9, f"Date: {given.date}")
    yield Piece(10, f"Payment due: {given.due}")
    yield from _items(given, 12)
    yield from _sums(given, 18, "Total")


def columns(given: Invoice) -> Iterator[Piece]:
    """The seller at the left, names and values of the rest at the right."""
    yield Piece(0, "Invoice", size=34)
    yield Piece(2, f"From {given.seller}")
    yield Piece(3, given.street)
    for row, (name, value) in enumerate(
        (("Number", given.number), ("Issued", given.date), ("Due", given.due)), start=2
    ):
        yield Piece(row, name, MIDDLE)
        yield Piece(row, value, RIGHT, right=True)
    yield Piece(6, f"Bill to: {given.buyer}")
    yield from _items(given, 9)
    yield from _sums(given, 15, "Amount due")


def footer(given: Invoice) -> Iterator[Piece]:
    """The buyer at the top, the seller in the last line alone."""
    yield Piece(0, given.buyer)
    yield Piece(1, given.street)
    yield Piece(3, f"Invoice {given.number} of {given.date}", size=28)
    yield Piece(5, "We charge you for:")
    yield from _items(given, 6)
    yield from _sums(given, 12, "To pay")
    yield Piece(17, f"Please pay by {given.due}.")
    yield Piece(20, f"Payable to {given.seller}", size=20)


def receipt(given: Invoice) -> Iterator[Piece]:
    """Everything in one narrow column."""
    yield Piece(0, given.seller, 250, size=24)
    yield Piece(1, given.street, 250, size=20)
    yield Piece(3, f"Invoice # {given.number}", 250)
    yield Piece(4, f"Invoice date {given.date}", 250)
    for row, (what, count, price) in enumerate(given.items, start=6):
        yield Piece(row, f"{count} x {what}", 250)
        yield Piece(row, price, 660, right=True)
    yield Piece(12, "TOTAL", 250, size=26)
    yield Piece(12, given.total, 660, right=True, size=26)
    yield Piece(14, f"Sold to {given.buyer}", 250, size=20)
    yield Piece(15, f"Due {given.due}", 250, size=20)


def form(given: Invoice) -> Iterator[Piece]:
    """A form of names and values. No model is shown this one before it is judged."""
    yield Piece(0, "Tax invoice", MIDDLE, size=30)
    rows = (
        ("Supplier", given.seller),
        ("Customer", given.buyer),
        ("Document number", given.number),
        ("Date of issue", given.date),
        ("Date of payment", given.due),
    )
    for row, (name, value) in enumerate(rows, start=2):
        yield Piece(row, name)
        yield Piece(row, value, 330)
    yield from _items(given, 9)
    yield from _sums(given, 15, "Grand total")


LAYOUTS: dict[str, Layout] = {one.__name__: one for one in (letter, columns, footer, receipt, form)}
SHOWN = ("letter", "columns", "footer", "receipt")  # to the model that is fitted


def _items(given: Invoice, row: int) -> Iterator[Piece]:
    for offset, (what, count, price) in enumerate(given.items):
        yield Piece(row + offset, what)
        yield Piece(row + offset, count, MIDDLE)
        yield Piece(row + offset, price, RIGHT, right=True)


def _sums(given: Invoice, row: int, word: str) -> Iterator[Piece]:
    for offset, (name, value) in enumerate((("Net", given.net), ("Tax 20 %", given.tax), (word, given.total))):
        yield Piece(row + offset, name, MIDDLE)
        yield Piece(row + offset, value, RIGHT, right=True)


def draw(pieces: Sequence[Piece], random: Random) -> Image:
    """Return the page: in one of four fonts, on paper that is not quite white, a little aslant, with grain."""
    page = Picture.new("L", (WIDTH, HEIGHT), random.randint(225, 255))
    canvas, font = ImageDraw.Draw(page), _font(random.choice(FONTS))
    ink = random.randint(0, 70)
    for piece in pieces:
        shape = font(piece.size)
        x = piece.x - canvas.textlength(piece.text, shape) if piece.right else piece.x
        canvas.text((x, 60 + 40 * piece.row), piece.text, ink, shape, anchor="ls")
    page = page.rotate(random.uniform(-0.6, 0.6), Picture.Resampling.BICUBIC, fillcolor=240)
    grain = np.random.default_rng(random.randrange(2**32)).normal(0, 8, (HEIGHT, WIDTH))
    return Image(pixels=np.clip(np.asarray(page) + grain, 0, 255).astype(np.uint8))


def _font(name: str) -> Callable[[int], ImageFont.FreeTypeFont]:
    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf"
    return lambda size: ImageFont.truetype(path, size)


def written(pieces: Sequence[Piece], given: Invoice) -> AnnotatedText:
    """Return the text of a page, a row a line, with the fields marked where they stand."""
    rows: dict[int, list[Piece]] = {}
    for piece in pieces:
        rows.setdefault(piece.row, []).append(piece)
    lines = [" ".join(piece.text for piece in sorted(rows[row], key=lambda one: one.x)) for row in sorted(rows)]
    text = "\n".join(lines)
    return AnnotatedText(text=text, entities=tuple(_marked(text, given)))


def _marked(text: str, given: Invoice) -> Iterator[Entity]:
    """Yield each field: of the total, which may stand there as the price of the only item, the last one."""
    for name in FIELDS:
        value = given.truth[name]
        start = text.rfind(value) if name == "total" else text.find(value)
        yield Entity(text=value, label=name, start=start, end=start + len(value))
