"""Regular expressions and numbers: what they hold is what Python's `re` and comparison hold."""

from __future__ import annotations

import json
import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metier_llm.constraints.formats import FORMATS
from metier_llm.constraints.numbers import Numbers, all_but, integers, written
from metier_llm.constraints.patterns import matching, not_matching
from metier_llm.constraints.regexes import Piece, Regex, any_text, both, raw, repeat, string_of, texts, without

PATTERNS = [
    r"^\d{3}-\w+$",
    r"^(?=.*[A-Z])(?=.*\d)[A-Za-z\d]{8,12}$",
    r"foo|bar$",
    r"^[^\d\s]+$",
    r"^(?!admin)[a-z]{3,9}$",
    r"^[A-Z]{2}(-[0-9]{1,3})?$",
    r"[\"\\]",
    r"^.*\.(png|jpe?g)$",
    r"^\D+\S\W$",
    r"^$",
    "^é+$",
    r"^\x41\u00e9$",
    r"a{2}b*?c+",
]


def holds(regex: Regex, text: bytes) -> bool:
    for byte in text:
        regex = regex.after(byte)
    return regex.nullable


def drawn(regex: Regex, draws: Random) -> bytes:
    """Return one text of a set, at random."""
    text = bytearray()
    while not (regex.nullable and draws.random() < 0.3):
        masks = [mask for mask in regex.classes if regex.after(mask.bit_length() - 1).least() is not None]
        if not masks or len(text) > 30:
            break
        mask = draws.choice(masks)
        text.append(draws.choice([byte for byte in range(256) if mask >> byte & 1]))
        regex = regex.after(text[-1])
    return bytes(text) + regex.shortest()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_is_drawn_matches_or_does_not(pattern: str) -> None:
    draws = Random(3)
    for _ in range(20):
        assert re.search(pattern, json.loads(b'"' + drawn(matching(pattern), draws) + b'"'))
        assert not re.search(pattern, json.loads(b'"' + drawn(not_matching(pattern), draws) + b'"'))


@given(st.text(alphabet='ab01.- \n\\"é', max_size=8), st.sampled_from(PATTERNS))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_a_text_matches_where_re_finds_it(text: str, pattern: str) -> None:
    said = json.dumps(text, ensure_ascii=False)[1:-1].encode()
    found = re.search(pattern, text) is not None
    if holds(matching(pattern), said):
        assert found
    if holds(not_matching(pattern), said):
        assert not found
    if text.isascii() and "\n" not in text:
        assert holds(matching(pattern), said) is found


@pytest.mark.parametrize("name", FORMATS)
def test_formats_hold_their_shortest_text(name: str) -> None:
    regex = matching(f"^({FORMATS[name]})$")
    assert regex.least() == len(regex.shortest())
    assert re.fullmatch(FORMATS[name], regex.shortest().decode())


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(0, 4000))
@settings(max_examples=200, deadline=None, derandomize=True)
def test_integers_are_those_between(low: int, width: int, value: int) -> None:
    assert holds(integers(low, low + width), str(value).encode()) is (low <= value <= low + width)


@given(
    st.none() | st.floats(-50, 50).map(lambda value: round(value, 3)),
    st.none() | st.floats(0, 40).map(lambda value: round(value, 3)),
    st.booleans(),
    st.sampled_from([(True, True), (True, False), (False, True)]),
)
@settings(max_examples=120, deadline=None, derandomize=True)
def test_numbers_stay_within_their_bounds(
    low: float | None, width: float | None, strict: bool, kinds: tuple[bool, bool]
) -> None:
    high = None if width is None else round((low or 0) + width, 3)
    numbers = Numbers(whole=kinds[0], broken=kinds[1])
    if low is not None:
        numbers.at_least(low, strict=strict)
    if high is not None:
        numbers.at_most(high, strict=strict)
    regex = all_but(written(numbers, lambda value: True), [7, 0.5])
    if regex.least() is None:
        assert high is not None
        return
    draws = Random(5)
    for _ in range(5):
        value = json.loads(drawn(regex, draws))
        assert low is None or value > low or (value == low and not strict)
        assert high is None or value < high or (value == high and not strict)
        assert value not in (7, 0.5)
        assert kinds[1] or value == int(value)
        assert kinds[0] or value != int(value)


def test_the_shortest_text_that_several_parts_allow() -> None:
    regex = both(matching("[0-9]$"), matching("^x"), any_text(5, 9), without(string_of("xaaa0")))
    assert regex.least() == 5
    assert holds(regex, regex.shortest())
    assert both(matching("^a$"), matching("^b$")).least() is None


def test_all_texts_where_they_are_few() -> None:
    assert texts(repeat(raw(b"ab"), 1, 3), 5) == [b"ab", b"abab", b"ababab"]
    assert texts(any_text(), 50) is None


def test_pieces_begin_and_end_where_chunks_do() -> None:
    regex = Piece((b"one", b" ", b"two", b" ", b"three"))
    assert all(holds(regex, text) for text in (b"one", b"two three", b" "))
    assert not any(holds(regex, text) for text in (b"", b"on", b"wo", b"one three"))
