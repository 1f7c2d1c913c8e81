"""A grammar of JSON text: what is in order, what is a choice, what repeats, and the cheapest way through.

`cost` of a node: tokens that suffice to write it, in the cheapest way. It is an upper bound: fixed text is counted as
its own tokens, everything else a token for each byte.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from metier_llm.constraints.regexes import Regex, longest_of_shortest


class Node:
    """A piece of grammar."""

    cost: float = inf

    def price(self) -> float:
        """Return the cost from those of the parts."""
        raise NotImplementedError


class Fixed(Node):
    """A text. `costs`: for each place in it, the tokens that the rest takes."""

    def __init__(self, text: bytes, costs: Sequence[int]) -> None:
        self.text = text
        self.costs = costs
        self.cost = costs[0]

    def price(self) -> float:
        """Return the tokens of the text."""
        return self.costs[0]


class Lexeme(Node):
    """A string or a number out of a regular expression."""

    def __init__(self, regex: Regex) -> None:
        self.regex = regex
        least = regex.least()
        self.cost = inf if least is None else least

    def price(self) -> float:
        """Return the bytes of the shortest text."""
        return self.cost


class InOrder(Node):
    """One after the other."""

    def __init__(self, parts: Sequence[Node]) -> None:
        self.parts = tuple(parts)

    def price(self) -> float:
        """Return the sum of the parts."""
        return sum(part.cost for part in self.parts)


class OneOf(Node):
    """Any of several; none at all is `false`."""

    def __init__(self, options: Sequence[Node]) -> None:
        self.options = tuple(options)

    def price(self) -> float:
        """Return the cheapest option."""
        return min((option.cost for option in self.options), default=inf)


class Many(Node):
    """`item`, `low` to `high` times (None: without end)."""

    def __init__(self, item: Node, low: int, high: int | None) -> None:
        self.item, self.low, self.high = item, low, high

    def price(self) -> float:
        """Return the cost of the fewest items."""
        return self.owed(0)

    def owed(self, count: int) -> float:
        """Return the cost of the fewest items once there are `count`."""
        return (self.low - count) * self.item.cost if count < self.low else 0


class Distinct(Node):
    """`low` to `high` items with commas between them, whose texts at `key` (a part of the item) all differ."""

    def __init__(self, item: Node, key: Lexeme, comma: Fixed, low: int, high: int) -> None:
        self.item, self.key, self.comma, self.low, self.high = item, key, comma, low, high
        # The keys that are left when the short ones are used up are this much longer. Numbers have several spellings.
        self._longer = longest_of_shortest(key.regex, 4 * low) - int(key.cost) if low and key.cost < inf else 0

    def owed(self, count: int) -> float:
        """Return the cost of the fewest items once there are `count`."""
        return (self.low - count) * (self.item.cost + self.comma.cost + self._longer) if count < self.low else 0

    def price(self) -> float:
        """Return the cost of the fewest items."""
        return self.owed(0)


MOST_DISTINCT = 64


class Named(Node):
    """A rule, so that grammars may be recursive."""

    def __init__(self) -> None:
        self.body: Node = OneOf(())

    def price(self) -> float:
        """Return the cost of the body."""
        return self.body.cost


NOTHING: Node = InOrder(())
NOTHING.cost = 0


def maybe(node: Node) -> Node:
    """Return the node, or nothing."""
    return Many(node, 0, 1)


def priced(node: Node) -> Node:
    """Return a node, its parts priced already, with its cost worked out."""
    node.cost = node.price()
    return node


def settle(nodes: Iterable[Node]) -> None:
    """Work out every cost: from none known, until none falls any more."""
    order = list(nodes)
    changed = True
    while changed:
        changed = False
        for node in order:
            cost = node.price()
            if cost < node.cost:
                node.cost, changed = cost, True
