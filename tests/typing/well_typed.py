"""Pipelines that are right: accepted by mypy and pyright with the types in the comments, and built and run as well."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Annotated, Any, Generic, Protocol, TypeVar, reveal_type

from metier import Runtime, Step, cascade, each, fallback, parallel, private, retry, route, step, task
from metier_contracts import Classification, Classify, ExampleSet, Response
from shared import (
    Colour,
    Desk,
    Dog,
    Euros,
    Record,
    Row,
    adder,
    adopt,
    amounts,
    any_label,
    best,
    call_with_number,
    classify,
    colour,
    count,
    decode,
    describe,
    desk_label,
    double,
    embed,
    encode,
    entities,
    extract,
    feed,
    fill,
    first,
    half,
    is_billing,
    is_even,
    is_long,
    join,
    join_three,
    join_words,
    keys,
    length,
    lengths,
    log,
    mean,
    mood,
    mood_label,
    names,
    or_empty,
    or_number,
    place,
    rank,
    row,
    rows,
    shout,
    show_pair,
    sizes,
    sort_by_desk,
    surface,
    top,
    total,
    triage,
    walk,
    words,
)

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Box(Generic[T_co]):
    """Holds one thing."""

    content: T_co


class Sized(Protocol):
    """Whatever has a length."""

    def __len__(self) -> int: ...


def run(pipeline: object, value: object) -> object:
    with Runtime() as runtime:
        return runtime.run(pipeline, value)  # type: ignore[call-overload]  # pyright: ignore


def case_two_steps() -> None:
    pipeline = shout >> length
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "abc") == 3


def case_three_steps() -> None:
    pipeline = words >> each(length) >> total
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "a bb ccc") == 6


def case_list_into_sequence() -> None:
    pipeline = words >> count
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "a bb") == 2


def case_int_into_float() -> None:
    pipeline = length >> half
    reveal_type(pipeline)  # R: Step[str, float]
    assert run(pipeline, "abc") == 1.5


def case_list_of_int_into_sequence_of_float() -> None:
    pipeline = words >> each(length) >> mean
    reveal_type(pipeline)  # R: Step[str, float]
    assert run(pipeline, "a bbb") == 2.0


def case_optional_is_handled() -> None:
    pipeline = words >> first >> or_empty >> shout
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "") == ""


def case_text_into_optional() -> None:
    pipeline = shout >> or_empty
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "a") == "A"


def case_nothing_at_the_end() -> None:
    pipeline = shout >> log
    reveal_type(pipeline)  # R: Step[str, None]
    assert run(pipeline, "a") is None


def case_bytes_and_back() -> None:
    pipeline = encode >> decode
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "ä") == "ä"


def case_dict_into_mapping() -> None:
    pipeline = words >> lengths >> keys
    reveal_type(pipeline)  # R: Step[str, list[str]]
    assert run(pipeline, "a bb") == ["a", "bb"]


def case_subclass_into_base() -> None:
    pipeline = adopt >> feed
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "Rex") == "Dog"


def case_the_same_class() -> None:
    pipeline = adopt >> walk
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "Rex") == "Dog"


def case_labels_come_from_the_literal() -> None:
    reveal_type(triage)  # R: Step[str, Classification[Literal['billing', 'question', 'other']]]
    assert triage.exits()[0].hint is Classification[Desk]


def case_labels_are_text_without_a_literal() -> None:
    reveal_type(classify)  # R: Step[str, Classification[str]]


def case_label_of_a_literal() -> None:
    pipeline = triage >> desk_label
    reveal_type(pipeline)  # R: Step[str, Literal['billing', 'question', 'other']]


def case_literal_into_any_label() -> None:
    pipeline = triage >> any_label
    reveal_type(pipeline)  # R: Step[str, str]


def case_literal_into_text() -> None:
    pipeline = triage >> desk_label >> shout
    reveal_type(pipeline)  # R: Step[str, str]


def case_literal_into_itself() -> None:
    pipeline = triage >> desk_label >> is_billing
    reveal_type(pipeline)  # R: Step[str, bool]


def case_each_task_has_its_response() -> None:
    reveal_type(embed >> rows)  # R: Step[Sequence[str], int]
    reveal_type(rank >> best)  # R: Step[str, int]
    reveal_type(extract >> amounts)  # R: Step[str, list[str]]
    reveal_type(fill >> top)  # R: Step[str, str]


def case_words_are_embedded() -> None:
    pipeline = words >> embed >> rows
    reveal_type(pipeline)  # R: Step[str, int]


def case_each_within_each() -> None:
    pipeline = each(words) >> each(each(length))
    reveal_type(pipeline)  # R: Step[Sequence[str], list[list[int]]]
    assert run(pipeline, ["a bb", "ccc"]) == [[1, 2], [3]]


def case_each_over_a_task() -> None:
    pipeline = words >> each(triage >> desk_label)
    reveal_type(pipeline)  # R: Step[str, list[Literal['billing', 'question', 'other']]]


def case_each_over_nothing() -> None:
    pipeline = words >> each(length)
    assert run(pipeline, "") == []


def case_parallel_of_two() -> None:
    pipeline = parallel(length, words)
    reveal_type(pipeline)  # R: Step[str, tuple[int, list[str]]]
    assert run(pipeline >> join, "a b") == "3 ['a', 'b']"


def case_parallel_of_three() -> None:
    pipeline = parallel(length, words, shout) >> join_three
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "a") == "(1, ['a'], 'A')"


def case_parallel_of_five() -> None:
    pipeline = parallel(length, words, shout, encode, length)
    reveal_type(pipeline)  # R: Step[str, tuple[int, list[str], str, bytes, int]]
    assert run(pipeline, "a") == (1, ["a"], "A", b"a", 1)


def case_parallel_into_a_dataclass() -> None:
    pipeline = parallel(into=Record, size=length, words=words)
    reveal_type(pipeline)  # R: Step[str, Record]
    assert run(pipeline >> sizes, "abc") == 3


def case_parallel_narrows_its_input() -> None:
    pipeline = words >> parallel(count, first)
    reveal_type(pipeline)  # R: Step[str, tuple[int, str | None]]
    assert run(pipeline, "a b") == (2, "a")


def case_route_with_a_default() -> None:
    pipeline = route(triage >> desk_label).to({"billing": length}, default=length)
    reveal_type(pipeline)  # R: Step[str, int]


def case_route_that_serves_every_key() -> None:
    pipeline = route(mood >> mood_label).to({"glad": shout, "sad": shout})
    reveal_type(pipeline)  # R: Step[str, str]


def case_route_by_a_number() -> None:
    pipeline = route(length).to({1: shout, 2: shout}, default=shout)
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "ab") == "AB"


def case_route_goes_on() -> None:
    pipeline = route(length).to({1: length}, default=words >> count) >> double
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "a b c") == 6


def case_route_within_each() -> None:
    pipeline = words >> each(route(length).to({1: length}, default=length))
    reveal_type(pipeline)  # R: Step[str, list[int]]
    assert run(pipeline, "a bb") == [1, 2]


def case_route_by_type() -> None:
    pipeline = route(length, total)
    reveal_type(pipeline)  # R: Step[str | Sequence[int], int]
    assert [run(pipeline, "abc"), run(pipeline, [1, 2])] == [3, 3]


def case_route_by_type_gives_what_the_arms_give() -> None:
    pipeline = route(shout, decode, double)
    reveal_type(pipeline)  # R: Step[str | bytes | int, str | int]
    assert [run(pipeline, "a"), run(pipeline, b"a"), run(pipeline, 1)] == ["A", "a", 2]


def case_route_by_type_goes_on() -> None:
    pipeline = each(route(walk, words >> count)) >> each(or_number)
    reveal_type(pipeline)  # R: Step[Sequence[Dog | str], list[str]]
    assert run(pipeline, [Dog(), "a b"]) == ["Dog", "2"]


def case_fallback() -> None:
    pipeline = fallback(length, words >> count)
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "a b") == 3


def case_cascade() -> None:
    pipeline = cascade(length, words >> count, is_even)
    reveal_type(pipeline)  # R: Step[str, int]
    assert [run(pipeline, text) for text in ("abcd", "a b")] == [4, 2]


def case_cascade_by_a_lambda() -> None:
    pipeline = cascade(length, words >> count, lambda number: number > 2) >> double
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "a b") == 6


def case_retry_and_private() -> None:
    pipeline = words >> each(private(retry(length, attempts=2), release=True)) >> total
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "abc b") == 4


def case_named_step() -> None:
    @step(name="acme/reverse@1")
    def reverse(text: str) -> str:
        return text[::-1]

    reveal_type(reverse)  # R: Step[str, str]
    assert reverse.name == "acme/reverse@1"
    assert run(reverse, "abc") == "cba"


def case_lambda_with_types() -> None:
    pipeline = words >> step(lambda texts: len(texts), takes=list, gives=int)
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "a b") == 2


def case_builtin_with_types() -> None:
    pipeline = shout >> step(len, takes=str, gives=int)
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "abc") == 3


def case_partial() -> None:
    def repeat(text: str, times: int) -> str:
        return text * times

    pipeline = step(partial(repeat, times=2)) >> length
    reveal_type(pipeline)  # R mypy: Step[Any, int] # R pyright: Step[str, int]
    assert run(pipeline, "ab") == 4


def case_generic_function() -> None:
    def last(items: Sequence[T]) -> T:
        return items[-1]

    assert run(words >> step(last, takes=list, gives=str), "a b") == "b"


def case_new_type() -> None:
    @step
    def price(text: str) -> Euros:
        return Euros(len(text))

    pipeline = price >> double
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "abc") == 6


def case_protocol() -> None:
    @step
    def measure(sized: Sized) -> int:
        return len(sized)

    pipeline = words >> measure
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "a b") == 2


def case_base_of_responses() -> None:
    @step
    def name(response: Response) -> str:
        return type(response).__name__

    reveal_type(triage >> name)  # R: Step[str, str]
    reveal_type(embed >> name)  # R: Step[Sequence[str], str]


def case_task_with_a_model() -> None:
    @task(model="all-MiniLM-L6-v2")
    def sort(text: str) -> Classify[Desk]:
        return Classify[Desk](text=text)

    reveal_type(sort)  # R: Step[str, Classification[Literal['billing', 'question', 'other']]]


def case_runtime_infers() -> None:
    with Runtime() as runtime:
        reveal_type(runtime.run(words >> count, "a b"))  # R: int
        reveal_type(list(runtime.map(shout, ["a"])))  # R: list[str]


def case_response_of_a_request() -> None:
    def answer(runtime: Runtime) -> None:
        reveal_type(runtime.run(Classify[Desk](text="x")))  # R: Classification[Literal['billing', 'question', 'other']]
        reveal_type(runtime.run(Classify(text="x", labels=["a"])).label)  # R: str

    assert callable(answer)


def case_the_desk() -> None:
    examples: ExampleSet[Desk] = ExampleSet[Desk].from_pairs([("a bill", "billing"), ("how?", "question")])

    @task
    def sort(text: str) -> Classify[Desk]:
        return Classify[Desk](text=text, examples=examples)

    @step
    def hand_over(text: str) -> list[str]:
        return [text]

    desk = route(sort >> desk_label).to({"billing": extract >> amounts, "question": words}, default=hand_over)
    reveal_type(desk)  # R: Step[str, list[str]]


def case_arms_of_different_types() -> None:
    pipeline = route(length).to({1: length}, default=shout)
    reveal_type(pipeline)  # R mypy: Step[str, object] # R pyright: Step[str, int | str]
    assert run(pipeline, "ab") == "AB"


def case_entities_one_by_one() -> None:
    pipeline = extract >> entities >> each(surface)
    reveal_type(pipeline)  # R: Step[str, list[str]]


def case_dict_into_iterable() -> None:
    pipeline = words >> lengths >> names
    reveal_type(pipeline)  # R: Step[str, list[str]]
    assert run(pipeline, "a bb") == ["a", "bb"]


def case_typed_dict_into_mapping() -> None:
    pipeline = row >> describe
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "a") == "name"


def case_named_tuple_into_tuple() -> None:
    pipeline = place >> show_pair
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "ab") == "2: ab"


def case_bool_into_float() -> None:
    pipeline = is_long >> half
    reveal_type(pipeline)  # R: Step[str, float]
    assert run(pipeline, "abcd") == 0.5


def case_text_into_sequence_of_texts() -> None:
    pipeline = shout >> count
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "abc") == 3


def case_functions_between_steps() -> None:
    pipeline = adder >> call_with_number
    reveal_type(pipeline)  # R: Step[str, float]
    assert run(pipeline, "abc") == 4


def case_request_with_a_name_of_its_own() -> None:
    pipeline = sort_by_desk >> desk_label
    reveal_type(pipeline)  # R: Step[str, Literal['billing', 'question', 'other']]


def case_route_by_an_enumeration() -> None:
    pipeline = route(colour).to({Colour.RED: shout, Colour.GREEN: words >> join_words})
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "a") == "A"


def case_route_by_bool() -> None:
    pipeline = route(is_long).to({True: shout, False: words >> join_words})
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "a b") == "a, b"


def case_annotated_is_transparent() -> None:
    @step
    def seconds(text: str) -> Annotated[int, "seconds"]:
        return len(text)

    @step
    def later(time: Annotated[float, "seconds since the start"]) -> float:
        return time + 1

    pipeline = seconds >> later
    reveal_type(pipeline)  # R: Step[str, float]
    assert run(pipeline, "ab") == 3


def case_any_into_anything() -> None:
    @step
    def unknown(text: str) -> Any:
        return len(text)

    pipeline = unknown >> double
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "ab") == 4


def case_method_and_callable_object() -> None:
    class Repeat:
        def __init__(self, times: int) -> None:
            self.times = times

        def __call__(self, text: str) -> str:
            return text * self.times

        def count(self, text: str) -> int:
            return text.count("a") * self.times

    pipeline = step(Repeat(2)) >> step(Repeat(3).count)
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "ab") == 6


def case_class_as_a_step() -> None:
    @dataclass(frozen=True)
    class Title:
        text: str

    pipeline = shout >> step(Title)
    reveal_type(pipeline)  # R: Step[str, Title]
    assert run(pipeline, "a") == Title("A")


def case_generic_class() -> None:
    @step
    def box(text: str) -> Box[int]:
        return Box(len(text))

    @step
    def unbox(box: Box[float]) -> float:
        return box.content

    pipeline = box >> unbox
    reveal_type(pipeline)  # R: Step[str, float]
    assert run(pipeline, "ab") == 2


def case_cached_function() -> None:
    @lru_cache
    def measured(text: str) -> int:
        return len(text)

    pipeline = shout >> step(measured)
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "ab") == 2


def case_default_by_keyword() -> None:
    @step
    def repeat(text: str, *, times: int = 2) -> str:
        return text * times

    reveal_type(repeat)  # R: Step[str, str]
    assert run(repeat, "ab") == "abab"


def case_parallel_into_a_function() -> None:
    def line(size: int, words: Sequence[str]) -> str:
        return f"{size} {words}"

    pipeline = parallel(into=line, size=length, words=words) >> shout
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "a b") == "3 ['A', 'B']"


def case_parallel_into_a_generic_dataclass() -> None:
    pipeline = parallel(into=Box[int], content=length)
    reveal_type(pipeline)  # R: Step[str, Box[int]]
    assert run(pipeline, "ab") == Box(2)


def case_parallel_into_a_typed_dict() -> None:
    pipeline = parallel(into=Row, name=shout) >> describe
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "a") == "name"


def case_list_of_new_type_into_numbers() -> None:
    @step
    def prices(text: str) -> list[Euros]:
        return [Euros(len(word)) for word in text.split()]

    pipeline = prices >> total
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "a bb") == 3


def case_generator_of_texts() -> None:
    @step
    def spell(text: str) -> Iterator[str]:
        yield from text

    pipeline = spell >> names
    reveal_type(pipeline)  # R: Step[str, list[str]]
    assert run(pipeline, "ab") == ["a", "b"]


def case_parallel_of_parallels() -> None:
    pipeline = parallel(parallel(length, shout), fallback(length, length))
    reveal_type(pipeline)  # R: Step[str, tuple[tuple[int, str], int]]
    assert run(pipeline, "ab") == ((2, "AB"), 2)


def case_iterator_into_each() -> None:
    @step
    def letters(text: str) -> Sequence[str]:
        return tuple(text)

    @step
    def pull(numbers: Iterator[int] | list[int]) -> int:
        return sum(numbers)

    pipeline = letters >> each(length) >> pull
    reveal_type(pipeline)  # R: Step[str, int]
    assert run(pipeline, "abc") == 3


def case_anything_hashable() -> None:
    @step
    def key(value: Hashable) -> int:
        return hash(value) - hash(value)

    pipeline = triage >> desk_label >> key
    reveal_type(pipeline)  # R: Step[str, int]


def case_errors_are_collected() -> None:
    with Runtime() as runtime:
        outcomes = list(runtime.map(length, ["a", "bb"], on_error="collect"))
        reveal_type(outcomes)  # R: list[int | Exception]
        assert outcomes == [1, 2]


async def answer_later(runtime: Runtime) -> None:
    reveal_type(await runtime.arun(length, "a"))  # R: int
    reveal_type(await runtime.arun(Classify(text="x", labels=["a", "b"])))  # R: Classification[str]


def case_arms_that_take_different_types() -> None:
    accepts_none: Step[str, str] = or_empty  # without this name mypy joins the two arms to object
    pipeline = route(length).to({1: shout, 2: accepts_none}, default=shout)
    reveal_type(pipeline)  # R: Step[str, str]
    assert run(pipeline, "ab") == "ab"
