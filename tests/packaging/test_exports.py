"""What the packages export is what the reference lists, and each name has a docstring."""

import inspect
import re
from importlib import import_module

import pytest

MODULES = ["metier", "metier.testing", "metier_contracts", "metier_contracts.authoring"]


@pytest.fixture(params=MODULES)
def module(request):
    return import_module(request.param)


def listed(page):
    """Return the names that a page of the reference lists: in its marks, and as headings of its own."""
    marks = re.findall(r"<!-- generate: api \S+(.*?)-->", page, re.DOTALL)
    return [*" ".join(marks).split(), *re.findall(r"^### (\w+)$", page, re.MULTILINE)]


def test_the_reference_lists_what_is_exported(module, root):
    page = (root / f"docs/reference/{module.__name__}.md").read_text(encoding="utf-8")
    assert sorted(listed(page)) == sorted(module.__all__)


def test_exports_are_importable(module):
    assert len(module.__all__) == len(set(module.__all__))
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_dir_shows_what_is_exported(module):
    assert set(module.__all__) <= set(dir(module))


def test_each_class_and_function_has_its_own_docstring(module):
    things = {name: getattr(module, name) for name in module.__all__}
    kinds = {name: thing for name, thing in things.items() if inspect.isclass(thing) or inspect.isfunction(thing)}
    assert [name for name, thing in kinds.items() if not vars(thing).get("__doc__", thing.__doc__)] == []
