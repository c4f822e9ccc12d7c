"""Programs and formulas: what they may say, what they are worth, and how every mistake in them is told."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from gradcheck.errors import NotationError, SeveralErrors
from gradcheck.graph import builder
from gradcheck.graph.expression import index_names, trace_formula, trace_program
from gradcheck.graph.graph import Constant, Node
from gradcheck.graph.vocabulary import functions
from gradcheck.location import SourceText, excerpt
from tests.golden.helper import check_golden

X = np.array([[0.5, -1.0, 2.0], [1.5, 0.25, -0.75]])
W = np.array([[1.0, 2.0], [0.5, -1.0], [-0.25, 3.0]])
I = np.array([2, 0])
LEAVES = {"x": X, "w": W, "i": I, "s": 3.0}


def value(text: str) -> Any:
    return trace_program(SourceText.of(text), LEAVES).output


def told(error: NotationError) -> str:
    assert error.source is not None
    assert error.span is not None
    assert error.location is not None
    line = error.source.text.split("\n")[error.location.line - 1]
    drawing = excerpt(line, error.location.column, error.span.end - error.span.start)
    return f"{error.location.line}:{error.location.column}: {error.message}\n{drawing}\n{error.hint}"


def mistakes(text: str, sizes: dict[str, int | float] | None = None) -> list[str]:
    with pytest.raises((NotationError, SeveralErrors)) as caught:
        trace_program(SourceText.of(text), LEAVES, sizes)
    errors = caught.value.errors if isinstance(caught.value, SeveralErrors) else [caught.value]
    return [told(error) for error in errors]  # type: ignore[arg-type]


def soft(x: Any) -> Any:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


VALUES: list[tuple[str, Any]] = [
    ("x + s", X + 3),
    ("x - 1", X - 1),
    ("2 * x / s", 2 * X / 3),
    ("-x**2", -(X**2)),
    ("+x", X),
    ("x @ w", X @ W),
    ("s**x", 3.0**X),
    ("2**-1 * x", X / 2),
    ("x**-2", X**-2.0),
    ("i**2 + 2**i", I**2 + 2.0**I),
    ("x > 0", (X > 0) * 1.0),
    ("(x > 0) + (x > 1)", (X > 0) * 1.0 + (X > 1)),
    ("where(x > 0, x, 0.1 * x)", np.where(X > 0, X, 0.1 * X)),
    ("where(condition=x > 0, a=1, b=x)", np.where(X > 0, 1, X)),
    ("maximum(x, 0)", np.maximum(X, 0)),
    ("sum(x)", X.sum()),
    ("sum(x, 0)", X.sum(0)),
    ("sum(x, axis=(0, 1))", X.sum()),
    ("x.sum(axis=1, keepdims=True)", X.sum(1, keepdims=True)),
    ("mean(x, axis=-1)", X.mean(-1)),
    ("x.mean()", X.mean()),
    ("max(x, axis=0)", X.max(0)),
    ("x.min(1)", X.min(1)),
    ("x.T", X.T),
    ("transpose(x, (1, 0))", X.T),
    ("x.transpose(1, 0)", X.T),
    ("reshape(x, 3, 2)", X.reshape(3, 2)),
    ("reshape(x, (-1,))", X.ravel()),
    ("x.reshape([3, 2])", X.reshape(3, 2)),
    ("x.reshape(x.size)", X.ravel()),
    ("x[0]", X[0]),
    ("x[-1, ::2]", X[-1, ::2]),
    ("x[:, None, 1]", X[:, None, 1]),
    ("x[:, i]", X[:, I]),
    ("x[:, i - 1]", X[:, I - 1]),
    ("x[:, i[0]]", X[:, 2]),
    ("x[[0, 1, 0]]", X[[0, 1, 0]]),
    ("x[arange(x.shape[0]), i]", X[[0, 1], I]),
    ("x[1:x.shape[0], 2**0]", X[1:, 1]),
    ("concatenate([x, 2 * x], axis=1)", np.concatenate([X, 2 * X], 1)),
    ("concatenate([x, x])", np.concatenate([X, X])),
    ("softmax(x)", soft(X)),
    ("softmax(x, axis=0)", soft(X.T).T),
    ("log_softmax(x)", np.log(soft(X))),
    ("logsumexp(x)", np.log(np.exp(X).sum())),
    ("sin(pi * s / 4)", np.sin(np.pi * 0.75)),
    ("exp(1) * s", np.e * 3),
    ("x * [1, 2, 3]", X * [1, 2, 3]),
    ("x @ eye(3) + ones(2, 3) - zeros((2, 3))", X + 1),
    ("x.ndim * s", 6.0),
    ("sum(x) / x.shape[0]", X.sum() / 2),
    ("7 // 2 % 2 * s", 3.0),
    ("a = s\na = a * 2\na + 1", 7.0),
    ("pi = 3\npi * s", 9.0),
    ("n = x.shape\nx / n[1]", X / 3),
    ("n = [1, 2, 3]\nx * n", X * [1, 2, 3]),
    ("a = x\nb = 2 * a", 2 * X),
    ("5", 5.0),
    ("square(x)", X**2),
    ("mse(x, 2 * x)", (X**2).mean()),
    ("mae(prediction=x, target=0)", abs(X).mean()),
    ("half_squared_error(x, s)", ((X - 3) ** 2).sum() / 2),
    ("binary_cross_entropy(sigmoid(x), x > 0)", np.log1p(np.exp(-abs(X))).mean()),
    ("softmax_cross_entropy(x, i)", -np.log(soft(X)[[0, 1], I]).mean()),
    ("softmax_cross_entropy(x, softmax(x))", -(soft(X) * np.log(soft(X))).sum(-1).mean()),
    ("softmax_cross_entropy(x[0], i[0])", -np.log(soft(X[0])[2])),
    ("softmax_cross_entropy(x[None], i[None])", -np.log(soft(X)[[0, 1], I]).mean()),
]


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[text for text, _ in VALUES])
def test_a_program_is_worth_what_numpy_says(text: str, expected: Any) -> None:
    assert np.shape(value(text)) == np.shape(expected)
    np.testing.assert_allclose(value(text), expected, rtol=1e-14)


def test_integer_leaves_stay_integer_and_mix_into_floats() -> None:
    result = trace_program(SourceText.of("j = i + 1\nf = i * 0.5\nf"), LEAVES)
    assert result.values[result.names["j"]].dtype == np.int64
    assert result.values[result.names["f"]].tolist() == [1.0, 0.0]


def test_names_lead_to_their_vertices() -> None:
    result = trace_program(SourceText.of("n = x.shape[0]\nq = x * n\nsum(q)"), LEAVES)
    assert list(result.names) == ["x", "w", "i", "s", "n", "q"]
    assert result.values[result.names["n"]] == 2.0
    node = result.graph.vertices[result.names["q"]]
    assert isinstance(node, Node)
    assert (node.name, node.op.name) == ("q", "multiply")
    assert node.place is not None
    assert node.place.source.text[node.place.span.start : node.place.span.end] == "x * n"


def test_a_square_is_one_op_and_literals_become_one_constant() -> None:
    graph = trace_program(SourceText.of("x**2 * (2 * sqrt(9) + 1)"), LEAVES).graph
    assert [v.op.name for v in graph.vertices if isinstance(v, Node)] == ["square", "multiply"]
    assert 7.0 in [float(v.value) for v in graph.vertices if isinstance(v, Constant)]


def test_sizes_are_plain_numbers() -> None:
    result = trace_program(SourceText.of("reshape(x, N, -1) / N"), LEAVES, {"N": 3})
    np.testing.assert_allclose(result.output, X.reshape(3, 2) / 3)


def test_a_formula_may_use_everything_above_and_upstream() -> None:
    program = trace_program(SourceText.of("n = x.shape[0]\nh = x @ w\nh / n"), LEAVES)
    environment = {name: program.values[index] for name, index in program.names.items()}
    environment["upstream"] = np.ones((2, 2))
    gradient = trace_formula(SourceText.of("g = upstream / n\nx.T @ g"), environment)
    np.testing.assert_allclose(gradient, X.T @ np.full((2, 2), 0.5))
    assert gradient.dtype == np.float64


def test_the_names_that_have_to_be_whole_numbers_are_found() -> None:
    source = SourceText.of(
        "a = table[ids]\nb = z[arange(N), t] + z[0:k]\nsoftmax_cross_entropy(z, target=labels) + mse(p, q)"
    )
    assert index_names(source) >= {"ids", "t", "labels"}
    assert not index_names(source) & {"a", "b", "table", "z", "p", "q"}


def test_every_unknown_word_is_told_at_once_and_only_once() -> None:
    assert mistakes("h = sum(sigmod(x @ w)) + foo\nk = h + 1\nqqq(k) + targte") == [
        "1:9: unknown function 'sigmod'\nh = sum(sigmod(x @ w)) + foo\n        ^~~~~~\n"
        "'sigmod' is not among the operations. Did you mean 'sigmoid'? See: gradcheck ops",
        "1:26: unknown name 'foo'\nh = sum(sigmod(x @ w)) + foo\n                         ^~~\nknown here: x, w, i, s",
        "3:1: unknown function 'qqq'\nqqq(k) + targte\n^~~\n'qqq' is not among the operations. See: gradcheck ops",
        "3:10: unknown name 'targte'\nqqq(k) + targte\n         ^~~~~~\nknown here: x, w, i, s, h, k",
    ]


def test_independent_lines_are_all_checked() -> None:
    assert [m.split("\n")[0] for m in mistakes("a = x @ x\nb = x + w\nc = a + b\nd = exp(x) + y")] == [
        "1:5: '@' cannot multiply shapes (2, 3) and (2, 3): 3 columns meet 2 rows",
        "2:5: '+' cannot combine shapes (2, 3) and (3, 2)",
        "4:14: unknown name 'y'",
    ]


MISTAKES = [
    # shapes
    "sqrt(x) + x @ x", "x + w", "s @ x", "reshape(x, 5)", "reshape(x, -1, -1)", "transpose(x, 0)", "concatenate([])",
    "concatenate([x, w])", "mean(x[:0])", "softmax(x[:, :0])", "logsumexp(x[:, :0], axis=1)", "max(x[:0], axis=0)",
    # axes and options
    "sum(x, axis=2)", "sum(x, axis=(0, 0))", "sum(x, axis=0.5)", "sum(x, axis=True)", "sum(x, keepdims=2)",
    "softmax(s)",
    # indices
    "x[2]", "x[:, [0, -4]]", "x[0, 0, 0]", "x[x > 0]", "x[i - 1, [0, 1, 2]]", "x[0.5]", "x[True]", "x[i:]", "x[::0]",
    "x[:0][0]", "x.shape[2]", "x.shape[0, 1]", "x.shape[()]", "3[0]",
    # constants
    "x * 9**9**9", "log(0) * x", "x * (1 / 0)", "x * (5 % 0)", "x * (-8)**0.5", "x * exp([1, 1000])",
    # words
    "np.exp(x)", "len(x)", "e * x", "x(3)", "x * tanh", "exp(x)(2)", "x.fill(1)", "x.data", "x.shape.T", "3.sum()",
    "index(x, 0)", "__import__('os')",
    "np.linalg.inv(x)", "np.maximum(x, 0)", "np.pi * x", "np * x", "torch.cat([x, x])", "F.cross_entropy(x, i)",
    "torch.nn.functional.softmax(x)", "np.exp", "x.masked_fill(x > 0, 0)", "layer_norm(x)", "LayerNorm(x)",
    "BCEWithLogitsLoss(x, y)", "upstream * x", "x[range(2)]", "sum(x, keepdims=true)",
    "uniform(2, 3) * x", "np.random.randn(2) * x", "one_hot(i, 3)",
    # arguments
    "sum(x, axs=0)", "sum(x, 0, axis=0)", "sum()", "where(x > 0, x)", "exp(x, x)", "max(x, x)", "max(x, axis=i)",
    "reshape(x)", "reshape(x, s)", "where(x, 1, 2)", "concatenate(x)", "arange(10**9)", "arange(s)", "zeros(True)",
    "eye(2, 3)", "mse(x)", "mse(x, x, x)", "mse(x, traget=x)", "mse(x, prediction=x)",
    # losses
    "mse(x, w)", "softmax_cross_entropy(x, i + 1)", "softmax_cross_entropy(x, i - 1)", "softmax_cross_entropy(x, w)",
    "softmax_cross_entropy(x, x[:, 0])", "softmax_cross_entropy(s, s)", "softmax_cross_entropy(x[:0], i[:0])",
    # what is no array
    "'abc'", "{1: 2}", "None", "[x, x]", "[[1, 2], [3]]", "x % 0", "-'a'", "x + (1, 'a')",
    # assignments
    "a, b = x", "x[0] = 3", "x = 3", "a = b = x",
]  # fmt: skip


def test_a_mistake_is_told_with_its_place_its_cause_and_the_next_step() -> None:
    check_golden("expression/mistakes.txt", "\n\n".join(error for text in MISTAKES for error in mistakes(text)) + "\n")


def test_a_value_that_keeps_doubling_is_stopped() -> None:
    lines = ["a = concatenate([x, x])", *["a = concatenate([a, a, a, a, a, a, a, a])"] * 12, "sum(a)"]
    assert mistakes("\n".join(lines))[0].startswith("8:5: 'concatenate' would make 2.5e+07 elements")


def test_many_values_that_are_too_large_together_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builder, "MAX_TOTAL", 15)
    assert mistakes("a = x + 1\na = exp(a)\nexp(a)")[0].split("\n")[0] == (
        "3:1: the values up to here have 18 elements, more than 15"
    )


ATOMS = [
    "x", "w", "i", "s", "x.T", "x.shape", "x[0]", "i[0]", "pi", "0", "1", "2.5", "1e308", "10**10", "None", "True",
    "'a'", "[1, 2]", "(1, 2)", "[]", "()", "{}",
]  # fmt: skip


def any_text(random: Random, depth: int) -> str:
    """A text that the notation can read, sensible or not."""

    def part() -> str:
        return any_text(random, depth - 1)

    if depth == 0:
        return random.choice(ATOMS)
    match random.randrange(7):
        case 0 | 1:
            return f"({part()} {random.choice(['+', '-', '*', '/', '**', '@', '//', '%', '<', '=='])} {part()})"
        case 2 | 3:
            arguments = [part() for _ in range(random.randrange(4))]
            if random.random() < 0.3:
                arguments.append(f"{random.choice(['axis', 'keepdims', 'target', 'shape', 'b'])}={part()}")
            return f"{random.choice(functions())}({', '.join(arguments)})"
        case 4:
            indices = [random.choice([part(), ":", "1:", "::-1"]) for _ in range(random.choice([1, 2]))]
            return f"{part()}[{', '.join(indices)}]"
        case 5:
            return f"{part()}.{random.choice(['T', 'shape', 'size', 'sum()', 'max(0)', 'reshape(-1)'])}"
        case _:
            return random.choice([f"-{part()}", f"[{part()}, {part()}]", random.choice(ATOMS)])


def test_any_text_has_a_value_or_an_error_with_a_place() -> None:
    random = Random(0)
    outcomes = set()
    for _ in range(3000):
        text = any_text(random, random.choice([1, 2, 3]))
        try:
            result = trace_program(SourceText.of(text), LEAVES)
        except (NotationError, SeveralErrors) as error:
            errors = error.errors if isinstance(error, SeveralErrors) else [error]
            assert all(isinstance(e, NotationError) and e.location is not None for e in errors), text
            outcomes.add("error")
        else:
            again = result.graph.evaluate({name: np.asarray(leaf) for name, leaf in LEAVES.items()})
            np.testing.assert_array_equal(again, result.output, err_msg=text)
            outcomes.add("value")
    assert outcomes == {"value", "error"}
