"""SmolLM2 behind a real server of OpenAI's protocol: the one of transformers, on loopback, in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from metier import Runtime
from metier_contracts import Classify, ExampleSet, Generate, Message, ModelCard, Sampling

from tests.plugins.llm.remote.conftest import CHOOSES, ID, card
from tests.plugins.llm.remote.dialects import OpenAI

SERVE = """
import sys
from transformers.cli.serve import Serve
Serve(force_model=sys.argv[1], host="127.0.0.1", port=0, device="cpu", dtype="float32", default_seed=0)
"""
QUESTION = Generate(messages="What is the capital of France?", sampling=Sampling(max_tokens=12))


@pytest.fixture(scope="module")
def server(smollm2_folder: Path) -> Iterator[str]:
    """The address of a server of the model."""
    command = [sys.executable, "-c", SERVE, str(smollm2_folder)]
    environment = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "2", "PATH": "", "HOME": str(smollm2_folder)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield _address(process)
        finally:
            process.kill()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"running on (http://[\d.:]+)", line):
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[1]
    raise AssertionError("".join(said))


@pytest.fixture(scope="module")
def served(server: str, smollm2_folder: Path) -> ModelCard:
    """The card of the model, as one writes it for this server, which refuses what it does not know."""
    return card(OpenAI(), f"{server}/v1", model=str(smollm2_folder), stream_usage=False)


@pytest.fixture(scope="module")
def runtime(served: ModelCard) -> Iterator[Runtime]:
    with Runtime(privacy="any", cards=[served]) as runtime:
        yield runtime


def test_it_answers(runtime: Runtime) -> None:
    found = runtime.run(QUESTION, model=ID)
    assert "Paris" in found.text
    assert found.tokens_known
    assert found.input_tokens > 10
    assert 1 < found.output_tokens <= 12
    assert runtime.accounted_bytes == 0


def test_it_streams_the_same(runtime: Runtime) -> None:
    whole = runtime.run(QUESTION, model=ID)
    pieces = list(runtime.stream(QUESTION, model=ID))
    assert "".join(piece.text for piece in pieces) == whole.text
    assert len(pieces) > 3
    assert pieces[-1].finish_reason == whole.finish_reason
    assert (pieces[-1].input_tokens, pieces[-1].output_tokens) == (whole.input_tokens, whole.output_tokens)


def test_max_tokens_and_stop(runtime: Runtime) -> None:
    cut = runtime.run(QUESTION.model_copy(update={"sampling": Sampling(max_tokens=3)}), model=ID)
    assert (cut.finish_reason, cut.output_tokens) == ("length", 3)
    stopped = runtime.run(QUESTION.model_copy(update={"sampling": Sampling(max_tokens=30, stop=("Paris",))}), model=ID)
    assert stopped.output_tokens < 30


def test_it_reads_the_whole_conversation(runtime: Runtime) -> None:
    messages = (
        Message(role="system", content="You are a pirate."),
        Message(role="user", content="My name is Ada."),
        Message(role="assistant", content="Hello Ada!"),
        Message(role="user", content="What is my name?"),
    )
    request = Generate(messages=messages, sampling=Sampling(max_tokens=12))
    assert runtime.run(request, model=ID).input_tokens > runtime.run(QUESTION, model=ID).input_tokens


def test_many_at_once_answer_as_one(runtime: Runtime) -> None:
    one = runtime.run(QUESTION, model=ID)
    for found in runtime.map([QUESTION] * 4, model=ID, progress=False):
        assert found.text == one.text


def test_it_classifies(server: str, smollm2_folder: Path) -> None:
    plain = {"tasks": {"classify": CHOOSES}}
    served = card(OpenAI(), f"{server}/v1", model=str(smollm2_folder), fields=plain)
    examples = ExampleSet.from_pairs(
        [("My bill is wrong", "billing"), ("The line is dead", "outage"), ("This invoice is not mine", "billing")]
    )
    with Runtime(privacy="any", cards=[served]) as runtime:
        found = runtime.run(Classify(text="There is no signal since noon", examples=examples), model=ID)
    # Which of them is beyond so small a model; that it is one of them shows that the question is understood.
    assert sorted(found.scores.values()) == [0, 1]
    assert found.scores.keys() == {"billing", "outage"}
    assert (found.input_tokens or 0) > 30
    assert 1 <= (found.output_tokens or 0) <= 32
