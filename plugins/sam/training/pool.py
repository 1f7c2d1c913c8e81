"""A pool of scenes on disk, drawn once by several processes."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from pictures import Scene, scene

CHUNK = 250


def draw(folder: Path, seed: int, scenes: int, processes: int) -> None:
    """Draw `scenes` scenes of `seed` into files of 250; files that are there already are left."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [number for number in range(-(-scenes // CHUNK)) if not _path(folder, seed, number).exists()]
    with multiprocessing.get_context("spawn").Pool(processes) as workers:
        for number in workers.imap(partial(_draw_chunk, folder, seed), wanted):
            print(f"drawn: chunk {number}", flush=True)


def read(folder: Path, seed: int) -> Iterator[Scene]:
    """Yield the scenes of `seed` that lie in `folder`, in order."""
    number = 0
    while _path(folder, seed, number).exists():
        with np.load(_path(folder, seed, number)) as chunk:
            pixels, bits = chunk["pixels"], chunk["bits"]
        yield from (Scene(one, other) for one, other in zip(pixels, bits, strict=True))
        number += 1


def _draw_chunk(folder: Path, seed: int, number: int) -> int:
    scenes = [scene((seed, number, place)) for place in range(CHUNK)]
    partial_file = _path(folder, seed, number).with_suffix(".part")
    with partial_file.open("wb") as file:
        np.savez(file, pixels=np.stack([one.pixels for one in scenes]), bits=np.stack([one.bits for one in scenes]))
    partial_file.rename(_path(folder, seed, number))
    return number


def _path(folder: Path, seed: int, number: int) -> Path:
    return folder / f"scenes-{seed}-{number:03}.npz"
