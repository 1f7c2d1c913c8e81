"""Computes for ever in a C function that keeps the interpreter to itself."""

import re


def at_work(requests):
    re.match(r"(a+)+$", "a" * 64 + "b")
