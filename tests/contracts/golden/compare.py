"""What may change within a major version: a minor adds optional fields, and nothing else."""

from typing import Any

_PROSE = {"title", "description", "$defs", "default", "properties", "required"}


def contains(now: Any, then: Any) -> bool:
    """Tell whether a wire form of today still holds everything of an older one."""
    if isinstance(now, dict) and isinstance(then, dict):
        return all(key in now and contains(now[key], value) for key, value in then.items())
    if isinstance(now, list) and isinstance(then, list):
        return len(now) == len(then) and all(map(contains, now, then))
    return type(now) is type(then) and now == then


def breaks(now: dict[str, Any], then: dict[str, Any]) -> list[str]:
    """Return how a JSON Schema differs from an older one beyond optional fields that it adds."""
    return list(_breaks(now, then, now.get("$defs", {}), then.get("$defs", {}), "$", set()))


def _breaks(now: Any, then: Any, now_defs: Any, then_defs: Any, at: str, seen: set[str]) -> Any:
    if isinstance(now, dict) and isinstance(then, dict):
        yield from _breaks_of_objects(now, then, now_defs, then_defs, at, seen)
    elif isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        for index, pair in enumerate(zip(now, then, strict=True)):
            yield from _breaks(*pair, now_defs, then_defs, f"{at}[{index}]", seen)
    elif now != then:
        yield f"{at}: was {then}, is {now}"


def _breaks_of_objects(now: Any, then: Any, now_defs: Any, then_defs: Any, at: str, seen: set[str]) -> Any:
    if "$ref" in now and "$ref" in then:
        name, old = (schema["$ref"].removeprefix("#/$defs/") for schema in (now, then))
        if (pair := f"{name} {old}") not in seen:
            seen.add(pair)
            yield from _breaks(now_defs[name], then_defs[old], now_defs, then_defs, f"{at}.{name}", seen)
        now, then = ({**schema, "$ref": None} for schema in (now, then))
    if sorted(now.get("required", ())) != sorted(then.get("required", ())):
        yield f"{at}.required: was {then.get('required')}, is {now.get('required')}"
    if ("default" in now) != ("default" in then) or not contains(now.get("default"), then.get("default")):
        yield f"{at}.default: was {then.get('default')}, is {now.get('default')}"
    fields = now.get("properties", {})
    for name, schema in then.get("properties", {}).items():
        if name not in fields:
            yield f"{at}.{name}: is gone"
        else:
            yield from _breaks(fields[name], schema, now_defs, then_defs, f"{at}.{name}", seen)
    for key in sorted((now.keys() | then.keys()) - _PROSE):
        if key not in now or key not in then:
            yield f"{at}.{key}: was {then.get(key)}, is {now.get(key)}"
        else:
            yield from _breaks(now[key], then[key], now_defs, then_defs, f"{at}.{key}", seen)
