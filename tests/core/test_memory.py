from __future__ import annotations

from pathlib import Path

import pytest
from metier import memory
from metier.memory import default_budget, format_bytes, machine_bytes, parse_bytes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1000", 1000),
        ("0", 0),
        ("512MB", 512 * 10**6),
        ("4GB", 4 * 10**9),
        ("4gb", 4 * 10**9),
        ("4 GiB", 4 * 2**30),
        ("  2k ", 2000),
        ("1.5GB", 1_500_000_000),
        ("1Ti", 2**40),
        ("7b", 7),
        ("9007199254740993", 9007199254740993),  # one more than a float can hold
    ],
)
def test_quantities(text: str, expected: int) -> None:
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "lots", "-4GB", "4XB", "4GB 2MB", "1e9", "4,5GB", "GB", "nan"])
def test_what_is_no_quantity_says_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match='"4GB" or "4GiB", got'):
        parse_bytes(text)


def test_a_number_of_any_length_is_read() -> None:
    assert parse_bytes("9" * 400) > 10**399


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (90_900_000, "90.9 MB"),
        (999_999, "1.0 MB"),
        (4_000_000_000, "4.0 GB"),
        (2_500_000_000_000, "2.5 TB"),
        (7_000_000_000_000_000, "7000.0 TB"),
    ],
)
def test_counts_for_people(count: int, expected: str) -> None:
    assert format_bytes(count) == expected


def test_the_control_group_bounds_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_CGROUP_LIMIT", limit)
    whole = machine_bytes()
    limit.write_text("max\n")
    assert machine_bytes() == whole
    limit.write_text("1000000\n")
    assert machine_bytes() == 1_000_000
    assert default_budget() == 800_000
    limit.write_text(f"{whole * 2}\n")
    assert machine_bytes() == whole
