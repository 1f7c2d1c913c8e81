"""Asks for 10 GB in small pieces, keeps them, and writes down how much it has; spares whoever asks for it."""

import os
from pathlib import Path

PIECE = 5_000_000


def at_work(requests):
    if requests[0].text == "spare me":
        return
    held = []
    with Path(os.environ["HOSTILE_CORPUS"], "taken").open("a") as taken:
        while len(held) * PIECE < 10_000_000_000:
            held.append(bytearray(b"x") * PIECE)
            print(len(held) * PIECE, file=taken, flush=True)
    raise AssertionError(f"{len(held)} pieces were given")
