"""Explanation: a case at one point, told step by step – values forwards, gradients backwards, one step downhill.

Values only; how they are found is `explain`'s, how they are shown `reporters.explanation`'s.
"""

from __future__ import annotations

from typing import Any, Literal

from numpy.typing import NDArray

from gradcheck.model.problem import Array
from gradcheck.record import dataclass

Form = Literal["slopes", "jacobian", "unformed"]


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way that a gradient takes from an op to one of its arguments.

    to : number of the vertex that the argument is
    argument : its place among the arguments of the op, from 0
    form : slopes – `local` has one slope for each element of the output (or of the input, where the output is a single
        number), and the downstream gradient is upstream · local; jacobian – rows are outputs, columns inputs;
        unformed – too large to be written down
    local : the local gradient; None where it is unformed
    size : (outputs, inputs): the shape of the Jacobian, whether it is written down or not
    summed : axes of the output along which the argument was broadcast, so that its gradient is a sum over them
    rule : the downstream gradient as a formula of the upstream gradient `g`, where the op is a product of matrices
    downstream : the gradient that this way brings, of the argument's shape
    """

    to: int
    argument: int
    form: Form
    local: Array | None
    size: tuple[int, int]
    summed: tuple[int, ...]
    rule: str
    downstream: Array


@dataclass(frozen=True, slots=True, eq=False)
class Use:
    """A part of the gradient of a value: what one of the ops that use it sends back."""

    by: int
    argument: int
    gradient: Array


@dataclass(frozen=True, slots=True, eq=False)
class Vertex:
    """One line of the computation.

    number : of the vertex in the graph
    label : what other lines call it: its name in the text, or `#3`
    op : name of the op; "" for a leaf or a constant
    text : how it is computed, `x + y`; earlier values without a name are `#3`
    arguments : numbers of the vertices that it is computed from; single numbers of the text are among them
    layer : number of the layer that it is a part of, 0 for none
    value : forwards
    gradient : of the loss with respect to it, the upstream gradient of its op; None where none is asked for
    ways : backwards through the op, one per argument that has a gradient
    uses : the parts that `gradient` is the sum of, one per use; () for the output
    notes : what is worth knowing here
    """

    number: int
    label: str
    op: str
    text: str
    arguments: tuple[int, ...]
    layer: int
    value: NDArray[Any]
    gradient: Array | None
    ways: tuple[Way, ...]
    uses: tuple[Use, ...]
    notes: tuple[str, ...] = ()

    @property
    def is_leaf(self) -> bool:
        """Whether it is an input, which nothing is computed from."""
        return not self.text


@dataclass(frozen=True, slots=True)
class Norms:
    """The size of a layer's numbers: root mean squares, so that layers of different widths compare.

    label : the layer as written
    shape : of what it returns
    activation, gradient : of what it returns, and of the gradient that arrives there (None: none does)
    parameters : name → root mean square of its gradient
    notes : saturated, dead, …
    """

    number: int
    label: str
    shape: tuple[int, ...]
    activation: float
    gradient: float | None
    parameters: tuple[tuple[str, float], ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """One tensor before and after a step of gradient descent: after = before − lr · gradient."""

    name: str
    before: NDArray[Any]
    gradient: Array
    after: Array


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """One step of gradient descent.

    lr : learning rate
    foretold : −lr · |gradient|², the change of the loss if it were a plane
    shorter : where the loss has not fallen, a learning rate with which it does, and the loss then; None if none does
    """

    lr: float
    moved: tuple[Moved, ...]
    before: float
    after: float
    foretold: float
    shorter: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """An array with the name that somebody's code has for it."""

    name: str
    value: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class CodeFacts:
    """What can be said about somebody's code without looking inside: what goes in and what comes out."""

    statements: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    upstream: tuple[Tensor, ...]
    gradients: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """Everything that `gradcheck explain` shows about one case.

    loss : what the gradients are the gradients of, in words; "" where it is the output itself
    vertices : in the order of evaluation, those only that the output depends on
    layers : norms per layer of a network, or per line of a function that has activations
    notes : about the network as a whole
    descent : None where nothing was to be moved
    code : of a case of somebody's code, which has no vertices; else None
    """

    name: str
    file: str
    line: int
    combination: str
    why: str
    kind: Literal["function", "network", "code"]
    loss: str
    vertices: tuple[Vertex, ...] = ()
    output: int = -1
    layers: tuple[Norms, ...] = ()
    notes: tuple[str, ...] = ()
    descent: Descent | None = None
    code: CodeFacts | None = None
