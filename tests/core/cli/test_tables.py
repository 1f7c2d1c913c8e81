"""Tables that users give as CSV files."""

from __future__ import annotations

from pathlib import Path

import pytest
from metier.cli.tables import read_labelled_texts, read_rows
from metier_contracts import ExampleSet, InputError


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_a_csv_file_is_read_with_its_quotes(tmp_path: Path) -> None:
    path = write(tmp_path / "s.csv", '\ufefflabel,id,text\nbilling,1,"I was charged, twice"\nfault,2,"Line\nbreak"\n')
    pairs = [("I was charged, twice", "billing"), ("Line\nbreak", "fault")]
    assert read_labelled_texts(path) == ExampleSet.from_pairs(pairs)


@pytest.mark.parametrize(
    ("text", "got"),
    [
        ("text,kind\na,b\n", "text, kind"),
        ("", "none"),
        ("text,label\n", "no rows"),
        ("text,label\na,b\nc,\n", "no label in row 2"),
        ("text,label\n ,b\n", "no text in row 1"),
        ("text,label\nonly\n", "no label in row 1"),
    ],
)
def test_what_is_no_sample_is_told(tmp_path: Path, text: str, got: str) -> None:
    with pytest.raises(InputError) as caught:
        read_labelled_texts(write(tmp_path / "s.csv", text))
    assert got in str(caught.value.got)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv"):
        read_labelled_texts(tmp_path / "none.csv")


def test_rows_may_lack_cells(tmp_path: Path) -> None:
    assert read_rows(write(tmp_path / "s.csv", "day,load\n1,2\n2\n"), ["load"]) == [
        {"day": "1", "load": "2"},
        {"day": "2", "load": ""},
    ]
