"""Never comes back from being loaded."""

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
    while True:
        pass
    return Hostile()
