"""Forks children that stay, and ends: they have inherited all its descriptors."""

import os
import signal

from metier_contracts import hookimpl


class Hostile:
    def infer(self, requests, context):
        for _ in range(6):
            if os.fork() == 0:
                signal.pause()
        os._exit(8)

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
