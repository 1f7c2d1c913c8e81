"""Make the environment of a distribution, whole or not at all, and remove it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

from metier_contracts import PluginError, StorageError

from metier.environments import installer
from metier.environments.environment import (
    Environment,
    environments,
    file_of,
    normalized,
    plugin_points,
    python_of,
)
from metier.environments.holding import discard
from metier.environments.installer import Report
from metier.environments.origin import requirement_of
from metier.paths import environments_folder
from metier.plugins.discovery import PluginRecord, inspect_entry_point
from metier.weights.lock import locked

_OURS = "metier"
_PARTIAL = ".partial"
_NAMED = re.compile(r"\s*([A-Za-z0-9](?:[\w.-]*\w)?)\s*(?:[\[@=<>!~;].*)?")
_ARCHIVES = (".whl", ".zip", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz")
_OWN_EXTRAS = re.compile(rf"{_OURS}\s*(\[[^\]]*\])?")


def make_environment(requirement: str, report: Report) -> Environment:
    """Make an environment with metier, as it is here, and what is required, in the place of one it may have had.

    Args:
        requirement: what pip takes: a name, with a version or extras; a wheel, a folder or a URL.
        report: gets each line that the installer prints.

    Raises:
        PluginError: it cannot be installed, or has no plugin that works there. Nothing is left of it.
        StorageError: the folder of environments cannot be written.
    """
    requirement = _from_anywhere(requirement)
    with _alone() as home:
        _sweep(home)
        # In its last place from the start: the scripts in an environment name it. It counts once its file is there.
        folder = Path(tempfile.mkdtemp(prefix=f"{_stem(requirement)}-", dir=home))
        try:
            venv.EnvBuilder(symlinks=os.name != "nt").create(folder)
            installer.install(_requirements(requirement), python_of(folder), report)
            made = _described(requirement, folder)
            _write(made)
        finally:
            _sweep(home)
        return made


def remove_environment(package: str) -> bool:
    """Remove the environment of a package; return whether there was one.

    Raises:
        StorageError: the folder of environments cannot be written.
    """
    if not environments_folder().exists():
        return False
    with _alone() as home:
        found = file_of(package).exists()
        file_of(package).unlink(missing_ok=True)
        _sweep(home)
    return found


@contextmanager
def _alone() -> Iterator[Path]:
    """Yield the folder of environments, while no other install or uninstall is at work there."""
    home = environments_folder()
    try:
        with locked(home / ".lock"):
            yield home
    except (OSError, NotImplementedError) as error:  # the latter is filelock's word for a file system without locks
        raise StorageError(
            "the folder of environments cannot be written",
            expected="a folder of your own, on a disk with room",
            got=str(error),
            blame=str(home),
            hint="mend that, or name another folder with the variable METIER_DATA",
        ) from error


def _sweep(home: Path) -> None:
    """Remove what no file tells of: of installs that failed or were killed, of replaced ones and removed ones."""
    kept = {found.folder for found in environments() if isinstance(found, Environment)}
    for path in home.iterdir():
        if path.suffix == _PARTIAL:
            path.unlink()
        elif path.is_dir() and path not in kept:
            discard(path)


def _from_anywhere(requirement: str) -> str:
    """Return a requirement that means the same in another working directory: what it says of a path, in full."""
    path, bracket, extras = requirement.partition("[")
    is_path = os.sep in path or path.startswith(".") or path.endswith(_ARCHIVES)
    return f"{Path(path).absolute()}{bracket}{extras}" if is_path and Path(path).exists() else requirement


def _stem(requirement: str) -> str:
    return re.split(r"\W", requirement.rstrip("/").rpartition("/")[2])[0][:40] or "plugin"


def _requirements(requirement: str) -> list[str]:
    own = _OWN_EXTRAS.fullmatch(requirement.strip())
    return [metier_requirement(own[1] or "")] if own else [metier_requirement(), requirement]


def metier_requirement(extras: str = "") -> str:
    """Return what installs metier as it is installed here, an editable checkout as one."""
    return requirement_of(distribution(_OURS), extras, editable=True)


def _described(requirement: str, folder: Path) -> Environment:
    asked = [str(python_of(folder)), "-I", "-c", "import json, sys; print(json.dumps(sys.path))"]
    path = json.loads(subprocess.run(asked, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout)
    there = list(distributions(path=path))
    ours = next(one for one in there if normalized(one.name) == _OURS)
    chosen = next((one for one in there if one is not ours and _is_asked_for(one, requirement)), ours)
    blank = Environment(
        package=normalized(chosen.name),
        requirement=requirement,
        plugins=(),
        folder=folder,
        path=path,
        metier=ours.version,
    )
    return blank.replaced(plugins=_working(chosen, blank))


def _is_asked_for(distribution: Distribution, requirement: str) -> bool:
    named = _NAMED.fullmatch(requirement)
    if named is None or requirement.endswith(_ARCHIVES):
        return distribution.read_text("direct_url.json") is not None
    return normalized(distribution.name) == normalized(named[1])


def _working(chosen: Distribution, environment: Environment) -> tuple[str, ...]:
    records = [inspect_entry_point(point, environment) for point in plugin_points(chosen)]
    names = tuple(record.name for record in records if record.state == "ready")
    if not names:
        raise PluginError(
            f"{chosen.name} {chosen.version} has no plugin that works in an environment of its own",
            expected="an entry point in the group metier.plugins, with a manifest that fits this metier",
            got="; ".join(f"{record.name}: {record.cause}" for record in records) or "no such entry point",
            blame=f"{chosen.name} {chosen.version}",
            hint=_hint(records),
        )
    return names


def _hint(records: list[PluginRecord]) -> str:
    for record in records:
        if record.state == "available" and record.manifest is not None:
            return f'metier plugin install "{record.package}[{record.manifest.extra}]" --isolated'
    return "install another version of it, or tell its authors"


def _write(environment: Environment) -> None:
    file = file_of(environment.package)
    partial = file.with_suffix(_PARTIAL)
    partial.write_text(environment.to_json(), encoding="utf-8")
    partial.replace(file)
