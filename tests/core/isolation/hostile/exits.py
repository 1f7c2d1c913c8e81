"""Asks the interpreter to exit."""

import sys

from metier_contracts import hookimpl


class Hostile:
    def infer(self, requests, context):
        sys.exit(3)

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
