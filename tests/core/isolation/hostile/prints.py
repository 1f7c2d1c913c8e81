"""Prints megabytes to both streams."""

import sys


def at_work(requests):
    for _ in range(4):
        print("x" * 500_000)
        print("y" * 500_000, file=sys.stderr)
