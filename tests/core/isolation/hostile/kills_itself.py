"""Is killed as the system's memory killer would do it."""

import os
import signal

from metier_contracts import hookimpl


class Hostile:
    def infer(self, requests, context):
        os.kill(os.getpid(), signal.SIGKILL)
        signal.pause()

    def resident_bytes(self):
        return 10

    def close(self):
        pass


@hookimpl
def metier_load(card, placement):
    return Hostile()
