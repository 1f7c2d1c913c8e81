"""Ends the process without a word."""

import os

from metier_contracts import hookimpl


class Hostile:
    def infer(self, requests, context):
        os._exit(7)

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
