"""Licences of models, as SPDX expressions, and whether a list of names allows one.

SPDX does not say of a licence whether it forbids commercial use, so nothing is told by what a licence forbids: what is
allowed is listed, and whatever is not on the list (CC-BY-NC-4.0, "research only", a vendor's own terms) must be named.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

COMMERCIAL = "commercial"
PERMISSIVE = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC-BY-4.0",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "PSF-2.0",
        "Unlicense",
        "Zlib",
    }
)
"""The SPDX ids that "commercial" stands for: they allow commercial use and ask for no more than a notice."""

_TOKEN = re.compile(r"[()]|[^\s()]+")


def is_allowed(licence: str, names: Collection[str]) -> bool:
    """Tell whether a licence, or SPDX expression of licences, is among those named; case does not matter.

    "commercial" among the names stands for `PERMISSIVE`. Of `A AND B` both must be named, of `A OR B` one; an exception
    (`A WITH B`) adds permissions to those of A. What is no SPDX expression must be named as it stands.
    """
    named = {name.casefold() for name in names}
    if COMMERCIAL in named:
        named |= {name.casefold() for name in PERMISSIVE}
    if licence.casefold() in named:
        return True
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        expression = canonicalize_license_expression(licence)
    except InvalidLicenseExpression:
        return False
    return _Expression(expression, named).holds()


class _Expression:
    """Evaluates an expression that is known to be sound: OR over AND over licences and parentheses."""

    def __init__(self, expression: str, named: Collection[str]) -> None:
        self._tokens: Iterator[str] = iter(_TOKEN.findall(expression))
        self._named = named
        self._next = next(self._tokens, "")

    def holds(self) -> bool:
        return self._joined()

    def _take(self) -> str:
        token, self._next = self._next, next(self._tokens, "")
        return token

    def _joined(self) -> bool:
        alternatives = [self._all_of()]
        while self._next == "OR":
            self._take()
            alternatives.append(self._all_of())
        return any(alternatives)

    def _all_of(self) -> bool:
        parts = [self._one()]
        while self._next == "AND":
            self._take()
            parts.append(self._one())
        return all(parts)

    def _one(self) -> bool:
        token = self._take()
        if token == "(":  # noqa: S105
            inner = self._joined()
            self._take()
            return inner
        named = token.casefold() in self._named or token.removesuffix("+").casefold() in self._named
        if self._next == "WITH":
            self._take()
            named = f"{token} WITH {self._take()}".casefold() in self._named or named
        return named
