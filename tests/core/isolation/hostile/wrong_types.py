"""Answers with what is no answer."""

from metier_contracts import hookimpl


class Hostile:
    def infer(self, requests, context):
        return ["good" for _ in requests]

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
