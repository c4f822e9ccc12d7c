"""How long the axes of a case's arrays are, which names (`sizes`, `options`) say so, and which axis is the batch.

Nothing is drawn for it: every array is measured with one name after the other raised by one. What is done with the
answer is the business of `vary`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from gradcheck.casefile.arrays import measure_array, names_in_shapes
from gradcheck.errors import NotationError
from gradcheck.location import SourceText
from gradcheck.model.case import ArraySpec, Case
from gradcheck.record import dataclass

Axis = tuple[str, int]  # a tensor and the number of one of its axes
BATCH_NAMES = frozenset(("n", "b", "batch", "batch_size", "batchsize", "bs", "samples", "num_samples", "n_samples"))


@dataclass(frozen=True, slots=True)
class Lengths:
    """The arrays of a case, measured.

    shapes, whole : tensor → its shape, and whether it holds whole numbers; in the order of the case
    names : axis → the names that change its length; an axis whose length is written as a number has none
    """

    shapes: Mapping[str, tuple[int, ...]]
    whole: Mapping[str, bool]
    names: Mapping[Axis, tuple[str, ...]]

    def axes(self) -> list[Axis]:
        return [(tensor, axis) for tensor, shape in self.shapes.items() for axis in range(len(shape))]

    def length(self, axis: Axis) -> int:
        return self.shapes[axis[0]][axis[1]]

    def groups(self) -> dict[str | int, list[Axis]]:
        """Axes that have to change together: all that a name changes, all that are as long as the same written number.

        Axes that several names change are in no group.
        """
        found: dict[str | int, list[Axis]] = {}
        for axis in self.axes():
            names = self.names.get(axis, ())
            if len(names) <= 1:
                found.setdefault(names[0] if names else self.length(axis), []).append(axis)
        return found


def measured(case: Case) -> Lengths:
    """Measure the inputs and constants of a case. Raises NotationError where one cannot be made at all."""
    specs: dict[str, ArraySpec] = {**case.inputs, **case.constants}
    shapes, whole = {}, {}
    for tensor, spec in specs.items():
        array = measure_array(spec, sizes=names_in_shapes(case), directory=case.directory)
        shapes[tensor], whole[tensor] = array.shape, array.dtype == np.int64
    names: dict[Axis, tuple[str, ...]] = {}
    for name, value in names_in_shapes(case).items():
        if not isinstance(value, int):
            continue
        longer = with_lengths(case, {name: value + 1})
        for tensor, spec in specs.items():
            if not isinstance(spec, SourceText) or name not in spec.text:
                continue
            for axis in _changed(shapes[tensor], longer, spec):
                names[tensor, axis] = (*names.get((tensor, axis), ()), name)
    return Lengths(shapes, whole, names)


def with_lengths(case: Case, values: Mapping[str, int]) -> Case:
    """The case with other values for some of its sizes and options."""
    sizes = {name: values.get(name, value) for name, value in case.sizes.items()}
    options = {name: values.get(name, value) for name, value in case.options.items()}
    return replace(case, sizes=sizes, options=options)


def batch_of(lengths: Lengths, values: Mapping[str, int | float]) -> tuple[str | int, list[Axis]] | None:
    """The group of axes that is the batch, with its name or its written length; None where that is not clear.

    A batch is the first axis wherever it occurs, and occurs nowhere else: in x (N, D), w (D, M) and b (M,) that is
    true of N alone. Where there are labels or ids, they have it too. Of several such groups: one with a usual name,
    then one with a matrix or more, then the first.

    values : what names stand for; an axis that is longer than its name says (`2*N`) is no batch
    """
    has_labels = any(lengths.whole[tensor] and shape for tensor, shape in lengths.shapes.items())

    def is_candidate(name: str | int, axes: list[Axis]) -> bool:
        is_first = all(axis == 0 for _, axis in axes)
        is_length = name >= 2 if isinstance(name, int) else all(lengths.length(axis) == values[name] for axis in axes)
        return is_first and is_length and (is_usual(name) or not has_labels or any(lengths.whole[t] for t, _ in axes))

    def is_usual(name: str | int) -> bool:
        return str(name).casefold() in BATCH_NAMES

    def unlikely(candidate: tuple[str | int, list[Axis]]) -> tuple[bool, bool]:
        name, axes = candidate
        return not is_usual(name), all(len(lengths.shapes[tensor]) < 2 for tensor, _ in axes)

    candidates = [(name, axes) for name, axes in lengths.groups().items() if is_candidate(name, axes)]
    return min(candidates, key=unlikely, default=None)


def _changed(shape: tuple[int, ...], longer: Case, spec: SourceText) -> list[int]:
    """The axes that are not as long any more; none where the array cannot be made, or has other axes."""
    try:
        other = measure_array(spec, sizes=names_in_shapes(longer), directory=longer.directory).shape
    except NotationError:
        return []
    return [axis for axis, pair in enumerate(zip(shape, other, strict=False)) if pair[0] != pair[1]]
