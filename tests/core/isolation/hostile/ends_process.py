"""Ends the process without a word."""

import os


def at_work(requests):
    os._exit(7)
