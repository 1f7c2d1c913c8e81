"""`hf:` sources: files of a Hugging Face repository at a pinned commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from metier_contracts.card import ModelCard
from metier_contracts.errors import WeightsError

from metier.weights.checksum import WEIGHT_SUFFIXES, card_digests, checksum_error, sha256_of
from metier.weights.folder import Record
from metier.weights.hub_errors import hub_errors
from metier.weights.progress import ProgressCallback
from metier.weights.source import HubSource, blame, is_inside, listed_files, suffix_of
from metier.weights.transfer import transfer

# Data alone: torch checkpoints and the like come only if the card's table names them. transformers runs chat templates
# (.jinja) in a sandbox.
_DATA_SUFFIXES = WEIGHT_SUFFIXES | {".json", ".txt", ".model", ".jinja"}


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of the repository: its size in bytes, and its sha256 where the Hub keeps one (large files)."""

    name: str
    size: int
    sha256: str | None


def pull_hub(card: ModelCard, source: HubSource, folder: Path, progress: ProgressCallback) -> Record:
    """Bring the card's files into `folder`, going on from what an interrupted pull has left there.

    huggingface_hub lists the repository, authenticates, and opens the requests. The bytes are written here, since its
    own downloads start over after an interruption: each process writes to a temporary file of its own.
    """
    _require_hub(card)
    with hub_errors(card, source):
        files = choose(card, source, list_files(source))
    digests = _expected(card, source, files)
    total, done, found = sum(file.size for file in files), 0, {}
    for file in files:
        report = _offset(progress, done, total)
        found[file.name] = _bring(card, source, file.name, folder, (file.size, digests.get(file.name)), report)
        done += file.size
    return Record(str(card.source), source.revision, None, found, total)


def _require_hub(card: ModelCard) -> None:
    """Raise `WeightsError` beside a huggingface_hub that plugins can bear and this module cannot."""
    from huggingface_hub import __version__

    if int(__version__.partition(".")[0]) < 1:
        raise WeightsError(
            f"the weights of {card.id} cannot be fetched with this huggingface_hub",
            expected="huggingface_hub 1.0 or later",
            got=__version__,
            blame="the environment: transformers 4, for one, needs an older one",
            hint="pip install --upgrade huggingface_hub, and give the plugin that needs the older one an environment "
            "of its own: metier plugin install DIST --isolated",
        )


def list_files(source: HubSource) -> list[HubFile]:
    """Return every file of the repository at the commit."""
    from huggingface_hub import HfApi
    from huggingface_hub.hf_api import RepoFile

    tree = HfApi(library_name="metier").list_repo_tree(source.repository, recursive=True, revision=source.revision)
    entries = [entry for entry in tree if isinstance(entry, RepoFile)]
    return [
        HubFile(entry.path, entry.lfs.size, entry.lfs.sha256) if entry.lfs else HubFile(entry.path, entry.size, None)
        for entry in entries
    ]


def choose(card: ModelCard, source: HubSource, files: Sequence[HubFile]) -> list[HubFile]:
    """Return the files to fetch: those in the card's table, or without a table those that are data alone.

    Raises `WeightsError` where a listed file is missing, or where no table is given and no weights are in safetensors
    or GGUF.
    """
    table = listed_files(card)
    chosen = [file for file in files if is_inside(file.name) and _is_wanted(file.name, table)]
    names = {file.name for file in chosen}
    if table is not None and (missing := table.keys() - names):
        raise _absent(card, source, ", ".join(sorted(missing)), files, "correct the names in `sha256` on the card")
    if table is None and not any(suffix_of(name) in WEIGHT_SUFFIXES for name in names):
        hint = "if you want another format, name its files in a `sha256` table on the card"
        raise _absent(card, source, "weights in safetensors or GGUF", files, hint)
    return chosen


def _is_wanted(name: str, table: dict[str, str] | None) -> bool:
    return suffix_of(name) in _DATA_SUFFIXES if table is None else name in table


def _absent(card: ModelCard, source: HubSource, expected: str, files: Sequence[HubFile], hint: str) -> WeightsError:
    names = sorted(file.name for file in files)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return WeightsError(
        f"{source.repository} at {source.revision[:12]} does not hold the weights of {card.id}",
        expected=expected,
        got=", ".join(names[:8]) + more or "no files",
        blame=blame(card),
        hint=hint,
    )


def _expected(card: ModelCard, source: HubSource, files: Sequence[HubFile]) -> dict[str, str]:
    """Return the digests known beforehand; raise `ChecksumError` where the card and the Hub differ on one."""
    listed = {file.name: file.sha256 for file in files if file.sha256 is not None}
    stated = card_digests(card, [file.name for file in files])
    for name, digest in stated.items():
        if digest != listed.get(name, digest):
            raise checksum_error(card, f"{source.repository}/{name}", digest, f"sha256 {listed[name]}")
    return listed | stated


def _offset(progress: ProgressCallback, before: int, total: int) -> Callable[[int], None]:
    return lambda size: progress(before + size, total)


def _bring(
    card: ModelCard,
    source: HubSource,
    name: str,
    folder: Path,
    size_and_digest: tuple[int, str | None],
    report: Callable[[int], None],
) -> str:
    """Bring one file into the folder and return its sha256."""
    size, expected = size_and_digest
    path = folder / name
    if expected is None:
        # Nothing would tell whether what an interrupted pull left is sound; such files are small.
        path.unlink(missing_ok=True)
    with hub_errors(card, source):
        transfer(source, name, path, size, report)
    got = sha256_of(path)
    if expected not in (None, got):
        path.unlink()
        raise checksum_error(card, f"{source.repository}/{name}", str(expected), f"sha256 {got}")
    return got
