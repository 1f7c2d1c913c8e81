"""What a new plugin may be called."""

from __future__ import annotations

import keyword
import re
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version

from metier_contracts import InputError

from metier.environments.environment import normalized
from metier.plugins.discovery import discover

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Names:
    """What is derived from the name of a distribution, which is that of its plugin and of its first model too."""

    distribution: str

    @property
    def module(self) -> str:
        """The top package, such as acme_shout."""
        return self.distribution.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable of a key, such as ACME_SHOUT_API_KEY."""
        return f"{self.module.upper()}_API_KEY"


def check_name(name: str) -> Names:
    """Return the names of a new plugin.

    Raises:
        InputError: it is no name for a distribution and a module, or something that is installed has it already.
    """
    if not _NAME.fullmatch(name) or len(name) > _LONGEST:
        wanted = f"lower-case letters and digits in words joined by -, at most {_LONGEST}, such as acme-shout"
        raise _refused(name, wanted, "it", _repaired(name))
    names = Names(name)
    if keyword.iskeyword(names.module) or names.module in sys.stdlib_module_names:
        raise _refused(name, "a name whose module is neither a keyword of Python nor of its library", "it is one")
    if owner := _owner(names):
        raise _refused(name, "a name that nothing installed has", owner)
    return names


def _repaired(name: str) -> str | None:
    repaired = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-0123456789")[:_LONGEST].rstrip("-")
    return f"metier plugin new {repaired}" if _NAME.fullmatch(repaired) else None


def _owner(names: Names) -> str | None:
    """Return what has the name already, if that is not the plugin to be made, which may be written again."""
    packages = packages_distributions().get(names.module, ())
    if others := [package for package in packages if normalized(package) != names.distribution]:
        return f"the module {names.module} of {others[0]}"
    records = discover()
    if any(normalized(record.package) == record.name == names.distribution for record in records):
        return None
    if (found := _version(names.distribution)) is not None:
        return f"{names.distribution} {found}"
    for record in records:
        if record.name == names.distribution:
            return f"a plugin of {record.package} {record.version}"
        if record.manifest is not None and any(card.id == names.distribution for card in record.manifest.models):
            return f"a model of {record.package} {record.version}"
    return None


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _refused(name: str, expected: str, got: str, hint: str | None = None) -> InputError:
    return InputError(
        f"a plugin cannot be called {name!r}",
        expected=expected,
        got=repr(name) if got == "it" else got,
        blame="NAME",
        hint=hint or "choose another name, such as acme-NAME with your own name for acme",
    )
