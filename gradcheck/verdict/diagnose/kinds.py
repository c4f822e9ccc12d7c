"""The vocabulary of mistakes: every kind a diagnosis can have, in a few words, with one next step for its author.

Words only. The rules say when a kind is meant; whoever plants mistakes labels them with the same kinds.
"""

from __future__ import annotations

from gradcheck.record import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """gloss : what it is, for somebody who has never heard of it; advice : one next step, as a request"""

    gloss: str
    advice: str


KINDS: dict[str, Kind] = {
    "factor": Kind("a constant factor is wrong", "compare the constants in forward and backward: 2, 1/N, mean or sum"),
    "power": Kind("a power is wrong", "d xⁿ/dx = n·xⁿ⁻¹: count the factors of x that are left"),
    "sign": Kind("a sign is wrong", "look for a minus in forward that backward lacks, or has too many of"),
    "zero": Kind("the gradient is never filled", "see whether what is returned is what was computed"),
    "penalty": Kind("the penalty's gradient is wrong", "reg·ΣW² has the derivative 2·reg·W, and reg/2·ΣW² has reg·W"),
    "transposed": Kind("a transpose is missing", "if out = x @ w, then dx = dout @ w.T and dw = x.T @ dout"),
    "axes": Kind("the axes are in another order", "undo the transpose of forward before the reshape, not after it"),
    "flipped": Kind("the order is reversed", "look at the direction of the loop, or of the slice"),
    "shift": Kind("an index or a slice is off", "print the slices of forward and backward for a small input"),
    "sum": Kind("a sum is missing", "what was broadcast in forward is summed in backward, over the same axes"),
    "axis": Kind("the axis is wrong", "write the shapes beside the line: which axis has to disappear?"),
    "accumulation": Kind("assigned where it should be added", "write += for =, or np.add.at where an index repeats"),
    "upstream": Kind("the gradient that arrives from the loss, dout, is not used", "multiply with dout"),
    "activation": Kind("the activation's derivative is wrong", "differentiate it on paper: does it take x, or f(x)?"),
    "softmax": Kind("softmax's Jacobian is incomplete", "dx = y * (dout - (dout * y).sum(-1, keepdims=True))"),
    "path": Kind("a path back to the input is missing", "list every line of forward that reads it: each adds a term"),
    "swapped_gradients": Kind("two gradients are exchanged", "compare the order of the return with that of the call"),
    "border": Kind("the border is treated differently", "look at the padding, and at both ends of the loop"),
    "clipped": Kind("the gradient is cut off", "clip in the optimiser, after the check, and not in backward"),
    "dropout": Kind("the dropout mask is not applied", "keep the scaled mask of forward, and multiply dout with it"),
    "eps": Kind("eps is left out", "keep √(variance + eps) in the cache, and use the same number in backward"),
    "stale": Kind("something is left from an earlier call", "begin every backward with fresh arrays"),
    "precision": Kind("computed in a coarse number type", "keep the arrays in float64 while checking"),
    "digits": Kind("too few digits", "write more decimals, and round the last one"),
    "ties": Kind("equal elements are all paid in full", "pick one of them, with argmax, or divide among them"),
    "negative": Kind("one branch of the function is wrong", "take the branch's derivative by itself"),
    "one_class": Kind("one class is wrong", "look at the line that treats the right class"),
    "last_step": Kind("one end of the loop is wrong", "run the loop by hand for two steps"),
    "operator": Kind("an operator is wrong", "compare the line with the derivative on paper, sign by sign"),
    "variable": Kind("a wrong variable is used", "compare the names in the line with those of the derivative on paper"),
    "term": Kind("a factor or a term is missing, or too many", "compare it with the derivative on paper, term by term"),
    "layer": Kind("one layer of the network is wrong", "check the layer by itself, in a case with code"),
    "pattern": Kind("no known mistake", "start with the smallest input that still fails"),
}  # fmt: skip
