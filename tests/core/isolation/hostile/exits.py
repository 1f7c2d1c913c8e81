"""Asks the interpreter to exit."""

import sys


def at_work(requests):
    sys.exit(3)
