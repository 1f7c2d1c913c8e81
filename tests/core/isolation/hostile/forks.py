"""Forks children that stay, and ends: they have inherited all its descriptors."""

import os
import signal


def at_work(requests):
    for _ in range(6):
        if os.fork() == 0:
            signal.pause()
    os._exit(8)
