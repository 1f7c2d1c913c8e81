"""Invoices of companies that do not exist, of which every field is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

# What is judged holds no name and no street that was taught.
TAUGHT = (
    ("Northwind", "Harbour", "Bluebell", "Kestrel", "Larkfield", "Oakham", "Silverline", "Tamar", "Velden", "Wexford"),
    ("Mill Lane", "Station Road", "Quay Street", "Park Avenue", "Elm Row"),
)
JUDGED = (
    ("Arbour", "Castleton", "Dunmore", "Fairway", "Greystone", "Ironbridge", "Marlow", "Pemberton", "Redfern"),
    ("Abbey Close", "Bridge Street", "Church Hill", "Dock Road", "Market Square"),
)
TRADES = ("Traders", "Timber", "Printing", "Catering", "Logistics", "Instruments", "Bakery", "Textiles")
FORMS = ("Ltd", "GmbH", "Inc.", "& Sons", "B.V.", "LLC")
GOODS = ("Oak boards", "Paper A4", "Delivery", "Repair of pump", "Cotton rolls", "Rye flour", "Lenses", "Working hours")
FIELDS = ("number", "date", "total", "seller")


@dataclass(frozen=True)
class Invoice:
    """An invoice as it is printed. `items`: what was sold, how many, and the price of all of them."""

    number: str
    date: str
    due: str
    seller: str
    buyer: str
    street: str
    items: tuple[tuple[str, str, str], ...]
    net: str
    tax: str
    total: str

    @property
    def truth(self) -> dict[str, str]:
        """The fields to find."""
        return {name: getattr(self, name) for name in FIELDS}


def invoice(random: Random, words: tuple[Sequence[str], Sequence[str]]) -> Invoice:
    """Return an invoice made up at random, of companies and streets of such names.

    Numbers, dates and amounts are written in one of several ways.
    """
    names, streets = words
    day = date(2026, 1, 1) + timedelta(days=random.randrange(330))
    write = random.choice(_DATES)
    money = random.choice(_AMOUNTS)
    seller, buyer = (f"{name} {random.choice(TRADES)} {random.choice(FORMS)}" for name in random.sample(names, 2))
    goods = random.sample(GOODS, random.randint(1, 4))
    counts, prices = ([random.randint(low, high) for _ in goods] for low, high in ((1, 20), (250, 30_000)))
    net = sum(count * price for count, price in zip(counts, prices, strict=True))
    return Invoice(
        number=random.choice(_NUMBERS)(random.randint(100, 9999)),
        date=write(day),
        due=write(day + timedelta(days=30)),
        seller=seller,
        buyer=buyer,
        street=f"{random.randint(1, 99)} {random.choice(streets)}",
        items=tuple((what, str(n), money(n * price)) for what, n, price in zip(goods, counts, prices, strict=True)),
        net=money(net),
        tax=money(net // 5),
        total=money(net + net // 5),
    )


_NUMBERS = (
    lambda number: f"INV-{number:05d}",
    lambda number: f"2026/{number:04d}",
    lambda number: f"R{number}-26",
    lambda number: f"{number:06d}",
)
_DATES = (
    lambda day: day.isoformat(),
    lambda day: f"{day:%d/%m/%Y}",
    lambda day: f"{day.day} {day:%B %Y}",
    lambda day: f"{day:%d.%m.%Y}",
)
_AMOUNTS = (
    lambda cents: f"${cents / 100:,.2f}",
    lambda cents: f"EUR {cents / 100:,.2f}",
    lambda cents: f"{cents / 100:.2f} USD",
)
