"""Each line of Python has exactly the mistakes that a person could have made in it, as text in its place."""

from __future__ import annotations

import ast

import pytest

from gradcheck.mutation.operators import Text, changes


def changed(body: str, kind: str | None = None) -> list[str]:
    """The last line of a function with a few arguments, once for every change of it."""
    source = f"def f(a, b, n):\n    {body}\n"
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.FunctionDef)
    found = []
    for _, (of, start, end, new) in changes(tree, Text.of(source)):
        if kind in (None, of):
            whole = source[:start] + new + source[end:]
            ast.parse(whole)
            found.append(whole.splitlines()[-1].strip())
    return found


@pytest.mark.parametrize(("line", "kind", "expected"), [
    ("c = a + b", "sign", ["c = a - b"]),
    ("c = a - b", "sign", ["c = a + b"]),
    ("c = -a", "sign", ["c = a"]),
    ("c = -1", "sign", []),
    ("a += b", "sign", ["a -= b"]),
    ("return a, b", "sign", ["return -(a), b", "return a, -(b)"]),
    ("c = a + 2*b", "term", ["c = a", "c = (2*b)"]),
    ("c = a * (b + 1)", "factor", ["c = a", "c = (b + 1)"]),
    ("c = a / b", "factor", ["c = a"]),
    ("c = a / b", "operator", ["c = a * b"]),
    ("c = a * b", "operator", ["c = a / b", "c = a + b"]),
    ("c = a**2", "operator", ["c = a"]),
    ("c = (a) * (b)", "operator", ["c = (a) / (b)", "c = (a) + (b)"]),
    ("c = a > b", "operator", ["c = a < b"]),
    ("c = np.maximum(a, 0)", "operator", ["c = np.minimum(a, 0)"]),
    ("c = a.sum(axis=0)", "sum", ["c = a"]),
    ("c = np.sum(a * b, axis=0)", "sum", ["c = (a * b)"]),
    ("c = a.sum(axis=0)", "factor", ["c = a.mean(axis=0)"]),
    ("c = a.sum(axis=0)", "axis", ["c = a.sum(axis=1)"]),
    ("c = a.sum(axis=1, keepdims=True)", "axis",
     ["c = a.sum(axis=0, keepdims=True)", "c = a.sum(axis=1, keepdims=False)"]),
    ("c = a.sum(axis=(0, 2, 3))", "axis", ["c = a.sum(axis=0)", "c = a.sum(axis=3)"]),
    ("c = a.T @ b", "transposed", ["c = a @ b", "c = a.T @ b.T"]),
    ("c = np.dot(a, b)", "swapped", ["c = np.dot(b, a)"]),
    ("return a, b, n", "swapped", ["return b, a, n", "return a, n, b"]),
    ("c = a[1:n]", "slice", ["c = a[1 + 1:n]", "c = a[1 - 1:n]", "c = a[1:n + 1]", "c = a[1:n - 1]"]),
    ("a = b[0 : n : 2]", "constant", []),
    ("c = 2 * a", "constant", ["c = 3 * a"]),
    ("c = 0.5 * a", "constant", ["c = 1.0 * a"]),
    ("a[n] += b", "accumulation", ["a[n] = b"]),
    ("np.add.at(a, n, b)", "accumulation", ["a.__setitem__(n, b)"]),
    ("a[n] = b", "statement", ["pass"]),
    ("a *= b", "statement", ["pass"]),
    ("c = a if n else b", "condition", ["c = a if not (n) else b"]),
    ("größe = 'ü' if a + b else 'ß'", "sign", ["größe = 'ü' if a - b else 'ß'"]),
    ("'''a + b, only said'''", None, []),
])  # fmt: skip
def test_a_line_and_its_mistakes(line: str, kind: str | None, expected: list[str]) -> None:
    assert changed(line, kind) == expected


def test_a_variable_is_mixed_up_with_those_that_have_a_value_by_then() -> None:
    assert changed("return n", "variable") == ["return a", "return b"]
    assert changed("return a, (later := b)", "variable") == [
        "return b, (later := b)",
        "return n, (later := b)",
        "return a, (later := a)",
        "return a, (later := n)",
    ]


def test_what_is_called_is_no_variable() -> None:
    assert changed("return a(n)", "variable") == ["return a(a)", "return a(b)"]
