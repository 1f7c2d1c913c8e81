"""From a JSON Schema to a choice of plain shapes, by the tableau method.

A *claim* is a schema that a value has to be valid against, or must not be. A value's claims are taken apart until
only keywords of one type each are left: `allOf` and `$ref` add claims, `anyOf`, `oneOf` and `if` branch, `not` turns a
claim around. What is left is a `Branch`; its claims about members and items are taken apart when these are written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from metier_llm.constraints.numbers import Numbers, exact
from metier_llm.constraints.problems import unsupported

_TYPES = frozenset({"null", "boolean", "integer", "fraction", "string", "array", "object"})
_NUMBERS = frozenset({"integer", "fraction"})
_MOST_BRANCHES = 400
_MOST_ROADS = 4000
# Keywords that a negated claim cannot be turned around for; their branch is left out.
_ONE_WAY = frozenset(
    {"patternProperties", "additionalProperties", "propertyNames", "uniqueItems", "additionalItems", "format"}
    | {"unevaluatedItems", "unevaluatedProperties"}
)
# Keywords that say something only together with their neighbours.
_NEIGHBOURS = {
    "additionalProperties": ("properties", "patternProperties"),
    "additionalItems": ("items",),
    "items": ("prefixItems",),
    "contains": ("minContains", "maxContains"),
    "if": ("then", "else"),
    "minimum": ("exclusiveMinimum",),
    "maximum": ("exclusiveMaximum",),
}


@dataclass(frozen=True)
class Claim:
    """A schema that a value has to be valid against (`holds`), or must not be. `root`: where its references start."""

    text: str
    root: Any = field(compare=False, hash=False, repr=False)
    holds: bool = True

    @cached_property
    def schema(self) -> Any:
        """The schema."""
        return json.loads(self.text)

    def about(self, schema: Any, *, holds: bool = True) -> Claim:
        """Return a claim by a part of this claim's schema."""
        return Claim(json.dumps(schema), self.root, holds)

    def turned(self) -> Claim:
        """Return the opposite claim."""
        return replace(self, holds=not self.holds)


Claims = tuple[Claim, ...]


@dataclass
class Scope:
    """What a schema with `unevaluatedProperties` or `unevaluatedItems` has looked at in a branch."""

    claim: Claim
    keyword: str
    names: set[str] = field(default_factory=set)
    patterns: list[str] = field(default_factory=list)
    prefix: int = 0
    everything: bool = False


@dataclass
class Branch:
    """One way for a value to satisfy its claims.

    `claims`: all that were taken apart on the way, which tell whether a listed value will do. `extras`: claims about
    the members that are neither among the names nor match a pattern. `each`: claims about the items from an index on.
    """

    types: frozenset[str] = _TYPES
    claims: list[Claim] = field(default_factory=list)
    values: list[Any] | None = None
    barred: list[Any] = field(default_factory=list)
    numbers: Numbers = field(default_factory=Numbers)
    low_length: int = 0
    high_length: int | None = None
    patterns: list[tuple[str, bool]] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    members: dict[str, list[Claim]] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    low_members: int = 0
    high_members: int | None = None
    by_pattern: list[tuple[str, Claim]] = field(default_factory=list)
    extras: list[tuple[frozenset[str], tuple[str, ...], Claim]] = field(default_factory=list)
    names: list[Claim] = field(default_factory=list)
    open: bool = False
    prefix: dict[int, list[Claim]] = field(default_factory=dict)
    each: list[tuple[int, Claim]] = field(default_factory=list)
    low_items: int = 0
    high_items: int | None = None
    contained: list[tuple[Claim, int, int | None]] = field(default_factory=list)
    unique: bool = False
    scopes: list[Scope] = field(default_factory=list)

    def copy(self) -> Branch:
        """Return a branch that may go on by itself."""
        made = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, list):
                setattr(made, name, list(value))
        made.numbers = replace(self.numbers, steps=list(self.numbers.steps))
        made.members = {name: list(claims) for name, claims in self.members.items()}
        made.prefix = {index: list(claims) for index, claims in self.prefix.items()}
        made.scopes = [replace(s, names=set(s.names), patterns=list(s.patterns)) for s in self.scopes]
        return made


Step = tuple[Claim, tuple[int, ...]]
"""A claim to take apart, and the scopes that it belongs to."""


class Tableau:
    """Takes claims apart. `kind`: the validator's class, whose keywords count. `dropped`: keywords of ways left out."""

    def __init__(self, kind: Any) -> None:
        self.kind = kind
        self.known = frozenset(kind.VALIDATORS) | {"then", "else", "minContains", "maxContains"}
        self.legacy = "dependentRequired" not in kind.VALIDATORS  # up to draft 7 a reference stands alone
        self.dropped: set[str] = set()
        self._roads = 0

    def branches(self, claims: Claims) -> list[Branch]:
        """Return every way to satisfy the claims, but for those that contradict themselves plainly."""
        self._roads = 0
        found: list[Branch] = []
        for branch in self._grown(Branch(), [(claim, ()) for claim in claims], []):
            found.append(branch)
            if len(found) > _MOST_BRANCHES:
                raise unsupported("anyOf", f"at most {_MOST_BRANCHES} ways to be valid, keywords of a kind multiplied")
        return found

    def _grown(self, branch: Branch, todo: list[Step], choices: list[list[list[Step]]]) -> Iterator[Branch]:
        self._roads += 1
        if self._roads > _MOST_ROADS:
            raise unsupported("oneOf", f"at most {_MOST_ROADS} ways to be valid, keywords of a kind multiplied")
        queue = list(todo)
        while queue:
            step = queue.pop(0)
            more = self._taken(branch, *step)
            if more is None or not branch.types or self._contradicts(branch):
                return
            added, chosen = more
            queue = added + queue
            choices = choices + chosen
        if not choices:
            yield branch
            return
        place = min(range(len(choices)), key=lambda index: len(choices[index]))
        rest = choices[:place] + choices[place + 1 :]
        for option in choices[place]:
            yield from self._grown(branch.copy(), option, rest)

    def _contradicts(self, branch: Branch) -> bool:
        if branch.values is not None:
            branch.values = [value for value in branch.values if self._fits(value, branch)]
            return not branch.values
        if branch.types == {"object"}:
            if branch.high_members is not None and len(branch.required) > branch.high_members:
                return True
            return any(self.hopeless(tuple(branch.members.get(name, ()))) for name in branch.required)
        return False

    def hopeless(self, claims: Claims, depth: int = 2) -> bool:
        """Return whether the claims plainly contradict each other: among listed values, types, or `false`."""
        values: list[Any] | None = None
        types = _TYPES
        for claim in claims:
            if not isinstance(claim.schema, dict):
                if claim.schema is not claim.holds:
                    return True
                continue
            words = self.keywords(claim.schema)
            if claim.holds:
                if (listed := _listed(words)) is not None and values is None:
                    values = listed
                if "type" in words:
                    types &= _named(words["type"])
            elif set(words) == {"type"}:
                types -= _named(words["type"])
        if values is not None:
            return not any(all(self.valid(claim, value) for claim in claims) for value in values)
        return not types

    def _fits(self, value: Any, branch: Branch) -> bool:
        return all(self.valid(claim, value) for claim in branch.claims)

    def valid(self, claim: Claim, value: Any) -> bool:
        """Return whether a value does what a claim says."""
        if isinstance(claim.schema, bool):
            return claim.schema is claim.holds
        return claim.root.valid(claim.schema, value) is claim.holds

    def keywords(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keywords that count."""
        if self.legacy and "$ref" in schema:
            return {"$ref": schema["$ref"]}
        words = {word: value for word, value in schema.items() if word in self.known}
        if "if" not in words:
            words.pop("then", None), words.pop("else", None)
        elif "then" not in words and "else" not in words:
            del words["if"]
        if "contains" not in words:
            words.pop("minContains", None), words.pop("maxContains", None)
        return words

    def _taken(self, branch: Branch, claim: Claim, scopes: tuple[int, ...]) -> Any:
        """Take a claim apart. Returns the claims and the choices that follow, or None where nothing can satisfy it."""
        branch.claims.append(claim)
        if isinstance(claim.schema, bool):
            return ([], []) if claim.schema is claim.holds else None
        words = self.keywords(claim.schema)
        return self._held(branch, claim, words, scopes) if claim.holds else self._denied(branch, claim, words)

    # --- claims that hold

    def _held(self, branch: Branch, claim: Claim, words: dict[str, Any], scopes: tuple[int, ...]) -> Any:
        for keyword in ("unevaluatedProperties", "unevaluatedItems"):
            if keyword in words:
                scopes = (*scopes, len(branch.scopes))
                branch.scopes.append(Scope(claim.about(words[keyword]), keyword))
        added: list[Step] = []
        choices: list[list[list[Step]]] = []

        def step(schema: Any, holds: bool = True) -> Step:
            return claim.about(schema, holds=holds), scopes

        for word, value in words.items():
            if word in {"$ref", "$dynamicRef"}:
                added.append((claim.root.target(value), scopes))
            elif word == "allOf":
                added += [step(one) for one in value]
            elif word == "anyOf":
                choices.append([[step(one)] for one in value])
            elif word == "oneOf":
                choices.append([self._only(claim, value, index, scopes) for index in range(len(value))])
            elif word == "not":
                added.append(step(value, False))
            elif word == "if":
                met = [step(value), *([step(words["then"])] if "then" in words else [])]
                unmet = [step(value, False), *([step(words["else"])] if "else" in words else [])]
                choices.append([met, unmet])
            elif word in {"dependentRequired", "dependentSchemas", "dependencies"}:
                choices += [self._dependent(claim, name, needs, scopes) for name, needs in value.items()]
            elif word == "items" and "prefixItems" in words:
                continue  # kept together with the prefix
            elif word in _KEEPERS:
                _KEEPERS[word](self, branch, claim, words, [branch.scopes[index] for index in scopes])
        return added, choices

    def _only(self, claim: Claim, options: list[Any], index: int, scopes: tuple[int, ...]) -> list[Step]:
        """Return the claims of `oneOf` where the option at `index` holds: what could hold beside it must not."""
        chosen = claim.about(options[index])
        others = [claim.about(option) for place, option in enumerate(options) if place != index]
        apart = [other.turned() for other in others if not self._exclusive(chosen, other)]
        return [(chosen, scopes), *((other, ()) for other in apart)]

    def _exclusive(self, one: Claim, other: Claim) -> bool:
        """Return whether two claims plainly cannot hold together: by their types, or by a member that both require."""
        first, second = self._resolved(one), self._resolved(other)
        if first is None or second is None:
            return False
        if self.hopeless((first, second)):
            return True
        a, b = self.keywords(first.schema), self.keywords(second.schema)
        if not (_named(a.get("type", list(_TYPES))) & _named(b.get("type", list(_TYPES)))) <= {"object"}:
            return False
        for name in {*a.get("required", ()), *b.get("required", ())}:
            pair = [self._member(first, a, name), self._member(second, b, name)]
            if self.hopeless(tuple(claim for claim in pair if claim is not None)):
                return True
        return False

    def _member(self, claim: Claim, words: dict[str, Any], name: str) -> Claim | None:
        if name in words.get("properties", {}):
            found = claim.about(words["properties"][name])
            return self._resolved(found) or found
        if "patternProperties" not in words and words.get("additionalProperties") is False:
            return claim.about(False)
        return None

    def _resolved(self, claim: Claim) -> Claim | None:
        for _ in range(20):
            if not isinstance(claim.schema, dict):
                return None
            words = self.keywords(claim.schema)
            if set(words) != {"$ref"}:
                return claim
            claim = claim.root.target(words["$ref"])
        return None

    def _dependent(self, claim: Claim, name: str, needs: Any, scopes: tuple[int, ...]) -> list[list[Step]]:
        """Return the ways to meet what a member asks for: it is not there, or what it asks for is."""
        met = {"required": [name, *needs]} if isinstance(needs, list) else {"required": [name]}
        also = [] if isinstance(needs, list) else [(claim.about(needs), scopes)]
        absent: list[Step] = [(claim.about({"properties": {name: False}}), ())]
        return [[(claim.about({"type": "object", **met}), scopes), *also], absent]

    # --- claims that must not hold

    def _denied(self, branch: Branch, claim: Claim, words: dict[str, Any]) -> Any:
        """Deny one of the keywords. Each may have neighbours, without which it would say something else."""
        parts = [
            word for word in words if word not in _BESIDE and not (word in _SHARP and words[word] in (True, False))
        ]
        if "prefixItems" not in self.kind.VALIDATORS and isinstance(words.get("items"), list):
            self.dropped.add("not")
            return None
        if len(parts) != 1:
            options = []
            for word in parts:
                near = {name: words[name] for name in _NEIGHBOURS.get(word, ()) if name in words and name not in parts}
                if word == "items" and "prefixItems" in words:
                    self.dropped.add("not")
                    continue
                options.append([(claim.about({**near, word: words[word]}, holds=False), ())])
            return ([], [options]) if options else None
        word = parts[0]
        value = words[word]
        if word in _ONE_WAY:
            self.dropped.add("not")
            return None
        return self._denied_word(branch, claim, word, value, words)

    def _denied_word(self, branch: Branch, claim: Claim, word: str, value: Any, words: dict[str, Any]) -> Any:
        def step(schema: Any, holds: bool = True) -> Step:
            return claim.about(schema, holds=holds), ()

        def typed(kind: str | list[str], **more: Any) -> Any:
            return [step({"type": kind, **more})], []

        if word in {"$ref", "$dynamicRef"}:
            return [(claim.root.target(value).turned(), ())], []
        if word == "not":
            return [step(value)], []
        if word == "anyOf":
            return [step(one, False) for one in value], []
        if word == "allOf":
            return [], [[[step(one, False)] for one in value]]
        if word == "oneOf":
            none = [step(one, False) for one in value]
            pairs = [[step(a), step(b)] for i, a in enumerate(value) for b in value[i + 1 :]]
            return [], [[none, *pairs]]
        if word == "if":
            met = [step(value), step(words["then"], False)] if "then" in words else None
            unmet = [step(value, False), step(words["else"], False)] if "else" in words else None
            return [], [[way for way in (met, unmet) if way is not None]]
        if word == "type":
            branch.types -= _named(value)
        elif word in {"const", "enum"}:
            branch.barred += [value] if word == "const" else value
        elif word == "properties":
            return [], [
                [
                    [step({"type": "object", "required": [n]}), step({"properties": {n: {"not": s}}})]
                    for n, s in value.items()
                ]
            ]
        elif word == "required":
            return [], [[[step({"type": "object", "properties": {name: False}})] for name in value]]
        elif word in {"dependentRequired", "dependencies", "dependentSchemas"}:
            return [], [[way for name, needs in value.items() for way in _unmet(step, name, needs)]]
        elif word in _OPPOSITE:
            opposite, offset, kind = _OPPOSITE[word]
            if value + offset < 0:
                return None
            return typed(kind, **{opposite: value + offset})
        elif word in {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}:
            return self._denied_bound(branch, word, value, words)
        elif word == "multipleOf":
            branch.types &= _NUMBERS
            branch.numbers.listed = True
        elif word == "pattern":
            branch.types &= {"string"}
            branch.patterns.append((value, False))
        elif word == "items":
            branch.types &= {"array"}
            branch.contained.append((claim.about(value, holds=False), 1, None))
        elif word == "prefixItems":
            every: list[Any] = [True] * len(value)
            return [], [
                [
                    [step({"type": "array", "minItems": index + 1, "prefixItems": [*every[:index], {"not": one}]})]
                    for index, one in enumerate(value)
                ]
            ]
        elif word == "contains" and words.get("minContains", 1) == 1 and "maxContains" not in words:
            return typed("array", items={"not": value})
        else:
            self.dropped.add("not")
            return None
        return [], []

    def _denied_bound(self, branch: Branch, word: str, value: Any, words: dict[str, Any]) -> Any:
        branch.types &= _NUMBERS
        sharpened = words.get("exclusive" + word[0].upper() + word[1:]) is True
        if word.endswith("inimum"):
            branch.numbers.at_most(value, strict=word == "minimum" and not sharpened)
        else:
            branch.numbers.at_least(value, strict=word == "maximum" and not sharpened)
        return [], []


def _unmet(step: Any, name: str, needs: Any) -> list[list[Step]]:
    if isinstance(needs, list):
        return [[step({"type": "object", "required": [name], "properties": {need: False}})] for need in needs]
    return [[step({"type": "object", "required": [name]}), step(needs, False)]]


_BESIDE = frozenset({"then", "else", "minContains", "maxContains"})
_SHARP = frozenset({"exclusiveMinimum", "exclusiveMaximum"})  # in draft 4 true or false, beside the bound
_OPPOSITE = {
    "minLength": ("maxLength", -1, "string"),
    "maxLength": ("minLength", 1, "string"),
    "minItems": ("maxItems", -1, "array"),
    "maxItems": ("minItems", 1, "array"),
    "minProperties": ("maxProperties", -1, "object"),
    "maxProperties": ("minProperties", 1, "object"),
}


def _named(types: str | list[str]) -> frozenset[str]:
    named = {types} if isinstance(types, str) else set(types)
    return frozenset(named | _NUMBERS if "number" in named else named) & _TYPES


def _listed(words: Mapping[str, Any]) -> list[Any] | None:
    if "const" in words:
        return [words["const"]]
    return list(words["enum"]) if "enum" in words else None


# --- what a keyword leaves behind in a branch


def _keep_type(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    branch.types &= _named(words["type"])


def _keep_values(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    if branch.values is None:
        branch.values = _listed(words)


def _keep_bounds(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    for word, bound in (("inimum", branch.numbers.at_least), ("aximum", branch.numbers.at_most)):
        sharp = words.get(f"exclusiveM{word}")
        if f"m{word}" in words:
            bound(words[f"m{word}"], strict=sharp is True)
        if sharp is not None and not isinstance(sharp, bool):
            bound(sharp, strict=True)


def _keep_step(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    branch.numbers.steps.append(exact(words["multipleOf"]))
    branch.numbers.listed = True


def _keep_text(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    branch.low_length = max(branch.low_length, words.get("minLength", 0))
    branch.high_length = _lower(branch.high_length, words.get("maxLength"))


def _keep_pattern(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    branch.patterns.append((words["pattern"], True))


def _keep_format(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    branch.formats.append(words["format"])


def _keep_members(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    for name, schema in words["properties"].items():
        branch.members.setdefault(name, []).append(claim.about(schema))
    for scope in scopes:
        scope.names |= set(words["properties"])


def _keep_required(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    if isinstance(words["required"], list):
        branch.required += [name for name in words["required"] if name not in branch.required]


def _keep_count(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    branch.low_members = max(branch.low_members, words.get("minProperties", 0))
    branch.high_members = _lower(branch.high_members, words.get("maxProperties"))


def _keep_patterned(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    branch.open = True
    branch.by_pattern += [(pattern, claim.about(schema)) for pattern, schema in words["patternProperties"].items()]
    for scope in scopes:
        scope.patterns += list(words["patternProperties"])


def _keep_extras(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    names, patterns = frozenset(words.get("properties", ())), tuple(words.get("patternProperties", ()))
    branch.open = True
    branch.extras.append((names, patterns, claim.about(words["additionalProperties"])))
    for scope in scopes:
        scope.everything = True


def _keep_names(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    branch.open = True
    branch.names.append(claim.about(words["propertyNames"]))


def _keep_items(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    """Keep `items`, `prefixItems` and `additionalItems`; before 2020-12 a list of `items` is the prefix."""
    prefix = words.get("prefixItems", [])
    rest: Any = words.get("items")
    if isinstance(rest, list):
        prefix, rest = rest, words.get("additionalItems")
    for index, schema in enumerate(prefix):
        branch.prefix.setdefault(index, []).append(claim.about(schema))
    if rest is not None:
        branch.each.append((len(prefix), claim.about(rest)))
    for scope in scopes:
        scope.prefix = max(scope.prefix, len(prefix))
        scope.everything |= rest is not None


def _keep_length(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    branch.low_items = max(branch.low_items, words.get("minItems", 0))
    branch.high_items = _lower(branch.high_items, words.get("maxItems"))


def _keep_contained(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    found = (claim.about(words["contains"]), words.get("minContains", 1), words.get("maxContains"))
    if found not in branch.contained:
        branch.contained.append(found)


def _keep_unique(tableau: Tableau, branch: Branch, claim: Claim, words: dict[str, Any], scopes: list[Scope]) -> None:
    branch.unique |= words["uniqueItems"]


def _lower(one: int | None, other: int | None) -> int | None:
    return min((value for value in (one, other) if value is not None), default=None)


_KEEPERS = {
    "type": _keep_type,
    "const": _keep_values,
    "enum": _keep_values,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _keep_bounds),
    "multipleOf": _keep_step,
    **dict.fromkeys(("minLength", "maxLength"), _keep_text),
    "pattern": _keep_pattern,
    "format": _keep_format,
    "properties": _keep_members,
    "required": _keep_required,
    **dict.fromkeys(("minProperties", "maxProperties"), _keep_count),
    "patternProperties": _keep_patterned,
    "additionalProperties": _keep_extras,
    "propertyNames": _keep_names,
    "items": _keep_items,
    "prefixItems": _keep_items,
    **dict.fromkeys(("minItems", "maxItems"), _keep_length),
    "contains": _keep_contained,
    "uniqueItems": _keep_unique,
}
