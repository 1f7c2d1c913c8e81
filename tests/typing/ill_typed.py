"""Pipelines that are wrong. Each marked line is refused by mypy, by pyright, and where the case is called."""

from collections.abc import Sequence
from dataclasses import dataclass

from metier import Runtime, Step, each, fallback, parallel, route, step, task
from metier_contracts import Classification, Classify
from shared import (
    Desk,
    Record,
    adopt,
    amounts,
    best,
    classify,
    count,
    decode,
    desk_label,
    distinct,
    double,
    embed,
    encode,
    extract,
    feed,
    fill,
    first,
    half,
    is_billing,
    join,
    join_three,
    keys,
    length,
    lengths,
    log,
    mood,
    mood_label,
    pair,
    rank,
    rows,
    shout,
    sizes,
    stray,
    top,
    total,
    triage,
    walk,
    words,
)


def case_number_into_text() -> None:
    length >> shout  # E


def case_text_into_number() -> None:
    shout >> double  # E


def case_steps_in_the_wrong_order() -> None:
    total >> words  # E


def case_float_into_int() -> None:
    half >> double  # E


def case_optional_into_text() -> None:
    words >> first >> shout  # E


def case_nothing_into_text() -> None:
    log >> shout  # E


def case_bytes_into_text() -> None:
    encode >> shout  # E


def case_text_into_bytes() -> None:
    shout >> decode  # E


def case_list_into_its_member() -> None:
    words >> length  # E


def case_set_into_sequence() -> None:
    words >> distinct >> count  # E


def case_mapping_into_sequence_of_numbers() -> None:
    words >> lengths >> total  # E


def case_sequence_into_mapping() -> None:
    words >> keys  # E


def case_list_of_texts_into_numbers() -> None:
    words >> total  # E


def case_tuple_of_the_wrong_members() -> None:
    pair >> join  # E


def case_base_into_subclass() -> None:
    stray >> walk  # E


def case_classification_into_text() -> None:
    triage >> shout  # E


def case_labels_of_another_literal() -> None:
    mood >> desk_label  # E


def case_any_label_into_a_literal() -> None:
    classify >> desk_label  # E


def case_label_of_another_literal() -> None:
    mood >> mood_label >> is_billing  # E


def case_embedding_into_classification() -> None:
    embed >> desk_label  # E


def case_ranking_into_extraction() -> None:
    rank >> amounts  # E


def case_extraction_into_ranking() -> None:
    extract >> best  # E


def case_tokens_into_ranking() -> None:
    fill >> best  # E


def case_ranking_into_tokens() -> None:
    rank >> top  # E


def case_entities_into_embedding() -> None:
    extract >> rows  # E


def case_one_text_into_many() -> None:
    double >> embed  # E


def case_each_over_the_wrong_member() -> None:
    words >> each(double)  # E


def case_each_over_no_sequence() -> None:
    length >> each(double)  # E


def case_each_gives_a_list() -> None:
    words >> each(length) >> double  # E


def case_each_over_a_sequence_step() -> None:
    words >> each(total)  # E


def case_parallel_gives_a_tuple() -> None:
    parallel(length, words) >> double  # E


def case_parallel_of_too_many() -> None:
    parallel(length, words, shout) >> join  # E


def case_parallel_of_too_few() -> None:
    parallel(length, words) >> join_three  # E


def case_parallel_in_the_wrong_order() -> None:
    parallel(words, length) >> join  # E


def case_parallel_after_another_type() -> None:
    double >> parallel(length, words)  # E


def case_parallel_into_another_record() -> None:
    parallel(into=Record, size=length, words=words) >> double  # E


def case_route_by_an_unknown_key() -> None:
    route(triage >> desk_label).to({"biling": length}, default=length)  # E


def case_route_by_a_key_of_another_type() -> None:
    route(length).to({"long": shout}, default=shout)  # E


def case_route_to_an_arm_of_another_input() -> None:
    route(triage >> desk_label).to({"billing": double}, default=double)  # E


def case_route_into_the_wrong_type() -> None:
    arms = {"glad": length, "sad": length}
    del arms
    route(mood >> mood_label).to({"glad": length, "sad": length}) >> shout  # E


def case_route_after_the_wrong_type() -> None:
    double >> route(mood >> mood_label).to({"glad": length, "sad": length})  # E


def case_fallback_into_the_wrong_type() -> None:
    fallback(length, length) >> shout  # E


def case_fallback_after_the_wrong_type() -> None:
    double >> fallback(shout, shout)  # E


def case_function_that_is_no_step() -> None:
    length >> str  # E


def case_each_of_a_function() -> None:
    each(len)  # E


def case_route_of_a_function() -> None:
    route(len)  # E


def case_fallback_of_a_function() -> None:
    fallback(length, len)  # E


def case_task_that_makes_no_request() -> None:
    def not_a_request(text: str) -> str:
        return text

    task(not_a_request)  # E


def case_task_that_returns_the_response() -> None:
    def answer(text: str) -> Classification[Desk]:
        return Classification[Desk](label="billing", scores={"billing": 1.0, text: 0.0})

    task(answer)  # E


def case_step_of_two_values() -> None:
    def two(text: str, other: str) -> str:
        return text + other

    step(two)  # E


def case_value_of_another_type() -> None:
    with Runtime() as runtime:
        runtime.run(length, 3)  # E


def case_values_of_another_type() -> None:
    with Runtime() as runtime:
        list(runtime.map(words >> each(length), [1, 2]))  # E


def case_pipeline_without_a_value() -> None:
    with Runtime() as runtime:
        runtime.run(length)  # E


def case_request_with_a_value() -> None:
    with Runtime() as runtime:
        runtime.run(Classify(text="x", labels=["a", "b"]), "x")  # E


def case_text_that_is_no_sequence_of_numbers() -> None:
    with Runtime() as runtime:
        runtime.run(total, "abc")  # E


def case_animal_for_a_dog() -> None:
    adopt >> walk >> feed  # E


@dataclass(frozen=True)
class Unused:
    """Keeps the imports that only annotations use."""

    record: Record
    step: Step[Sequence[str], int]
    sizes: object = sizes
