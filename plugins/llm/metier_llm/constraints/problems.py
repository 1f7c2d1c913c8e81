"""What keeps a JSON Schema from being served."""

from __future__ import annotations

from metier_contracts import InputError, UnsupportedError


class Unsupported(UnsupportedError):
    """A keyword is used in a way that no text can be steered by."""

    def __init__(self, keyword: str, expected: str, got: str | None = None) -> None:
        super().__init__(
            f"The JSON Schema uses `{keyword}` in a way that text cannot be held to while it is written.",
            expected=expected,
            got=got,
            blame="the request, in its JSON Schema",
            hint=f"Say the same without this `{keyword}`, or ask without a schema and check the text afterwards.",
        )
        self.keyword = keyword


class Unsatisfiable(InputError):
    """No JSON is valid against the schema."""

    def __init__(self) -> None:
        super().__init__(
            "No JSON can be valid against the JSON Schema.",
            expected="a schema that at least one value fits",
            got="keywords that exclude one another",
            blame="the request, in its JSON Schema",
            hint="Validate a value that you would accept: the validator's message names the keyword that refuses it.",
        )


class TooLong(InputError):
    """The shortest text that is valid may need more tokens than the request allows."""

    def __init__(self, least: int, most: int) -> None:
        super().__init__(
            "No text that is valid against the JSON Schema is sure to fit into max_tokens.",
            expected=f"max_tokens >= {least}",
            got=str(most),
            blame="the request, in its sampling",
            hint=f"Set max_tokens to {least} or more, or shorten what the schema requires.",
        )
