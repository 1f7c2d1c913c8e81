"""The grammar of the JSON texts that are valid against a schema."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import combinations
from math import inf
from typing import Any, TypeVar

from metier_llm.constraints.branches import Branch, Claim, Claims, Tableau
from metier_llm.constraints.formats import FORMATS
from metier_llm.constraints.nodes import (
    MOST_DISTINCT,
    NOTHING,
    Distinct,
    Fixed,
    InOrder,
    Lexeme,
    Many,
    Named,
    Node,
    OneOf,
    maybe,
    settle,
)
from metier_llm.constraints.numbers import all_but, written
from metier_llm.constraints.patterns import matching, not_matching
from metier_llm.constraints.problems import unsatisfiable, unsupported
from metier_llm.constraints.regexes import NEVER, Regex, any_text, both, either, quoted, string_of, texts, without

_FREE_DEPTH = 3  # of values that the schema says nothing about
_FREE_MEMBERS = 16  # of members beyond those that the schema names
_MOST_VALUES = 64  # of strings and numbers that are listed one by one to tell them apart
_MOST_RULES = 20_000


_Kind = TypeVar("_Kind", bound=Node)


class Root:
    """A whole schema: validates against its parts and follows its references."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        from jsonschema.validators import Draft202012Validator, validator_for
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        self.kind = validator_for(schema, default=Draft202012Validator)
        registry: Any = Registry()
        self._validator = self.kind(dict(schema), registry=registry)
        self._resolver = registry.with_resource("", DRAFT202012.create_resource(dict(schema))).resolver()
        self._targets: dict[str, Claim] = {}

    def valid(self, schema: Any, value: Any) -> bool:
        """Return whether a value is valid against a part of the schema."""
        return bool(self._validator.evolve(schema=schema).is_valid(value))

    def target(self, reference: str) -> Claim:
        """Return the claim that a reference leads to."""
        from referencing.exceptions import Unresolvable

        if reference not in self._targets:
            try:
                found = self._resolver.lookup(reference).contents
            except Unresolvable as error:
                raise unsupported("$ref", "references from the top of the schema", repr(reference)) from error
            self._targets[reference] = Claim(json.dumps(found), self)
        return self._targets[reference]


class Grammar:
    """The grammar of one schema.

    Args:
        schema: the schema.
        tokens: for each place in a text, how many tokens the rest takes.
        also: a schema that the values must be valid against as well.
    """

    def __init__(
        self, schema: Mapping[str, Any], tokens: Callable[[bytes], Sequence[int]], also: Mapping[str, Any] | bool = True
    ) -> None:
        self._tokens = tokens
        self._root = Root(schema)
        self._tableau = Tableau(self._root.kind)
        self._nodes: list[Node] = [NOTHING]
        self._fixed: dict[bytes, Fixed] = {}
        self._names: dict[object, Named] = {}
        self._waiting: list[tuple[Named, Callable[[], Node]]] = []
        self.start = self.value((Claim(json.dumps(schema), self._root), Claim(json.dumps(also), self._root)))
        self._finish()
        if self.start.cost == inf:
            if self._tableau.dropped:
                raise unsupported(sorted(self._tableau.dropped)[0], "keywords that can be turned around")
            raise unsatisfiable()

    def _finish(self) -> None:
        while self._waiting:
            named, body = self._waiting.pop()
            named.body = body()
            if len(self._nodes) > _MOST_RULES:
                raise unsupported("$ref", f"at most {_MOST_RULES} pieces of grammar")
        settle(reversed(self._nodes))

    # --- pieces

    def _keep(self, node: _Kind) -> _Kind:
        self._nodes.append(node)
        return node

    def _text(self, text: bytes | str) -> Fixed:
        data = text.encode() if isinstance(text, str) else text
        if data not in self._fixed:
            self._fixed[data] = self._keep(Fixed(data, self._tokens(data)))
        return self._fixed[data]

    def _row(self, *parts: Node) -> Node:
        return parts[0] if len(parts) == 1 else self._keep(InOrder(parts))

    def _any(self, options: Iterable[Node]) -> Node:
        found = list(dict.fromkeys(options))
        return found[0] if len(found) == 1 else self._keep(OneOf(found))

    def _maybe(self, node: Node) -> Node:
        return self._keep(maybe(node))

    def _lexeme(self, regex: Regex) -> Lexeme:
        return self._keep(Lexeme(regex))

    def _rule(self, key: object, body: Callable[[], Node]) -> Named:
        """Return the rule of that key; it is written later, since it may lead back to itself."""
        if key not in self._names:
            self._names[key] = self._keep(Named())
            self._waiting.append((self._names[key], body))
        return self._names[key]

    # --- values

    def value(self, claims: Claims, depth: int = _FREE_DEPTH) -> Node:
        """Return the rule of the values that satisfy the claims. `depth`: of what the schema says nothing about."""
        kept = tuple(dict.fromkeys(claim for claim in claims if claim.schema is not claim.holds))
        free = all(isinstance(claim.schema, dict) and not self._tableau.keywords(claim.schema) for claim in kept)
        free = free and all(claim.holds for claim in kept)
        depth = depth - 1 if free else _FREE_DEPTH
        return self._rule((() if free else kept, depth), lambda: self._body(kept, depth))

    def _body(self, claims: Claims, depth: int) -> Node:
        branches = self._tableau.branches(claims)
        return self._any(node for branch in branches for node in self._shapes(branch, depth))

    def _shapes(self, branch: Branch, depth: int) -> Iterable[Node]:
        if branch.values is not None:
            yield from (self._text(_dumped(value)) for value in branch.values)
            return
        for literal, kind in ((None, "null"), (True, "boolean"), (False, "boolean")):
            if kind in branch.types and all(self._tableau.valid(claim, literal) for claim in branch.claims):
                yield self._text(_dumped(literal))
        if branch.types & {"integer", "fraction"}:
            yield self._number(branch)
        if "string" in branch.types:
            yield self._lexeme(quoted(self._string(branch)))
        if "object" in branch.types and depth >= 0:
            yield self._object(branch, depth)
        if "array" in branch.types and depth >= 0:
            yield from self._arrays(branch, depth)

    def _number(self, branch: Branch) -> Node:
        numbers = branch.numbers
        numbers.whole, numbers.broken = "integer" in branch.types, "fraction" in branch.types
        barred = [value for value in branch.barred if isinstance(value, int | float) and not isinstance(value, bool)]

        def holds(value: float) -> bool:
            return all(self._tableau.valid(claim, value) for claim in branch.claims)

        return self._lexeme(all_but(written(numbers, holds), barred))

    def _string(self, branch: Branch) -> Regex:
        """Return the content of strings."""
        parts = [matching(pattern) if holds else not_matching(pattern) for pattern, holds in branch.patterns]
        parts += [matching(f"^({FORMATS[name]})$") for name in dict.fromkeys(branch.formats) if name in FORMATS]
        barred = [string_of(value) for value in branch.barred if isinstance(value, str)]
        if branch.low_length or branch.high_length is not None or not parts:
            if branch.high_length is not None and branch.high_length < branch.low_length:
                return NEVER
            parts.append(any_text(branch.low_length, branch.high_length))
        return both(*parts, *(without(one) for one in barred))

    # --- arrays

    def _arrays(self, branch: Branch, depth: int) -> Iterable[Node]:
        low, high = branch.low_items, branch.high_items
        for keyword in branch.scopes:
            if keyword.keyword == "unevaluatedItems" and not keyword.everything:
                branch.each.append((keyword.prefix, keyword.claim))
        if any(isinstance(value, list) for value in branch.barred):
            self._tableau.dropped.add("not")  # for the arrays that are left out
            longest = max(len(value) for value in branch.barred if isinstance(value, list))
            low = max(low, longest + 1)
        ways = self._placements(branch)
        for wanted, rest in ways:
            least = max(low, 1 + max(wanted, default=-1))
            if high is None or least <= high:
                yield self._array(branch, wanted, rest, least, high, depth)

    def _placements(self, branch: Branch) -> list[tuple[dict[int, list[Claim]], list[Claim]]]:
        """Return where the items that `contains` asks for may stand: at the start, or behind the prefix."""
        if not branch.contained:
            return [({}, [])]
        tuple_length = 1 + max(branch.prefix, default=-1)
        found = []
        for start in dict.fromkeys((0, tuple_length)):
            wanted: dict[int, list[Claim]] = {}
            rest: list[Claim] = []
            place = start
            for claim, least, most in branch.contained:
                for _ in range(least):
                    wanted.setdefault(place, []).append(claim)
                    place += 1
                if most is not None:
                    rest.append(claim.turned())
            found.append((wanted, rest))
        return found

    def _array(
        self, branch: Branch, wanted: dict[int, list[Claim]], rest: list[Claim], low: int, high: int | None, depth: int
    ) -> Node:
        fixed = 1 + max([*branch.prefix, *wanted, *(start - 1 for start, _ in branch.each)], default=-1)

        def item(index: int) -> Claims:
            own = [*branch.prefix.get(index, ()), *(claim for start, claim in branch.each if index >= start)]
            return (*own, *wanted.get(index, rest))

        if branch.unique and (high is None or high > 1):
            return self._distinct(branch, [item(index) for index in range(fixed)], item(fixed), low, high, depth)
        return self._enclosed("[", self._items(item, fixed, low, high, depth), "]")

    def _items(self, item: Callable[[int], Claims], fixed: int, low: int, high: int | None, depth: int) -> Node:
        """Return items with commas between them, the first `fixed` of them each of its own kind."""
        comma = self._text(",")
        last = fixed if high is None else min(fixed, high)
        more = None if high is None else max(0, high - max(fixed, 1))
        usual = self._row(comma, self.value(item(max(fixed, 1)), depth))
        tail: Node = self._keep(Many(usual, max(0, low - max(fixed, 1)), more)) if more != 0 else NOTHING
        for index in reversed(range(1, last)):
            tail = self._row(comma, self.value(item(index), depth), tail)
            tail = tail if index < low else self._maybe(tail)
        if high == 0:
            return NOTHING
        whole = self._row(self.value(item(0), depth), tail)
        return whole if low else self._maybe(whole)

    def _enclosed(self, left: str, inner: Node, right: str) -> Node:
        return self._row(self._text(left), inner, self._text(right))

    def _distinct(
        self, branch: Branch, prefix: list[Claims], usual: Claims, low: int, high: int | None, depth: int
    ) -> Node:
        """Return an array whose items all differ."""
        kinds = set(prefix) | ({usual} if high is None or high > len(prefix) else set())
        listed = [value for claims in kinds for value in self._listed(claims) or [_MANY]]
        if _MANY not in listed:
            return self._subsets(
                [self._listed(claims) or [] for claims in prefix], self._listed(usual) or [], low, high
            )
        if len(kinds) > 1 or prefix:
            return self._different(prefix, usual, low, high, depth)
        item = self.value(usual, depth)
        self._finish()
        key = _key(item)
        most = MOST_DISTINCT if high is None else min(MOST_DISTINCT, high)
        if key is None or low > most:
            return self._different(prefix, usual, low, high, depth)
        return self._enclosed("[", self._keep(Distinct(item, key, self._text(","), low, most)), "]")

    def _different(self, prefix: list[Claims], usual: Claims, low: int, high: int | None, depth: int) -> Node:
        """Return an array whose items differ by their types, or one of at most one item."""
        claims = [*prefix, *[usual] * max(0, low - len(prefix))][: max(low, 1)] or [usual]
        if len(claims) > 1:
            told = self._told_apart(claims, depth)
            if told is None:
                self._tableau.dropped.add("uniqueItems")
                return self._any([])
            claims = told
        return self._enclosed(
            "[",
            self._items(lambda index: claims[min(index, len(claims) - 1)], len(claims), low, len(claims), depth),
            "]",
        )

    def _told_apart(self, claims: list[Claims], depth: int) -> list[Claims] | None:
        """Return the claims with a type of its own for each, where that can be."""
        found: list[Claims] = []
        left = ["object", "array", "string", "number", "boolean", "null"]
        for kind in claims:
            for name in left:
                tried = (*kind, Claim(json.dumps({"type": name}), self._root))
                node = self.value(tried, depth)
                self._finish()
                if node.cost < inf:
                    found.append(tried)
                    left.remove(name)
                    break
            else:
                return None
        return found

    def _listed(self, claims: Claims) -> list[bytes] | None:
        """Return every value that satisfies the claims, as text, or None where there are many."""
        node = self.value(claims)
        self._finish()
        return _texts(node)

    def _subsets(self, prefix: list[list[bytes]], usual: list[bytes], low: int, high: int | None) -> Node:
        """Return arrays of distinct items out of few, the usual ones in the order in which they are listed."""
        most = len(prefix) + len(usual) if high is None else high
        comma = self._text(",")
        rows: list[Node] = []
        for chosen in _choices(prefix, most):
            left = [value for value in usual if value not in chosen]
            tail = (
                self._rising(left, 0, low - len(chosen), most - len(chosen), bool(chosen))
                if (len(chosen) == len(prefix))
                else NOTHING
            )
            if len(chosen) < len(prefix) and len(chosen) < low:
                continue
            head = [part for value in chosen for part in (comma, self._text(value))][1:]
            rows.append(self._row(*head, tail))
        return self._enclosed("[", self._any(rows), "]")

    def _rising(self, values: list[bytes], start: int, low: int, high: int, comma: bool) -> Node:
        """Return `low` to `high` of the values from `start` on, each at most once and in order."""

        def body() -> Node:
            options = [NOTHING] if low <= 0 else []
            for index in range(start, len(values)) if high > 0 else ():
                lead = [self._text(",")] if comma else []
                rest = self._rising(values, index + 1, max(0, low - 1), high - 1, True)
                options.append(self._row(*lead, self._text(values[index]), rest))
            return self._any(options)

        return self._rule((tuple(values), start, max(0, low), max(0, min(high, len(values) - start)), comma), body)

    # --- objects

    def _object(self, branch: Branch, depth: int) -> Node:
        names = [*branch.members, *(name for name in branch.required if name not in branch.members)]
        extras = list(branch.extras)
        for scope in branch.scopes:
            if scope.keyword == "unevaluatedProperties" and not scope.everything:
                extras.append((frozenset(scope.names), tuple(scope.patterns), scope.claim))
        members = [
            (name, self._row(self._text(f"{_dumped(name)}:"), self.value(self._member(branch, extras, name), depth)))
            for name in names
            if self._named(branch, name)
        ]
        if any(not self._named(branch, name) for name in branch.required):
            return self._any([])
        low, high = branch.low_members, branch.high_members
        if any(isinstance(value, dict) for value in branch.barred):
            self._tableau.dropped.add("not")  # for the objects that are left out
            low = max(low, 1 + max(len(value) for value in branch.barred if isinstance(value, dict)))
        required = set(branch.required)
        more = self._more(branch, extras, names, depth) if branch.open or not names or low > len(names) else []
        body = self._members(members, required, low, high, more)
        return self._enclosed("{", body, "}")

    def _named(self, branch: Branch, name: str) -> bool:
        return all(self._tableau.valid(claim, name) for claim in branch.names)

    def _member(self, branch: Branch, extras: list[Any], name: str) -> Claims:
        """Return the claims about a member."""
        found = [*branch.members.get(name, ())]
        found += [claim for pattern, claim in branch.by_pattern if _finds(pattern, name)]
        for names, patterns, claim in extras:
            if name not in names and not any(_finds(pattern, name) for pattern in patterns):
                found.append(claim)
        return tuple(found)

    def _more(self, branch: Branch, extras: list[Any], names: list[str], depth: int) -> list[tuple[Node, Lexeme]]:
        """Return a member that the schema does not name, and its name: one kind for each set of patterns."""
        patterns = list(dict.fromkeys(pattern for pattern, _ in branch.by_pattern))
        patterns += [one for _, more, _ in extras for one in more if one not in patterns]
        allowed = [self._name(way) for way in self._tableau.branches(tuple(branch.names)) if "string" in way.types]
        options: list[tuple[Node, Lexeme]] = []
        for size in range(len(patterns) + 1):
            for chosen in combinations(patterns, size):
                key = both(
                    *(matching(one) for one in chosen),
                    *(not_matching(one) for one in patterns if one not in chosen),
                    *(without(string_of(name)) for name in names),
                )
                claims = [claim for pattern, claim in branch.by_pattern if pattern in chosen]
                claims += [claim for _, known, claim in extras if not set(known) & set(chosen)]
                if any(claim.schema is False and claim.holds for claim in claims):
                    continue
                if not chosen and not extras and branch.by_pattern:
                    continue  # what no pattern names is left out unless the schema speaks of it
                options += self._extra([both(key, any_text(1, 40), one) for one in allowed], tuple(claims), depth)
        return options

    def _name(self, branch: Branch) -> Regex:
        if branch.values is None:
            return self._string(branch)
        return either(*(string_of(value) for value in branch.values if isinstance(value, str)))

    def _extra(self, keys: list[Regex], claims: Claims, depth: int) -> list[tuple[Node, Lexeme]]:
        """Return members with a name out of one of `keys`."""
        found = []
        for key in keys:
            if key.least() is not None:
                lexeme = self._lexeme(quoted(key))
                found.append((self._row(lexeme, self._text(":"), self.value(claims, depth)), lexeme))
        return found

    def _members(
        self,
        members: list[tuple[str, Node]],
        required: set[str],
        low: int,
        high: int | None,
        more: list[tuple[Node, Lexeme]],
    ) -> Node:
        """Return members in order with commas between them, of which those that are required come by all means."""
        count = len(members)
        most = count + _FREE_MEMBERS if high is None else high
        comma = self._text(",")
        unbounded = low <= len(required) and (high is None or high >= count + (_FREE_MEMBERS if more else 0))
        made: dict[tuple[int, int, bool], Node] = {}
        place = object()

        def rest(index: int, written: int, begun: bool) -> Node:
            """Return what follows when the members before `index` are done and `written` of them came."""
            key = (index, 0 if unbounded else written, begun)
            if key not in made:
                made[key] = self._rule((place, key), lambda: follow(index, written, begun))
            return made[key]

        def follow(index: int, written: int, begun: bool) -> Node:
            if index == count:
                return self._end(
                    more,
                    max(0, low - (len(required) if unbounded else written)) if low else 0,
                    most - written if not unbounded else _FREE_MEMBERS,
                    begun,
                )
            name, node = members[index]
            options: list[Node] = []
            if unbounded or written < most:
                options.append(self._row(*([comma] if begun else []), node, rest(index + 1, written + 1, True)))
            if name not in required:
                options.append(rest(index + 1, written, begun))
            return self._any(options)

        return rest(0, 0, False)

    def _end(self, more: list[tuple[Node, Lexeme]], low: int, high: int, begun: bool) -> Node:
        """Return members that the schema does not name, `low` to `high` of them."""
        comma = self._text(",")
        if not more or high <= 0:
            return NOTHING if low <= 0 else self._any([])
        ways: list[Node] = [NOTHING] if low <= 0 else []
        for item, key in more:
            few = _few(key)
            top = min(high, _FREE_MEMBERS if low <= _FREE_MEMBERS else low, few)
            if top < max(low, 1):
                continue
            row = self._keep(Distinct(item, key, comma, max(low, 1), top))
            ways.append(self._row(*([comma] if begun else []), row))
        return self._any(ways)


_MANY = b"\xff"


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _finds(pattern: str, name: str) -> bool:
    import re

    return re.search(pattern, name) is not None


def _few(key: Lexeme) -> int:
    listed = texts(key.regex, _MOST_VALUES)
    return MOST_DISTINCT if listed is None else len(listed)


def _texts(node: Node) -> list[bytes] | None:
    """Return every text of a node, or None where they are more than a few or of parts."""
    if isinstance(node, Named):
        return _texts(node.body)
    if isinstance(node, Fixed):
        return [node.text]
    if isinstance(node, Lexeme):
        return texts(node.regex, _MOST_VALUES) if node.cost < inf else []
    if isinstance(node, OneOf):
        parts = [_texts(option) for option in node.options if option.cost < inf]
        found = [text for part in parts if part is not None for text in part]
        return None if None in parts or len(found) > _MOST_VALUES else list(dict.fromkeys(found))
    return None


def _choices(prefix: list[list[bytes]], most: int) -> list[tuple[bytes, ...]]:
    """Return every row of distinct values for the first places of a tuple."""
    rows: list[tuple[bytes, ...]] = [()]
    last = rows
    for values in prefix[:most]:
        last = [(*row, value) for row in last for value in values if value not in row]
        rows = rows + last
    return rows


def _key(node: Node) -> Lexeme | None:
    """Return a part of an item with many values that every item has: the item itself, or a member that is required."""
    if isinstance(node, Named):
        return _key(node.body)
    if isinstance(node, Lexeme):
        return node if node.cost < inf and texts(node.regex, MOST_DISTINCT * 2) is None else None
    if isinstance(node, OneOf):
        live = [option for option in node.options if option.cost < inf]
        return _key(live[0]) if len(live) == 1 else None
    if isinstance(node, InOrder):
        found = (_key(part) for part in node.parts)
        return next((key for key in found if key is not None), None)
    return None
