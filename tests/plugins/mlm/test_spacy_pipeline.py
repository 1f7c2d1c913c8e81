from __future__ import annotations

import pickle
import pickletools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import spacy
from metier_contracts import CallContext, DeviceError, Embed, Extract, ModelCard, UnsupportedError

LETTER = "On 3 March you took $49.99 from my account. Regards, Helen Marsh of Apple Inc. in Berlin 👩‍💻."

TEXTS = [
    LETTER,
    "The European Central Bank raised its rate by a quarter of a point on Thursday, the tenth rise since July 2022.",
    "In 1903 Marie Curie and her husband Pierre shared the Nobel Prize in Physics with Henri Becquerel.",
    "Hurricane Ian reached Florida on 28 September and left two million homes without power.",
    "She flew from Lyon to New York with Air France for 430 euros, and read War and Peace on the way.",
    "Nothing happened.",
]


def found(answer: Any) -> set[tuple[str, str]]:
    return {(entity.label, entity.text) for entity in answer.entities}


def test_it_finds_names_dates_and_amounts(spacy_model: Any, context: CallContext) -> None:
    answer = spacy_model.infer([Extract(text=LETTER)], context)[0]
    expected = {("DATE", "3 March"), ("PERSON", "Helen Marsh"), ("ORG", "Apple Inc."), ("GPE", "Berlin")}
    assert expected <= found(answer)
    assert "MONEY" in {label for label, _ in found(answer)}
    assert all(entity.score is None for entity in answer.entities)


@pytest.mark.parametrize("before", ["", "🙂👩‍💻 ", "Cafe\u0301 ", "  \t\n", "日本語 "])
def test_spans_are_exact(spacy_model: Any, context: CallContext, before: str) -> None:
    text = f"{before}Angela Merkel met Barack Obama in Washington on Monday."
    answer = spacy_model.infer([Extract(text=text)], context)[0]
    assert "Barack Obama" in {entity.text for entity in answer.entities}
    assert all(text[entity.start : entity.end] == entity.text for entity in answer.entities)


def test_only_the_types_wanted(spacy_model: Any, context: CallContext) -> None:
    answer = spacy_model.infer([Extract(text=LETTER, entity_types=["PERSON", "GPE"])], context)[0]
    assert found(answer) == {("PERSON", "Helen Marsh"), ("GPE", "Berlin")}


def test_a_batch_answers_as_singles_do(spacy_model: Any, context: CallContext) -> None:
    requests = [Extract(text=f"{LETTER} {number} people came.") for number in range(80)]
    assert spacy_model.infer(requests, context) == [spacy_model.infer([one], context)[0] for one in requests]


def test_bad_items_fail_alone(spacy_model: Any, context: CallContext) -> None:
    broken = Extract.model_construct(text="half \ud800 of Paris", entity_types=None)
    endless = Extract.model_construct(text="Paris " * 200_000, entity_types=None)
    requests = [Extract(text=LETTER), broken, Embed(texts=["x"]), endless, Extract(text=LETTER)]
    good, half, odd, long, again = spacy_model.infer(requests, context)
    assert good == again
    assert isinstance(half, Exception)
    assert isinstance(odd, UnsupportedError)
    assert "1000000 characters" in str(long)


def test_labels_are_those_of_the_card(spacy_model: Any, cards: dict[str, ModelCard]) -> None:
    labels = spacy_model._pipeline.get_pipe("ner").labels
    assert sorted(labels) == sorted(cards["en-core-web-sm"].tasks["extract"].labels or ())


def test_only_what_finds_entities_runs(spacy_model: Any) -> None:
    assert spacy_model._pipeline.pipe_names == ["ner"]


def test_words_seen_are_forgotten(spacy_model: Any, context: CallContext) -> None:
    before = len(spacy_model._pipeline.vocab.strings)
    spacy_model.infer([Extract(text=" ".join(f"unheardof{number}" for number in range(500)))], context)
    assert len(spacy_model._pipeline.vocab.strings) == before


def test_no_file_is_a_pickle(weights: Callable[[str], Path]) -> None:
    paths = [path for path in weights("en-core-web-sm").rglob("*") if path.is_file()]
    assert paths
    for path in paths:
        with pytest.raises((ValueError, UnicodeError)):
            list(pickletools.genops(path.read_bytes()))


def test_the_check_of_pickles_can_fail() -> None:
    assert list(pickletools.genops(pickle.dumps([1])))


def test_entities_are_those_of_spacy(spacy_model: Any, weights: Callable[[str], Path], context: CallContext) -> None:
    # The card's table leaves out the components that find no entities, so that only "ner" lies in the folder.
    others = ["tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer"]
    whole = spacy.load(weights("en-core-web-sm"), exclude=others)
    for text in TEXTS:
        (answer,) = spacy_model.infer([Extract(text=text)], context)
        theirs = [(span.text, span.label_, span.start_char, span.end_char) for span in whole(text).ents]
        assert [(one.text, one.label, one.start, one.end) for one in answer.entities] == theirs


GUARDED = """
import sys
from pathlib import Path
from metier_contracts import CallContext, Extract, ModelCard, Placement
import spacy, metier_mlm.spacy_pipeline
from metier_mlm.plugin import metier_load

folder = Path(sys.argv[1])
card = ModelCard.from_mapping(
    {"id": "x", "plugin": "mlm", "architecture": "cnn", "licence": "MIT", "options": {"loader": "spacy"},
     "tasks": {"extract": {}}}
)

def refuse(event, arguments):
    if event in ("pickle.find_class", "socket.connect", "subprocess.Popen", "os.system"):
        raise SystemExit(f"refused: {event} {arguments}")
    if event in ("open", "compile") and str(folder) in str(arguments[-2 if event == "compile" else 0]):
        if str(arguments[0]).endswith((".py", ".pyc", ".so")):
            raise SystemExit(f"refused: {event} {arguments[0]}")

sys.addaudithook(refuse)
model = metier_load(card=card, placement=Placement(directory=folder))
print(len(model.infer([Extract(text="Angela Merkel went to Paris.")], CallContext())[0].entities))
"""


def test_loading_unpickles_nothing_and_runs_no_code_of_the_package(weights: Callable[[str], Path]) -> None:
    command = [sys.executable, "-c", GUARDED, str(weights("en-core-web-sm"))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.strip() == "2"


def test_it_runs_on_the_cpu_alone(load: Any) -> None:
    with pytest.raises(DeviceError, match="cuda:0"):
        load("en-core-web-sm", device="cuda:0")
