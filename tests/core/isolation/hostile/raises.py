"""Raises at every request."""

from metier_contracts import hookimpl


class Hostile:
    def infer(self, requests, context):
        raise ValueError("no luck")

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
