"""What a constant may be: 2, 1/N, batch times time, 1/(1 - p).

Where several names fit one number, another size tells them apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradcheck.record import dataclass
from gradcheck.verdict.diagnose.evidence import Evidence

PLAIN = {2.0: "2", 0.5: "1/2", 4.0: "4", 0.25: "1/4"}
SAME = 1e-5  # relative: a constant is known as well as the differences are


@dataclass(frozen=True, slots=True)
class Constant:
    """value : of the name at this point

    source : the size or option of the case that is in it; "" where there is none
    """

    value: float
    name: str
    source: str = ""

    @property
    def is_number(self) -> bool:
        return not any(letter.isalpha() for letter in self.name)


def names_of(evidence: Evidence, k: float) -> list[Constant]:
    """Everything that the size of a factor may be, the likeliest first; with its sign. Empty where it has no name."""
    size, minus = abs(k), "minus " if k < 0 else ""
    lengths = {int(v) for v in evidence.numbers.values() if float(v).is_integer() and abs(v) < 1e9}
    plain = [Constant(number, name) for number, name in PLAIN.items()]
    # A length that the case has a name for wins over a plain 2.
    first = [c for c in plain if round(max(c.value, 1 / c.value)) not in lengths]
    fitting = {c.name: c for c in (*first, *_constants(evidence), *plain) if abs(size - c.value) <= SAME * c.value}
    return [Constant(c.value, minus + c.name, c.source) for c in fitting.values()]


def other_values(evidence: Evidence, names: Sequence[Constant]) -> dict[str, float]:
    """Sizes and options with which names that fit one number would be different numbers."""
    taken = {2.0, 4.0, *evidence.numbers.values()}
    changed: dict[str, float] = {}
    for source in dict.fromkeys(c.source for c in names if c.source):
        value = evidence.numbers[source]
        new = 0.7 * value
        if float(value).is_integer():
            new = value + 1.0
            while new in taken:
                new += 1.0
        taken.add(new)
        changed[source] = new
    return changed


def _constants(evidence: Evidence) -> Iterator[Constant]:
    sources = {name: name if name in evidence.numbers else "" for name in evidence.lengths}
    for name, length in evidence.lengths.items():
        yield Constant(float(length), name, sources[name])
        yield Constant(1.0 / length, f"1/({name})" if " " in name else f"1/{name}", sources[name])
    for name, length in evidence.lengths.items():
        source = sources[name]
        yield Constant(length**0.5, f"the root of {name}", source)
        yield Constant(length**-0.5, f"1/(the root of {name})", source)
        yield Constant(2.0 / length, f"2/({name})", source)
        yield Constant(length / 2.0, f"half of {name}", source)
        yield Constant(float(length) ** 2, f"the square of {name}", source)
    for name, value in evidence.numbers.items():
        if 0.0 < value < 1.0:
            forms = (
                (1 - value, f"1 - {name}"), (1 / (1 - value), f"1/(1 - {name})"),
                (value, name), (1.0 / value, f"1/{name}"), (2.0 * value, f"2·{name}"),
            )  # fmt: skip
            yield from (Constant(number, form, name) for number, form in forms)
