"""From tags to entities, scheme by scheme."""

from __future__ import annotations

import pytest
from metier_mlm.spans import Token, entities, inherit, split_tag

TEXT = "Ada Lovelace met Li"
WORDS = ((0, 3), (4, 12), (13, 16), (17, 19))


def found(text: str, tags: str, spans: tuple[tuple[int, int], ...] = WORDS) -> list[tuple[str, str]]:
    tokens = [Token(start, end, tag, 0.9) for (start, end), tag in zip(spans, tags.split(), strict=True)]
    return [(entity.text, entity.label) for entity in entities(text, tokens)]


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        # IO
        ("PER PER O PER", [("Ada Lovelace", "PER"), ("Li", "PER")]),
        ("I-PER I-PER O I-LOC", [("Ada Lovelace", "PER"), ("Li", "LOC")]),
        ("PER ORG O O", [("Ada", "PER"), ("Lovelace", "ORG")]),
        # BIO
        ("B-PER I-PER O B-PER", [("Ada Lovelace", "PER"), ("Li", "PER")]),
        ("B-PER B-PER O O", [("Ada", "PER"), ("Lovelace", "PER")]),
        ("B-PER I-ORG O O", [("Ada", "PER"), ("Lovelace", "ORG")]),
        ("O O B-PER I-PER", [("met Li", "PER")]),
        ("O O O O", []),
        # IOB1: B- stands only between neighbours
        ("I-PER B-PER O I-PER", [("Ada", "PER"), ("Lovelace", "PER"), ("Li", "PER")]),
        # BILOU and BIOES
        ("B-PER L-PER O U-PER", [("Ada Lovelace", "PER"), ("Li", "PER")]),
        ("B-PER E-PER O S-PER", [("Ada Lovelace", "PER"), ("Li", "PER")]),
        ("B-PER I-PER L-PER U-PER", [("Ada Lovelace met", "PER"), ("Li", "PER")]),
        ("U-PER I-PER O O", [("Ada", "PER"), ("Lovelace", "PER")]),
        ("B-PER L-PER I-PER O", [("Ada Lovelace", "PER"), ("met", "PER")]),
        # Labels that hold a dash
        ("B-WORK-OF-ART I-WORK-OF-ART O O", [("Ada Lovelace", "WORK-OF-ART")]),
    ],
)
def test_schemes(tags: str, wanted: list[tuple[str, str]]) -> None:
    assert found(TEXT, tags) == wanted


@pytest.mark.parametrize(
    ("tag", "wanted"),
    [
        ("O", ("O", None)),
        ("PER", ("I", "PER")),
        ("B-PER", ("B", "PER")),
        ("S-WORK-OF-ART", ("S", "WORK-OF-ART")),
        ("T-CELL", ("I", "T-CELL")),
    ],
)
def test_tags(tag: str, wanted: tuple[str, str | None]) -> None:
    assert split_tag(tag) == wanted


@pytest.mark.parametrize(
    ("text", "span", "wanted"),
    [
        ("👩‍🔬 Marie 🙂 went", (4, 9), "Marie"),
        ("see Zoe\u0308 there", (4, 7), "Zoe\u0308"),
        ("see Zoe\u0308\u0301 there", (4, 7), "Zoe\u0308\u0301"),
        ("go to  Rome now", (5, 12), "Rome"),
        ("to\u00a0Rome", (2, 7), "Rome"),
        ("東京タワー", (0, 2), "東京"),
    ],
)
def test_spans_are_exact(text: str, span: tuple[int, int], wanted: str) -> None:
    (entity,) = entities(text, [Token(*span, "B-X", 0.5)])
    assert entity.text == wanted
    assert entity.stands_in(text)


def test_white_space_is_no_entity() -> None:
    assert entities("a  b", [Token(1, 3, "B-X", 0.9)]) == ()


def test_the_score_is_the_mean() -> None:
    (entity,) = entities(TEXT, [Token(0, 3, "B-PER", 0.5), Token(4, 12, "I-PER", 1.0)])
    assert entity.score == pytest.approx(0.75)


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        ("B-PER O O", "B-PER I-PER I-PER"),
        ("O B-PER I-PER", "O O O"),
        ("PER O ORG", "PER I-PER I-PER"),
        ("U-PER O O", "B-PER I-PER L-PER"),
        ("S-PER O", "B-PER L-PER"),
        ("E-PER O", "I-PER L-PER"),
        ("L-PER O O", "I-PER I-PER L-PER"),
    ],
)
def test_the_first_piece_decides_for_its_word(tags: str, wanted: str) -> None:
    pieces = [Token(2 * i, 2 * i + 2, tag, 0.9 - i / 10, word=0) for i, tag in enumerate(tags.split())]
    result = inherit("Lovelace"[: 2 * len(pieces)], pieces)
    assert [token.tag for token in result] == wanted.split()
    assert {token.score for token in result} == {0.9}


def test_a_comma_that_counts_to_a_word_keeps_its_own_tag() -> None:
    pieces = [Token(0, 4, "B-LOC", 0.9, word=0), Token(4, 5, "O", 0.8, word=0), Token(6, 8, "O", 0.7, word=1)]
    assert [token.tag for token in inherit("Rome, if", pieces)] == ["B-LOC", "O", "O"]


def test_neighbouring_words_keep_their_own_tags() -> None:
    pieces = [Token(0, 3, "B-PER", 0.9, word=0), Token(3, 6, "O", 0.8, word=1), Token(6, 8, "O", 0.8)]
    assert [token.tag for token in inherit("AdaMaxLi", pieces)] == ["B-PER", "O", "O"]
