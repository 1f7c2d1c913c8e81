"""Answers with what is no answer."""


def at_work(requests):
    return ["good" for _ in requests]
