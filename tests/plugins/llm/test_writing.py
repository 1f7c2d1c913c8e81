"""Text as it comes, and its end at a stop string."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from metier_llm.writing import Writer

TEXT = "Ça alors! 🙂🙃 The end is near.\n\nThe end."


def write(tokenizer: Any, text: str, stops: tuple[str, ...] = ()) -> tuple[Writer, list[str]]:
    """Write the text token by token; return the writer and what was sure after each."""
    writer, sure = Writer(tokenizer.backend_tokenizer, stops), []
    for token in tokenizer.encode(text, add_special_tokens=False):
        writer.write(token)
        sure.append(writer.sure)
        if writer.stopped:
            break
    return writer, sure


def test_the_text_comes_whole(tokenizer: Any) -> None:
    writer, sure = write(tokenizer, TEXT)
    assert writer.text == writer.sure == TEXT
    assert all(TEXT.startswith(text) for text in sure)
    assert "\ufffd" not in "".join(sure)


def test_special_tokens_are_not_shown(tokenizer: Any) -> None:
    assert write(tokenizer, "Hello<|im_end|>")[0].text == "Hello"


@pytest.mark.parametrize(
    ("stops", "left"),
    [
        (("The end",), "Ça alors! 🙂🙃 "),
        (("near", "end"), "Ça alors! 🙂🙃 The "),
        (("🙃",), "Ça alors! 🙂"),
        (("\n\n",), "Ça alors! 🙂🙃 The end is near."),
        (("Ç",), ""),
    ],
)
def test_the_first_stop_string_cuts_the_text(tokenizer: Any, stops: tuple[str, ...], left: str) -> None:
    writer, sure = write(tokenizer, TEXT, stops)
    assert writer.stopped
    assert writer.text == writer.sure == left
    assert all(left.startswith(text) for text in sure)


def test_what_might_begin_a_stop_string_waits(tokenizer: Any) -> None:
    writer, _ = write(tokenizer, "one two thr", ("three",))
    assert (writer.sure, writer.text) == ("one two ", "one two thr")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text("ab🙂 ", max_size=24), stops=st.lists(st.text("ab🙂 ", min_size=1, max_size=4), max_size=3))
def test_no_text_that_was_sure_is_taken_back(tokenizer: Any, text: str, stops: list[str]) -> None:
    writer, sure = write(tokenizer, text, tuple(stops))
    for earlier, later in pairwise([*sure, writer.text]):
        assert later.startswith(earlier)
    assert not any(stop in writer.text for stop in stops)
    assert text.startswith(writer.text)
    assert writer.stopped == any(stop in text for stop in stops)
