"""Pipelines that are wrong. Each marked line is refused by mypy, by pyright, and where the case is called."""

from collections.abc import Mapping, Sequence
from typing import Literal

from metier import Runtime, cache, cascade, each, fallback, parallel, private, retry, route, step, task
from metier_contracts import Classification, Classify
from shared import (
    Desk,
    Euros,
    Place,
    Record,
    Row,
    adder,
    adopt,
    amounts,
    best,
    call_with_text,
    classify,
    colour,
    count,
    decode,
    desk_label,
    distinct,
    double,
    embed,
    encode,
    entities,
    extract,
    feed,
    fill,
    first,
    gaps,
    half,
    is_billing,
    is_even,
    join,
    join_three,
    keys,
    length,
    lengths,
    log,
    mood,
    mood_label,
    pair,
    place,
    rank,
    row,
    rows,
    shout,
    show_pair,
    stray,
    surface,
    table,
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
    route(mood >> mood_label).to({"glad": length, "sad": length}) >> shout  # E


def case_route_after_the_wrong_type() -> None:
    double >> route(mood >> mood_label).to({"glad": length, "sad": length})  # E


def case_route_by_type_into_a_part_of_it() -> None:
    route(length, shout >> encode) >> half  # E


def case_route_by_type_after_another_type() -> None:
    half >> route(shout, decode)  # E


def case_route_by_type_of_a_function() -> None:
    route(shout, len)  # E


def case_value_that_no_arm_takes() -> None:
    with Runtime() as runtime:
        runtime.run(route(shout, decode), 3)  # E


def case_fallback_into_the_wrong_type() -> None:
    fallback(length, length) >> shout  # E


def case_fallback_after_the_wrong_type() -> None:
    double >> fallback(shout, shout)  # E


def case_cascade_into_the_wrong_type() -> None:
    cascade(length, length, is_even) >> shout  # E


def case_cascade_after_the_wrong_type() -> None:
    double >> cascade(shout, shout, lambda text: text != "")  # E


def case_cascade_that_accepts_another_type() -> None:
    cascade(shout, shout, is_even)  # E


def case_cascade_by_a_step_that_gives_no_verdict() -> None:
    cascade(length, length, double)  # E


def case_retry_into_the_wrong_type() -> None:
    retry(length) >> shout  # E


def case_private_after_the_wrong_type() -> None:
    double >> private(shout)  # E


def case_cache_into_the_wrong_type() -> None:
    cache(length) >> shout  # E


def case_retry_of_a_function() -> None:
    retry(len)  # E


def case_private_of_a_function() -> None:
    private(len, release=True)  # E


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


def case_extraction_into_entity() -> None:
    extract >> surface  # E


def case_entities_into_one() -> None:
    extract >> entities >> surface  # E


def case_record_into_dict() -> None:
    parallel(into=Record, size=length, words=words) >> table  # E


def case_typed_dict_into_dict() -> None:
    row >> table  # E


def case_typed_dict_into_record() -> None:
    @step
    def of_record(record: Record) -> str:
        return str(record)

    row >> of_record  # E


def case_record_into_typed_dict() -> None:
    @step
    def of_row(fields: Row) -> str:
        return fields["name"]

    parallel(into=Record, size=length, words=words) >> of_row  # E


def case_tuple_into_named_tuple() -> None:
    @step
    def of_place(place: Place) -> str:
        return place.name

    pair >> of_place  # E


def case_named_tuple_of_other_members() -> None:
    place >> join  # E


def case_pair_into_three() -> None:
    @step
    def three(all_: tuple[int, str, str]) -> str:
        return str(all_)

    pair >> three  # E


def case_list_of_optional_into_texts() -> None:
    gaps >> count  # E


def case_mapping_into_list() -> None:
    @step
    def size(texts: list[str]) -> int:
        return len(texts)

    words >> lengths >> size  # E


def case_function_of_other_parameters() -> None:
    adder >> call_with_text  # E


def case_literal_of_another_member() -> None:
    @step
    def accepted(label: Literal["biling", "question", "other"]) -> bool:
        return label == "biling"

    triage >> desk_label >> accepted  # E


def case_route_by_the_value_of_an_enumeration() -> None:
    route(colour).to({"red": length}, default=length)  # E


def case_route_by_a_response() -> None:
    route(triage).to({"billing": length}, default=length)  # E


def case_route_to_a_function() -> None:
    route(triage >> desk_label).to({"billing": len}, default=length)  # E


def case_step_of_a_step() -> None:
    step(length)  # E


def case_step_of_a_task() -> None:
    step(triage)  # E


def case_task_of_a_step() -> None:
    task(length)  # E


def case_types_by_half() -> None:
    step(len, takes=str)  # E


def case_async_function() -> None:
    @step
    async def slow(text: str) -> int:
        return len(text)

    slow >> double  # E


def case_optional_request() -> None:
    def perhaps(text: str) -> Classify | None:
        return Classify(text=text) if text else None

    task(perhaps)  # E


def case_several_requests() -> None:
    def several(text: str) -> list[Classify]:
        return [Classify(text=text)]

    task(several)  # E


def case_parallel_of_one() -> None:
    parallel(length)  # E


def case_parallel_by_name_without_a_record() -> None:
    parallel(size=length, words=words)  # E


def case_text_before_a_step() -> None:
    "some text" >> length  # E


def case_show_of_a_reversed_pair() -> None:
    parallel(shout, length) >> show_pair  # E


def case_optional_within_a_list() -> None:
    @step
    def sure(texts: list[str]) -> int:
        return len(texts)

    gaps >> sure  # E


def case_tuple_of_too_many() -> None:
    @step
    def one(all_: tuple[int]) -> int:
        return all_[0]

    pair >> one  # E


def case_dict_of_other_values() -> None:
    words >> lengths >> table  # E


def case_dict_of_other_keys() -> None:
    @step
    def by_number(fields: Mapping[int, int]) -> int:
        return len(fields)

    words >> lengths >> by_number  # E


def case_int_into_new_type() -> None:
    @step
    def pay(price: Euros) -> int:
        return price

    length >> pay  # E


def case_list_of_int_into_new_type() -> None:
    @step
    def pay_all(prices: Sequence[Euros]) -> int:
        return sum(prices)

    words >> each(length) >> pay_all  # E


def case_fallback_of_mixed_results() -> None:
    fallback(length, shout) >> double  # E


def case_route_of_mixed_results() -> None:
    route(mood >> mood_label).to({"glad": length, "sad": shout}) >> double  # E


def case_route_to_arms_of_different_inputs() -> None:
    route(mood >> mood_label).to({"glad": length, "sad": double})  # E


def case_task_with_a_model_that_makes_no_request() -> None:
    def no_request(text: str) -> str:
        return text

    task(model="all-MiniLM-L6-v2")(no_request)  # E


def case_task_that_is_async() -> None:
    async def ask(text: str) -> Classify[Desk]:
        return Classify[Desk](text=text)

    task(ask)  # E


def case_parallel_by_position_into_a_record() -> None:
    parallel(length, words, into=Record)  # E


def case_items_of_another_type() -> None:
    with Runtime() as runtime:
        list(runtime.map(triage, ["a", 1]))  # E


def case_optional_items() -> None:
    texts: list[str | None] = ["a", None]
    with Runtime() as runtime:
        list(runtime.map(shout, texts))  # E


def case_value_of_a_member_type() -> None:
    with Runtime() as runtime:
        runtime.run(each(length), [1, 2])  # E


def case_bytes_for_text() -> None:
    with Runtime() as runtime:
        runtime.run(triage, b"abc")  # E


def case_nothing_for_text() -> None:
    with Runtime() as runtime:
        runtime.run(length, None)  # E


def case_model_beside_a_pipeline() -> None:
    with Runtime() as runtime:
        runtime.run(triage, "x", model="some/model")  # E
