"""The refusal of pickles: to read one is to run whatever its author put into it."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

from metier_contracts.card import ModelCard
from metier_contracts.errors import UnsafeWeightsError, WeightsError

from metier.weights.source import PathSource, blame, parse_source

_PICKLE_SUFFIXES = frozenset({".pkl", ".pickle", ".joblib"})
_TORCH_SUFFIXES = frozenset({".bin", ".pt", ".pth", ".ckpt"})
_COMPRESSIONS = frozenset({".gz", ".bz2", ".xz", ".lzma", ".z", ".zst", ".lz4"})
# What torch.save wrote before its zip format: the number 0x1950a86a20f9469cfc6c as a pickle of protocol 2, then more
# pickles. torch.load(weights_only=True) reads these with its restricted unpickler, so they are as safe as the zips.
_TORCH_LEGACY = bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")


def refuse_pickles(card: ModelCard, directory: Path, allowed: bool) -> None:
    """Raise `UnsafeWeightsError` where a file below `directory` needs a full unpickler and `allowed` is False.

    Torch checkpoints pass (.bin, .pt, .pth, .ckpt, in torch's zip format or the older one), since a plugin reads them
    with `weights_only=True`. Pickle and joblib files do not, nor any file that begins as a pickle of protocol 2 to 5,
    nor torch's oldest format, a tar that `weights_only=True` refuses. Of a single-file source only that file is looked
    at. Pickles of protocol 0 and 1 bear no mark: those are known by their names alone.
    """
    if allowed:
        return
    for path in _files(card, directory):
        if kind := _pickle_kind(path):
            raise UnsafeWeightsError(
                f"{path} of {card.id} is {kind}: to read it is to run whatever it holds",
                expected="safetensors or GGUF",
                got=kind,
                blame=blame(card),
                hint=f'add grants = ["{card.id}"] to metier.toml if you trust it',
            )


def _files(card: ModelCard, directory: Path) -> Iterator[Path]:
    source = parse_source(card)
    if isinstance(source, PathSource) and source.is_file:
        yield source.path
        return
    yield from sorted(path for path in directory.rglob("*") if path.is_file())


def _pickle_kind(path: Path) -> str | None:
    """Return what sort of pickle the file is, or None where it is none that needs a grant."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in _COMPRESSIONS:
        suffixes.pop()
    suffix = suffixes[-1] if suffixes else ""
    if suffix in _PICKLE_SUFFIXES:
        return f"a {suffix} file"
    head, size = _head(path)
    if _starts_as_pickle(head) and not _is_harmless(suffix, head, size):
        return "a pickle by its first bytes"
    return "a torch tar" if head[257:262] == b"ustar" and _is_torch_tar(path) else None


def _head(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            return file.read(262), path.stat().st_size
    except OSError as error:
        raise WeightsError(f"{path} cannot be read", got=str(error), blame="the permissions or the disk") from error


def _starts_as_pickle(head: bytes) -> bool:
    return len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5


def _is_harmless(suffix: str, head: bytes, size: int) -> bool:
    if suffix in _TORCH_SUFFIXES:
        return head.startswith(_TORCH_LEGACY)
    # A safetensors file begins with the length of its header as 8 bytes, little-endian: 640 reads 80 02 00 ...
    header = int.from_bytes(head[:8], "little")
    return suffix == ".safetensors" and head[8:9] == b"{" and header <= size - 8


def _is_torch_tar(path: Path) -> bool:
    try:
        with tarfile.open(path) as archive:
            return any(name.removeprefix("./") == "pickle" for name in archive.getnames())
    except (tarfile.TarError, OSError):
        return False
