"""Contract versions: the form, and which plugin fits which host."""

import pytest
from metier_contracts import CONTRACT_VERSION
from metier_contracts._version import is_compatible, parse_contract_version


@pytest.mark.parametrize(
    ("text", "version"), [("1.0", (1, 0)), ("0.0", (0, 0)), ("1.10", (1, 10)), ("12.345", (12, 345))]
)
def test_a_version_is_major_and_minor(text: str, version: tuple[int, int]) -> None:
    assert parse_contract_version(text) == version


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.", ".1", "1.0.0", "v1.0", "1.0rc1", " 1.0", "1.0\n", "01.0", "1.00", "-1.0", "1,0", "\u0661.\u0660"],
)
def test_any_other_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"MAJOR\.MINOR"):
        parse_contract_version(text)
    with pytest.raises(ValueError, match=r"MAJOR\.MINOR"):
        is_compatible(text)
    with pytest.raises(ValueError, match=r"MAJOR\.MINOR"):
        is_compatible("1.0", text)


@pytest.mark.parametrize(
    ("plugin", "host", "fits"),
    [
        ("1.0", "1.0", True),
        ("1.0", "1.1", True),
        ("1.1", "1.0", False),
        ("1.9", "1.10", True),
        ("1.10", "1.9", False),
        ("0.9", "1.0", False),
        ("1.0", "2.0", False),
        ("2.0", "1.9", False),
    ],
)
def test_a_plugin_fits_a_host_of_its_major_and_at_least_its_minor(plugin: str, host: str, fits: bool) -> None:
    assert is_compatible(plugin, host) is fits


def test_the_host_is_this_package_unless_told() -> None:
    major, minor = parse_contract_version(CONTRACT_VERSION)
    assert is_compatible(CONTRACT_VERSION)
    assert not is_compatible(f"{major}.{minor + 1}")
