"""Never comes back from being loaded."""


def at_load():
    while True:
        pass
