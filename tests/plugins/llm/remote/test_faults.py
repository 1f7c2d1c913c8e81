"""Servers that stall, break off, refuse and babble: the right error or success, in time, and nothing left behind."""

from __future__ import annotations

import json
import logging
import pickle
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

import pytest
from metier import Runtime
from metier_contracts import (
    CallContext,
    Cancelled,
    ConfigError,
    DeadlineExceeded,
    Generate,
    InputError,
    MetierError,
    NoCapableModelError,
    Placement,
    PluginUnavailableError,
    RateLimitedError,
    RemoteError,
)
from metier_llm.plugin import metier_load

from tests.plugins.llm.remote.conftest import ID, KEY, WAIT, Reach, Serve, card
from tests.plugins.llm.remote.dialects import DIALECTS, WRITTEN, Dialect, OpenAI
from tests.support.scripted_server import Reply, answer, drop, endless, events, stall

HELLO = Generate.of("Hello")
SHORT = ["a", "b", "c"]
NEVER = "86400"


def failure(runtime: Runtime, **arguments: Any) -> MetierError:
    with pytest.raises(MetierError) as caught:
        runtime.run(HELLO, model=ID, **arguments)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, InputError, "refuses the request"),
        (401, RemoteError, "refuses the key"),
        (403, RemoteError, "refuses the key"),
        (404, RemoteError, "does not know the model 'm'"),
        (413, InputError, "refuses the request"),
        (422, InputError, "refuses the request"),
        (418, RemoteError, "failed"),
        (301, RemoteError, "failed"),
    ],
)
def test_what_is_refused_is_not_asked_again(
    status: int, kind: type[MetierError], words: str, dialect: Dialect, serve: Serve, reach: Reach
) -> None:
    server = serve(answer(dialect.error("you may not"), status))
    error = failure(reach(dialect, server))
    assert type(error) is kind
    assert words in error.summary
    assert error.got == f"HTTP {status}: you may not"
    assert error.blame
    assert error.hint
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "said",
    [
        "This model's maximum context length is 10 tokens.",
        "prompt is too long: 11 tokens > 10 maximum",
        "The input token count (11) exceeds the maximum number of tokens allowed (10).",
    ],
)
def test_what_is_too_long_is_named_so(said: str, dialect: Dialect, serve: Serve, reach: Reach) -> None:
    error = failure(reach(dialect, serve(answer(dialect.error(said), 400))))
    assert error.summary.endswith("it is too long for the model")
    assert error.hint == "send shorter messages or ask for fewer tokens"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_asked_again(status: int, dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.error("later"), status), answer(dialect.whole("Hi.")))
    assert reach(dialect, server).run(HELLO, model=ID).text == "Hi."
    assert len(server.asked) == 2


def test_a_connection_that_drops_is_made_again(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(drop, answer(dialect.whole("Hi.")), drop, events(dialect.pieces(SHORT)))
    runtime = reach(dialect, server)
    assert runtime.run(HELLO, model=ID).text == "Hi."
    assert "".join(piece.text for piece in runtime.stream(HELLO, model=ID)) == "abc"


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (lambda d: answer(d.error("slow down"), 429), RateLimitedError, "asks for fewer requests"),
        (lambda d: answer(d.error("oops"), 500), RemoteError, "failed"),
        (lambda d: answer("<html>", 503, content_type="text/html"), RemoteError, "failed"),
        (lambda d: drop, RemoteError, "ended the connection before the answer was complete"),
    ],
    ids=["429", "500", "503", "drop"],
)
def test_retries_are_spent(
    reply: Callable[[Dialect], Reply],
    kind: type[MetierError],
    words: str,
    dialect: Dialect,
    serve: Serve,
    reach: Reach,
) -> None:
    server = serve(reply(dialect))
    error = failure(reach(dialect, server, max_retries=3))
    assert type(error) is kind
    assert words in error.summary
    assert len(server.asked) == 4


@pytest.mark.parametrize(
    "headers",
    [
        {"retry_after": NEVER},
        {"retry_after": formatdate(time.time() + int(NEVER), usegmt=True)},
        {"retry_after_ms": NEVER + "000"},
    ],
    ids=["seconds", "date", "milliseconds"],
)
def test_a_pause_too_long_to_wait_for_fails_at_once(
    headers: dict[str, str], dialect: Dialect, serve: Serve, reach: Reach
) -> None:
    server = serve(answer(dialect.error("slow down"), 429, **headers))
    error = failure(reach(dialect, server))
    assert type(error) is RateLimitedError
    assert " s, as the server asks" in str(error.hint)
    assert len(server.asked) == 1


def test_a_pause_that_outlasts_the_deadline_fails_at_once(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.error("slow down"), 429, retry_after=NEVER))
    runtime = reach(dialect, server, longest_pause_seconds=10**6)
    assert type(failure(runtime, deadline=WAIT)) is RateLimitedError
    assert len(server.asked) == 1


def test_the_servers_pause_goes_before_the_own(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.error("slow down"), 429, retry_after="0"), answer(dialect.whole("Hi.")))
    assert reach(dialect, server, backoff_seconds=10**6).run(HELLO, model=ID).text == "Hi."


def test_a_server_may_say_that_no_retry_helps(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.error("never"), 429, x_should_retry="false"))
    assert type(failure(reach(dialect, server))) is RateLimitedError
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "reply",
    [
        answer("{no JSON"),
        answer(""),
        answer("<html></html>", content_type="text/html"),
        answer("[1]"),
        answer("null"),
        answer({}),
        answer({"choices": "none", "content": 3, "candidates": "none"}),
        answer(b"\xff\xfe{}"),
        endless(b" " * 65536),
    ],
    ids=["broken JSON", "empty", "HTML", "a list", "null", "an empty object", "other types", "no UTF-8", "endless"],
)
def test_what_is_no_answer(reply: Reply, dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(reply)
    error = failure(reach(dialect, server, max_answer_bytes=2**20))
    assert type(error) is RemoteError
    assert error.summary.startswith(server.address.removeprefix("http://"))
    assert len(server.asked) == 1


# Each place within the stream of each protocol. Behind OpenAI's finish reason come only the counts, which a server may
# leave out, and a mark: a stream that ends there, as HTTP asks, is whole.
EARLY = [
    pytest.param(each, place, then, id=f"{each.loader}-{place}-{'drops' if then else 'ends'}")
    for each in DIALECTS
    for place in range(len(each.pieces(SHORT)))
    for then in (drop, None)
    if then or each != OpenAI() or place < len(each.pieces(SHORT)) - 2
]


@pytest.mark.parametrize(("dialect", "place", "then"), EARLY)
def test_a_stream_that_ends_early(place: int, then: Reply | None, dialect: Dialect, serve: Serve, reach: Reach) -> None:
    runtime = reach(dialect, serve(events(dialect.pieces(SHORT)[:place], then)), max_retries=0)
    with pytest.raises(RemoteError, match=r"answer was complete|broke the answer off"):
        list(runtime.stream(HELLO, model=ID))


@pytest.mark.parametrize("place", [-2, -1])
def test_a_stream_without_its_counts_is_whole(place: int, serve: Serve, reach: Reach) -> None:
    pieces = list(reach(OpenAI(), serve(events(OpenAI().pieces(SHORT)[:place]))).stream(HELLO, model=ID))
    assert "".join(piece.text for piece in pieces) == "abc"
    assert (pieces[-1].finish_reason, pieces[-1].output_tokens) == ("stop", None if place == -2 else WRITTEN)


def test_a_stream_with_broken_json(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    lines = dialect.pieces(SHORT)
    runtime = reach(dialect, serve(events([*lines[:-2], lines[-2][:-5], lines[-1]])))
    with pytest.raises(RemoteError):
        list(runtime.stream(HELLO, model=ID))


def test_a_stream_that_holds_an_error(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    lines = dialect.pieces(SHORT)
    told = f"data: {json.dumps(dialect.error('the disk is on fire'))}"
    if dialect.loader == "anthropic":
        told = f"event: error\n{told}"
    runtime = reach(dialect, serve(events([*lines[:2], told])))
    with pytest.raises(MetierError) as caught:
        list(runtime.stream(HELLO, model=ID))
    assert "the disk is on fire" in str(caught.value.got)


def test_silence_ends_after_the_timeout(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(stall)
    error = failure(reach(dialect, server, timeout_seconds=0.1))
    assert "fell silent" in error.summary
    assert len(server.asked) == 1
    assert server.left.wait(WAIT)


def test_silence_within_a_stream_ends_after_the_timeout(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(events(dialect.pieces(SHORT)[:2], stall))
    with pytest.raises(RemoteError, match="fell silent"):
        list(reach(dialect, server, timeout_seconds=0.1).stream(HELLO, model=ID))
    assert server.left.wait(WAIT)


def test_the_deadline_reaches_the_connection(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(stall)
    assert type(failure(reach(dialect, server), deadline=0.2)) is DeadlineExceeded
    assert server.left.wait(WAIT)


def test_the_deadline_reaches_a_stream(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(events(dialect.pieces(SHORT)[:3], stall))
    with pytest.raises(DeadlineExceeded):
        list(reach(dialect, server).stream(HELLO, model=ID, deadline=0.5))
    assert server.left.wait(WAIT)


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
def test_cancelling_reaches_the_connection(streams: bool, dialect: Dialect, serve: Serve) -> None:
    server = serve(stall)
    model: Any = metier_load(card=card(dialect, server.address + dialect.base), placement=Placement())
    context = CallContext()
    caught: list[BaseException] = []

    def call() -> None:
        try:
            list(model.stream(HELLO, context)) if streams else model.infer([HELLO], context)
        except Cancelled as error:
            caught.append(error)

    caller = threading.Thread(target=call)
    caller.start()
    assert server.stalling.wait(WAIT)
    context.cancel()
    caller.join(WAIT)
    assert len(caught) == 1
    assert server.left.wait(WAIT)
    model.close()


def test_closing_a_stream_closes_the_connection(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(events(dialect.pieces(SHORT)[:3], stall))
    pieces: Any = reach(dialect, server).stream(HELLO, model=ID)
    next(pieces)
    pieces.close()
    assert server.left.wait(WAIT)


def test_closing_the_model_ends_a_retry_that_waits(dialect: Dialect, serve: Serve) -> None:
    server = serve(answer(dialect.error("later"), 500))
    model: Any = metier_load(
        card=card(dialect, server.address + dialect.base, backoff_seconds=30), placement=Placement()
    )
    answers: list[Any] = []
    caller = threading.Thread(target=lambda: answers.append(_error_of(lambda: model.infer([HELLO], CallContext()))))
    caller.start()
    while not server.asked:
        server.stalling.wait(0.01)
    model.close()
    caller.join(WAIT)
    assert isinstance(answers[0], Cancelled)


def _error_of(work: Callable[[], Any]) -> Any:
    try:
        return work()
    except MetierError as error:
        return error


def test_one_fails_alone_and_order_is_kept(dialect: Dialect, reach: Reach, serve: Serve) -> None:
    def by_prompt(handler: Any) -> None:
        prompt = str(handler.asked.body)
        failed = "no-3" in prompt
        reply = answer(dialect.error("not three"), 400) if failed else answer(dialect.whole(f"to {_number(prompt)}"))
        reply(handler)

    runtime = reach(dialect, serve(by_prompt), concurrency=4)
    requests = [Generate.of(f"no-{number}") for number in range(12)]
    found = list(runtime.map(requests, model=ID, on_error="collect", progress=False))
    assert isinstance(found.pop(3), InputError)
    assert [getattr(each, "text", each) for each in found] == [f"to {n}" for n in range(12) if n != 3]


def _number(prompt: str) -> str:
    digits = prompt.partition("no-")[2]
    return "".join(letter for letter in digits[:2] if letter.isdigit())


@pytest.mark.parametrize("most", [1, 3])
def test_no_more_than_so_many_at_once(most: int, dialect: Dialect, reach: Reach, serve: Serve) -> None:
    together = threading.Barrier(most)
    at_once: list[int] = []
    inside: set[int] = set()
    lock = threading.Lock()

    def reply(handler: Any) -> None:
        with lock:
            inside.add(id(handler))
            at_once.append(len(inside))
        together.wait(WAIT)
        with lock:
            inside.discard(id(handler))
        answer(dialect.whole("Hi."))(handler)

    runtime = reach(dialect, serve(reply), concurrency=most)
    list(runtime.map([HELLO] * 6, model=ID, progress=False))
    assert max(at_once) == most


def test_callers_in_threads_share_the_model(dialect: Dialect, reach: Reach, serve: Serve) -> None:
    together = threading.Barrier(4)

    def reply(handler: Any) -> None:
        together.wait(WAIT)
        answer(dialect.whole("Hi."))(handler)

    runtime = reach(dialect, serve(reply))
    texts: list[str] = []
    callers = [threading.Thread(target=lambda: texts.append(runtime.run(HELLO, model=ID).text)) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(WAIT)
    assert texts == ["Hi."] * 4


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_nobody_listens(dialect: Dialect, reach: Reach) -> None:
    error = failure(reach(dialect, f"http://127.0.0.1:{free_port()}{dialect.base}"))
    assert type(error) is RemoteError
    assert "cannot be reached" in error.summary
    assert "the network, or the server" in str(error.blame)


def test_no_host_of_that_name(dialect: Dialect, reach: Reach) -> None:
    error = failure(reach(dialect, "http://no-such-host.invalid", max_retries=0))
    assert "no-such-host.invalid cannot be reached" in error.summary


def test_a_server_without_tls(dialect: Dialect, serve: Serve, reach: Reach) -> None:
    server = serve(answer(dialect.whole("Hi.")))
    error = failure(reach(dialect, server.address.replace("http:", "https:") + dialect.base, max_retries=0))
    assert "cannot be trusted or does not speak TLS" in error.summary


def test_a_key(dialect: Dialect, serve: Serve, reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_KEY", KEY)
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    monkeypatch.setenv("OPENAI_ORG_ID", "another")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "another")
    monkeypatch.setenv("GOOGLE_API_KEY", "another")
    server = serve(answer(dialect.whole("Hi.")), answer(dialect.whole("Hi.")))
    reach(dialect, server, fields={"key_env": "OUR_KEY"}).run(HELLO, model=ID)
    asked = server.asked[0].headers
    assert asked[dialect.header].removeprefix("Bearer ") == KEY
    assert "another" not in asked.values()


def test_no_key_is_sent_where_the_card_names_none(
    dialect: Dialect, serve: Serve, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.setenv(name, "another")
    server = serve(answer(dialect.whole("Hi.")))
    reach(dialect, server, headers={"x-tenant": "us"}).run(HELLO, model=ID)
    asked = server.asked[0].headers
    assert asked["x-tenant"] == "us"
    assert dialect.header not in asked


@pytest.mark.parametrize(("value", "got"), [(None, "unset"), ("", "unset"), ("two words", "spaces"), ("é", "ASCII")])
def test_a_key_that_is_not_there(
    value: str | None, got: str, dialect: Dialect, serve: Serve, reach: Reach, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OUR_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("OUR_KEY", value)
    server = serve(answer(dialect.whole("Hi.")))
    error = failure(reach(dialect, server, fields={"key_env": "OUR_KEY"}))
    assert type(error) is ConfigError
    assert "OUR_KEY" in str(error.expected)
    assert got in str(error.got)
    assert not value or value not in str(error)
    assert server.asked == []


def test_the_key_is_never_told(
    dialect: Dialect, serve: Serve, reach: Reach, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("OUR_KEY", KEY)
    server = serve(answer(dialect.whole("Hi.")), answer(dialect.error(f"bad key {KEY}"), 401), answer(KEY), drop)
    runtime = reach(dialect, server, fields={"key_env": "OUR_KEY"}, max_retries=0)
    told = [repr(runtime.run(HELLO, model=ID)), caplog.text]
    for _ in range(3):
        error = failure(runtime)
        chain = "".join(traceback.format_exception(error))
        told += [str(error), repr(error), repr(error.__dict__), chain, repr(pickle.dumps(error)), caplog.text]
        assert error.__cause__ is None
    model: Any = metier_load(card=card(dialect, server.address, fields={"key_env": "OUR_KEY"}), placement=Placement())
    told += [repr(model), *map(repr, vars(model).values())]
    model.close()
    assert "***" in "".join(told)
    assert KEY not in "".join(told)


@pytest.mark.parametrize("name", ["Authorization", "x-api-key", "X-Goog-Api-Key", "api-key"])
def test_no_key_stands_on_a_card(name: str, dialect: Dialect, reach: Reach) -> None:
    error = failure(reach(dialect, "http://127.0.0.1:9", headers={name: KEY}))
    assert type(error) is ConfigError
    assert KEY not in str(error)


@pytest.mark.parametrize("source", [f"http://user:{KEY}@127.0.0.1/v1", f"https://127.0.0.1/v1?key={KEY}", "http://"])
def test_an_address_that_is_none(source: str, dialect: Dialect, reach: Reach) -> None:
    error = failure(reach(dialect, source))
    assert type(error) is ConfigError
    assert KEY not in str(error)


def test_offline_and_private_runtimes_open_no_socket(dialect: Dialect, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "socketpair", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    for settings in ({"privacy": "any", "offline": True}, {}):
        with Runtime(cards=[card(dialect, "https://example.org/v1")], **settings) as runtime:  # type: ignore[arg-type]
            for work in (
                lambda runtime=runtime: runtime.run(HELLO, model=ID),
                lambda runtime=runtime: next(runtime.stream(HELLO, model=ID)),
                lambda runtime=runtime: runtime.load(ID),
            ):
                with pytest.raises(NoCapableModelError, match="is remote"):
                    work()


def test_a_client_that_is_not_installed(dialect: Dialect, reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    module = {"openai": "openai", "anthropic": "anthropic", "gemini": "google.genai"}[dialect.loader]
    monkeypatch.setitem(sys.modules, module, None)
    error = failure(reach(dialect, "http://127.0.0.1:9"))
    assert type(error) is PluginUnavailableError
    assert str(error.hint).startswith("pip install ")
