"""Checked text fields."""

from typing import Annotated

from pydantic import AfterValidator


def _not_blank(text: str) -> str:
    if not text or text.isspace():
        raise ValueError("a text with at least one visible character")
    return text


Text = Annotated[str, AfterValidator(_not_blank)]
"""A str that holds more than white space."""
