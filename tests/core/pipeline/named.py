"""Named steps of a few types, and random pipelines of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st
from metier import Step, cache, cascade, each, fallback, parallel, private, retry, route, step, task
from metier_contracts import Classification, Classify

Size = Literal["short", "long"]


@dataclass(frozen=True)
class Report:
    size: int
    text: str


def joined(size: int, text: str = "") -> str:
    return f"{size} {text}"


@task(name="acme/measure@1")
def measure(text: str) -> Classify[Size]:
    return Classify[Size](text=text)


@task(name="acme/measure-small@1.0", model="acme/small")
def measure_small(text: str) -> Classify[Size]:
    return Classify[Size](text=text)


@step(name="acme/label@1")
def label(verdict: Classification[Size]) -> Size:
    return verdict.label


@step(name="acme/length@2")
def length(text: str) -> int:
    return len(text)


@step(name="acme/words@1")
def words(text: str) -> list[str]:
    return text.split()


@step(name="acme/count@1")
def count(members: Sequence[object]) -> int:
    return len(members)


@step(name="acme/written@1")
def written(value: object) -> str:
    return str(value)


@step(name="acme/double@1")
def double(number: int) -> int:
    return 2 * number


@step(name="acme/anything@1")
def anything(value: object) -> Any:
    return value


@step(name="acme/brief@1")
def brief(value: object) -> bool:
    return len(str(value)) < 9


STEPS: tuple[Step[Any, Any], ...] = (
    measure,
    measure_small,
    label,
    length,
    words,
    count,
    written,
    double,
    anything,
    brief,
)
RECORDS: dict[str, Callable[..., Any]] = {"acme/report@1": Report, "acme/joined@1": joined}

KEYS = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=200)


def _grow(texts: st.SearchStrategy[Step[str, str]]) -> st.SearchStrategy[Step[str, str]]:
    """Pipelines from str to str of smaller ones."""
    by_key = st.dictionaries(KEYS, texts, min_size=1, max_size=3)
    return st.one_of(
        st.tuples(texts, texts).map(lambda two: two[0] >> two[1]),
        st.lists(texts, min_size=2, max_size=4).map(lambda some: fallback(*some)),
        st.tuples(texts, texts).map(lambda two: parallel(*two) >> written),
        texts.map(lambda one: parallel(into=Report, size=one >> length, text=one) >> written),
        texts.map(lambda one: parallel(into=joined, size=one >> length)),
        texts.map(lambda one: words >> each(one) >> written),
        texts.map(lambda one: route(words >> each(one), double) >> written),
        st.tuples(texts, by_key, texts).map(lambda of: route(of[0] >> anything).to(of[1], default=of[2])),
        st.tuples(texts, texts).map(lambda two: cascade(*two, brief)),
        st.tuples(texts, st.integers(1, 9)).map(lambda of: retry(of[0], attempts=of[1], on=(OSError,), wait=0.25)),
        texts.map(lambda one: cache(fallback(one, measure >> label))),
        st.tuples(texts, st.booleans()).map(lambda of: private(of[0], release=of[1])),
        texts.map(lambda one: route(measure_small >> label).to({"short": one, "long": written})),
    )


PIPELINES = st.recursive(
    st.sampled_from([written, length >> written, measure >> label, words >> count >> double >> written]),
    _grow,
    max_leaves=12,
)
