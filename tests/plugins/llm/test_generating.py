"""Generation by the trained default, through the runtime."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from jsonschema import validate
from metier import Runtime
from metier_contracts import (
    DeadlineExceeded,
    Extract,
    Generate,
    Generation,
    InputError,
    Message,
    ModelLoadError,
    Sampling,
    Tool,
    UnsupportedError,
)
from transformers import AutoModelForCausalLM

MODEL = "smollm2-135m-instruct"
QUESTION = "Why is the sky blue?"
TICKET = {
    "type": "object",
    "properties": {
        "product": {"type": "string"},
        "urgency": {"enum": ["low", "high"]},
        "parts": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["product", "urgency", "parts"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def runtime() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


def ask(runtime: Runtime, text: str = QUESTION, **sampling: Any) -> Generation:
    return runtime.run(Generate.of(text, sampling=Sampling(**{"max_tokens": 24, **sampling})), model=MODEL)


def test_it_is_the_default_of_generate(runtime: Runtime) -> None:
    answer = runtime.run(Generate.of("Say hello", sampling=Sampling(max_tokens=3)))
    assert answer.provenance is not None
    assert (answer.provenance.model, answer.provenance.dtype) == (MODEL, "float32")


def test_greedy_tokens_are_those_of_transformers(runtime: Runtime, smollm2_folder: Path, tokenizer: Any) -> None:
    module: Any = AutoModelForCausalLM.from_pretrained(smollm2_folder, dtype=torch.float32, local_files_only=True)
    turns = [{"role": "user", "content": QUESTION}]
    inputs = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    made = module.eval().generate(**inputs, max_new_tokens=24, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    answer = ask(runtime)
    assert answer.text == tokenizer.decode(made, skip_special_tokens=True)
    assert (answer.input_tokens, answer.output_tokens) == (inputs["input_ids"].shape[1], len(made))
    assert answer.finish_reason == "length"


def test_the_models_own_end(runtime: Runtime) -> None:
    answer = ask(runtime, "What is the capital of France? Answer in one word.", max_tokens=60)
    assert answer.finish_reason == "stop"
    assert answer.output_tokens < 60
    assert "<|im_end|>" not in answer.text


def test_a_stop_string_ends_the_text(runtime: Runtime) -> None:
    whole = ask(runtime).text
    word = whole.split()[3]
    answer = ask(runtime, stop=(word,))
    assert answer.text == whole[: whole.index(word)]
    assert answer.finish_reason == "stop"


def test_a_stream_gives_what_run_gives(runtime: Runtime) -> None:
    sampling = Sampling(max_tokens=24, temperature=0.8, seed=4, stop=("scatter",))
    request = Generate.of(QUESTION, sampling=sampling)
    pieces = list(runtime.stream(request, model=MODEL))
    answer = runtime.run(request, model=MODEL)
    assert "".join(piece.text for piece in pieces) == answer.text
    assert len(pieces) > 3
    last = pieces[-1]
    assert (last.finish_reason, last.output_tokens) == (answer.finish_reason, answer.output_tokens)
    assert all(piece.finish_reason is None for piece in pieces[:-1])


def test_a_seed_gives_one_text_whatever_runs_beside_it(runtime: Runtime) -> None:
    alone = ask(runtime, temperature=1.0, seed=11).text
    with ThreadPoolExecutor(6) as pool:
        others = [pool.submit(ask, runtime, f"Tell me of number {n}", temperature=1.0, seed=n) for n in range(5)]
        same = pool.submit(ask, runtime, temperature=1.0, seed=11)
        assert same.result().text == alone
        assert len({other.result().text for other in others}) == 5
    assert ask(runtime, temperature=1.0, seed=12).text != alone


def test_json_is_valid_and_ends_in_time(runtime: Runtime) -> None:
    import json

    request = Generate(
        messages="The kettle leaks. Write a ticket.", json_schema=TICKET, sampling=Sampling(max_tokens=60)
    )
    answer = runtime.run(request, model=MODEL)
    validate(json.loads(answer.text), TICKET)
    assert answer.finish_reason == "stop"
    assert answer.output_tokens <= 60


def test_schema_and_tools_together_are_refused(runtime: Runtime) -> None:
    request = Generate(messages="x", json_schema=TICKET, tools=[Tool(name="clock")])
    with pytest.raises(UnsupportedError):
        runtime.run(request, model=MODEL)


def test_a_conversation_that_is_too_long_is_refused(runtime: Runtime) -> None:
    with pytest.raises(InputError, match="longer than the model reads") as caught:
        ask(runtime, "word " * 9000)
    assert "fewer than 8192 tokens" in str(caught.value)


def test_a_bad_request_fails_alone(runtime: Runtime) -> None:
    requests = [
        Generate.of(QUESTION, sampling=Sampling(max_tokens=4)),
        Generate.of("word " * 9000),
        Generate.of("Hello", sampling=Sampling(max_tokens=4)),
    ]
    answers = list(runtime.map(requests, model=MODEL, on_error="collect"))
    assert [isinstance(answer, Generation) for answer in answers] == [True, False, True]


def test_a_deadline_ends_a_long_answer(runtime: Runtime) -> None:
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        runtime.run(Generate.of(QUESTION, sampling=Sampling(max_tokens=4000, stop=("\0",))), model=MODEL, deadline=0.5)
    assert time.monotonic() - started < 30
    assert ask(runtime, max_tokens=2).output_tokens == 2


def test_a_stream_left_early_frees_the_model(runtime: Runtime) -> None:
    request = Generate.of(QUESTION, sampling=Sampling(max_tokens=4000))
    stream = runtime.stream(request, model=MODEL)
    next(stream)
    stream.close()
    assert runtime.unload(MODEL)


def test_an_image_is_not_read(runtime: Runtime) -> None:
    message = Message.from_mapping(
        {"role": "user", "content": [{"text": "What is it?"}, {"image": torch.zeros(4, 4, 3).byte().numpy()}]}
    )
    with pytest.raises(Exception, match="image"):
        runtime.run(Generate(messages=[message]), model=MODEL)


def test_callers_in_threads_each_get_their_own(runtime: Runtime) -> None:
    questions = [f"Say the number {number}." for number in range(6)]
    alone = [ask(runtime, question, max_tokens=8).text for question in questions]
    start = threading.Barrier(len(questions))

    def call(question: str) -> str:
        start.wait()
        return ask(runtime, question, max_tokens=8).text

    with ThreadPoolExecutor(len(questions)) as pool:
        assert list(pool.map(call, questions)) == alone
    assert len(set(alone)) > 1


def test_entities_are_pieces_of_the_text(runtime: Runtime) -> None:
    text = "Ada Lovelace wrote to Charles Babbage from London in 1843."
    found = runtime.run(Extract(text=text, entity_types=["person", "city"]), model=MODEL)
    assert found.entities
    for entity in found.entities:
        assert entity.stands_in(text)
        assert entity.label in {"person", "city"}
        assert entity.score is not None
        assert 0 < entity.score <= 1


def test_layers_that_remember_otherwise_are_refused(tmp_path: Path, small_tokenizer: Any, smollm2_card: Any) -> None:
    from transformers import Lfm2Config

    config = Lfm2Config(
        vocab_size=len(small_tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        layer_types=["conv", "full_attention"],
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(tmp_path)
    small_tokenizer.save_pretrained(tmp_path)
    card = smollm2_card.model_copy(
        update={"id": "mine/conv", "source": f"path:{tmp_path}", "sha256": None, "options": {"loader": "causal-lm"}}
    )
    with Runtime(cards=[card]) as runtime, pytest.raises(ModelLoadError, match="lfm2"):
        runtime.load("mine/conv")


def test_a_folder_without_a_model_is_told(tmp_path: Path, smollm2_card: Any) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    card = smollm2_card.model_copy(
        update={"id": "mine/empty", "source": f"path:{tmp_path}", "sha256": None, "options": {"loader": "causal-lm"}}
    )
    with Runtime(cards=[card]) as runtime, pytest.raises(ModelLoadError, match=r"notes\.txt"):
        runtime.load("mine/empty")
