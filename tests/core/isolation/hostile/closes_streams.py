"""Closes the standard streams, down to their descriptors."""

import os
import sys


def at_work(requests):
    sys.stdout.close()
    sys.stderr.close()
    os.closerange(0, 3)
