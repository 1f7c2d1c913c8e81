"""JSON by a schema from the smallest language model, held to the schema and not, on 200 schemas of our own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from metier import Runtime
from metier_contracts import Generate, Generation, Sampling
from metier_contracts.schemas import invalid

from benchmarks.evaluate.schemas import Case, corpus, coverage

MODEL = "smollm2-135m-instruct"
MAX_TOKENS = 256
_DATA = """\
200 JSON Schemas of `benchmarks/evaluate/schemas.json`, written for this, each with a realistic instruction: records,
configurations, arguments of functions, GeoJSON, recursive trees, unions, conditions, negations, formats, drafts 4 to
2020-12. The prompt is the instruction and the schema; temperature 0, at most {most} tokens. `valid`: JSON that
jsonschema finds valid against the schema and that was complete in time; `out of tokens`: texts cut at the limit, which
count as failures. Held to the schema by `json_schema` of the request; free, the same prompt without it. `free, fences
cut` takes what stands in a Markdown block for the answer where there is one."""


def judge() -> dict[str, Any]:
    """Ask for every schema, held to it and free."""
    cases = corpus()
    rows: dict[str, Any] = {}
    with Runtime() as runtime:
        for name, held in (("held to the schema", True), ("free", False)):
            begun = perf_counter()
            answers = list(runtime.map([asked(case, held=held) for case in cases], model=MODEL))
            seconds = perf_counter() - begun
            rows[name] = tally(cases, answers) | {"seconds": round(seconds, 1)}
            if not held:
                rows["free, fences cut"] = tally(cases, [unfenced(answer) for answer in answers]) | {"seconds": None}
            print(name, {key: value for key, value in rows[name].items() if key != "each"}, flush=True)
    return {
        "title": "JSON of 200 schemas, by SmolLM2-135M-Instruct",
        "data": _DATA.format(most=MAX_TOKENS),
        "coverage": coverage([case.schema for case in cases]),
        "rows": rows,
    }


def asked(case: Case, *, held: bool) -> Generate:
    """Return the request of a case. Held, the model reads the schema from the plugin, and free, from the prompt."""
    sampling = Sampling(max_tokens=MAX_TOKENS)
    if held:
        return Generate.of(case.prompt, sampling=sampling).replaced(json_schema=case.schema)
    schema = json.dumps(case.schema, ensure_ascii=False)
    told = f"Answer with JSON alone, valid against this JSON Schema:\n{schema}"
    return Generate.of(f"{case.prompt}\n\n{told}", sampling=sampling)


def unfenced(answer: Generation) -> Generation:
    """Return the answer with what stands in its first Markdown block as its text."""
    _, fence, rest = answer.text.partition("```")
    return answer.replaced(text=rest.partition("```")[0].removeprefix("json")) if fence else answer


def tally(cases: Sequence[Case], answers: Sequence[Generation]) -> dict[str, Any]:
    """Return how many answers are valid, how many were cut, their tokens, and each one's verdict: v, x or cut (c)."""
    each = "".join(verdict(case, answer) for case, answer in zip(cases, answers, strict=True))
    return {
        "schemas": len(cases),
        "valid": each.count("v"),
        "out of tokens": each.count("c"),
        "tokens": sum(answer.output_tokens for answer in answers),
        "each": each,
    }


def verdict(case: Case, answer: Generation) -> str:
    """Return v for a valid answer, c for one that was cut, x for any other."""
    if answer.finish_reason == "length":
        return "c"
    return "x" if invalid("text", answer.text, case.schema) else "v"
