"""Digests of files, and the comparison with those on the card."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path

from metier_contracts.card import ModelCard
from metier_contracts.errors import ChecksumError, WeightsError

from metier.weights.source import blame, listed_files, suffix_of

WEIGHT_SUFFIXES = frozenset({".safetensors", ".gguf"})


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def card_digests(card: ModelCard, names: Collection[str]) -> dict[str, str]:
    """Return the digests on the card as a table over `names`, the files that are there.

    A single digest stands for the only file, or the only one in safetensors or GGUF; where there is no such one,
    `WeightsError`.
    """
    if not isinstance(card.sha256, str):
        return listed_files(card) or {}
    weights = [name for name in names if suffix_of(name) in WEIGHT_SUFFIXES]
    single = list(names) if len(names) == 1 else weights
    if len(single) != 1:
        raise WeightsError(
            f"the card {card.id} gives one sha256, and there is no one file that it must be of",
            expected="one file, or one in safetensors or GGUF",
            got=f"{len(names)} files, {len(weights)} of them weights",
            blame=blame(card),
            hint="write sha256 as a table from each file's name to its digest",
        )
    return {single[0]: card.sha256}


def check_files(card: ModelCard, directory: Path, digests: Mapping[str, str]) -> None:
    """Raise `ChecksumError` at the first file below `directory` that is absent or not of its digest."""
    for name, expected in digests.items():
        check_file(card, directory / name, expected)


def check_file(card: ModelCard, path: Path, expected: str) -> None:
    """Raise `ChecksumError` unless `path` is a file of the digest `expected`."""
    try:
        got = f"sha256 {sha256_of(path)}"
    except FileNotFoundError:
        got = "no such file"
    except OSError as error:
        raise WeightsError(
            f"{path} cannot be read", got=str(error), blame="the permissions or the disk", hint=_hint(card, path)
        ) from error
    if got != f"sha256 {expected}":
        raise checksum_error(card, str(path), expected, got)


def checksum_error(card: ModelCard, name: str, expected: str, got: str) -> ChecksumError:
    """Return the error for the file `name` of the card that should be of the digest `expected`."""
    return ChecksumError(
        f"{name} is not the file that the card {card.id} describes",
        expected=f"sha256 {expected}",
        got=got,
        blame=f"whoever changed the file, or {blame(card)}",
        hint=_hint(card, name),
    )


def _hint(card: ModelCard, path: object) -> str:
    if card.source is not None and card.source.startswith("path:"):
        return f"restore {path}, or correct `sha256` on the card {card.id}"
    return f"`metier pull {card.id} --force` fetches it again"
