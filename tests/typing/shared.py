"""Steps that the two corpora compose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from metier import step, task
from metier_contracts import (
    Classification,
    Classify,
    Embed,
    Embedding,
    Extract,
    Extraction,
    FillMask,
    Rank,
    Ranking,
    TokenRanking,
)

Desk = Literal["billing", "question", "other"]
Mood = Literal["glad", "sad"]


class Animal:
    """A base."""


class Dog(Animal):
    """A subclass."""


@dataclass(frozen=True)
class Record:
    """A length and words."""

    size: int
    words: list[str]


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
