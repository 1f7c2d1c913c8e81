"""The errors: one tree, drawn in a docstring; each is exported, pickled whole, and laid out the same."""

import pickle
import re

import metier_contracts
import pytest
from metier_contracts import MetierError, errors

KINDS = {
    value.__name__: value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, MetierError)
}


def _drawn() -> dict[str, tuple[str | None, str | None]]:
    """Return {name: (parent, other base)} as the docstring draws it."""
    tree: dict[str, tuple[str | None, str | None]] = {}
    above: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.fullmatch(r"    ((?:[│ ]   )*)(?:[├└]── )?(\w+)(?: \(also (\w+)\))?(?:  .*)?", line)
        if match is None:
            continue
        branch = "── " in line.partition(match[2])[0]
        depth = len(match[1]) // 4 + branch
        del above[depth:]
        tree[match[2]] = (above[-1] if above else None, match[3])
        above.append(match[2])
    return tree


def test_the_drawing_is_the_tree() -> None:
    built = {}
    for name, kind in KINDS.items():
        first, *rest = kind.__bases__
        parent = None if kind is MetierError else first.__name__
        built[name] = (parent, rest[0].__name__ if rest else None)
    assert _drawn() == built


def test_the_drawing_is_in_the_order_of_the_code() -> None:
    assert list(_drawn()) == list(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_every_error_is_exported_and_described(name: str) -> None:
    assert name in metier_contracts.__all__
    assert getattr(metier_contracts, name) is KINDS[name]
    assert KINDS[name].__doc__


FULL = {"expected": "a cat", "got": "a dog", "blame": "the caller", "hint": "meow"}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickling_keeps_the_type_and_every_part(kind: type[MetierError], protocol: int) -> None:
    error = kind("wrong animal", **FULL)
    error.add_note("seen at the door")
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is kind
    assert str(again) == str(error)
    assert (again.summary, again.expected, again.got, again.blame, again.hint) == ("wrong animal", *FULL.values())
    assert again.args == error.args
    assert again.__notes__ == ["seen at the door"]


class PluginsOwnError(errors.InferenceError):
    """A subclass with a constructor of its own, as a plugin may have it."""

    def __init__(self, code: int) -> None:
        super().__init__(f"code {code}", hint="look it up")
        self.code = code


def test_pickling_keeps_a_subclass_with_another_constructor() -> None:
    again = pickle.loads(pickle.dumps(PluginsOwnError(7)))
    assert type(again) is PluginsOwnError
    assert (again.code, again.hint, str(again)) == (7, "look it up", "code 7\n  next: look it up")


def test_the_parts_are_laid_out_one_a_line() -> None:
    assert str(MetierError("wrong animal", **FULL)).splitlines() == [
        "wrong animal",
        "  expected: a cat",
        "  got: a dog",
        "  to blame: the caller",
        "  next: meow",
    ]


@pytest.mark.parametrize("part", FULL)
def test_an_absent_part_takes_no_line(part: str) -> None:
    text = str(MetierError("wrong animal", **{**FULL, part: None}))
    assert len(text.splitlines()) == 4
    assert FULL[part] not in text


def test_a_summary_alone_is_one_line() -> None:
    assert str(MetierError("wrong animal")) == "wrong animal"
    assert repr(MetierError("wrong animal")) == "MetierError('wrong animal')"


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.InputError, ValueError),
        (errors.UnknownTaskError, ValueError),
        (errors.PipelineTypeError, TypeError),
        (errors.DeadlineExceeded, TimeoutError),
    ],
)
def test_pythons_own_kind_catches_it(kind: type[MetierError], builtin: type[Exception]) -> None:
    with pytest.raises(builtin):
        raise kind("wrong animal")
