"""Conversions that need a library of their own; each module is imported at the call that needs it."""
