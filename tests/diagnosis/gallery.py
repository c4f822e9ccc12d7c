"""The gallery's handwritten code as it is checked here, and small edits of its source: one classic mistake each.

An edit is text: the words that stand in a function, what takes their place, and which of several occurrences is meant.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HANDWRITTEN = Path(__file__).parents[2] / "cases" / "handwritten"


@dataclass(frozen=True)
class Subject:
    """A backward of the gallery: the file and function that are edited, and the case (YAML) that checks it."""

    file: str
    function: str
    case: str


def _subject(file: str, function: str, case: str) -> Subject:
    return Subject(file, function, textwrap.dedent(case).strip())


SUBJECTS: dict[str, Subject] = {
    "affine": _subject("affine.py", "affine_backward", """
        forward: out, cache = affine_forward(x, w, b)
        backward: dx, dw, db = affine_backward(dout, cache)
        inputs: {x: "normal(4, 3)", w: "normal(3, 3)", b: "normal(3)"}
    """),
    "affine of images": _subject("course_layers.py", "affine_backward", """
        forward: out, cache = affine_forward(x, w, b)
        backward: dx, dw, db = affine_backward(dout, cache)
        inputs: {x: "normal(4, 2, 2)", w: "normal(4, 3)", b: "normal(3)"}
    """),
    "relu": _subject("course_layers.py", "relu_backward", """
        forward: out, cache = relu_forward(x)
        backward: dx = relu_backward(dout, cache)
        inputs: {x: "normal(3, 4)"}
    """),
    "convolution": _subject("course_layers.py", "conv_backward", """
        forward: out, cache = conv_forward(x, w, b, dict(stride=1, pad=1))
        backward: dx, dw, db = conv_backward(dout, cache)
        inputs: {x: "normal(2, 2, 4, 3)", w: "normal(3, 2, 2, 2)", b: "normal(3)"}
    """),
    "max-pool": _subject("course_layers.py", "max_pool_backward", """
        forward: out, cache = max_pool_forward(x, dict(size=3, stride=1))
        backward: dx = max_pool_backward(dout, cache)
        inputs: {x: "normal(2, 2, 5, 6)"}
    """),
    "normalisation": _subject("course_layers.py", "normalize_backward", """
        forward: out, cache = batch_norm_forward(x, gamma, beta, dict(mode="train"))
        backward: dx, dgamma, dbeta = batch_norm_backward(dout, cache)
        inputs: {x: "2*normal(5, 3)", gamma: normal(3), beta: normal(3)}
    """),
    "batch norm": _subject("course_layers.py", "batch_norm_backward", """
        forward: out, cache = batch_norm_forward(x, gamma, beta, dict(mode="train"))
        backward: dx, dgamma, dbeta = batch_norm_backward(dout, cache)
        inputs: {x: "2*normal(5, 3)", gamma: normal(3), beta: normal(3)}
    """),
    "layer norm": _subject("course_layers.py", "layer_norm_backward", """
        forward: out, cache = layer_norm_forward(x, gamma, beta, dict(eps=1e-5))
        backward: dx, dgamma, dbeta = layer_norm_backward(dout, cache)
        inputs: {x: "2*normal(4, 4)", gamma: normal(4), beta: normal(4)}
    """),
    "group norm": _subject("course_layers.py", "group_norm_backward", """
        forward: out, cache = group_norm_forward(x, gamma, beta, 2, dict(eps=1e-5))
        backward: dx, dgamma, dbeta = group_norm_backward(dout, cache)
        inputs: {x: "normal(2, 4, 3, 2)", gamma: "normal(1, 4, 1, 1)", beta: "normal(1, 4, 1, 1)"}
    """),
    "dropout": _subject("course_layers.py", "dropout_backward", """
        forward: out, cache = dropout_forward(x, dict(mode="train", keep=0.8))
        backward: dx = dropout_backward(dout, cache)
        inputs: {x: "normal(4, 5)"}
    """),
    "svm loss": _subject("course_layers.py", "svm_loss", """
        forward: loss, dscores = svm_loss(scores, y)
        inputs: {scores: "normal(5, 4)", y: "integers(0, 4, size=5)"}
    """),
    "softmax loss": _subject("course_layers.py", "softmax_loss", """
        forward: loss, dscores = softmax_loss(scores, y)
        inputs: {scores: "normal(5, 4)", y: "integers(0, 4, size=5)"}
    """),
    "softmax loss by probabilities": _subject("losses.py", "softmax_loss", """
        forward: loss, dscores = softmax_loss(scores, labels)
        inputs: {scores: "normal(4, 3)", labels: "integers(0, 3, size=4)"}
    """),
    "rnn step": _subject("course_layers.py", "rnn_step_backward", """
        forward: next_h, cache = rnn_step_forward(x, prev_h, Wx, Wh, b)
        backward: dx, dprev_h, dWx, dWh, db = rnn_step_backward(dnext_h, cache)
        inputs: {x: "normal(3, 4)", prev_h: "normal(3, 4)", Wx: "normal(4, 4)", Wh: "normal(4, 4)", b: normal(4)}
    """),
    "lstm step": _subject("course_layers.py", "lstm_step_backward", """
        forward: next_h, next_c, cache = lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b)
        backward: dx, dprev_h, dprev_c, dWx, dWh, db = lstm_step_backward(dnext_h, dnext_c, cache)
        inputs: {x: "normal(3, 2)", prev_h: "normal(3, 2)", prev_c: "normal(3, 2)", Wx: "normal(2, 8)",
                 Wh: "normal(2, 8)", b: normal(8)}
    """),
    "embedding": _subject("course_layers.py", "embedding_backward", """
        forward: out, cache = embedding_forward(ids, W)
        backward: dW = embedding_backward(dout, cache)
        inputs: {ids: "integers(0, 4, size=(3, 3))", W: "normal(4, 3)"}
    """),
    "two-layer net": _subject("course_layers.py", "loss", """
        setup: net = TwoLayerNet(3, 4, 3)
        forward: loss, grads = net.loss(X, y, 0.3)
        parameters_at: net.params
        gradient_at: grads
        inputs: {X: "normal(5, 3)", y: "integers(0, 3, size=5)", W1: "0.5*normal(3, 4)", b1: "0.5*normal(4)",
                 W2: "0.5*normal(4, 3)", b2: "0.5*normal(3)"}
    """),
    "affine layer": _subject("layers.py", "backward", """
        setup: layer = Affine(W, b)
        forward: out = layer.forward(x)
        backward: dx = layer.backward(dout)
        gradient_at: {W: layer.dW, b: layer.db}
        inputs: {x: "normal(4, 3)", W: "normal(3, 3)", b: "normal(3)"}
    """),
    "standardise": _subject("mistakes.py", "standardize_backward", """
        forward: out, cache = standardize_forward(x, offset, scale)
        backward: dx, _, dscale = standardize_backward(dout, cache)
        inputs: {x: "normal(4, 3)", offset: "normal(3)", scale: "normal(3)"}
    """),
    "ridge regression": _subject("mistakes.py", "ridge_loss", """
        forward: loss, _, db = ridge_loss(W, b, X, y, reg)
        inputs: {W: "normal(3)", b: "normal()", X: "normal(4, 3)", y: "normal(4)"}
        options: {reg: 0.5}
    """),
}  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """`old` becomes `new` where it stands for the `nth` time in the function of a subject."""

    subject: str
    operator: str
    old: str
    new: str
    nth: int = 0

    def applied(self) -> str:
        """The edited file. Raises ValueError where the words are not there."""
        subject = SUBJECTS[self.subject]
        source = (HANDWRITTEN / subject.file).read_text(encoding="utf-8")
        start, end = _span(source, subject.function)
        place = start
        for _ in range(self.nth):
            place = source.index(self.old, place, end) + 1
        place = source.index(self.old, place, end)
        return source[:place] + self.new + source[place + len(self.old) :]


def _span(source: str, function: str) -> tuple[int, int]:
    node = next(n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name == function)
    lines = source.splitlines(keepends=True)
    return sum(map(len, lines[: node.lineno - 1])), sum(map(len, lines[: node.end_lineno]))


def case_of(name: str, subject: str, file: str) -> str:
    """One entry of a YAML list."""
    body = [f"name: {name}", f"code: {file}", *SUBJECTS[subject].case.splitlines()]
    return "\n".join(f"    {line}" for line in body).replace("    name", "  - name", 1)


def edits(subject: str) -> Iterator[Edit]:
    """Every edit of the eight operators in the function of a subject, in source order."""
    held = SUBJECTS[subject]
    source = (HANDWRITTEN / held.file).read_text(encoding="utf-8")
    start, end = _span(source, held.function)
    tree = ast.parse(source)
    function = next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == held.function)
    offsets = [0]
    for line in source.splitlines(keepends=True):
        offsets.append(offsets[-1] + len(line))

    def text(node: ast.AST) -> str:
        return ast.get_source_segment(source, node) or ""

    def edit(operator: str, node: ast.expr | ast.stmt, new: str) -> Edit:
        old = text(node)
        place = offsets[node.lineno - 1] + node.col_offset
        nth, at = 0, source.index(old, start, end)
        while at < place:
            nth, at = nth + 1, source.index(old, at + 1, end)
        return Edit(subject, operator, old, new, nth)

    names = [n.arg for n in function.args.args if n.arg != "self"]
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id not in names:
            names.append(node.id)
    for node in ast.walk(function):
        if isinstance(node, ast.BinOp):
            left, right = text(node.left), text(node.right)
            op = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@"}.get(type(node.op))
            if op in ("+", "-"):
                yield edit("sign", node, f"({left} {'-' if op == '+' else '+'} {right})")
                yield edit("dropped term", node, left)
                yield edit("dropped term", node, right if op == "+" else f"(-{right})")
            if op in ("*", "/"):
                yield edit("operator", node, f"{left} {'/' if op == '*' else '*'} {right}")
                yield edit("dropped term", node, left)
                if op == "*":
                    yield edit("dropped term", node, right)
            if op == "*":
                yield edit("operator", node, f"({left} + {right})")
            if isinstance(node.op, ast.Pow):
                yield edit("operator", node, left)
            if op == "@":
                if right.endswith(".T"):
                    yield edit("transposed operand", node, f"{left} @ {right[:-2]}")
                else:
                    yield edit("transposed operand", node, f"{left} @ {right}.T")
                if left.endswith(".T"):
                    yield edit("transposed operand", node, f"{left[:-2]} @ {right}")
        if (
            isinstance(node, ast.UnaryOp)
            and isinstance(node.op, ast.USub)
            and not isinstance(node.operand, ast.Constant)
        ):
            yield edit("sign", node, text(node.operand))
        if isinstance(node, ast.AugAssign):
            target, value = text(node.target), text(node.value)
            yield edit("sign", node, f"{target} {'-' if isinstance(node.op, ast.Add) else '+'}= {value}")
            if isinstance(node.op, ast.Add):
                yield edit("assignment", node, f"{target} = {value}")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("sum", "mean"):
            is_np = text(node.func.value) == "np"
            receiver = text(node.args[0]) if is_np else text(node.func.value)
            yield edit("dropped sum", node, receiver)
            other = "mean" if node.func.attr == "sum" else "sum"
            yield edit("mean for sum", node, text(node).replace(f".{node.func.attr}(", f".{other}(", 1))
            for keyword in node.keywords:
                if keyword.arg == "axis":
                    old = text(keyword.value)
                    new = {"0": "1", "1": "0", "(0, 2, 3)": "(0, 1, 2)", "axes": "None"}.get(old)
                    if new:
                        yield edit("axis", node, text(node).replace(f"axis={old}", f"axis={new}", 1))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            for other in names:
                if other != node.id:
                    yield edit("swapped variable", node, other)
        if isinstance(node, ast.Slice):
            for bound in (node.lower, node.upper):
                if bound is not None:
                    yield edit("slice", bound, f"{text(bound)} + 1")
                    yield edit("slice", bound, f"{text(bound)} - 1")
        if isinstance(node, ast.Compare):
            yield edit("operator", node, text(node).replace(">", "<", 1))
