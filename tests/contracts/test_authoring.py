"""What plugins share: loaders by name, options of cards, and answers that fail one by one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from metier_contracts import (
    Cancelled,
    Classify,
    ConfigError,
    DeadlineExceeded,
    InferenceError,
    InputError,
    MetierError,
    ModelCard,
    ModelLoadError,
    Placement,
)
from metier_contracts.authoring import LoaderOptions, attempt, load_by, read_options, unsupported

LOADERS = {"first": "loaders_of_a_test", "absent": "no_such_module"}


class Options(LoaderOptions):
    width: int = 3


def card(**options: object) -> ModelCard:
    return ModelCard.from_mapping(
        {
            "id": "a/b",
            "plugin": "tried",
            "architecture": "rule",
            "parameters": 1,
            "bytes": 1,
            "licence": "MIT",
            "tasks": {"classify": {"labels": "open"}},
            "options": options,
        }
    )


def raising(error: BaseException) -> Callable[..., None]:
    def work(*_: object) -> None:
        raise error

    return work


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType(LOADERS["first"])
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made


class TestLoadBy:
    def test_the_loader_that_the_card_names(self, module: ModuleType) -> None:
        module.load = lambda *given: given  # type: ignore[attr-defined]
        placement = Placement(directory=Path("somewhere"))
        given: object = load_by(LOADERS, card(loader="first"), placement)
        assert given == (card(loader="first"), placement)

    @pytest.mark.parametrize("options", [{}, {"loader": "second"}, {"loader": ["first"]}])
    def test_no_such_loader(self, options: dict[str, object]) -> None:
        with pytest.raises(ConfigError, match="names no loader of the plugin tried") as caught:
            load_by(LOADERS, card(**options), Placement())
        assert "first, absent" in str(caught.value.expected)

    def test_its_own_error_comes_as_it_is(self, module: ModuleType) -> None:
        ours = InputError("no")
        module.load = raising(ours)  # type: ignore[attr-defined]
        with pytest.raises(InputError) as caught:
            load_by(LOADERS, card(loader="first"), Placement())
        assert caught.value is ours

    @pytest.mark.parametrize("name", ["first", "absent"])
    def test_any_other_failure_is_told_as_one_of_loading(self, module: ModuleType, name: str) -> None:
        module.load = raising(ZeroDivisionError("0"))  # type: ignore[attr-defined]
        with pytest.raises(ModelLoadError, match="could not be loaded") as caught:
            load_by(LOADERS, card(loader=name), Placement(directory=Path("somewhere")))
        assert type(caught.value.__cause__) in {ZeroDivisionError, ModuleNotFoundError}


class TestReadOptions:
    def test_read(self) -> None:
        assert read_options(Options, card(loader="first", width=5)).width == 5

    @pytest.mark.parametrize("wrong", [{"width": "wide"}, {"height": 1}])
    def test_wrong(self, wrong: dict[str, object]) -> None:
        with pytest.raises(ConfigError, match=next(iter(wrong))) as caught:
            read_options(Options, card(loader="first", **wrong))
        assert caught.value.blame == "options of the card a/b"


class TestAttempt:
    def test_a_failure_is_an_answer(self) -> None:
        ours, foreign = InputError("x"), ZeroDivisionError("y")
        assert attempt(lambda: 3) == 3
        assert attempt(raising(ours)) is ours
        failure = attempt(raising(foreign))
        assert isinstance(failure, InferenceError)
        assert failure.__cause__ is foreign

    @pytest.mark.parametrize("kind", [Cancelled, DeadlineExceeded])
    def test_what_concerns_the_call_passes_through(self, kind: type[MetierError]) -> None:
        with pytest.raises(kind):
            attempt(raising(kind("late")))


def test_an_unsupported_request_is_told_with_what_it_holds() -> None:
    error = unsupported(Classify(text="x", labels=["a", "b"]), card(loader="first"))
    assert error.summary == "a/b does not classify what was given"
    assert error.got == "Classify(labels, text)"
    assert str(error.expected).startswith("a request for classify")
