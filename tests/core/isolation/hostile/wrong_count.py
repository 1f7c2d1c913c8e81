"""Answers with a number."""


def at_work(requests):
    return len(requests)
