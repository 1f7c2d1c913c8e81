"""The numbers that keywords allow, as they are written in JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from metier_llm.constraints.regexes import NOTHING, Bytes, Regex, both, either, raw, repeat, sequence, without

_DIGITS = 15  # of an integer, and of a whole part: a float holds as many
_FRACTION = 6
_MOST_LISTED = 1000
_DIGIT = Bytes(0x3FF << 0x30)
_NONZERO = Bytes(0x3FE << 0x31 & (0x3FF << 0x30))


@dataclass
class Numbers:
    """Bounds of a number: `strict_low` and `strict_high` say that the bound itself is out.

    `whole`, `broken`: whether numbers without and with a fraction are allowed. `listed`: only numbers that `holds` are
    allowed, so that they have to be tried one by one; `steps`: what they may be multiples of.
    """

    low: Fraction | None = None
    high: Fraction | None = None
    strict_low: bool = False
    strict_high: bool = False
    whole: bool = True
    broken: bool = True
    listed: bool = False
    steps: list[Fraction] = field(default_factory=list)

    def at_least(self, bound: float, *, strict: bool = False) -> None:
        """Narrow from below."""
        value = exact(bound)
        if self.low is None or value > self.low or (value == self.low and strict):
            self.low, self.strict_low = value, strict

    def at_most(self, bound: float, *, strict: bool = False) -> None:
        """Narrow from above."""
        value = exact(bound)
        if self.high is None or value < self.high or (value == self.high and strict):
            self.high, self.strict_high = value, strict

    def inside(self, value: Fraction) -> bool:
        """Return whether a value is within the bounds."""
        over = self.low is None or value > self.low or (value == self.low and not self.strict_low)
        return over and (self.high is None or value < self.high or (value == self.high and not self.strict_high))


def exact(value: float) -> Fraction:
    """Return a number as its decimal digits say it."""
    return Fraction(str(value))


def written(numbers: Numbers, holds: Callable[[float], bool]) -> Regex:
    """Return the numbers as text. `holds` is asked where they are listed one by one."""
    if numbers.listed:
        return either(*(raw(_text(value)) for value in _multiples(numbers) if holds(_number(value))))
    low = numbers.low if numbers.low is not None else -Fraction(10**_DIGITS - 1)
    high = numbers.high if numbers.high is not None else Fraction(10**_DIGITS - 1)
    low, high = max(low, -Fraction(10**300)), min(high, Fraction(10**300))
    options: list[Regex] = []
    if high >= 0:
        options.append(_upwards(numbers, max(low, Fraction(0)), high, b"", holds))
    if low < 0:
        options.append(_upwards(numbers, max(-high, Fraction(0)), -low, b"-", holds))
    return either(*options)


def _upwards(numbers: Numbers, low: Fraction, high: Fraction, sign: bytes, holds: Callable[[float], bool]) -> Regex:
    """Return the numbers whose size is from `low` to `high`, with this sign."""
    factor = -1 if sign else 1
    first, last = ceil(low), floor(high)
    if sign:
        first = max(first, 1)
    options: list[Regex] = []
    if numbers.whole:
        while first <= last and not numbers.inside(Fraction(first * factor)):
            first += 1
        while first <= last and not numbers.inside(Fraction(last * factor)):
            last -= 1
        options.append(integers(first, last))
    if numbers.broken:
        options += _broken(numbers, low, high, sign, holds)
    return sequence(raw(sign), either(*options))


def _broken(
    numbers: Numbers, low: Fraction, high: Fraction, sign: bytes, holds: Callable[[float], bool]
) -> list[Regex]:
    """Return numbers with digits behind the point: any between whole numbers, and a choice next to a bound."""
    factor = -1 if sign else 1
    uneven = sequence(raw(b"."), repeat(_DIGIT, 0, _FRACTION - 1), _NONZERO)
    options = [sequence(integers(ceil(low), floor(high) - 1), uneven)]
    if numbers.whole:
        # A last 0, as in 19.90, changes nothing where the whole number is allowed as well.
        zeros = sequence(raw(b"."), repeat(_DIGIT, 1, _FRACTION))
        options.append(sequence(integers(max(ceil(low) + 1, 1), floor(high) - 1), zeros))
    edges = {floor(low), floor(high)} if low != high else set()
    for whole in sorted(edge for edge in edges if edge < low or edge < high < edge + 1):
        for places in range(1, 13):
            found = [
                value
                for step in range(1, 10 ** min(places, 3))
                if low <= (value := whole + _offset(whole, low, places) + Fraction(step, 10**places)) <= high
                and value < whole + 1
                and numbers.inside(value * factor)
                and holds(_number(value * factor))
            ]
            options += [raw(_text(value)) for value in found]
            if found and places >= 2:
                break
    return options


def _offset(whole: int, low: Fraction, places: int) -> Fraction:
    """Return where to begin to list numbers with so many places behind the point: just below `low`."""
    return Fraction(0) if places <= 3 else Fraction(floor((max(low, Fraction(whole)) - whole) * 10**places), 10**places)


def _multiples(numbers: Numbers) -> Iterable[Fraction]:
    """Yield multiples of the steps within the bounds, from the bound nearest to zero on."""
    step = numbers.steps[0] if numbers.steps else Fraction(1, 1 if numbers.whole else 2)
    for other in numbers.steps[1:]:
        step = _common(step, other)
    low = None if numbers.low is None else ceil(numbers.low / step)
    high = None if numbers.high is None else floor(numbers.high / step)
    if low is None and high is None:
        low, high = -_MOST_LISTED // 10, _MOST_LISTED
    elif low is None:
        assert high is not None  # noqa: S101  (one of them is given)
        low = high - _MOST_LISTED
    high = low + _MOST_LISTED if high is None else min(high, low + _MOST_LISTED)
    return (count * step for count in range(low, high + 1) if numbers.inside(count * step))


def _common(one: Fraction, other: Fraction) -> Fraction:
    """Return the least common multiple."""
    from math import gcd, lcm

    return Fraction(lcm(one.numerator, other.numerator), gcd(one.denominator, other.denominator))


def _number(value: Fraction) -> float:
    return int(value) if value.denominator == 1 else float(value)


def _text(value: Fraction) -> bytes:
    """Return a number as JSON writes it, without an exponent."""
    if value.denominator == 1:
        return str(int(value)).encode()
    places = next((places for places in range(1, 25) if (value * 10**places).denominator == 1), 24)
    digits = f"{abs(int(value * 10**places)):0{places + 1}d}"
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}".encode()


def integers(low: int, high: int) -> Regex:
    """Return the integers from `low` to `high`, both at least 0, as decimal digits."""
    options: list[Regex] = []
    for length in range(len(str(low)), len(str(high)) + 1):
        first, last = max(low, 10 ** (length - 1) if length > 1 else 0), min(high, 10**length - 1)
        if first <= last:
            options.append(_digits(str(first), str(last)))
    return either(*options)


def _digits(low: str, high: str) -> Regex:
    """Return the numbers between two of the same length, leading zeros included."""
    if not low:
        return NOTHING
    rest = len(low) - 1
    if set(low) == {"0"} and set(high) == {"9"}:
        return repeat(_DIGIT, len(low), len(low))
    if low[0] == high[0]:
        return sequence(raw(low[0].encode()), _digits(low[1:], high[1:]))
    options = []
    first, last = int(low[0]), int(high[0])
    if set(low[1:]) - {"0"}:
        options.append(sequence(raw(low[0].encode()), _digits(low[1:], "9" * rest)))
        first += 1
    if set(high[1:]) - {"9"}:
        options.append(sequence(raw(high[0].encode()), _digits("0" * rest, high[1:])))
        last -= 1
    if first <= last:
        mask = sum(1 << 0x30 + digit for digit in range(first, last + 1))
        options.append(sequence(Bytes(mask), repeat(_DIGIT, rest, rest)))
    return either(*options)


def all_but(regex: Regex, values: Iterable[float]) -> Regex:
    """Return the numbers of `regex` without those equal to one of `values`, however they are written."""
    barred = [spellings(exact(value)) for value in values]
    return both(regex, *(without(one) for one in barred)) if barred else regex


def spellings(value: Fraction) -> Regex:
    """Return every way to write a number, but for exponents."""
    zeros = repeat(raw(b"0"), 0, None)
    text = _text(value)
    tail = zeros if b"." in text else either(NOTHING, sequence(raw(b".0"), zeros))
    minus = repeat(raw(b"-"), 0, 1) if value == 0 else NOTHING
    return sequence(minus, raw(text), tail)
