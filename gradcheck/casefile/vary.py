"""Stress variants: one case → the same case where handwritten gradients are known to break.

Which sizes, axes and arrays a variant changes is decided here, from the case alone; that a forward may not take what
comes of it, and what is then said, is the business of `checking`. Most mistakes in published layers show in one of
these configurations only, and in no other however precisely one looks.

    batch1          the batch axis gets the length 1
    non_square      axes of a tensor that are equally long become different
    repeated        whole numbers (ids, labels) occur more than once
    ties            the data hold two different numbers only
    small_variance  the data keep their mean, their standard deviation becomes 0.003
    nonzero_bias    parameters that are all zeros or all ones get 0.1·normal added
    scale           the data times 1000, and times 0.001
    dtype           the inputs of code become float32

The data are the float arrays that have the batch axis; where no axis is clearly the batch, the first float input.
Arrays that look like labels, masks or distributions are not among them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from gradcheck.casefile.arrays import build_array, names_in_shapes
from gradcheck.casefile.lengths import Axis, Lengths, batch_of, measured, with_lengths
from gradcheck.casefile.stress import has_meaning, is_constant, may_be_probabilities, stressed
from gradcheck.casefile.sweep import SCALES
from gradcheck.errors import GradcheckError, NotationError
from gradcheck.location import SourceText
from gradcheck.model.case import ArraySpec, Case, CodeBody, NetworkBody, Numbers

LARGE = SCALES[0]
MAX_RAISES = 32  # of a size by one, to make all lengths differ
NAME_THEM = "write the sizes as names: normal(N, D)"


class NotApplicableError(GradcheckError):
    """A variant that changes nothing in a case, or that the case cannot take; the message says why."""


def realised(case: Case, indices: frozenset[str] = frozenset()) -> Case:
    """The variant as a case that can be checked: sizes changed, and noted in `variant` what happens to which array.

    case : one with a `variant`
    indices : names that a function or a network uses as an index or as class numbers (its other whole numbers are real)

    `expected` is dropped: those numbers hold for the case as written. So is an upstream gradient with a shape of its
    own where shapes change (a random one takes its place), and an `rtol` where the precision does.
    Raises NotApplicableError.
    """
    assert case.variant is not None
    if isinstance(case.body, CodeBody) and case.body.build is not None:
        raise NotApplicableError("the arrays are made by 'build'")
    made = _MAKERS[case.variant.name](case, measured(case), indices)
    assert made.variant is not None
    return replace(made, expected={})


def varied(case: Case, name: str, array: NDArray[Any], seed: int) -> NDArray[Any]:
    """An array of a realised variant, from the array as written.

    name, seed : choose the random stream, where the variant draws
    """
    variant = case.variant
    if variant is None:
        return array
    if name in variant.cuts:
        axis, length = variant.cuts[name]
        array = array.take(range(length), axis=axis)
    return stressed(variant.name, array, name, seed) if name in variant.tensors else array


def _batch1(case: Case, lengths: Lengths, indices: frozenset[str]) -> Case:
    found = batch_of(lengths, names_in_shapes(case))
    if not any(lengths.shapes.values()):
        raise NotApplicableError("no array has an axis")
    if found is None:
        raise NotApplicableError(f"no axis is clearly the batch; {NAME_THEM}")
    name, axes = found
    if lengths.length(axes[0]) == 1:
        raise NotApplicableError("the batch is 1 as written")
    if isinstance(name, str):
        return _resized(case, {name: 1})
    tensors = [tensor for tensor, _ in axes]
    return _cut(case, dict.fromkeys(tensors, (0, 1)), f"1 sample of {', '.join(tensors)}")


def _non_square(case: Case, lengths: Lengths, indices: frozenset[str]) -> Case:
    longer: dict[str, int] = {}
    for _ in range(MAX_RAISES):
        name = next(filter(None, (_telling(lengths, *pair) for pair in _equal(lengths))), None)
        if name is None:
            break
        longer[name] = 1 + longer.get(name, int(names_in_shapes(case)[name]))
        lengths = measured(with_lengths(case, longer))
    if longer:
        return _resized(case, longer)
    # Written as numbers, equal axes of several tensors may belong together or not: the last axes go together.
    written = {lengths.length(axis) for pair in _equal(lengths) for axis in pair if not lengths.names.get(axis)}
    cuts = {}
    for tensor, shape in lengths.shapes.items():
        last = len(shape) - 1
        if shape and shape[last] in written and shape[last] > 2 and not lengths.names.get((tensor, last)):
            cuts[tensor] = (last, shape[last] - 1)
    if not cuts:
        raise NotApplicableError("no tensor has two equally long axes that could differ")
    return _cut(case, cuts, ", ".join(f"{tensor} has {n} along axis {axis}" for tensor, (axis, n) in cuts.items()))


def _telling(lengths: Lengths, first: Axis, second: Axis) -> str | None:
    """A name that only one of two axes depends on, the later one's where both have one."""
    one, other = lengths.names.get(first, ()), lengths.names.get(second, ())
    return next((name for name in (*other, *one) if (name in one) != (name in other)), None)


def _equal(lengths: Lengths) -> list[tuple[Axis, Axis]]:
    """Pairs of axes of one tensor that are equally long."""
    return [
        ((tensor, i), (tensor, j))
        for tensor, shape in lengths.shapes.items()
        for j in range(len(shape))
        for i in range(j)
        if shape[i] == shape[j]
    ]


def _repeated(case: Case, lengths: Lengths, indices: frozenset[str]) -> Case:
    whole = [name for name in lengths.shapes if _is_whole(case, lengths, name, indices)]
    several = [name for name in whole if math.prod(lengths.shapes[name]) >= 2]
    return _changing(case, several, "no two whole numbers are given")


def _spread(case: Case, lengths: Lengths, indices: frozenset[str]) -> Case:
    spread = [name for name, array in _data(case, lengths, indices).items() if array.std() > 0]
    return _changing(case, spread, "the data do not hold two different numbers")


def _scale(case: Case, lengths: Lengths, indices: frozenset[str]) -> Case:
    assert case.variant is not None
    data = _data(case, lengths, indices)
    if case.variant.name == LARGE:
        data = {name: array for name, array in data.items() if not may_be_probabilities(array)}
        return _changing(case, list(data), "the data lie between 0 and 1 and may be probabilities")
    return _changing(case, list(data), "")


def _data(case: Case, lengths: Lengths, indices: frozenset[str]) -> dict[str, NDArray[Any]]:
    """The data of a case, as written. Raises NotApplicableError where there are none."""
    floats = {
        name: array
        for name in lengths.shapes
        if not _is_whole(case, lengths, name, indices)
        if (array := _built(case, name)).size and not has_meaning(array)
    }
    if not floats:
        raise NotApplicableError("no float numbers are given that could be others")
    found = batch_of(lengths, names_in_shapes(case))
    of_batch = {name: array for name, array in floats.items() if found is not None and (name, 0) in found[1]}
    return of_batch or dict(list(floats.items())[:1])


def _nonzero_bias(case: Case, lengths: Lengths, indices: frozenset[str]) -> Case:
    given = [name for name in case.inputs if not _is_whole(case, lengths, name, indices) and _has_gradient(case, name)]
    found = [name for name in given if is_constant(_built(case, name))]
    if isinstance(case.body, NetworkBody):
        found += [name for name, spec in case.body.parameters.items() if _is_constant_parameter(case, name, spec)]
    if not found and isinstance(case.body, CodeBody):
        return case  # the code may have parameters of its own
    return _changing(case, found, "nothing given is all zeros or all ones")


def _has_gradient(case: Case, name: str) -> bool:
    """Whether an input may be differentiated. What is not, and holds ones only, is rather a mask than a gain."""
    if case.wrt is not None:
        return name in case.wrt
    body = case.body
    if not isinstance(body, CodeBody) or isinstance(body.gradient_at, SourceText):
        return True
    if isinstance(body.gradient_at, Mapping) and name in body.gradient_at:
        return True
    texts = [text.text for text in (body.forward, body.backward) if text is not None]
    written = {word for text in texts for word in re.findall(r"\w+", text)}
    return f"d{name}" in written or not any("=" in text for text in texts)  # a bare name does not tell


def _dtype(case: Case, lengths: Lengths, indices: frozenset[str]) -> Case:
    if not isinstance(case.body, CodeBody):
        raise NotApplicableError("functions and networks are computed in float64")
    floats = [name for name, whole in lengths.whole.items() if not whole]
    return _changing(replace(case, rtol=None), floats, "no float numbers are given")


def _is_whole(case: Case, lengths: Lengths, name: str, indices: frozenset[str]) -> bool:
    """Whether a tensor stays one of whole numbers: in code all of them do, in functions and networks indices do."""
    if not lengths.whole[name] or isinstance(case.body, CodeBody):
        return lengths.whole[name]
    return name in indices


def _is_constant_parameter(case: Case, name: str, spec: ArraySpec) -> bool:
    """Whether a network is told to begin with zeros or ones for a parameter, whose shape it alone knows."""
    if isinstance(spec, SourceText) and spec.text.strip() in ("zeros", "ones"):
        return True
    try:
        return is_constant(_built(case, name, spec))
    except NotationError:
        return False


def _built(case: Case, name: str, spec: ArraySpec | None = None) -> NDArray[Any]:
    found = {**case.constants, **case.inputs}[name] if spec is None else spec
    return build_array(found, name=name, seed=case.seed, sizes=names_in_shapes(case), directory=case.directory)


def _resized(case: Case, values: Mapping[str, int]) -> Case:
    about = ", ".join(f"{name} = {value}" for name, value in values.items())
    return _reshaped(with_lengths(case, values), about, {})


def _cut(case: Case, cuts: Mapping[str, tuple[int, int]], about: str) -> Case:
    if case.scale:
        raise NotApplicableError(f"'scale' may depend on the lengths; {NAME_THEM}")
    return _reshaped(case, about, cuts)


def _reshaped(case: Case, about: str, cuts: Mapping[str, tuple[int, int]]) -> Case:
    assert case.variant is not None
    own = isinstance(case.upstream, SourceText) or (isinstance(case.upstream, Numbers) and case.upstream.values.ndim)
    variant = replace(case.variant, about=about, cuts=cuts)
    return replace(case, variant=variant, upstream="random" if own else case.upstream)


def _changing(case: Case, tensors: list[str], otherwise: str) -> Case:
    assert case.variant is not None
    if not tensors:
        raise NotApplicableError(otherwise)
    return replace(case, variant=replace(case.variant, about=", ".join(tensors), tensors=tuple(tensors)))


_MAKERS: dict[str, Callable[[Case, Lengths, frozenset[str]], Case]] = {
    "batch1": _batch1,
    "non_square": _non_square,
    "repeated": _repeated,
    "ties": _spread,
    "small_variance": _spread,
    "nonzero_bias": _nonzero_bias,
    **dict.fromkeys(SCALES, _scale),
    "dtype": _dtype,
}
