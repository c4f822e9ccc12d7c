"""One small handwritten mistake of every kind, with the line that its advice leads to.

`old` and `new` are the line as it is wrong and as somebody writes it who follows the advice.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass


@dataclass(frozen=True)
class Lesson:
    """kind : what the mistake is to be called

    code : the file, with the mistake in it; case : the fields of the case but its name and code
    """

    kind: str
    code: str
    case: str
    old: str
    new: str

    def files(self) -> tuple[str, str]:
        """The code and the case file."""
        code = f"import numpy as np\n\n\n{textwrap.dedent(self.code).strip()}\n"
        return code, f"name: {self.kind.replace('_', ' ')}\n" + (textwrap.dedent(self.case).strip() + "\n")

    def followed(self) -> str:
        code, _ = self.files()
        assert code.count(self.old) == 1, self.kind
        return code.replace(self.old, self.new)


def pair(kind: str, forward: str, wrong: str, right: str, inputs: str, head: str = "") -> Lesson:
    """y = f(x) and its backward of one line each."""
    names = ", ".join(line.split(":")[0].strip() for line in inputs.splitlines())
    code = f"{head}def f({names}):\n    return {forward}\n\n\ndef backward(dout, {names}):\n    return {wrong}\n"
    case = "code: code.py\nforward: out = f({0})\nbackward: dx = backward(dout, {0})\nwrt: [x]\ninputs:\n{1}\n".format(
        names, textwrap.indent(inputs, "  ")
    )
    return Lesson(kind, code, case, f"    return {wrong}\n", f"    return {right}\n")


SOFTMAX = """def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


"""

LESSONS: tuple[Lesson, ...] = (
    pair("factor", "(x * x).mean(axis=1)", "dout[:, None] * 2 * x", "dout[:, None] * 2 * x / x.shape[1]",
         "x: normal(3, 5)"),
    pair("power", "x**3", "dout * 3 * x", "dout * 3 * x**2", "x: normal(6)"),
    pair("sign", "np.cos(x)", "dout * np.sin(x)", "dout * -np.sin(x)", "x: normal(6)"),
    Lesson("zero", """
        def f(x):
            return x * x

        def backward(dout, x):
            dx = np.zeros_like(x)
            for i, number in enumerate(x):
                step = 2 * number * dout[i]
            return dx
        """, """
        code: code.py
        forward: out = f(x)
        backward: dx = backward(dout, x)
        inputs:
          x: normal(6)
        """, "        step = 2", "        dx[i] = 2"),
    Lesson("penalty", """
        def loss(x, W, reg):
            return (x @ W).sum() + reg * (W * W).sum()

        def backward(x, W, reg):
            return np.outer(x.sum(axis=0), np.ones(W.shape[1]))
        """, """
        code: code.py
        forward: out = loss(x, W, reg)
        backward: dW = backward(x, W, reg)
        inputs:
          x: normal(4, 3)
          W: normal(3, 2)
        options:
          reg: 0.1
        wrt: [W]
        """, "np.ones(W.shape[1]))", "np.ones(W.shape[1])) + 2 * reg * W"),
    pair("transposed", "x @ w", "dout @ w", "dout @ w.T", "x: normal(4, 3)\nw: normal(3, 3)"),
    pair("axes", "x.transpose(1, 0, 2).reshape(3, 8)", "dout.reshape(2, 3, 4)",
         "dout.reshape(3, 2, 4).transpose(1, 0, 2)", "x: normal(2, 3, 4)"),
    pair("flipped", "x[:, ::-1] ** 2", "(2 * x[:, ::-1] * dout)", "(2 * x[:, ::-1] * dout)[:, ::-1]",
         "x: normal(3, 5)"),
    Lesson("shift", """
        def f(x):
            return x[1:] ** 2

        def backward(dout, x):
            dx = np.zeros_like(x)
            dx[:-1] = 2 * x[1:] * dout
            return dx
        """, """
        code: code.py
        forward: out = f(x)
        backward: dx = backward(dout, x)
        inputs:
          x: normal(6)
        """, "dx[:-1] =", "dx[1:] ="),
    pair("sum", "x + y", "dout", "dout.sum(axis=0)", "x: normal(3)\ny: normal(4, 3)"),
    pair("axis", "x * y", "(dout * y).sum(axis=1)", "(dout * y).sum(axis=0)", "x: normal(4)\ny: normal(4, 4)"),
    Lesson("accumulation", """
        def f(W, ids):
            return W[ids]

        def backward(dout, W, ids):
            dW = np.zeros_like(W)
            dW[ids] += dout
            return dW
        """, """
        code: code.py
        forward: out = f(W, ids)
        backward: dW = backward(dout, W, ids)
        inputs:
          W: normal(5, 3)
          ids: [0, 2, 2, 4, 2]
        """, "dW[ids] += dout", "np.add.at(dW, ids, dout)"),
    pair("upstream", "np.tanh(x)", "1 - np.tanh(x) ** 2", "dout * (1 - np.tanh(x) ** 2)", "x: normal(2, 4)"),
    pair("activation", "np.tanh(x)", "dout * (1 - x**2)", "dout * (1 - np.tanh(x) ** 2)", "x: normal(2, 4)"),
    pair("softmax", "softmax(x)", "dout * softmax(x) * (1 - softmax(x))",
         "softmax(x) * (dout - (dout * softmax(x)).sum(axis=1, keepdims=True))", "x: normal(3, 4)", SOFTMAX),
    pair("path", "x - x.mean(axis=1, keepdims=True)", "dout", "dout - dout.mean(axis=1, keepdims=True)",
         "x: normal(3, 5)"),
    Lesson("swapped_gradients", """
        def f(x, gamma, beta):
            return gamma * x + beta

        def backward(dout, x, gamma):
            dgamma, dbeta = (dout * x).sum(axis=0), dout.sum(axis=0)
            return dbeta, dgamma
        """, """
        code: code.py
        forward: out = f(x, gamma, beta)
        backward: dgamma, dbeta = backward(dout, x, gamma)
        inputs:
          x: normal(4, 3)
          gamma: normal(3)
          beta: normal(3)
        """, "return dbeta, dgamma", "return dgamma, dbeta"),
    Lesson("border", """
        def f(x):
            padded = np.pad(x, ((0, 0), (0, 0), (1, 1)))
            return padded[..., :-2] + padded[..., 2:]

        def backward(dout):
            dx = np.zeros_like(dout)
            for i in range(1, dout.shape[2] - 1):
                dx[..., i] = dout[..., i - 1] + dout[..., i + 1]
            return dx
        """, """
        code: code.py
        forward: out = f(x)
        backward: dx = backward(dout)
        inputs:
          x: normal(2, 2, 6)
        """, "    dx = np.zeros_like(dout)\n",
        "    dx = np.zeros_like(dout)\n    dx[..., 0], dx[..., -1] = dout[..., 1], dout[..., -2]\n"),
    pair("clipped", "x * y", "np.clip(dout * y, -0.5, 0.5)", "dout * y", "x: normal(3, 4)\ny: normal(3, 4)"),
    Lesson("dropout", """
        def f(x, mask):
            return x * mask, mask

        def backward(dout, cache):
            return dout
        """, """
        code: code.py
        forward: out, cache = f(x, mask)
        backward: dx = backward(dout, cache)
        wrt: [x]
        inputs:
          x: normal(2, 4)
          mask: [[2.0, 0, 2, 0], [0, 2, 2, 2]]
        """, "    return dout\n", "    return dout * cache\n"),
    Lesson("eps", """
        def f(x):
            centred = x - x.mean(axis=1, keepdims=True)
            return centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-3)

        def backward(dout, x):
            centred = x - x.mean(axis=1, keepdims=True)
            s = 1 / np.sqrt((centred**2).mean(axis=1, keepdims=True))
            n = centred * s
            return s * (dout - dout.mean(axis=1, keepdims=True) - n * (dout * n).mean(axis=1, keepdims=True))
        """, """
        code: code.py
        forward: out = f(x)
        backward: dx = backward(dout, x)
        inputs:
          x: normal(3, 6)
        """, "keepdims=True))\n    n =", "keepdims=True) + 1e-3)\n    n ="),
    Lesson("stale", """
        class Affine:
            def __init__(self, W):
                self.W, self.dW = W, np.ones_like(W)

            def forward(self, x):
                self.x = x
                return x @ self.W

            def backward(self, dout):
                self.dW += self.x.T @ dout
                return dout @ self.W.T
        """, """
        code: code.py
        setup: layer = Affine(W)
        forward: out = layer.forward(x)
        backward: dx = layer.backward(dout)
        gradient_at:
          W: layer.dW
        inputs:
          x: normal(4, 3)
          W: normal(3, 2)
        """, "self.dW += ", "self.dW = "),
    pair("precision", "x * y", "(dout * y).astype(np.float16).astype(float)", "dout * y",
         "x: normal(3, 4)\ny: normal(3, 4)"),
    Lesson("digits", "", """
        function: sum(x**2)
        inputs:
          x: [1.23456, -0.31415, 2.71828]
        expected:
          x: [2.46, -0.62, 5.43]
        """, "", ""),
    Lesson("ties", """
        def f(x):
            return x.max(axis=1)

        def backward(dout, x):
            return (x == x.max(axis=1, keepdims=True)) * dout[:, None]
        """, """
        code: code.py
        forward: out = f(x)
        backward: dx = backward(dout, x)
        inputs:
          x: [[3.0, 3.0, 1.0], [0.5, 2.0, 1.0]]
        """, "return (x == x.max(axis=1, keepdims=True)) * dout[:, None]",
        "return np.eye(x.shape[1])[x.argmax(axis=1)] * dout[:, None]"),
    pair("negative", "np.where(x > 0, x, np.exp(x) - 1)", "dout * (x > 0)", "dout * np.where(x > 0, 1, np.exp(x))",
         "x: normal(4, 5)"),
    Lesson("one_class", """
        def loss(scores, y):
            e = np.exp(scores)
            p = e / e.sum(axis=1, keepdims=True)
            return -np.log(p[np.arange(len(y)), y]).sum(), (p, y)

        def backward(cache):
            p, y = cache
            dscores = p.copy()
            return dscores
        """, """
        code: code.py
        forward: out, cache = loss(scores, y)
        backward: dscores = backward(cache)
        inputs:
          scores: normal(5, 4)
          y: [0, 3, 1, 2, 1]
        """, "    return dscores\n", "    dscores[np.arange(len(y)), y] -= 1\n    return dscores\n"),
    Lesson("last_step", """
        def f(x):
            return np.cumsum(x, axis=1)

        def backward(dout):
            dx = np.zeros_like(dout)
            later = np.cumsum(dout[:, ::-1], axis=1)[:, ::-1]
            dx[:, :-1] = later[:, :-1]
            return dx
        """, """
        code: code.py
        forward: out = f(x)
        backward: dx = backward(dout)
        inputs:
          x: normal(2, 4, 3)
        """, "dx[:, :-1] = later[:, :-1]", "dx[:] = later"),
    pair("operator", "x * x * y", "2 * x * dout + y", "2 * x * dout * y", "x: normal(3, 4)\ny: normal(3, 4)"),
    pair("variable", "x * y + np.sin(z)", "dout * z", "dout * y", "x: normal(3, 4)\ny: normal(3, 4)\nz: normal(3, 4)"),
    pair("term", "x * y * z", "dout * y", "dout * y * z", "x: normal(3, 4)\ny: normal(3, 4)\nz: normal(3, 4)"),
    Lesson("layer", """
        class Layer:
            def forward(self, x):
                self.y = np.tanh(x)
                return self.y

            def backward(self, dout):
                return dout * (1 - self.y)
        """, """
        network:
          - linear(3, 4)
          - code("code.py:Layer")
          - linear(4, 2)
        loss: softmax_cross_entropy
        inputs:
          x: normal(5, 3)
          target: [0, 1, 1, 0, 1]
        """, "(1 - self.y)", "(1 - self.y**2)"),
    pair("pattern", "np.sin(x) * y", "dout * y * np.where(np.arange(4) == 2, 1 / (2 + x), np.cos(x))",
         "dout * y * np.cos(x)", "x: normal(3, 4)\ny: normal(3, 4)"),
)  # fmt: skip
