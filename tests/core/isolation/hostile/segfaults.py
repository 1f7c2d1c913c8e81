"""Reads at address 0 when it is loaded."""

import ctypes


def at_load():
    ctypes.string_at(0)
