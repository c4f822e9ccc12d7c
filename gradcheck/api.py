"""gradcheck from Python: `check` takes functions and arrays in place of a case file, and returns the same report.

Reads its arguments and says what is wrong with them; how functions are run, examined and judged is other rooms'.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from gradcheck.checking.building.build_live import build_live
from gradcheck.checking.one_case import check_case
from gradcheck.checking.settings import Settings
from gradcheck.errors import GradcheckError, did_you_mean
from gradcheck.handwritten.live import place_of
from gradcheck.handwritten.pair import Argument, Pair
from gradcheck.location import Location
from gradcheck.model import report as model
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.report import CaseResult, ExitCode
from gradcheck.reporters.table import render_table

__all__ = ["GradientError", "Report", "UsageError", "check"]

Upstream = Literal["random", "ones"] | ArrayLike | tuple[ArrayLike, ...]


class GradientError(GradcheckError, AssertionError):
    """A gradient is wrong, or could not be checked; the text is the table of what was found.

    report : all of it, as data
    """

    def __init__(self, report: Report) -> None:
        super().__init__(f"{_HEADS[report.exit_code]}\n\n{report}".rstrip())
        self.report = report

    def __reduce__(self) -> tuple[type[GradientError], tuple[Report]]:
        return GradientError, (self.report,)


class UsageError(GradcheckError, ValueError):
    """`check` was called with something that it cannot use."""

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class Report(model.Report):
    """What `check` found: data as in `gradcheck run --format json`, a table when it is printed."""

    __slots__ = ()

    @property
    def passed(self) -> bool:
        """Whether every gradient is right; False where one is wrong, and where that could not be decided."""
        return self.exit_code is ExitCode.EXPECTED

    def raise_if_wrong(self, *, allow_undecided: bool = False) -> None:
        """Raise GradientError, with the table as its text, unless every gradient is right.

        allow_undecided : be content where the evidence cannot decide (the verdicts inconclusive and vacuous)
        """
        if not (self.passed or (allow_undecided and self.exit_code is ExitCode.UNDECIDED)):
            raise GradientError(self)

    def __str__(self) -> str:
        return render_table(self)


for _public in (GradientError, UsageError, Report):
    _public.__module__ = "gradcheck"  # the name that tracebacks show is the one to catch

_HEADS = {
    ExitCode.WRONG: "a gradient is wrong",
    ExitCode.BROKEN: "the gradient could not be checked",
    ExitCode.UNDECIDED: "the evidence cannot decide whether the gradient is right",
}


def check(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | None,
    inputs: Sequence[Any] | Mapping[str, Any],
    *,
    upstream: Upstream = "random",
    rtol: float | None = None,
    wrt: str | Sequence[str] | None = None,
    outputs: int = 1,
    seed: int = 0,
    name: str | None = None,
    strict: bool = False,
    budget: int | None = None,
) -> Report:
    """Check a handwritten gradient against central differences of forward.

    forward : called as forward(*inputs), or forward(**inputs) where inputs is a dict; returns the output, or a tuple of
        the output and whatever backward needs (a cache, or several values)
    backward : called as backward(upstream, cache). Where forward returns the output alone: backward(upstream), or, if
        it takes more, backward(upstream, *inputs). None for a loss that returns its own gradients: (loss, dx, dw),
        (loss, (dx, dw)) or (loss, {"x": dx, "w": dw})
    inputs : arrays in the order of forward's arguments, or by name. Arrays of floats, lists with a decimal and floats
        are differentiated; whole numbers, texts, dicts and all else are passed on as they are
    upstream : the gradient that backward is given: random (sign × uniform[0.5, 1.5)), ones, or an array of the
        output's shape; a tuple of arrays where there are several outputs
    rtol : relative error allowed; by default that of the precision which the numbers were computed with
    wrt : names of the inputs whose gradient is checked; by default all that are differentiated
    outputs : how many of the values that forward returns are outputs; backward gets an upstream gradient for each
    seed : of the upstream gradient, and of both global generators before every evaluation
    name : what the report calls the case; by default the name of forward
    strict : count kinks and undecided gradients as wrong
    budget : evaluations of forward. Where checking every element takes more, tensors are moved as a whole, some
        elements by themselves, and wrong ones are searched; None checks every element

    backward returns one gradient per differentiated input, in their order; or one per input with None for the others;
    or one per name in wrt; or a dict by name (`w` or `dw`). Every evaluation gets fresh copies of the inputs; methods
    of one object get a copy of that object. What the functions print is swallowed.

    Returns: the report. Raises UsageError where the arguments do not fit together; mistakes in the functions
    themselves, and what they raise, are verdicts of the report.

    >>> import numpy as np
    >>> def forward(x, w):
    ...     return np.tanh(x @ w), (x, w)
    >>> def backward(dout, cache):
    ...     x, w = cache
    ...     dz = dout * (1 - np.tanh(x @ w) ** 2)
    ...     return dz @ w.T, x.T @ dz
    >>> x, w = np.linspace(-1, 1, 6).reshape(2, 3), np.linspace(1, 2, 12).reshape(3, 4)
    >>> report = check(forward, backward, [x, w])
    >>> [(finding.tensor, finding.verdict) for finding in report.cases[0].findings]
    [('x', 'pass'), ('w', 'pass')]
    >>> report.raise_if_wrong()

    A wrong one, here a lost factor 2, raises an AssertionError that says where and by how much:

    >>> check(lambda x: x**2, lambda dout, x: dout * x, {"x": [0.5, -1.5]}, upstream="ones").raise_if_wrong()
    Traceback (most recent call last):
        ...
    gradcheck.GradientError: a gradient is wrong
    ...

    A loss that returns its own gradient needs no backward:

    >>> def mse(pred, target):
    ...     return np.mean((pred - target) ** 2), 2 * (pred - target) / pred.size
    >>> check(mse, None, {"pred": [1.0, 2.5], "target": [0.0, 1.0]}, wrt="pred").passed
    True
    """
    arguments = _arguments(forward, backward, inputs)
    names = [argument.name for argument in arguments if argument.has_gradient]
    wanted = _wanted(wrt, names, arguments)
    _refuse_options(outputs, seed, rtol, backward, budget)
    pair = Pair(forward, backward, arguments, outputs, wanted)
    if isinstance(upstream, str) and upstream not in ("random", "ones"):
        raise UsageError(f"expected random, ones or an array as upstream, got '{upstream}'")
    file, line = place_of(forward)
    title = name if name is not None else getattr(forward, "__qualname__", type(forward).__name__)
    arrays = {a.name: a.value for a in arguments if a.is_array}
    case = Case(
        name=title.rpartition("<locals>.")[2], location=Location(file, line, 1), body=CodeBody(Path(file)), seed=seed,
        wrt=wanted,
    )  # fmt: skip
    given = upstream if isinstance(upstream, str | tuple) else (upstream,)
    result = check_case(
        case, Settings(rtol=rtol, strict=strict, budget=budget), lambda case, _: build_live(case, pair, arrays, given)
    )
    if not isinstance(result, CaseResult):
        raise UsageError(result[0].message, result[0].hint)
    return Report((result,), (), strict)


def _arguments(
    forward: Callable[..., Any], backward: Callable[..., Any] | None, inputs: Sequence[Any] | Mapping[str, Any]
) -> list[Argument]:
    """The inputs with names, and what becomes of each. Raises UsageError where forward cannot be called with them."""
    for word, function in (("forward", forward), ("backward", backward)):
        if not (callable(function) or (function is None and word == "backward")):
            raise UsageError(f"expected a function as {word}, got one {type(function).__name__}")
    by_name = isinstance(inputs, Mapping)
    if not by_name and (isinstance(inputs, str) or not isinstance(inputs, Sequence)):
        hint = "write [x], or {'x': x}"
        raise UsageError(f"expected a list or a dict of inputs, got one {type(inputs).__name__}", hint)
    values = list(inputs.values()) if isinstance(inputs, Mapping) else list(inputs)
    keywords = [str(key) for key in inputs] if by_name else []
    signature = _signature(forward)
    if signature is not None:
        try:
            bound = signature.bind(**dict.fromkeys(keywords)) if by_name else signature.bind(*values)
        except TypeError as error:
            raise UsageError(f"forward cannot be called with these inputs: {error}", f"forward{signature}") from None
        keywords = keywords or _names_of(bound, len(values))
    labels = _labels(keywords or [f"x{i + 1}" for i in range(len(values))])
    arguments = [
        _argument(label, keyword if by_name else None, value)
        for label, keyword, value in zip(labels, keywords or labels, values, strict=True)
    ]
    if not any(argument.has_gradient for argument in arguments):
        raise UsageError("no input can be differentiated: none is an array of floats", "write 2.0 for 2")
    return arguments


def _argument(name: str, keyword: str | None, value: Any) -> Argument:
    """How one input is passed: numbers as an array of the point, everything else as it is."""
    if hasattr(value, "__array__") and not isinstance(value, np.ndarray | np.generic):
        hint = "hand over a numpy array, and wrap it inside forward"
        raise UsageError(f"expected a numpy array as '{name}', got one {type(value).__name__}", hint)
    array = value
    if isinstance(value, float) or (isinstance(value, list) and _has_decimal(value)):
        try:
            array = np.array(value, dtype=np.float64)
        except (ValueError, TypeError):
            raise UsageError(f"'{name}' is a list that is no array", "its rows must have the same length") from None
    if not isinstance(array, np.ndarray | np.generic):
        return Argument(name, keyword, False, False, value)
    array = np.array(array)
    if array.dtype.kind == "c":
        raise UsageError(f"'{name}' is complex", "only real numbers are differentiated")
    if array.dtype.kind not in "biuf":
        return Argument(name, keyword, False, False, value)
    return Argument(name, keyword, True, array.dtype.kind == "f", array)


def _has_decimal(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_has_decimal(item) for item in value)
    return isinstance(value, float | np.floating)


def _signature(function: Callable[..., Any]) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (ValueError, TypeError):  # a builtin that does not say
        return None


def _names_of(bound: inspect.BoundArguments, number: int) -> list[str]:
    """Names of positional arguments; those that a starred parameter takes are numbered."""
    names: list[str] = []
    for parameter in bound.signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            names += [f"{parameter.name}{i + 1}" for i in range(number - len(names))]
        elif len(names) < number:
            names.append(parameter.name)
    return names


def _labels(names: Sequence[str]) -> list[str]:
    """The names as statements can hold them: without leading underscores, each once."""
    labels: list[str] = []
    for name in names:
        label = name.strip("_") or "x"
        labels.append(label if label not in labels else f"{label}{len(labels) + 1}")
    return labels


def _wanted(
    wrt: str | Sequence[str] | None, names: Sequence[str], arguments: Sequence[Argument]
) -> tuple[str, ...] | None:
    if wrt is None:
        return None
    wanted = (wrt,) if isinstance(wrt, str) else tuple(wrt)
    for name in wanted:
        if name not in names:
            is_input = any(argument.name == name for argument in arguments)
            cause = f"'{name}' is no array of floats and has no gradient" if is_input else f"there is no input '{name}'"
            raise UsageError(cause, did_you_mean(name, names, f"known: {', '.join(names)}"))
    if not wanted:
        raise UsageError("'wrt' names no input", f"known: {', '.join(names)}")
    return wanted


def _refuse_options(outputs: int, seed: int, rtol: float | None, backward: object, budget: int | None) -> None:
    if outputs < 1:
        raise UsageError(f"expected at least one output, got outputs={outputs}")
    if outputs > 1 and backward is None:
        raise UsageError(f"expected a backward for several outputs, got none and outputs={outputs}")
    if seed < 0:
        raise UsageError(f"expected a seed of at least 0, got {seed}")
    if rtol is not None and not 0 < rtol < 1:
        raise UsageError(f"expected rtol between 0 and 1, got {rtol}")
    if budget is not None and budget < 1:
        raise UsageError(f"expected a budget of at least one evaluation, got {budget}")
