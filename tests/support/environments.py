"""What a clean environment is to hold, from the libraries that are installed here: nothing is fetched.

To install torch takes over four minutes and 5.6 GB; to link its files takes seconds and no room.
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name


def lend(site: Path, requirements: Iterable[str], wheels: Sequence[Path] = ()) -> None:
    """Put into a folder of libraries what requirements need, directly and by way of one another, and nothing else.

    Args:
        site: the folder, of an environment of the same Python.
        requirements: such as `acme-shout[dev]`.
        wheels: distributions to be installed there, whose own requirements count and whose files are not put there.

    Raises:
        LookupError: a distribution that is needed is neither among the wheels nor installed here in such a version.
    """
    given = _by_name([str(wheel) for wheel in wheels])
    here = _by_name([sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    for name in _closure(requirements, {**here, **given}) - given.keys():
        _link(here[name], site)


def _by_name(path: list[str]) -> dict[NormalizedName, Distribution]:
    return {canonicalize_name(each.metadata["Name"]): each for each in distributions(path=path)}


def _closure(requirements: Iterable[str], known: Mapping[NormalizedName, Distribution]) -> set[NormalizedName]:
    """Return the names of all distributions that requirements lead to, on this machine and this Python."""
    todo = [Requirement(line) for line in requirements]
    seen: dict[NormalizedName, set[str]] = defaultdict(set)
    while todo:
        needed = todo.pop()
        name = canonicalize_name(needed.name)
        found = known.get(name)
        if found is None or not needed.specifier.contains(found.version, prereleases=True):
            raise LookupError(f"{needed} is needed, and {'not' if found is None else found.version} installed here")
        extras = {"", *needed.extras} - seen[name]
        seen[name] |= extras
        for each in map(Requirement, found.requires or ()):
            if any(each.marker is None or each.marker.evaluate({"extra": extra}) for extra in extras):
                todo.append(each)
    return set(seen)


def _link(distribution: Distribution, site: Path) -> None:
    """Link the files of a distribution, without its programs, which begin with the path of the Python they are for."""
    if distribution.files is None:
        raise LookupError(f"{distribution.metadata['Name']} does not say which files are its own")
    for file in distribution.files:
        source, target = Path(str(distribution.locate_file(file))), site / file
        if ".." in file.parts or not source.exists():  # compiled files come and go
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except FileExistsError:  # of another distribution as well
            continue
        except OSError:  # on another disk
            shutil.copy2(source, target)
