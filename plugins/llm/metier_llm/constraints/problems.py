"""What keeps a JSON Schema from being served."""

from __future__ import annotations

from metier_contracts import InputError, UnsupportedError

_BLAME = "the request, in its JSON Schema"


def unsupported(keyword: str, expected: str, got: str | None = None) -> UnsupportedError:
    """Return the error of a keyword that is used in a way that no text can be steered by."""
    return UnsupportedError(
        f"The JSON Schema uses `{keyword}` in a way that text cannot be held to while it is written.",
        expected=expected,
        got=got,
        blame=_BLAME,
        hint=f"Say the same without this `{keyword}`, or ask without a schema and check the text afterwards.",
    )


def unsatisfiable() -> InputError:
    """Return the error of a schema that no JSON is valid against."""
    return InputError(
        "No JSON can be valid against the JSON Schema.",
        expected="a schema that at least one value fits",
        got="keywords that exclude one another",
        blame=_BLAME,
        hint="Validate a value that you would accept: the validator's message names the keyword that refuses it.",
    )


def too_long(least: int, most: int) -> InputError:
    """Return the error of a schema whose shortest text may need more tokens than the request allows."""
    return InputError(
        "No text that is valid against the JSON Schema is sure to fit into max_tokens.",
        expected=f"max_tokens >= {least}",
        got=str(most),
        blame="the request, in its sampling",
        hint=f"Set max_tokens to {least} or more, or shorten what the schema requires.",
    )
