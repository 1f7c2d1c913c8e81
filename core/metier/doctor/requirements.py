"""What the installed plugins require of other distributions, and where what is installed does not meet it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import Distribution, distributions

from metier_contracts import Contract
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from metier.plugins.discovery import PluginRecord


class Conflict(Contract):
    """A requirement of a plugin that the distribution installed does not meet.

    `path`: the distributions that lead to it, from the plugin's own. `requirement`: such as "numpy<2". `installed`: the
    version that is here, None where there is none. `others`: who asks for what of the same distribution, by plugin,
    which what is installed does meet: the other side.
    """

    plugin: str
    path: tuple[str, ...]
    requirement: str
    installed: str | None
    others: Mapping[str, str] = {}
    fix: str

    def __str__(self) -> str:
        """Return both sides in a line, and in a second one what to do."""
        others = "".join(f"; {plugin} needs {wanted}" for plugin, wanted in self.others.items())
        found = f"installed is {self.installed}" if self.installed else "it is not installed"
        return f"{self.plugin} ({' > '.join(self.path)}) needs {self.requirement}, {found}{others}\n  fix: {self.fix}"


def conflicts(records: Sequence[PluginRecord], installed: Mapping[str, Distribution] | None = None) -> list[Conflict]:
    """Return every requirement that is not met, of the plugins and of what they require, however far down.

    An extra of a plugin counts where the plugin is not merely available: then it is not installed on purpose.

    Args:
        records: the plugins.
        installed: distributions by normalized name; those of this environment by default.
    """
    environment = _Environment(installed_here() if installed is None else installed)
    wanted = {record.name: list(environment.walk(record)) for record in records if record.state != "available"}
    return [
        _conflict(plugin, each, environment, wanted)
        for plugin, found in wanted.items()
        for each in {each.requirement.name: each for each in found if not environment.meets(each.requirement)}.values()
    ]


def installed_here() -> dict[str, Distribution]:
    """Return the distributions of this environment; of two of a name the one nearer in sys.path, as for imports."""
    found: dict[str, Distribution] = {}
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(canonicalize_name(name), distribution)
    return found


@dataclass(frozen=True)
class _Wanted:
    path: tuple[str, ...]
    requirement: Requirement


@dataclass(frozen=True)
class _Environment:
    installed: Mapping[str, Distribution]
    _read: dict[str, list[Requirement]] = field(default_factory=dict)

    def walk(self, record: PluginRecord) -> Iterator[_Wanted]:
        """Yield all that a plugin requires: of its distribution, then of those that this requires, breadth first."""
        extra = record.manifest.extra if record.manifest is not None else None
        start = (f"{record.package} {record.version}",)
        waiting: list[tuple[tuple[str, ...], str, frozenset[str]]] = [
            (start, record.package, frozenset({extra} if extra else ()))
        ]
        seen = set()
        while waiting:
            path, name, extras = waiting.pop(0)
            if (canonicalize_name(name), extras) in seen:
                continue
            seen.add((canonicalize_name(name), extras))
            for requirement in self._required(name, extras):
                yield _Wanted(path, requirement)
                step = f"{requirement.name} {self.version(requirement.name)}"
                waiting.append(((*path, step), requirement.name, frozenset(requirement.extras)))

    def _required(self, name: str, extras: frozenset[str]) -> Iterator[Requirement]:
        for requirement in self._requirements(canonicalize_name(name)):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in (extras or {""})):
                yield requirement

    def _requirements(self, name: str) -> list[Requirement]:
        if name not in self._read:
            lines = self.installed[name].requires if name in self.installed else None
            self._read[name] = list(_parsed(lines or ()))
        return self._read[name]

    def version(self, name: str) -> str | None:
        """Return the version installed of a distribution."""
        distribution = self.installed.get(canonicalize_name(name))
        return None if distribution is None else distribution.version

    def meets(self, requirement: Requirement) -> bool:
        """Tell whether what is installed meets a requirement; a version that is none meets all."""
        version = self.version(requirement.name)
        try:
            return version is not None and requirement.specifier.contains(Version(version), prereleases=True)
        except InvalidVersion:
            return True


def _parsed(lines: Sequence[str]) -> Iterator[Requirement]:
    for line in lines:
        try:
            yield Requirement(line)
        except InvalidRequirement:  # pip could not have installed by it either
            continue


def _conflict(
    plugin: str, unmet: _Wanted, environment: _Environment, wanted: Mapping[str, Sequence[_Wanted]]
) -> Conflict:
    name = canonicalize_name(unmet.requirement.name)
    others = {
        other: _said(each.requirement)
        for other, found in wanted.items()
        for each in found
        if other != plugin and canonicalize_name(each.requirement.name) == name
        if each.requirement.specifier and environment.meets(each.requirement)
    }
    alone = f'pip install "{_said(unmet.requirement)}"'
    return Conflict(
        plugin=plugin,
        path=unmet.path,
        requirement=_said(unmet.requirement),
        installed=environment.version(name),
        others=others,
        fix="install a version that all of them take; where there is none, the plugins in environments of their own"
        if others
        else alone,
    )


def _said(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"
