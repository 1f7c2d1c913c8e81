"""Checked text fields."""

from typing import Annotated

from pydantic import AfterValidator

from metier_contracts.refusal import Refusal


def _not_blank(text: str) -> str:
    if not text or text.isspace():
        raise Refusal("a text with at least one visible character")
    if not text.isascii():  # which costs nothing, and most texts are
        _check_unicode(text)
    return text


def _check_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Refusal(
            "a text of valid Unicode",
            f"half a surrogate pair at index {error.start}",
            hint="read the file as UTF-8, or replace what is broken: text.encode(errors='replace').decode()",
        ) from None


Text = Annotated[str, AfterValidator(_not_blank)]
"""A str that holds more than white space."""
