import re

import metier_contracts
from metier_contracts import MetierError

_LINE = re.compile(r"(?P<indent>[│ ]*)(?:[├└]── )?(?P<name>[A-Z]\w+)")


def subclasses(kind, parent=Exception):
    """Return `kind` and the classes below it, each with its parent in the tree."""
    found = {kind.__name__: parent.__name__}
    for child in kind.__subclasses__():
        if child.__module__.startswith("metier"):
            found |= subclasses(child, kind)
    return found


def drawn(tree):
    """Return each class of the drawing with its parent."""
    above, found = [], {}
    for line in tree.splitlines():
        if match := _LINE.match(line):
            depth = (match.start("name")) // 4
            above[depth:] = [match["name"]]
            found[match["name"]] = above[depth - 1] if depth else "Exception"
    return found


def test_the_drawing_is_the_tree_of_classes(expand):
    page = expand("<!-- generate: error-tree -->")
    assert drawn(page) == subclasses(MetierError)


def test_each_error_has_its_row(root):
    rows = re.findall(r"^\| `(\w+)` \|", (root / "docs/errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(subclasses(MetierError).keys() - {"MetierError"})


def test_each_error_is_exported():
    assert subclasses(MetierError).keys() <= set(metier_contracts.__all__)
