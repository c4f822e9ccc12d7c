"""What every builder needs: arrays, the upstream gradient, the numbers written down, and mistakes with their places.

Nothing here knows what kind of case it serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.casefile.arrays import build_array, stream
from gradcheck.errors import FieldError, GradcheckError, SeveralErrors, UserCodeError, did_you_mean
from gradcheck.model.case import ArraySpec, Body, Case, Numbers, Upstream
from gradcheck.model.problem import Array, Claim, Problem
from gradcheck.record import dataclass, field

if TYPE_CHECKING:  # a function or a network has no code to open
    from gradcheck.handwritten.runner import Handwritten


@dataclass(frozen=True, slots=True)
class Built:
    """A problem, and what its builder knows beside it.

    statements : the calls that a shorthand stood for, ready to paste
    notes : what came up so far that is no mistake of a gradient
    held : a context for many evaluations in a row
    body : the case's own, or the one with every statement that a shorthand stood for
    code : the handwritten code that makes the claims, opened; None where there is none
    rerun : asks that code for its gradients once more, as the claim has them
    """

    problem: Problem
    statements: tuple[str, ...] = ()
    notes: Callable[[], tuple[str, ...]] = tuple
    held: Callable[[], AbstractContextManager[None]] = nullcontext
    body: Body | None = None
    code: Handwritten | None = None
    rerun: Callable[[], Mapping[str, NDArray[Any]]] = dict


@dataclass(slots=True)
class Mistakes:
    """Collects errors, so that one mistake does not hide the next."""

    found: list[GradcheckError] = field(default_factory=list)

    @contextmanager
    def collected(self) -> Iterator[None]:
        try:
            yield
        except SeveralErrors as several:
            self.found.extend(several.errors)
        except GradcheckError as error:
            self.found.append(error)


@contextmanager
def placing(case: Case, path: tuple[str, ...]) -> Iterator[None]:
    """Errors without a place of their own get that of a field."""
    try:
        yield
    except GradcheckError as error:
        raise placed(case, error, path) from None


def draw(case: Case, specs: Mapping[str, ArraySpec], field_name: str, seed: int, mistakes: Mistakes) -> dict[str, Any]:
    """The arrays of `inputs` or `constants`, each from its own stream."""
    arrays = {}
    for name, spec in specs.items():
        with mistakes.collected():
            arrays[name] = draw_one(case, spec, name, seed, (field_name, name))
    return arrays


def draw_one(
    case: Case, spec: ArraySpec, name: str, seed: int, path: tuple[str, ...], shape: tuple[int, ...] | None = None
) -> NDArray[Any]:
    try:
        array = build_array(spec, name=name, seed=seed, sizes=numbers_of(case), directory=case.directory, shape=shape)
    except GradcheckError as error:
        raise placed(case, error, path) from None
    if case.variant is None:
        return array
    from gradcheck.casefile.vary import varied  # read only where something varies

    return varied(case, name, array, seed)


def placed(case: Case, error: GradcheckError, path: tuple[str, ...]) -> GradcheckError:
    """The error with the field it belongs to, where it does not know its own place; one of somebody's code has none."""
    has_place = getattr(error, "location", None) is not None
    if not has_place and not isinstance(error, FieldError | SeveralErrors | UserCodeError):
        return FieldError(error.message, error.hint, path)
    return error


def numbers_of(case: Case) -> dict[str, int | float]:
    """Plain numbers that texts of the case may use: sizes, and options that are numbers."""
    options = {name: value for name, value in case.options.items() if isinstance(value, int | float)}
    return {**options, **case.sizes}


def draw_upstream(
    case: Case, shape: tuple[int, ...], seed: int, name: str = "upstream", *, scalar: Upstream = "ones"
) -> Array:
    """The upstream gradient of an output: as the case says, else 1 for a scalar and random signed weights for an array.

    Random: sign × uniform[0.5, 1.5) – away from zero, so that no output is missed, and of both signs, so that none
    cancels systematically.

    scalar : what a scalar gets where the case says nothing
    """
    if isinstance(case.upstream, Numbers) or (case.upstream is not None and not isinstance(case.upstream, str)):
        array = draw_one(case, case.upstream, name, seed, ("upstream",)).astype(np.float64)
        if array.ndim and array.shape != shape:
            raise FieldError(
                f"the upstream gradient has shape {array.shape}; the output has {shape}", "", ("upstream",)
            )
        return np.broadcast_to(array, shape).copy()
    if (case.upstream or ("random" if shape else scalar)) == "ones":
        return np.ones(shape)
    generator = stream(seed, name)
    sign = generator.integers(0, 2, shape) * 2.0 - 1.0
    return np.asarray(sign * generator.uniform(0.5, 1.5, shape))


def expected_claims(
    case: Case, leaves: Mapping[str, NDArray[Any]], value: NDArray[Any], mistakes: Mistakes
) -> list[Claim]:
    """What the numbers under `expected` claim about gradients, and about the output (`value`)."""
    gradients, half_unit, digits = {}, {}, {}
    for name, numbers in case.expected.items():
        path = ("expected", name)
        with mistakes.collected():
            if name != "value":
                known(name, leaves, path)
                if value.ndim and case.upstream in (None, "random"):
                    raise FieldError(
                        f"the output has shape {value.shape}: numbers for '{name}' need to know its upstream gradient",
                        "add `upstream: ones`, or the numbers that were used",
                        path,
                    )
            shape = value.shape if name == "value" else leaves[name].shape
            gradients[name] = fitting(numbers.values.astype(np.float64), shape, name, path, "the number written")
            half_unit[name], digits[name] = numbers.half_unit.reshape(shape), numbers.digits.reshape(shape)
    return [Claim("expected", gradients, half_unit, digits)] if gradients else []


def known(name: str, leaves: Mapping[str, object], path: tuple[str, ...]) -> None:
    if name not in leaves:
        hint = did_you_mean(name, leaves, f"known names: {', '.join(leaves)}")
        raise FieldError(f"there is no tensor '{name}'", hint, path)


def fitting(value: Array, shape: tuple[int, ...], name: str, path: tuple[str, ...], what: str) -> Array:
    """The array in the tensor's shape; only axes of length one may differ."""
    if tuple(n for n in value.shape if n != 1) != tuple(n for n in shape if n != 1):
        hint = (
            "write one number for each element" if "written" in what else f"sum over what '{name}' was broadcast along"
        )
        raise FieldError(f"{what} for '{name}' has shape {value.shape}; expected {shape}", hint, path)
    return value.reshape(shape)
