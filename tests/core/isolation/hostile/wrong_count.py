"""Answers with nothing at all."""

from metier_contracts import hookimpl


class Hostile:
    def infer(self, requests, context):
        return None

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
