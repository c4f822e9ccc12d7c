"""Other configurations of a case, each with the lines that would add it: what might have shown a missed mistake.

Texts and values of a case only; whether the code takes a configuration is seen when it is built. They come in the order
in which advice is best followed: another size before another seed, the stress variants as `vary` has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np

from gradcheck.casefile.sweep import variants
from gradcheck.location import SourceText
from gradcheck.model.case import Case, FunctionBody, NetworkBody, Numbers, Stress
from gradcheck.mutation.bench import realised_or_none
from gradcheck.record import dataclass

PRIMES = (2, 3, 5, 7, 11, 13)
FURTHER_SEEDS = 2


@dataclass(frozen=True, slots=True)
class Probe:
    """advice : what to write into the case file; case : the case with it"""

    advice: str
    case: Case


def probes(case: Case, values: Mapping[str, Sequence[Any]]) -> Iterator[Probe]:
    """Every other configuration of one combination of a case, as written and without its variants.

    values : what sizes and options stand for in all combinations
    """
    yield from _other_sizes(case, values)
    yield from _other_lengths(case)
    yield from _other_options(case, values)
    yield from _variants(case)
    if case.upstream is not None and case.upstream != "random":
        yield Probe("upstream: random", replace(case, upstream="random"))
    if case.rtol is not None:
        yield Probe("rtol: leave it out", replace(case, rtol=None))
    yield from _other_points(case)


def _other_sizes(case: Case, values: Mapping[str, Sequence[Any]]) -> Iterator[Probe]:
    for name, value in case.sizes.items():
        for other in dict.fromkeys((value + 1, 1 if value > 1 else 3)):
            if other not in values[name]:
                yield Probe(_sweep(name, values[name], other), replace(case, sizes={**case.sizes, name: other}))
    if len(case.sizes) > 1:
        unequal = dict(zip(case.sizes, PRIMES, strict=False))
        if len(set(case.sizes.values())) < len(case.sizes) <= len(PRIMES):
            said = ", ".join(f"{name} = {value}" for name, value in unequal.items())
            yield Probe(f"unequal sizes: {said}", replace(case, sizes=unequal))


def _other_lengths(case: Case) -> Iterator[Probe]:
    """Lengths that are written as numbers: each by one more, wherever it stands, and where it stands first only."""
    texts = {name: spec.text for name, spec in case.inputs.items() if isinstance(spec, SourceText)}
    found = [number for text in texts.values() for number in _lengths(text)]
    for number in sorted(set(found)):
        for is_first in (True, False):
            longer = {name: _longer(text, number, is_first) for name, text in texts.items()}
            changed = {name: text for name, text in longer.items() if text != texts[name]}
            if changed:
                said = ", ".join(f"{name}: {text}" for name, text in changed.items())
                inputs = {**case.inputs, **{name: SourceText.of(text) for name, text in changed.items()}}
                yield Probe(f"another size: {said}", replace(case, inputs=inputs, expected={}))


SHAPE = re.compile(r"((?:normal|zeros|ones)\(|size=\(?)((?:\s*\d+\s*,?)+)")  # the initialisers with a shape inside


def _lengths(text: str) -> list[int]:
    return [int(n) for found in SHAPE.finditer(text) for n in re.findall(r"\d+", found[2])]


def _longer(text: str, number: int, is_first: bool) -> str:
    def of_shape(found: re.Match[str]) -> str:
        written = re.sub(rf"\b{number}\b", str(number + 1), found[2], count=0)
        if is_first:
            written = re.sub(rf"^\s*{number}\b", str(number + 1), found[2])
        return found[1] + written

    return SHAPE.sub(of_shape, text)


def _other_options(case: Case, values: Mapping[str, Sequence[Any]]) -> Iterator[Probe]:
    for name, value in case.options.items():
        for other in _other_values(value):
            if other not in values[name]:
                yield Probe(_sweep(name, values[name], other), replace(case, options={**case.options, name: other}))


def _sweep(name: str, values: Sequence[Any], other: Any) -> str:
    return f"sweep: {name}: [{', '.join(map(_shown, (*values, other)))}]"


def _other_values(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value + 1, value - 1) if value > 0 else (value + 1,)
    if isinstance(value, float):
        return (2.0 * value, 0.5 * value) if value else (0.5,)
    return ()


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _variants(case: Case) -> Iterator[Probe]:
    words: tuple[Stress, ...] = get_args(Stress)
    for word in (word for word in words if word not in case.vary):
        for variant in variants(replace(case, vary=(word,), sweep={}))[1:]:
            ready = realised_or_none(variant)
            if ready is not None:
                yield Probe(f"vary: [{word}]", ready)


def _other_points(case: Case) -> Iterator[Probe]:
    """Other numbers: further random points, and random numbers in the place of written ones."""
    for further in range(1, FURTHER_SEEDS + 1):
        yield Probe(f"trials: {1 + FURTHER_SEEDS}", replace(case, seed=case.seed + further, trials=1))
    written = _written_floats(case)
    if written:
        for further in range(FURTHER_SEEDS):
            inputs = {**case.inputs, **{name: SourceText.of(text) for name, text in written.items()}}
            drawn = replace(case, inputs=inputs, expected={}, seed=case.seed + further)
            yield Probe(f"random numbers for {', '.join(written)}", drawn)


def _written_floats(case: Case) -> Mapping[str, str]:
    """Inputs that are given as numbers, as initialisers that draw around them; indices and targets stay."""
    if isinstance(case.body, NetworkBody):
        names = {"x"} & case.inputs.keys()
    else:
        names = set(case.inputs if case.wrt is None else case.wrt) & case.inputs.keys()
    found = {}
    for name in (name for name in case.inputs if name in names):
        spec = case.inputs[name]
        if isinstance(spec, Numbers) and (isinstance(case.body, FunctionBody) or _has_decimals(spec)):
            shape = ", ".join(map(str, spec.values.shape))
            spread = float(np.abs(spec.values).max(initial=0.0)) or 1.0
            found[name] = f"{float(spec.values.mean()):g} + {0.3 * spread:g}*normal({shape})"
    return found


def _has_decimals(spec: Numbers) -> bool:
    return spec.values.dtype.kind == "f"
