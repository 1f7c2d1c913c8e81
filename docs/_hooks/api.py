"""The reference: signatures, fields and docstrings, read from the source."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from importlib import import_module
from typing import Any, get_overloads

Function = ast.FunctionDef | ast.AsyncFunctionDef

_SECTION = re.compile(r"(Args|Raises|Returns|Yields):")
_ITEM = re.compile(r" {4}(\S[^:]*): (.*)")


def api(module: str, *names: str) -> str:
    """Return an entry for each of the module's names."""
    return "\n\n".join(_entry(name, getattr(import_module(module), name)) for name in names)


def _entry(name: str, thing: Any) -> str:
    if not inspect.isclass(thing):
        return "\n\n".join([f"### {name}", _signatures(thing), prose(thing)])
    node = ast.parse(_source(thing)).body[0]
    return "\n\n".join([f"### {name}", _class(node), prose(thing), *_methods(name, node, thing)])


def _source(thing: Any) -> str:
    return textwrap.dedent(inspect.getsource(thing))


def _class(node: Any) -> str:
    bases = f"({', '.join(map(ast.unparse, node.bases))})" if node.bases else ""
    fields = [statement for statement in node.body if isinstance(statement, ast.AnnAssign)]
    shown = [ast.unparse(field) for field in fields if not ast.unparse(field.target).startswith("_")]
    return _python("\n    ".join([f"class {node.name}{bases}:", *(shown or ["..."])]))


def _methods(owner: str, node: Any, thing: Any) -> list[str]:
    """Return an entry for each public method, however many overloads it has."""
    names = dict.fromkeys(item.name for item in node.body if isinstance(item, Function))
    return [_method(owner, name, inspect.getattr_static(thing, name)) for name in names if not name.startswith("_")]


def _method(owner: str, name: str, method: Any) -> str:
    function = getattr(method, "fget", None) or getattr(method, "func", None) or getattr(method, "__func__", method)
    return "\n\n".join([f"#### {owner}.{name}", _signatures(function), prose(function)])


def _signatures(function: Any) -> str:
    return _python("\n".join(map(_signature, get_overloads(function) or [function])))


def _signature(function: Any) -> str:
    """Return a function's source up to its body, with those decorators that change how it is called."""
    source = _source(function)
    node: Any = ast.parse(source).body[0]
    marks = [f"@{mark}\n" for mark in map(ast.unparse, node.decorator_list) if mark in ("property", "classmethod")]
    lines = source.splitlines()
    first, column = node.body[0].lineno, node.body[0].col_offset
    head = "\n".join([*lines[node.lineno - 1 : first - 1], lines[first - 1][:column]]).rstrip()
    return f"{''.join(marks)}{head} ..."


def _python(code: str) -> str:
    return f"```python\n{code}\n```"


def prose(thing: Any) -> str:
    """Return a docstring as Markdown: its sections become lists."""
    lines: list[str] = []
    section = False
    for line in (inspect.getdoc(thing) or "").splitlines():
        if title := _SECTION.fullmatch(line):
            section = True
            lines += [f"**{title[1]}**", ""]
        elif section and (item := _ITEM.fullmatch(line)):
            lines.append(f"- `{item[1]}`: {item[2]}")
        else:
            lines.append(line.strip() if section else line)
    return "\n".join(lines)
