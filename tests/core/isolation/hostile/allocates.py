"""Takes memory and keeps it, up to what a test machine can bear."""

from metier_contracts import hookimpl


class Hostile:
    def infer(self, requests, context):
        held = [bytearray(b"x") * 50_000_000 for _ in range(60)]
        raise AssertionError(f"{len(held)} pieces were given")

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
