"""Closes every descriptor, the one of its channel too."""

import os


def at_work(requests):
    os.closerange(3, 1024)
