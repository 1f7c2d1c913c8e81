"""Valid, non-trivial instances of everything that crosses a boundary: EXCHANGES by task, and RECORDS with all of them.

The numbers are written out or counted, never drawn, so that the golden files hold the same ones everywhere.
"""

from metier_contracts import Contract

from .cards import CARDS
from .data import DATA
from .exchanges import EXCHANGES, Exchange
from .fits import FITS
from .messages import MESSAGES

RECORDS: dict[str, Contract] = {
    **{f"{name}.request": exchange.request for name, exchange in EXCHANGES.items()},
    **{f"{name}.response": exchange.response for name, exchange in EXCHANGES.items()},
    **DATA,
    **MESSAGES,
    **FITS,
    **CARDS,
}

__all__ = ["CARDS", "DATA", "EXCHANGES", "FITS", "MESSAGES", "RECORDS", "Exchange"]
