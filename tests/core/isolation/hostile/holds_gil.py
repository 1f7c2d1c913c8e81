"""Computes for ever in a C function that keeps the interpreter to itself."""

import re

from metier_contracts import Classification, hookimpl


class Hostile:
    def infer(self, requests, context):
        re.match(r"(a+)+$", "a" * 64 + "b")
        return [Classification(label="good", scores={"good": 1.0, "bad": 0.0}) for _ in requests]

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
