"""Prints megabytes to both streams."""

import sys

from metier_contracts import Classification, hookimpl


class Hostile:
    def infer(self, requests, context):
        for _ in range(4):
            print("x" * 500_000)
            print("y" * 500_000, file=sys.stderr)
        return [Classification(label="good", scores={"good": 1.0, "bad": 0.0}) for _ in requests]

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
