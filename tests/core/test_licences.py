"""`metier.licences`: SPDX expressions against a list of names."""

from __future__ import annotations

import pytest
from metier.licences import is_allowed


@pytest.mark.parametrize(
    ("licence", "names", "allowed"),
    [
        ("MIT", ("commercial",), True),
        ("apache-2.0", ("commercial",), True),
        ("CC-BY-NC-4.0", ("commercial",), False),
        ("CC-BY-NC-SA-4.0", ("commercial",), False),
        ("GPL-3.0-only", ("commercial",), False),
        ("GPL-3.0-only", ("commercial", "gpl-3.0-only"), True),
        ("proprietary", ("commercial",), False),
        ("proprietary", ("commercial", "proprietary"), True),
        ("LicenseRef-Llama-3", ("commercial",), False),
        ("research only", ("commercial",), False),
        ("research only", ("Research Only",), True),
        ("MIT AND Apache-2.0", ("commercial",), True),
        ("MIT AND CC-BY-NC-4.0", ("commercial",), False),
        ("MIT OR CC-BY-NC-4.0", ("commercial",), True),
        ("MIT AND (Apache-2.0 OR CC-BY-NC-4.0)", ("commercial",), True),
        ("(MIT OR Apache-2.0) AND CC-BY-NC-4.0", ("commercial",), False),
        ("CC-BY-NC-4.0 OR MIT AND GPL-3.0-only", ("commercial",), False),
        ("CC-BY-NC-4.0 AND MIT OR Apache-2.0", ("commercial",), True),
        ("Apache-2.0 WITH LLVM-exception", ("commercial",), True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", ("MIT",), False),
        (
            "GPL-2.0-only WITH Classpath-exception-2.0 AND MIT",
            ("MIT", "GPL-2.0-only WITH Classpath-exception-2.0"),
            True,
        ),
        ("Apache-2.0, MIT", ("commercial",), False),
        ("(MIT", ("commercial",), False),
        ("", ("commercial",), False),
        ("MIT", (), False),
    ],
)
def test_an_expression_is_allowed_by_what_is_named(licence: str, names: tuple[str, ...], allowed: bool) -> None:
    assert is_allowed(licence, names) is allowed
