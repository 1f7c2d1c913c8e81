"""The .pth files of the environment: a line of one that begins with "import" is run whenever Python starts."""

from __future__ import annotations

import site
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution
from pathlib import Path
from textwrap import shorten

from metier_contracts import Contract

_SHOWN = 60  # characters of code: the whole is in --json


class PthFile(Contract):
    """A .pth file. `package`: the distribution that brought it, None where none says so. `code`: the lines it runs."""

    path: str
    package: str | None
    code: tuple[str, ...]

    def __str__(self) -> str:
        """Return it in a line."""
        code = shorten("; ".join(self.code), _SHOWN, placeholder=" ...")
        runs = f" runs at every start of Python: {code}" if code else " adds paths"
        return f"{self.path} ({self.package or 'of no package'}){runs}"


def pth_files(installed: Mapping[str, Distribution], folders: Sequence[Path] | None = None) -> list[PthFile]:
    """Return the .pth files that Python reads at its start.

    Args:
        installed: the distributions, to name who brought each.
        folders: where they lie; by default the site-packages of this environment and of the user.
    """
    places = _site_folders() if folders is None else folders
    paths = [path for folder in places if folder.is_dir() for path in sorted(folder.glob("*.pth"))]
    owners = _owners(installed.values(), {path.name for path in paths})
    return [PthFile(path=str(path), package=owners.get(path.name), code=_code(path)) for path in paths]


def _site_folders() -> list[Path]:
    user = [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    return [Path(folder) for folder in dict.fromkeys([*site.getsitepackages(), *user])]


def _owners(installed: Iterable[Distribution], names: set[str]) -> dict[str, str]:
    owners = {}
    for distribution in installed if names else ():
        record = distribution.read_text("RECORD") or ""
        for name in names:
            if f"\n{name}," in f"\n{record}":
                owners[name] = distribution.metadata["Name"]
    return owners


def _code(path: Path) -> tuple[str, ...]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(line.strip() for line in lines if line.startswith(("import ", "import\t")))
