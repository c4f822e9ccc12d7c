"""Case: what is asked, as written in a case file – validated, frozen, every field with its Location.

The values are still what the author wrote: texts are not evaluated and arrays not drawn before the case is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gradcheck.location import Location, SourceText
from gradcheck.record import dataclass, field

Verdict = Literal["pass", "fail", "kink", "inconclusive", "vacuous", "error"]
Upstream = Literal["random", "ones"]
Stress = Literal[
    "batch1", "non_square", "repeated", "ties", "small_variance", "nonzero_bias", "scale", "dtype"
]  # the words of `vary`


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """Numbers as written: their values, and how much their digits leave open.

    values : float64 or int64 array, shape S
    half_unit : float64 array, shape S; half a unit of the last digit written, 0 for an integer (nothing was rounded)
    digits : int array, shape S; significant digits written, 0 for an integer
    """

    values: NDArray[Any]
    half_unit: NDArray[np.float64]
    digits: NDArray[np.int64]


ArraySpec = Numbers | SourceText  # a text is an initialiser (`normal(4, 3)`) or a file (`data.npz:W`)


@dataclass(frozen=True, slots=True)
class FunctionBody:
    """Lines of assignments; the last value is the output."""

    text: SourceText


@dataclass(frozen=True, slots=True)
class Residual:
    """Layers whose output is added to their input."""

    layers: tuple[Layer, ...]


Layer = SourceText | Residual  # `linear(784, 100)`, or a nested list


@dataclass(frozen=True, slots=True)
class NetworkBody:
    """Layers in order, the loss on top, and initialisers of parameters by name."""

    layers: tuple[Layer, ...]
    loss: SourceText | None
    penalty: SourceText | None
    parameters: Mapping[str, ArraySpec]


@dataclass(frozen=True, slots=True)
class CodeBody:
    """Somebody's Python and the statements that call it.

    path : the file, absolute; `entry` is what stands behind a colon (`layers.py:Affine`)
    forward, backward, setup, output, build : statements or names as written
    gradient_at, parameters_at : where gradients and parameters are found: one expression (a mapping), or one per name
    """

    path: Path
    entry: str | None = None
    forward: SourceText | None = None
    backward: SourceText | None = None
    setup: SourceText | None = None
    output: SourceText | None = None
    build: SourceText | None = None
    gradient_at: SourceText | Mapping[str, SourceText] | None = None
    parameters_at: SourceText | Mapping[str, SourceText] | None = None
    arrays: str | None = None
    reference: Path | None = None


Body = FunctionBody | NetworkBody | CodeBody


@dataclass(frozen=True, slots=True)
class Expect:
    """What the author says will come out: one word for the case, or words for some tensors (all others pass)."""

    verdict: Verdict | None = None
    tensors: Mapping[str, Verdict] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Variant:
    """A stress variant of a case; what each one does is said in `casefile.vary`.

    name : the word under `vary`, with its factor where there are several: `ties`, `scale=1000`
    about : what it changes in this case, in a few words; "" until that is known
    cuts : tensor → (axis, length): only so much of the axis is kept
    tensors : those whose values change
    """

    name: str
    about: str = ""
    cuts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    tensors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One case, after `defaults`, `sweep` and `vary` were applied.

    where : path of keys (("inputs", "x")) → Location; `at` falls back to the nearest key above
    inherited : sizes, options and swept names that stand under `defaults` and not in the case itself
    sizes, options : what names stand for in texts; of a swept case the values of this combination
    """

    name: str
    location: Location
    body: Body
    where: Mapping[tuple[str | int, ...], Location] = field(default_factory=dict)
    inputs: Mapping[str, ArraySpec] = field(default_factory=dict)
    constants: Mapping[str, ArraySpec] = field(default_factory=dict)
    gradient: Mapping[str, SourceText] = field(default_factory=dict)
    expected: Mapping[str, Numbers] = field(default_factory=dict)
    wrt: tuple[str, ...] | None = None
    seed: int = 0
    trials: int = 1
    upstream: Upstream | ArraySpec | None = None
    rtol: float | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)
    sweep: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    swept: tuple[str, ...] = ()  # names of the sizes and options that the sweep bound, in order
    inherited: frozenset[str] = frozenset()
    vary: tuple[Stress, ...] = ()
    variant: Variant | None = None  # which of those under `vary` this is; None for the case as written
    scale: Mapping[str, SourceText] = field(default_factory=dict)
    expect: Expect = Expect()
    points: float | Mapping[str, float] | None = None
    batched: bool = False
    same_size: bool = False
    hidden: bool = False
    tags: tuple[str, ...] = ()
    timeout: float | None = None
    why: str | None = None

    @property
    def file(self) -> str:
        return self.location.file

    @property
    def directory(self) -> Path:
        """Relative paths of the case start here."""
        return Path(self.location.file).parent

    def at(self, *path: str | int) -> Location:
        """The place of a field, or of the nearest field above it that is written down."""
        while path and path not in self.where:
            path = path[:-1]
        return self.where.get(path, self.location)
