"""Tables that users give as CSV files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from metier_contracts import ExampleSet, InputError


def read_rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the rows of a CSV file that has (at least) these columns; a cell that a row lacks is empty.

    Raises:
        InputError: the file cannot be read, lacks a column, or has no row.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            header = [name or "" for name in reader.fieldnames or ()]
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise unreadable(path, columns, f"{type(error).__name__}: {error}") from None
    absent = next((column for column in columns if column not in header), None)
    if absent is not None:
        raise unreadable(path, columns, f"no column {absent!r}, but {', '.join(header) or 'none at all'}")
    if not rows:
        raise unreadable(path, columns, "no rows")
    return rows


def read_labelled_texts(path: Path) -> ExampleSet:
    """Return the labelled texts of a CSV file with the columns text and label.

    Raises:
        InputError: the file cannot be read, lacks a column, or has a row without text or label.
    """
    columns = ("text", "label")
    rows = read_rows(path, columns)
    for number, row in enumerate(rows, start=1):
        empty = next((column for column in columns if not row[column].strip()), None)
        if empty is not None:
            raise unreadable(path, columns, f"no {empty} in row {number}")
    return ExampleSet.from_pairs((row["text"], row["label"]) for row in rows)


def unreadable(path: Path, columns: Sequence[str], got: str) -> InputError:
    """Return the error for a table that does not fit."""
    wanted = f" {' and '.join(columns)}" if columns else ""
    return InputError(
        f"the table {path} cannot be read",
        expected=f"a CSV file in UTF-8 with a header that has{wanted}, and rows" if columns else "a CSV file in UTF-8",
        got=got,
        blame=str(path),
    )
