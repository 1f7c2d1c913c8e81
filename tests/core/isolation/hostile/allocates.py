"""Takes memory and keeps it, up to what a test machine can bear."""


def at_work(requests):
    held = [bytearray(b"x") * 50_000_000 for _ in range(60)]
    raise AssertionError(f"{len(held)} pieces were given")
