"""Is killed as the system's memory killer would do it."""

import os
import signal


def at_work(requests):
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()
