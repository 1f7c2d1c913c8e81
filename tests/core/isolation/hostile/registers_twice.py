"""Would serve, but its card has the id of another plugin."""

from metier_contracts import Classification, hookimpl


class Hostile:
    def infer(self, requests, context):
        return [Classification(label="good", scores={"good": 1.0, "bad": 0.0}) for _ in requests]

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
