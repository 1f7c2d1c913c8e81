"""Run pip, or another command, that dies with the process that started it.

The parent runs this file as a script, holds the other end of its standard input, and never writes there: the end of the
input means that the parent is gone, even after SIGKILL, or that it wants the command to stop.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence


def _die_with_parent() -> None:
    # os.read, since a thread inside sys.stdin would hold its lock and abort the interpreter's exit.
    while os.read(0, 4096):
        pass
    # Ends the command's own children too, but only where the parent gave this process a group of its own.
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def main(command: Sequence[str]) -> int:
    """Run `command`; "pip" is run inside this interpreter."""
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if command[0] != "pip":
        return subprocess.run(command, stdin=subprocess.DEVNULL, check=False).returncode
    sys.argv = list(command)
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
