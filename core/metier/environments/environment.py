"""`Environment`: what is known of one, in a file beside it. Nothing in it runs to find that out."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

from metier_contracts import ConfigError, Contract, MetierError
from metier_contracts.hooks import ENTRY_POINT_GROUP

from metier.paths import environments_folder


class Environment(Contract):
    """A virtual environment that was made for one distribution with plugins.

    `package`: the distribution, by its normalized name. `requirement`: what was asked for. `plugins`: those that are
    used from here. `folder`: of the environment. `path`: what `sys.path` is in it. `metier`: the version that it has.
    """

    package: str
    requirement: str
    plugins: tuple[str, ...]
    folder: Path
    path: tuple[str, ...]
    metier: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return python_of(self.folder)

    @property
    def pip(self) -> str:
        """What stands for `pip` on a command line that means this environment."""
        return f"pip --python {shlex.quote(str(self.folder))}"

    @property
    def renewal(self) -> str:
        """The command line that makes it anew."""
        return f"metier plugin install {shlex.quote(self.requirement)} --isolated"

    @property
    def bare(self) -> str:
        """The command line that installs its distribution beside metier, without what that requires."""
        return f"pip install --no-deps {shlex.quote(self.requirement)}"

    def entry_points(self) -> dict[str, EntryPoint]:
        """Return the entry points of its plugins by name, as far as they are there.

        Whatever `importlib.metadata` raises for a damaged distribution comes as it is.
        """
        found = [point for one in self._distributions(self.package) for point in plugin_points(one)]
        return {point.name: point for point in found if point.name in self.plugins}

    def _distributions(self, name: str) -> Iterator[Distribution]:
        return (one for one in distributions(path=list(self.path)) if normalized(one.name) == name)

    def find_spec(self, module: str) -> ModuleSpec | None:
        """Return where a top-level module lies in it, as `importlib.util.find_spec` does here."""
        return PathFinder.find_spec(module, list(self.path))


def environments() -> list[Environment | ConfigError]:
    """Return the environments on this machine, by package; for a file that cannot be read, what is wrong with it."""
    return [_read(file) for file in sorted(environments_folder().glob("*.json"))]


def file_of(package: str) -> Path:
    """Return the file that tells of a package's environment; without it there is none, whatever folders lie there."""
    return environments_folder() / f"{normalized(package)}.json"


def python_of(folder: Path) -> Path:
    """Return the interpreter of the virtual environment in a folder."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def normalized(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def plugin_points(distribution: Distribution) -> list[EntryPoint]:
    """Return the entry points of a distribution's plugins."""
    return [point for point in distribution.entry_points if point.group == ENTRY_POINT_GROUP]


def _read(file: Path) -> Environment | ConfigError:
    try:
        return Environment.from_json(file.read_bytes())
    except (OSError, MetierError) as error:
        return ConfigError(
            f"the file of the environment of {file.stem} cannot be read",
            got=str(error),
            blame=str(file),
            hint=f"metier plugin uninstall {file.stem}",
        )
