"""Recurrent layers over sequences (N, T, D), unrolled: one stretch of formula per step, from a state of zeros.

Gates stand side by side in the columns of Wx, Wh and b, in torch's order.
"""

from __future__ import annotations

from gradcheck.errors import ShapeError
from gradcheck.graph.layers.kinds import (
    HE,
    POSITIVE,
    SMALL,
    TRUTH,
    Argument,
    Array,
    LayerKind,
    Parameter,
    Settings,
    by_axes,
)
from gradcheck.record import dataclass

MAX_STEPS = 64  # of a sequence; one formula holds them all, and the length of a text is limited


@dataclass(frozen=True, slots=True)
class Cell:
    """One step of a recurrent layer.

    gates : a letter for each block of `hidden` columns that Wx, Wh and b have, in order
    start : the lines of the first step, in which h (and c) is 0 and drops out
    step : the lines of step {t}; {letters} stand for the columns of a gate, `given` for x @ Wx + b of all steps
    """

    gates: str
    start: str
    step: str


RNN = Cell("h", "h = tanh(given[:, 0])", "h = tanh(given[:, {t}] + h @ Wh)")
LSTM = Cell(
    "ifgo",
    "g = given[:, 0]\nc = sigmoid(g[:, {i}]) * tanh(g[:, {g}])\nh = sigmoid(g[:, {o}]) * tanh(c)",
    "g = given[:, {t}] + h @ Wh\nc = sigmoid(g[:, {f}]) * c + sigmoid(g[:, {i}]) * tanh(g[:, {g}])\n"
    "h = sigmoid(g[:, {o}]) * tanh(c)",
)
GRU = Cell(
    "rzn",
    "g = given[:, 0]\nh = (1 - sigmoid(g[:, {z}])) * tanh(g[:, {n}])",
    "g = given[:, {t}]\nu = h @ Wh\nz = sigmoid(g[:, {z}] + u[:, {z}])\n"
    "n = tanh(g[:, {n}] + sigmoid(g[:, {r}] + u[:, {r}]) * u[:, {n}])\nh = (1 - z) * n + z * h",
)


def unrolled(cell: Cell, settings: Settings, x: Array) -> str:
    by_axes(x, "N", "T", settings["inputs"])
    steps, hidden = x.shape[1], settings["hidden"]
    if not 1 <= steps <= MAX_STEPS:
        hint = "give the sequence a step" if not steps else "a gradient that is right for 10 steps is right for more"
        raise ShapeError(f"unrolls sequences of 1 to {MAX_STEPS} steps, got {steps} in shape {x.shape}", hint)
    columns = {gate: f"{k * hidden}:{(k + 1) * hidden}" for k, gate in enumerate(cell.gates)}
    lines = ["given = x @ Wx + b"]
    for t in range(steps):
        lines.append((cell.step if t else cell.start).format(t=t, **columns))
        if settings["return_sequences"]:
            lines.append(f"h{t} = h[:, None]")
    states = ", ".join(f"h{t}" for t in range(steps))
    return "\n".join([*lines, f"concatenate([{states}], axis=1)" if settings["return_sequences"] else "h"])


def recurrent(name: str, cell: Cell, meaning: str) -> LayerKind:
    def parameters(settings: Settings) -> tuple[Parameter, ...]:
        inputs, hidden, width = settings["inputs"], settings["hidden"], len(cell.gates) * settings["hidden"]
        return (
            Parameter("Wx", (inputs, width), HE, penalised=True),
            Parameter("Wh", (hidden, width), HE, penalised=True),
            Parameter("b", (width,), SMALL),
        )

    arguments = (
        Argument("inputs", POSITIVE), Argument("hidden", POSITIVE), Argument("return_sequences", TRUTH, True),
    )  # fmt: skip
    example = (f"{name}(3, 2)", "normal(2, 3, 3)")
    return LayerKind(name, lambda s, x: unrolled(cell, s, x), meaning, example, arguments, parameters)


KINDS = (
    recurrent("rnn", RNN, "hₜ = tanh(xₜ Wx + hₜ₋₁ Wh + b): (N, T, inputs) → (N, T, hidden), or the last h alone"),
    recurrent(
        "lstm", LSTM, "i f g o = xₜ Wx + hₜ₋₁ Wh + b; cₜ = σ(f) cₜ₋₁ + σ(i) tanh(g); hₜ = σ(o) tanh(cₜ)"
    ),
    recurrent(
        "gru", GRU, "r z n = xₜ Wx + b, for r z + hₜ₋₁ Wh; n = tanh(n + σ(r) · hₜ₋₁ Whₙ); hₜ = (1 − σ(z)) n + σ(z) hₜ₋₁"
    ),
)  # fmt: skip
