"""Entities as JSON: a list of {"type": ..., "text": ...} whose texts are pieces of a given text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from metier_llm.constraints.nodes import MOST_DISTINCT, Distinct, Fixed, InOrder, Lexeme, Node, OneOf, priced
from metier_llm.constraints.regexes import Piece, quoted
from metier_llm.constraints.vocabulary import Vocabulary

# Words, and each character by itself in scripts that put no space between words.
_CHUNKS = re.compile(r"[^\W\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]+|.", re.DOTALL)


def grammar_of_pieces(text: str, entity_types: Sequence[str], vocabulary: Vocabulary) -> Node:
    """Return the grammar of a list of entities, each text once. A piece begins and ends where words do."""

    def fixed(said: str) -> Fixed:
        return Fixed(said.encode(), vocabulary.costs(said.encode()))

    chunks = tuple(json.dumps(chunk, ensure_ascii=False)[1:-1].encode() for chunk in _CHUNKS.findall(text))
    if not chunks or not entity_types:
        return fixed("[]")
    kinds = priced(OneOf([fixed(json.dumps(kind, ensure_ascii=False)) for kind in entity_types]))
    piece = Lexeme(quoted(Piece(chunks)))
    item = priced(InOrder((fixed('{"type":'), kinds, fixed(',"text":'), piece, fixed("}"))))
    most = min(MOST_DISTINCT, len(set(chunks)))
    return priced(InOrder((fixed("["), priced(Distinct(item, piece, fixed(","), 0, most)), fixed("]"))))
