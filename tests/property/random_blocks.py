"""The blocks that random graphs are made of: what people build networks and losses from, and every op of the table.

A block takes a matrix and returns an array of any shape. Arguments of roots, logarithms and quotients are kept inside
the domain also where a probe moves them by a half; kinks are met freely.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from gradcheck.graph.tracer import Ref
from tests.property.random_graphs import Sketch

Block = Callable[[Sketch, Ref], Ref]

SMOOTH = (
    "tanh(x)", "sigmoid(x)", "softplus(x)", "silu(x)", "gelu(x)", 'gelu(x, approximate="tanh")', "mish(x)",
    "softsign(x)", "erf(x)", "exp(0.5 * x)", "expm1(0.5 * x)", "log(square(x) + 0.5)", "log2(exp(x) + 0.5)",
    "log10(square(x) + 0.5)", "log1p(square(x))", "sqrt(square(x) + 0.3)", "cbrt(square(x) + 0.3)", "sin(x)", "cos(x)",
    "tan(sin(x))", "arcsin(0.9 * sin(x))", "arccos(0.9 * sin(x))", "arctan(x)", "sinh(0.5 * x)", "cosh(0.5 * x)",
    "arcsinh(x)", "arccosh(1.5 + square(x))", "arctanh(0.9 * sin(x))", "reciprocal(0.5 + square(x))", "-x",
)  # fmt: skip

PIECEWISE = (
    "relu(x)", "abs(x)", "clip(x, -0.4, 0.6)", "hardtanh(2 * x)", "leaky_relu(x, 0.1)", "elu(x, alpha=0.7)", "elu(x)",
    "selu(x)", "hard_sigmoid(4 * x)", "hard_swish(4 * x)", "prelu(x, row)", "maximum(x, row)", "minimum(column, x)",
    "maximum(x, column * row)", "where(x > row, x * row, column)", "x * (x > row)", "x + (x >= column)",
    "x * (row < column)", "x - (x <= row)", "where(x == row, 0.0, x)", "x * (x != column)", "where(x < 0, x, 2 * x)",
    "sign(x) * x", "x + 0.3 * floor(3 * x)", "ceil(2 * x) - x", "round(2 * x) * row", "maximum(maximum(x, 0), row)",
)  # fmt: skip

PRODUCTS = (
    "x * x", "x * x * row", "(x * column) * (x + row)", "u / u", "x / u", "column / u", "power(u, 1.7)", "power(u, x)",
    "power(u, row)", "x ** 3", "x ** 2 - x", "logaddexp(x, row)", "logaddexp(x, x * column)", "arctan2(x, u)",
    "arctan2(row, x + 0.01)", "u ** -0.5", "(x - row) / (u + square(column))", "x - x * 1.0",
    "scalar * x / (1 + scalar ** 2)",
)  # fmt: skip

REDUCED = (
    "x - max(x, axis=a, keepdims=True)", "x * min(x, axis=a, keepdims=True)", "sum(x, axis=a)",
    "mean(x, axis=a) + x[0, 0]",
    "x - mean(x, axis=a, keepdims=True)", "prod(x, axis=a)", "prod(x, axis=a, keepdims=True) * x", "var(x, axis=a)",
    "std(x * 2, axis=a, keepdims=True) + x", "norm(x, axis=a)", "norm(x, ord=1, axis=a, keepdims=True) * x",
    "norm(x, ord=inf, axis=a)", "x / norm(u, axis=a, keepdims=True)", "max(x, axis=a)", "min(x)", "max(x * x)",
    "sum(x, axis=a, keepdims=True) * x", "softmax(x, axis=a)", "log_softmax(x, axis=a)", "logsumexp(x, axis=a)",
    "x - logsumexp(x, axis=a, keepdims=True)", "softmax(3 * x, axis=a) * x", "normalise(x, axis=a, eps=0.1)",
    "normalise(x, axis=a, eps=0.01) * row + column",
)  # fmt: skip

ALONG = (
    "cumsum(x, axis=a)", "cumprod(x, axis=a)", "sort(x, axis=a)", "topk(x, k, axis=a)", "topk(x, 1, axis=a)",
    "cumsum(x * row, axis=a) * x", "flip(x, axis=a)", "flip(x)", "roll(x, 1, axis=a)", "roll(x, -1)",
    "pad(x, 1)", 'pad(x, ((0, 1), (2, 0)), mode="edge")', 'pad(x, 1, mode="wrap")', 'pad(x, (1, 0), mode="symmetric")',
    "pad(x, ((1, 0), (0, 1)), constant_values=0.7)", 'pad(x, 0, mode="reflect")', "tile(x, 2)", "tile(x, (2, 1))",
    "repeat(x, 2, axis=a)", "repeat(x, 2)", "swapaxes(x, 0, 1)", "moveaxis(x, 0, -1)", "x.T", "transpose(x, (1, 0))",
    "ravel(x)", "squeeze(expand_dims(x, 1))", "broadcast_to(expand_dims(x, 0), (2, rows, columns))",
    "concatenate([x, x * row], axis=a)", "concatenate([column, x, x], axis=1)", "stack([x, x * x], axis=a)",
    "stack([x, row + 0 * x, x], axis=-1)", "x[::2]", "x[:, ::-1]", "x[-1:, ::2]", "x[0]", "x[:, -1]", "x[:, None, 0]",
    "x[::-2, ::2] * x[-1, -1]", "tril(x)", "triu(x, 1)", "diag(row * 1.0)", "diag(x @ x.T)", "trace(x @ x.T) * x",
    "triu(x @ x.T, -1)", "diag(x[:, 0], 1)", "split(x, [1], axis=a)[0]",
)  # fmt: skip

PICKED = (
    "x[ids]", "x[:, places]", "x[ids, places]", "take(x, ids, axis=0)", "take(x, places, axis=-1)", "take(x, ids)",
    "gather(x, 0, spots)", "take_along_axis(x, spots, axis=0)", "embedding(ids, x)", "embedding(ids, W)",
    "W[ids] * x[:1, :1]", "mean(W[ids], axis=0) + x", "x + sum(embedding(ids, W), axis=1, keepdims=True)[0]",
)  # fmt: skip

PRODUCTS_OF_MATRICES = (
    'einsum("ij,kj->ik", x, A)', 'einsum("ij,ij->i", x, x)', 'einsum("ij->ji", x)', 'einsum("ij,kj,kj->i", x, A, A)',
    "dot(x, A.T)", "dot(A, x[0])", "dot(scalar, x)", "outer(x[0], A[0])", "outer(x, A)", "x @ x.T", "x.T @ x @ x.T",
    "A @ x.T", "x[0] @ A.T", "x[0] @ x[0]", "stack([x, 2 * x]) @ A.T", "A @ stack([x.T, x.T * x.T])",
    "stack([A, A]) @ stack([x, -x], axis=0).transpose((0, 2, 1))", "x @ x[-1]", "stack([x, x])[:, None] @ A.T",
)  # fmt: skip

ALONG_FEW_DIRECTIONS = (
    "logsumexp(z @ V, axis=-1, keepdims=True) * x", "normalise(z @ V, axis=-1, eps=0.1) @ V.T", "square(z @ V) @ V.T",
    "z + gelu(z @ V) @ V.T", "z - silu(z @ V * gain) @ V.T", "mean(square(z @ V + gain), axis=-1, keepdims=True) * x",
    "x * sum(gelu(normalise(z @ V, axis=-1, eps=0.1)) * gain)", "normalise(square(z @ V), axis=-1, eps=0.1) @ V.T",
)  # fmt: skip

OF_MATRICES = (
    "inv(M)", "det(M) * x", "solve(M, v)", "solve(M, M.T)", "cholesky(M @ M.T + eye(3))",
    "logdet(M @ M.T + eye(3)) * x", "inv(M) @ v", "trace(M) + x", "solve(M @ M, v) * v",
)  # fmt: skip

IMAGES = (
    "conv2d(image, W, b)", "conv2d(image, W, b, stride=2, padding=1)",
    "conv2d(image, W, b, stride=(2, 1), padding=(0, 2))",
    "conv2d(image, W, b, dilation=(1, 2), padding=1)", "conv2d(image, W[:, :1], b, groups=2)", "max_pool2d(image, 2)",
    "max_pool2d(image, 3, stride=1)", "max_pool2d(image, 3, stride=2, padding=1)", "avg_pool2d(image, 2, stride=1)",
    "avg_pool2d(image, 3, stride=2, padding=1)", "global_avg_pool(image)", "global_max_pool(image)",
    "conv_transpose2d(image, W, b)", "conv_transpose2d(image, W, b, stride=2, padding=1)",
    "max_pool2d(relu(conv2d(image, W, b, padding=1)), 2, stride=1)", "max(windows(image, (2, 2), 2), axis=(-1, -2))",
)  # fmt: skip

LINES = (
    "conv1d(line, K, c)", "conv1d(line, K, c, stride=2, padding=1)", "conv1d(line, K, c, dilation=2, padding=2)",
    "max_pool1d(line, 2, stride=1)", "avg_pool1d(line, 2)", "conv_transpose1d(line, swapaxes(K, 0, 1), c, stride=2)",
    "fold(windows(line, 2), 5)", "fold(windows(line, 3, 2) * q, 5, 2)", "windows(line, 2, 2)",
)  # fmt: skip


def row_and_column(s: Sketch, x: Ref) -> dict[str, Ref]:
    rows, columns = s.shape(x)
    return {"x": x, "row": s.leaf(columns), "column": s.leaf(rows, 1)}


def smooth(s: Sketch, x: Ref) -> Ref:
    return s.write(s.one_of(*SMOOTH), x=x)


def piecewise(s: Sketch, x: Ref) -> Ref:
    return s.write(s.one_of(*PIECEWISE), **row_and_column(s, x))


def products(s: Sketch, x: Ref) -> Ref:
    u = s.write("square(x) + 0.5", x=x)
    return s.write(s.one_of(*PRODUCTS), u=u, scalar=s.leaf(), **row_and_column(s, x))


def reduced(s: Sketch, x: Ref) -> Ref:
    u = s.write("square(x) + 0.5", x=x)
    return s.write(s.one_of(*REDUCED), u=u, a=s.one_of(0, 1, -1), inf=float("inf"), **row_and_column(s, x))


def along(s: Sketch, x: Ref) -> Ref:
    rows, columns = s.shape(x)
    axis = s.one_of(0, 1)
    k = int(s.random.integers(1, s.shape(x)[axis] + 1))
    return s.write(s.one_of(*ALONG), a=axis, k=k, rows=rows, columns=columns, **row_and_column(s, x))


def picked(s: Sketch, x: Ref) -> Ref:
    rows, columns = s.shape(x)
    return s.write(
        s.one_of(*PICKED), x=x, W=s.leaf(rows, columns), ids=s.whole(rows, 4), places=s.whole(columns, 4),
        spots=s.whole(rows, 3, columns),
    )  # fmt: skip


def contracted(s: Sketch, x: Ref) -> Ref:
    columns = s.shape(x)[1]
    return s.write(s.one_of(*PRODUCTS_OF_MATRICES), x=x, A=s.leaf(3, columns), scalar=s.leaf())


def along_few_directions(s: Sketch, x: Ref) -> Ref:
    """A few numbers that move many: what a narrow layer before a wide one does."""
    z = s.write("0.7 * x @ W", x=x, W=s.leaf(s.shape(x)[1], 2))
    return s.write(s.one_of(*ALONG_FEW_DIRECTIONS), x=x, z=z, V=s.leaf(2, 9), gain=s.leaf(9))


def of_matrices(s: Sketch, x: Ref) -> Ref:
    near = s.write("m * 0.4 + 0.1 * tanh(mean(x)) + 2 * eye(3)", m=s.leaf(3, 3), x=x)
    return s.write(s.one_of(*OF_MATRICES), M=near, v=s.leaf(3), x=x)


def images(s: Sketch, x: Ref) -> Ref:
    image = s.write("i + 0.2 * sum(x)", i=s.leaf(1, 2, 4, 3), x=x)
    return s.write(s.one_of(*IMAGES), image=image, W=s.leaf(2, 2, 2, 2), b=s.leaf(2))


def lines(s: Sketch, x: Ref) -> Ref:
    line = s.write("reshape(l * x[0, 0] + x[-1:, :1], (2, 1, 5))", l=s.leaf(2, 5), x=x)
    return s.write(s.one_of(*LINES), line=line, K=s.leaf(2, 1, 2), c=s.leaf(2), q=s.leaf(3))


def dense(s: Sketch, x: Ref) -> Ref:
    width = int(s.random.integers(1, s.most[1]))
    h = s.write("x @ W + b", x=x, W=s.leaf(s.shape(x)[1], width), b=s.leaf(width))
    return s.write(s.one_of("tanh(h)", "relu(h)", "sigmoid(h)", "h", "gelu(h)", "leaky_relu(h)"), h=h)


def shared(s: Sketch, x: Ref) -> Ref:
    columns = s.shape(x)[1]
    W = s.leaf(columns, columns)
    text = s.one_of(
        "tanh(tanh(x @ W) @ W)", "x @ W @ W.T", "(x @ W) * (x @ W.T)", "relu(x @ W) @ W + x", "tanh(x @ (W @ W))"
    )
    return s.write(text, x=x, W=W)


def residual(s: Sketch, x: Ref) -> Ref:
    columns = s.shape(x)[1]
    y = dense(
        s, s.write("normalise(x, axis=-1, eps=0.1) * gain + bias", x=x, gain=s.leaf(columns), bias=s.leaf(columns))
    )
    return s.write("x + y @ V", x=x, y=y, V=s.leaf(s.shape(y)[1], columns))


def attention(s: Sketch, x: Ref) -> Ref:
    steps, columns = s.shape(x)
    heads, width = int(s.random.integers(1, 3)), int(s.random.integers(1, 3))
    parts = {}
    for name in ("q", "k", "v"):
        text = "transpose(reshape(x @ W, (steps, heads, width)), (1, 0, 2))"
        parts[name] = s.write(text, x=x, W=s.leaf(columns, heads * width), steps=steps, heads=heads, width=width)
    scores = s.write("q @ transpose(k, (0, 2, 1)) / 1.4", q=parts["q"], k=parts["k"])
    seen = s.write(s.one_of("s", "where(seen, s, hidden)", "s + (1 - seen) * hidden"), s=scores, hidden=-1e9,
                   seen=Ref(s.builder.constant(np.tril(np.ones((steps, steps))))))  # fmt: skip
    mixed = s.write("softmax(s, axis=-1) @ v", s=seen, v=parts["v"])
    flat = s.write("reshape(transpose(h, (1, 0, 2)), (steps, wide))", h=mixed, steps=steps, wide=heads * width)
    return s.write("h @ W", h=flat, W=s.leaf(heads * width, columns)) if s.random.random() < 0.5 else flat


def normed(s: Sketch, x: Ref) -> Ref:
    columns = s.shape(x)[1]
    axis = s.one_of(0, 1, (0, 1))
    text = "normalise(x, axis=a, eps=0.05) * gain + bias"
    return s.write(text, x=x, a=axis, gain=s.leaf(columns), bias=s.leaf(columns))


def recurrent(s: Sketch, x: Ref) -> Ref:
    steps, columns = s.shape(x)
    Wx, Wh, b, h = s.leaf(columns, 2), s.leaf(2, 2), s.leaf(2), s.leaf(1, 2)
    seen = []
    for t in range(steps):
        h = s.write("tanh(x[t:t + 1] @ Wx + h @ Wh + b)", x=x, t=t, Wx=Wx, Wh=Wh, h=h, b=b)
        seen.append(h)
    names = {f"h{t}": state for t, state in enumerate(seen)}
    return s.write(f"concatenate([{', '.join(names)}], axis=0)", **names) if s.random.random() < 0.6 else h


def gated(s: Sketch, x: Ref) -> Ref:
    columns = s.shape(x)[1]
    z = s.write("x @ W", x=x, W=s.leaf(columns, 4))
    parts = s.write("sigmoid(z[:, :2]) * tanh(z[:, 2:])", z=z)
    return s.write("concatenate([p, x], axis=1)", p=parts, x=x) if s.random.random() < 0.5 else parts


BLOCKS: tuple[Block, ...] = (
    smooth, piecewise, piecewise, products, reduced, reduced, along, along, picked, contracted, of_matrices, images,
    lines, dense, dense, along_few_directions, shared, residual, attention, normed, recurrent, gated,
)  # fmt: skip

FORMULAS: tuple[tuple[Block, str], ...] = tuple(
    (block, text)
    for block, texts in (
        (smooth, SMOOTH), (piecewise, PIECEWISE), (products, PRODUCTS), (reduced, REDUCED), (along, ALONG),
        (picked, PICKED), (contracted, PRODUCTS_OF_MATRICES), (of_matrices, OF_MATRICES), (images, IMAGES),
        (lines, LINES), (along_few_directions, ALONG_FEW_DIRECTIONS),
    )
    for text in texts
)  # fmt: skip


def as_it_is(s: Sketch, x: Ref) -> Ref:
    return x


def a_number(s: Sketch, x: Ref) -> Ref:
    return s.write(s.one_of("sum(x)", "mean(square(x))", "logsumexp(x)", "sum(x * x)", "max(x)", "norm(x)"), x=x)


def a_loss(s: Sketch, x: Ref) -> Ref:
    rows, columns = s.shape(x)
    text = s.one_of(
        "softmax_cross_entropy(x, t)", "softmax_cross_entropy(x, t, label_smoothing=0.1)", "mse(x, y)", "huber(x, y)",
        "mae(x, y)", "binary_cross_entropy_with_logits(x, sigmoid(y))", "multiclass_svm(x, t)",
        'softmax_cross_entropy(x, t, reduction="none")', "hinge(x, sign(y))", "mean(logsumexp(x, axis=1) - x[:, 0])",
    )  # fmt: skip
    return s.write(text, x=x, t=s.whole(columns, rows), y=s.leaf(rows, columns))


ENDS: tuple[Block, ...] = (as_it_is, a_number, a_loss)
