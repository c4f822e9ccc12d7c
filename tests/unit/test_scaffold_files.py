"""Case files for engines, rules of jax, packages and scripts: what a file means beyond its pairs and layers."""

from __future__ import annotations

import textwrap
from pathlib import Path

from gradcheck.handwritten.outline import read_outline
from gradcheck.handwritten.scaffold.docstrings import shapes_in
from gradcheck.handwritten.scaffold.facts import read_facts
from gradcheck.handwritten.scaffold.subjects import find_subjects
from gradcheck.location import SourceText
from gradcheck.model.case import Case
from tests.unit.test_scaffold import Writer, write

__all__ = ["write"]

# -- tensors of one's own, rules of jax --------------------------------------------------------------------------------

ENGINE = """
    class Array:
        def __init__(self, data, parents=()):
            self.data, self.parents = np.asarray(data, dtype=float), parents
            self.grad = np.zeros_like(self.data)
            self.push = lambda: None

        @property
        def shape(self):
            return self.data.shape

        def _made(self, data, push, *others):
            out = Array(data, (self, *others))
            out.push = lambda: push(out.grad)
            return out

        def __add__(self, other):
            def push(g):
                self.grad = self.grad + g
                other.grad = other.grad + g
            return self._made(self.data + other.data, push, other)

        def __matmul__(self, other):
            def push(g):
                self.grad = self.grad + g @ other.data.T
                other.grad = other.grad + self.data.T @ g
            return self._made(self.data @ other.data, push, other)

        def log(self):
            def push(g):
                self.grad = self.grad + g / self.data
            return self._made(np.log(self.data), push)

        def detach(self):
            return Array(self.data)

        def backward(self, grad=None):
            self.grad = np.ones_like(self.data) if grad is None else grad
            order, seen = [], set()
            def visit(node):
                if id(node) not in seen:
                    seen.add(id(node))
                    for parent in node.parents:
                        visit(parent)
                    order.append(node)
            visit(self)
            for node in reversed(order):
                node.push()
"""


def test_every_operation_of_an_engine_that_runs_is_a_case(write: Writer) -> None:
    found = write.cases(ENGINE)
    assert list(found) == ["Array: a + b", "Array: a + b, broadcast", "Array: a @ b", "Array: a.log()"]
    assert {_text(case, "a") for case in found["Array: a.log()"]} == {"uniform(0.1, 0.9, size=(N, D))"}
    assert {_text(case, "b") for case in found["Array: a @ b"]} == {"normal(D, M)"}
    # Its sum keeps the broadcast shape of the gradient: the case shows that, and is written for this reason.
    assert "The gradient of 'b' has shape (2, 3), expected (3,)" in write(ENGINE).text


def test_a_function_with_a_rule_of_jax_is_called_by_itself(write: Writer) -> None:
    source = """
        import jax

        @jax.custom_vjp
        def double(x):
            return 2 * x

        def double_fwd(x):
            return double(x), ()

        def double_bwd(res, g):
            return (2 * g,)

        double.defvjp(double_fwd, double_bwd)

        @jax.custom_jvp
        def triple(x):
            return 3 * x

        @triple.defjvp
        def triple_rule(primals, tangents):
            return triple(primals[0]), 3 * tangents[0]
    """
    facts = read_facts(_file(write, source))
    assert facts.rules == {"double": ("double_fwd", "double_bwd"), "triple": ("triple_rule",)}
    subjects, halves = find_subjects(facts, read_outline(write.file))
    assert [(s.kind, s.title, s.arrays) for s in subjects] == [("rule", "double", "jax"), ("rule", "triple", "jax")]
    assert halves == []


# -- files that belong together, scripts -------------------------------------------------------------------------------


def test_methods_of_a_base_class_in_another_file_count(write: Writer) -> None:
    (write.file.parent / "base.py").write_text(
        "class Map:\n    def forward(self, x):\n        self.x = x\n        return self.value(x)\n"
        "    def backward(self, dout):\n        return dout * self.slope(self.x)\n"
    )
    source = """
        from base import Map

        class Square(Map):
            def value(self, x):
                return x**2

            def slope(self, x):
                return 2 * x
    """
    assert list(write.cases(source)) == ["Square"]


def test_parameters_that_are_properties_are_found(write: Writer) -> None:
    source = """
        class Scale:
            def __init__(self, n):
                self.factor = np.ones(n)
                self._change = None

            def forward(self, x):
                self.x = x
                return x * self.factor

            def backward(self, dout):
                self._change = (dout * self.x).sum(axis=0)
                return dout * self.factor

            @property
            def params(self):
                return {"factor": self.factor}

            @property
            def grads(self):
                return {"factor": self._change}
    """
    text = write(source).text
    assert "parameters_at: layer.params\n" in text
    assert "gradient_at: layer.grads\n" in text
    assert "factor: normal(n)\n" in text


def test_the_weights_of_a_script_have_gradients(write: Writer) -> None:
    source = """
        W = np.ones((3, 2))

        def loss_fn(x):
            y = x @ W
            dW = x.T @ y
            return (y**2).sum() / 2, dW, y

        while True:
            loss_fn(np.ones((1, 3)))
    """
    text = write(source).text
    assert "forward: out, dW, _ = loss_fn(x)\n" in text or "forward: loss, dW, _ = loss_fn(x)\n" in text


def test_an_axis_that_only_some_inputs_have_is_not_asked_for(write: Writer) -> None:
    source = """
        class Normalise:
            def __init__(self, gamma):
                self.gamma, self.dgamma = gamma, None

            def forward(self, x):
                if x.ndim != 2:
                    N, C, H, W = x.shape
                    x = x.reshape(N, -1)
                self.x = x
                return self.gamma * x

            def backward(self, dout):
                self.dgamma = (dout * self.x).sum(axis=0)
                return dout * self.gamma
    """
    case = write.cases(source)["Normalise"][0]
    assert (_text(case, "x"), _text(case, "gamma")) == ("normal(N, D)", "normal(D)")


def test_a_loss_of_what_it_clips_to_probabilities_is_given_some(write: Writer) -> None:
    source = """
        def binary_cross_entropy_forward(p, y):
            q = np.clip(p, 1e-7, 1 - 1e-7)
            return -np.sum(y * np.log(q) + (1 - y) * np.log(np.exp(np.log(1 - q)))), (q, y)

        def binary_cross_entropy_backward(dout, cache):
            q, y = cache
            return dout * ((1 - y) / (1 - q) - y / q)
    """
    case = write.cases(source)["binary_cross_entropy"][0]
    assert _text(case, "p").startswith("uniform(0.1, 0.9")


def test_a_type_in_a_docstring_tells_a_size_from_an_array() -> None:
    text = "units : int\n    Width; splits into (a, b).\nn_in (integer): of inputs [batch, n_in]\nx : int array (N, D)"
    assert shapes_in(text, ["units", "n_in", "x"]) == {"x": ("N", "D")}


def test_functions_of_one_title_have_cases_of_their_own(write: Writer) -> None:
    source = """
        def scale(x):
            return 2 * x

        def scale_backward(dout):
            return 2 * dout

        def scale_forward(x):
            return 2 * x
    """
    write.cases(source)  # a name that occurs twice is a problem of the file


def _file(write: Writer, source: str) -> Path:
    write.file.write_text(textwrap.dedent(source), encoding="utf-8")
    return write.file


def _text(case: Case, name: str) -> str:
    """How an input of a case is written."""
    written = case.inputs[name]
    assert isinstance(written, SourceText)
    return written.text
