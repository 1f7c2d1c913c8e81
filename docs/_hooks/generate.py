"""A MkDocs hook: writes into the pages what the code itself knows, so that nobody copies it by hand.

A page asks for it by the comment `<!-- generate: NAME ARGUMENTS -->`, where NAME is a key of `GENERATORS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from api import api
from command_line import command_line
from folders import claims, decisions, evaluations, figures
from manifest import manifest_schema
from tables import card_fields, checks, error_tree, estimate_rule, prices, settings, task_table

GENERATORS: dict[str, Callable[..., str]] = {
    "api": api,
    "card-fields": card_fields,
    "checks": checks,
    "claims": claims,
    "command-line": command_line,
    "decisions": decisions,
    "error-tree": error_tree,
    "estimate-rule": estimate_rule,
    "evaluations": evaluations,
    "figures": figures,
    "manifest-schema": manifest_schema,
    "prices": prices,
    "settings": settings,
    "task-table": task_table,
}
MARK = re.compile(r"<!-- generate: (\S+)\s*(.*?)\s*-->", re.DOTALL)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace each mark of a page; MkDocs calls this."""
    return MARK.sub(lambda mark: GENERATORS[mark[1]](*mark[2].split()), markdown)
