"""Steps that the two corpora compose."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal, NamedTuple, NewType, TypedDict

from metier import step, task
from metier_contracts import (
    Classification,
    Classify,
    Embed,
    Embedding,
    Entity,
    Extract,
    Extraction,
    FillMask,
    Rank,
    Ranking,
    TokenRanking,
)

Desk = Literal["billing", "question", "other"]
Mood = Literal["glad", "sad"]
Euros = NewType("Euros", int)


class Animal:
    """A base."""


class Dog(Animal):
    """A subclass."""


@dataclass(frozen=True)
class Record:
    """A length and words."""

    size: int
    words: list[str]


class Row(TypedDict):
    """A name by key."""

    name: str


class Place(NamedTuple):
    """A number and a name."""

    number: int
    name: str


class Colour(Enum):
    """Two of them."""

    RED = "red"
    GREEN = "green"


class SortByDesk(Classify[Desk]):
    """A request with a name of its own."""


@step
def length(text: str) -> int:
    return len(text)


@step
def words(text: str) -> list[str]:
    return text.split()


@step
def total(numbers: Sequence[int]) -> int:
    return sum(numbers)


@step
def mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / max(len(numbers), 1)


@step
def is_even(number: int) -> bool:
    return number % 2 == 0


@step
def double(number: int) -> int:
    return 2 * number


@step
def half(number: float) -> float:
    return number / 2


@step
def shout(text: str) -> str:
    return text.upper()


@step
def count(texts: Sequence[str]) -> int:
    return len(texts)


@step
def first(texts: list[str]) -> str | None:
    return texts[0] if texts else None


@step
def or_empty(text: str | None) -> str:
    return text or ""


@step
def or_number(result: str | int) -> str:
    return str(result)


@step
def pair(text: str) -> tuple[int, str]:
    return len(text), text


@step
def join(both: tuple[int, list[str]]) -> str:
    return f"{both[0]} {both[1]}"


@step
def join_three(all_: tuple[int, list[str], str]) -> str:
    return str(all_)


@step
def sizes(record: Record) -> int:
    return record.size


@step
def lengths(texts: Sequence[str]) -> dict[str, int]:
    return {text: len(text) for text in texts}


@step
def keys(table: Mapping[str, int]) -> list[str]:
    return list(table)


@step
def distinct(texts: Sequence[str]) -> set[str]:
    return set(texts)


@step
def encode(text: str) -> bytes:
    return text.encode()


@step
def decode(data: bytes) -> str:
    return data.decode()


@step
def log(text: str) -> None:
    del text


@step
def adopt(name: str) -> Dog:
    del name
    return Dog()


@step
def feed(animal: Animal) -> str:
    return type(animal).__name__


@step
def walk(dog: Dog) -> str:
    return type(dog).__name__


@step
def stray(name: str) -> Animal:
    del name
    return Animal()


@task
def triage(text: str) -> Classify[Desk]:
    return Classify[Desk](text=text)


@task
def mood(text: str) -> Classify[Mood]:
    return Classify[Mood](text=text)


@task
def classify(text: str) -> Classify:
    return Classify(text=text, labels=["a", "b"])


@task
def embed(texts: Sequence[str]) -> Embed:
    return Embed(texts=texts)


@task
def rank(query: str) -> Rank:
    return Rank(query=query, candidates=["a", "b"])


@task
def extract(text: str) -> Extract:
    return Extract(text=text)


@task
def fill(text: str) -> FillMask:
    return FillMask(text=text)


@step
def desk_label(verdict: Classification[Desk]) -> Desk:
    return verdict.label


@step
def mood_label(verdict: Classification[Mood]) -> Mood:
    return verdict.label


@step
def any_label(verdict: Classification) -> str:
    return verdict.label


@step
def is_billing(label: Desk) -> bool:
    return label == "billing"


@step
def amounts(found: Extraction) -> list[str]:
    return [entity.text for entity in found.of("MONEY")]


@step
def best(ranking: Ranking) -> int:
    return ranking.best


@step
def rows(embedding: Embedding) -> int:
    return len(embedding.vectors)


@step
def top(ranking: TokenRanking) -> str:
    return ranking.tokens[0].token


@step
def entities(found: Extraction) -> list[Entity]:
    return list(found.entities)


@step
def surface(entity: Entity) -> str:
    return entity.text


@step
def row(name: str) -> Row:
    return {"name": name}


@step
def place(name: str) -> Place:
    return Place(len(name), name)


@step
def describe(fields: Mapping[str, object]) -> str:
    return ", ".join(fields)


@step
def table(fields: dict[str, str]) -> str:
    return ", ".join(fields)


@step
def names(all_: Iterable[str]) -> list[str]:
    return list(all_)


@step
def gaps(text: str) -> list[str | None]:
    return [text or None]


@step
def show_pair(both: tuple[int, str]) -> str:
    return f"{both[0]}: {both[1]}"


@step
def colour(text: str) -> Colour:
    return Colour.RED if text else Colour.GREEN


@step
def is_long(text: str) -> bool:
    return len(text) > 3


@step
def adder(text: str) -> Callable[[int], int]:
    return lambda number: number + len(text)


@step
def call_with_number(function: Callable[[int], float]) -> float:
    return function(1)


@step
def call_with_text(function: Callable[[str], int]) -> int:
    return function("1")


@task
def sort_by_desk(text: str) -> SortByDesk:
    return SortByDesk(text=text)


@step
def join_words(words: Sequence[str]) -> str:
    return ", ".join(words)
