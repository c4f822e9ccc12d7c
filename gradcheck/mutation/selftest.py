"""The checker checks itself: mistakes are planted wherever it could be blind, and every one has to be found.

In each op's rules, in the gradients of every layer, loss and penalty, and in handwritten code of every convention; what
is right has to pass beside them. Needs nothing but the package, and a few seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gradcheck.casefile.loader import load_page
from gradcheck.casefile.page import Page
from gradcheck.errors import GradcheckError
from gradcheck.graph.composed import Composed
from gradcheck.graph.functions import COMPOSED
from gradcheck.graph.layers import LAYERS, LayerKind
from gradcheck.graph.losses import LOSSES
from gradcheck.graph.penalties import PENALTIES
from gradcheck.model.case import Case
from gradcheck.mutation.bench import Bench
from gradcheck.mutation.conventions import CONVENTIONS, convention_row
from gradcheck.mutation.judge import Judge
from gradcheck.mutation.op_faults import Applied
from gradcheck.mutation.outcomes import Row, SelfTest
from gradcheck.mutation.plants import PLANTS
from gradcheck.ops.registry import REQUIRED, Op, all_ops

NOTICED = ("fail", "error", "undecided")
WITHIN_BOUND = ("float32 rounding",)  # no mistake by the usual tolerance
SIZE = 2  # of a window, the one thing that composed functions must be told


def selftest(told: Callable[[int, int], None] | None = None) -> SelfTest:
    """Plant every mistake and look for it.

    told : is told how many subjects are done, of how many
    """
    work: list[Callable[[], Row]] = [*map(_of_op, all_ops().values()), *map(_of_layer, LAYERS.values())]
    work += [_of_composed(c, "losses" if name in LOSSES else "functions") for name, c in COMPOSED.items()]
    work += [_of_penalty(penalty) for penalty in PENALTIES.values()]
    work += [partial(convention_row, convention) for convention in CONVENTIONS]
    rows = []
    for number, row in enumerate(work):
        rows.append(row())
        if told is not None:
            told(number + 1, len(work))
    return SelfTest(tuple(rows))


def _of_op(op: Op) -> Callable[[], Row]:
    def row() -> Row:
        """Every fault in every rule, each on the first sample that shows it."""
        planted: dict[tuple[int, str], bool] = {}
        is_right = True
        for sample in op.samples:
            applied = Applied(op, sample)
            if not applied.wrt or not applied.is_telling:
                continue
            wrong = [(at, fault, g) for at, fault, g in applied.damaged() if (at, fault) not in planted]
            if not wrong and planted:
                continue
            judge = Judge(applied.problem)
            is_right &= judge.is_right
            for entry, fault, gradients in wrong:
                planted[entry, fault] = judge.judged("backprop", gradients) in NOTICED
        missed = tuple(f"{op.arguments[entry]}: {fault}" for (entry, fault), found in planted.items() if not found)
        return Row("operations", op.name, is_right, len(planted), missed)

    return row


def _of_layer(kind: LayerKind) -> Callable[[], Row]:
    layer, x = kind.example
    lines = [f"name: {kind.name}", "network:", f"  - {layer}", "inputs:", f"  x: {x}"]
    return lambda: _of_case("layers", kind.name, _read(lines))


def _of_penalty(penalty: Composed) -> Callable[[], Row]:
    given = ", ".join("0.3" for name in penalty.options if penalty.default(name) is REQUIRED)
    lines = [f"name: {penalty.name}", "network:", "  - linear(3, 2)", "loss: mse", f"penalty: {penalty.name}({given})"]
    lines += ["inputs:", "  x: normal(4, 3)", "  target: normal(4, 2)"]
    return lambda: _of_case("penalties", penalty.name, _read(lines))


def _of_composed(composed: Composed, kind: str) -> Callable[[], Row]:
    required = [str(SIZE) for name in composed.options if composed.default(name) is REQUIRED]
    given = [f"{name}={name}" for name in composed.optional if name in composed.example]
    call = f"{composed.name}({', '.join([*composed.parameters, *required, *given])})"
    quoted = f"'{call}'" if '"' in call else call
    lines = [f"name: {composed.name}", f"function: {quoted}"]
    for key, is_meant in (("inputs", False), ("constants", True)):
        arrays = {name: text for name, text in composed.example.items() if (name == "target") is is_meant}
        lines += [f"{key}:"] if arrays else []
        lines += [f"  {name}:{text if text.startswith(chr(10)) else f' {text}'}" for name, text in arrays.items()]
    return lambda: _of_case(kind, composed.name, _read(lines))


def _of_case(kind: str, name: str, case: Case) -> Row:
    """The classic mistakes in the gradients of a right case, each tensor by itself."""
    try:
        bench = Bench(case)
    except GradcheckError as error:
        return Row(kind, name, False, 0, (f"it does not run: {error.message}",))
    missed, planted = [], 0
    for tensor in bench.built.problem.wrt:
        for plant in (p for p in PLANTS if p not in WITHIN_BOUND):
            outcome = bench.with_plant(plant, "backprop", tensor)
            planted += outcome not in (None, "same")
            if outcome == "missed":
                missed.append(f"{tensor}: {plant}")
    return Row(kind, name, bench.judge.is_right, planted, tuple(missed))


def _read(lines: list[str]) -> Case:
    loaded = load_page(Page.of("\n".join(lines) + "\n", "<selftest>"))
    return loaded.cases[0]
