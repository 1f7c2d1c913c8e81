"""Closes every descriptor, the one of its channel too."""

import os

from metier_contracts import hookimpl


class Hostile:
    def infer(self, requests, context):
        os.closerange(3, 1024)
        return []

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
