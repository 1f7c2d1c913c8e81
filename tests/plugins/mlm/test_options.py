"""Options of cards, and that the README lists them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import metier_mlm
import pytest
from metier_contracts import ConfigError, ModelCard
from metier_contracts.authoring import LoaderOptions, read_options
from metier_mlm.options import EncoderOptions, HeadOptions, MaskedOptions, SpacyOptions, TaggerOptions, TextOptions
from metier_mlm.plugin import LOADERS

KINDS: list[type[LoaderOptions]] = [
    TextOptions,
    EncoderOptions,
    HeadOptions,
    TaggerOptions,
    MaskedOptions,
    SpacyOptions,
]
README = Path(metier_mlm.__file__).parent.parent / "README.md"


def test_options_are_read(card_for: Callable[..., ModelCard]) -> None:
    options = read_options(TaggerOptions, card_for("token-classification", "extract", overlap=5, max_length=32))
    assert (options.overlap, options.max_length, options.batch_tokens, options.subfolder) == (5, 32, None, ".")


@pytest.mark.parametrize(
    ("kind", "wrong", "named"),
    [
        (TextOptions, {"max_length": 4}, "max_length"),
        (TextOptions, {"batch_tokens": 0}, "batch_tokens"),
        (EncoderOptions, {"template": "no place for it"}, "template"),
        (EncoderOptions, {"scale": 0.0}, "scale"),
        (TaggerOptions, {"word_tags": "last"}, "word_tags"),
        (SpacyOptions, {"max_length": 64}, "max_length"),
    ],
)
def test_wrong_options(
    card_for: Callable[..., ModelCard], kind: type[LoaderOptions], wrong: dict[str, object], named: str
) -> None:
    with pytest.raises(ConfigError, match=named) as caught:
        read_options(kind, card_for("any", "embed", **wrong))
    assert caught.value.blame == "options of the card built"


def test_the_readme_lists_every_option_and_loader() -> None:
    text = README.read_text(encoding="utf-8")
    names = {name for kind in KINDS for name in kind.model_fields} - {"loader"} | set(LOADERS)
    assert [name for name in sorted(names) if f"`{name}`" not in text] == []
