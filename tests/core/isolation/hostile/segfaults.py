"""Reads at address 0 when it is loaded."""

import ctypes

from metier_contracts import hookimpl


class Hostile:
    def infer(self, requests, context):
        raise AssertionError("it is never loaded")

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    ctypes.string_at(0)
    return Hostile()
