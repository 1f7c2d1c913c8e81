"""`Report`: what the kit found, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from metier_contracts import PluginError

from metier.testing.catalogue import CHECKS
from metier.testing.check import Kind

Status = Literal["passed", "failed", "warned", "waived", "skipped"]

_BY_ID = {check.id: check for check in CHECKS}
_MARKS: dict[str, str] = {
    "passed": "passed",
    "failed": "**failed**",
    "warned": "warning",
    "waived": "waived",
    "skipped": "not applicable",
}


@dataclass(frozen=True)
class Result:
    """How one check ended.

    `model`: the id of the model that it looked at, None where it looked at the plugin. `detail`: what came instead of
    what the check wants, or why it was skipped. `reason`: why the plugin waives the check, None where it does not.
    `blocked`: it was skipped because one that it needs did not pass.
    """

    check: str
    plugin: str
    model: str | None
    status: Status
    detail: str = ""
    reason: str | None = None
    seconds: float = 0.0
    blocked: bool = False

    def __str__(self) -> str:
        check = _BY_ID[self.check]
        lines = [f"{self.check} {self.status} ({self.model or self.plugin}): {self.detail}"]
        return "\n".join([*lines, f"  wants: {check.wants}", f"  mend:  {check.mend}"])


@dataclass(frozen=True)
class Report:
    """What the kit found in a plugin or a distribution.

    `contract`: the version of the contract, and so of the kit. `notes`: what is no failure, such as an override that
    nothing needs. `strict`: whether a warning or a note counts as a failure.
    """

    package: str
    version: str
    contract: str
    metier: str
    results: Sequence[Result]
    notes: Sequence[str] = ()
    strict: bool = False

    @property
    def failures(self) -> list[Result]:
        """The checks that failed."""
        return [result for result in self.results if result.status == "failed"]

    @property
    def ok(self) -> bool:
        """Whether the plugin conforms: no check failed, and where strict, there is nothing to note."""
        return not self.failures and not (self.strict and self.notes)

    def of(self, check: str) -> list[Result]:
        """Return the results of one check, one for each model that it looked at."""
        return [result for result in self.results if result.check == check]

    def raise_for_failures(self) -> None:
        """Raise `PluginError` where the plugin does not conform; its text holds each failure and how to mend it."""
        if self.ok:
            return
        raise PluginError(
            f"{self.package} {self.version} does not conform to the contract {self.contract}",
            got="\n".join([*map(str, self.failures), *(self.notes if self.strict else ())]),
            blame=f"{self.package} {self.version}",
            hint=f"mend what is named above; `metier plugin check {self.package}` checks again",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the report as JSON holds it, with what each check wants and how to mend it."""
        checks = {
            check.id: {"kind": check.kind, "wants": check.wants, "mend": check.mend, "advisory": check.advisory}
            for check in CHECKS
        }
        fields = {name: value for name, value in asdict(self).items() if name != "results"}
        results = [asdict(result) for result in self.results]
        return {**fields, "ok": self.ok, "checks": checks, "results": results}

    def to_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def to_markdown(self) -> str:
        """Return the report as Markdown, to paste into a README."""
        verdict = "conforms" if self.ok else "does **not** conform"
        lines = [
            f"`{self.package}` {self.version} {verdict} to the contract {self.contract} (metier {self.metier}).",
            "",
        ]
        kinds: tuple[Kind, ...] = ("functional", "non-functional")
        for kind in kinds:
            lines += [f"| {kind} check | outcome | |", "|---|---|---|"]
            lines += [_row(check.id, self.of(check.id)) for check in CHECKS if check.kind == kind]
            lines.append("")
        return "\n".join([*lines, *(f"- {note}" for note in self.notes)]).strip() + "\n"


def _row(check: str, results: Sequence[Result]) -> str:
    """Return the row of a check: the gravest outcome, and what is to say of it."""
    worst: Status = next(
        (status for status in _GRAVEST if any(result.status == status for result in results)), "skipped"
    )
    shown = [result for result in results if result.status == worst]
    models = len([result for result in results if result.status == "passed"])
    if worst == "passed":
        said = f"{models} models" if models > 1 else ""
    else:
        said = "; ".join(dict.fromkeys(f"{result.reason or result.detail}" for result in shown))
    mark = "not made" if any(result.blocked for result in shown) else _MARKS[worst]
    return f"| {check} | {mark} | {said.replace('|', '/').replace(chr(10), ' ')} |"


_GRAVEST: tuple[Status, ...] = ("failed", "waived", "warned", "passed", "skipped")
