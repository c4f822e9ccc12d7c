"""Edits of a function: each is one mistake corrected, is undone afterwards, and has the kind of the mistake."""

from __future__ import annotations

import ast
import textwrap

import pytest

from gradcheck.handwritten.edits import edits, probes
from gradcheck.verdict.diagnose.kinds import KINDS


def function(text: str) -> ast.FunctionDef:
    tree = ast.parse(textwrap.dedent(text)).body[0]
    assert isinstance(tree, ast.FunctionDef)
    return tree


@pytest.mark.parametrize(
    ("wrong", "right", "kind"),
    [
        ("dx = dout @ w", "dx = dout @ w.T", "transposed"),
        ("dx = dout * x", "dx = -(dout * x)", "sign"),
        ("dx = dout + x", "dx = dout - x", "sign"),
        ("dx = dout.sum(axis=1)", "dx = dout.sum(axis=0)", "axis"),
        ("dx = dout", "dx = dout.sum(axis=0)", "sum"),
        ("dx = dout.sum(axis=0)", "dx = dout.mean(axis=0)", "factor"),
        ("dx = dout / x", "dx = dout * x", "operator"),
        ("dx = x", "dx = x * dout", "upstream"),
        ("dx = dout", "dx = dout * (1 - w ** 2)", "activation"),
        ("dx = dout * x", "dx = dout * w", "variable"),
        ("dx = dout[1:]", "dx = dout[0:]", "shift"),
        ("dx = dout[len(x) - 1:]", "dx = dout[len(x):]", "shift"),
        ("dx += dout", "dx = dout", "stale"),
        ("dx = dout + x", "dx = dout + x ** 2", "power"),
        ("dx = 2 * dout", "dx = 1 * dout", "factor"),
        ("dx[0] = dout", "dx[0] = dx[0] + dout", "accumulation"),
        ("dx = dout / x - w", "dx = dout * (x - w)", "operator"),
        ("dx[x] += dout", "np.add.at(dx, x, dout)", "accumulation"),
        ("dx = np.einsum('ij,jk->ik', dout, w)", "dx = np.einsum('ji,jk->ik', dout, w)", "transposed"),
        ("dx = dout[::-1]", "dx = dout", "flipped"),
        ("dx = x * dout", "dx = x * (dout - (dout * x).sum(axis=-1, keepdims=True))", "softmax"),
        ("dx = np.hstack([x, w])", "dx = np.hstack([w, x])", "swapped_gradients"),
        ("dx = dout * (1 - x ** 2)", "dx = dout * (x * (1 - x))", "activation"),
        ("dx = dout * x * (1 - x)", "dx = dout * (1 - x ** 2)", "activation"),
        ("dx = dout[x + 1]", "dx = dout[x]", "shift"),
    ],
)
def test_an_edit_corrects_its_mistake(wrong: str, right: str, kind: str) -> None:
    tree = function(f"def backward(dout, x, w):\n    {wrong}\n    return dx")
    assert (kind, right) in {(edit.kind, edit.after) for edit in edits(tree)}


def test_every_edit_is_undone_and_its_kind_is_known() -> None:
    tree = function("""
        def backward(dout, cache):
            x, w = cache
            dx = dout @ w.T
            for i in range(len(x)):
                dx[i] += -x[i] * (1 - w[0] ** 2)
            return dx, (x.T @ dout).sum(axis=0)
    """)
    before = ast.unparse(tree)
    made = list(edits(tree))
    assert ast.unparse(tree) == before
    assert {edit.kind for edit in made} <= set(KINDS)
    assert all(edit.before != edit.after for edit in made)


def test_who_leaves_in_the_middle_leaves_the_tree_as_it_was() -> None:
    tree = function("def backward(dout, w):\n    dx = dout @ w\n    return dx")
    before = ast.unparse(tree)
    for stop in range(1, 20):
        for turn, _ in enumerate(edits(tree), 1):
            if turn == stop:
                break
        assert ast.unparse(tree) == before
    for _ in probes(tree):
        break
    assert ast.unparse(tree) == before


def test_only_what_is_worth_it_is_edited_and_what_changes_a_shape_comes_first_where_a_shape_is_wrong() -> None:
    tree = function("def backward(dout, w):\n    dx = dout * w\n    dw = dout * w\n    return dx, dw")
    lines = {edit.line for edit in edits(tree, lambda site: site.statement.lineno == 3)}
    assert lines == {3}
    assert next(edits(tree, shapes_first=True)).kind == "sum"
    assert next(edits(tree)).kind != "sum"


def test_every_value_with_a_name_is_probed_once() -> None:
    tree = function("def backward(dout, w):\n    dx = dout @ w\n    for i in w:\n        dx += i\n    return dx, -w")
    assert [ast.unparse(node) for node in probes(tree)] == ["dout @ w", "i", "dx", "-w"]


def test_an_edit_stands_in_the_tree_while_it_is_looked_at() -> None:
    tree = function("def backward(dout, w):\n    return dout @ w")
    for edit in edits(tree):
        assert edit.after in ast.unparse(tree)
