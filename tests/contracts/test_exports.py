"""What `metier_contracts` exports: one sorted list, complete, and described."""

import ast
import inspect
from pathlib import Path

import metier_contracts
import pytest

SOURCE = Path(metier_contracts.__file__)


def _imported() -> set[str]:
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    return {name.asname or name.name for node in tree.body if isinstance(node, ast.ImportFrom) for name in node.names}


def _order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, as ruff sorts them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)


def test_all_is_what_is_imported() -> None:
    assert set(metier_contracts.__all__) == _imported()


def test_all_is_sorted_without_repetition() -> None:
    assert metier_contracts.__all__ == sorted(set(metier_contracts.__all__), key=_order)


@pytest.mark.parametrize("name", metier_contracts.__all__)
def test_every_exported_class_and_function_is_described(name: str) -> None:
    value = getattr(metier_contracts, name)
    if isinstance(value, type) or inspect.isfunction(value):
        assert value.__doc__
        assert not value.__doc__.startswith("Usage docs")  # pydantic's own


def test_the_package_says_that_it_is_typed() -> None:
    assert (SOURCE.parent / "py.typed").exists()


@pytest.mark.parametrize("path", sorted(SOURCE.parent.rglob("*.py")), ids=lambda path: path.stem)
def test_every_module_is_described(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
