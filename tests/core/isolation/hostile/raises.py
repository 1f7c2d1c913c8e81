"""Raises at every request."""


def at_work(requests):
    raise ValueError("no luck")
