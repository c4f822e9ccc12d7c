"""Edits in numpy's own words: the order of axes, the direction of a loop, a repeated index, softmax's Jacobian.

As in `edits.py`, each carries the kind of the mistake that it corrects; the other families are there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

from gradcheck.handwritten.edit_sites import Site, called, is_whole

Made = Iterator[tuple[str, Site, ast.expr]]
TURNS = ("transpose", "swapaxes", "moveaxis")
ADDED = "_added"  # the name of the array into which a repeated index is added
MOST_PARTS = 4  # of a list, of which two are exchanged
MOST_NAMES = 3  # in a product that may be meant as a softmax's gradient


def array_edits(function: ast.FunctionDef, sites: Sequence[Site]) -> Made:
    """The edits of all families of this file, at those sites of the function."""
    turns = {
        ast.unparse(node).partition(f".{called(node)}")[2]: node
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and called(node) in TURNS
    }
    for site in sites:
        yield from (("accumulation", site, new) for new in _added_at(site))
        yield from ((kind, site, new) for kind, new in _turned(site, list(turns.values())))
        yield from (("transposed", site, new) for new in _subscripts(site))
        yield from (("flipped", site, new) for new in _reversed(site))
        yield from (("softmax", site, new) for new in _softmax(site))
        yield from (("swapped_gradients", site, new) for new in _exchanged(site))
        yield from (("activation", site, new) for new in _activations(site))


def shown_as_added(statement: ast.Assign | ast.AugAssign) -> str:
    """`np.add.at(a, i, v)`, where that is what the edited statement comes to; else ""."""
    value = statement.value
    if not (isinstance(value, ast.BoolOp) and ADDED in ast.unparse(value.values[0])):
        return ""
    target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
    call = value.values[0]
    assert isinstance(target, ast.Subscript)
    assert isinstance(call, ast.Call)
    return f"np.add.at({ast.unparse(target.value)}, {', '.join(map(ast.unparse, call.args[1:]))})"


def _added_at(site: Site) -> Iterator[ast.expr]:
    """`a[i] += v` with arrays of indices adds only one of those that repeat.

    As an edit of the value: the parts are added up beside it, and what belongs to i is taken from there.
    """
    statement = site.statement
    if site.parent is not statement or site.field != "value" or not isinstance(statement, ast.Assign | ast.AugAssign):
        return
    target = statement.target if isinstance(statement, ast.AugAssign) else statement.targets[0]
    if not isinstance(target, ast.Subscript):
        return
    places = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
    is_add = isinstance(statement, ast.Assign) or isinstance(statement.op, ast.Add)
    if is_add and not any(isinstance(place, ast.Slice | ast.Constant) for place in places):
        array, index, value = map(ast.unparse, (target.value, target.slice, site.node))
        index = f"({index})" if isinstance(target.slice, ast.Tuple) else index
        text = f"np.add.at({ADDED} := np.zeros_like({array}), {index}, {value}) or {ADDED}[{index}]"
        yield ast.parse(text, mode="eval").body


def _turned(site: Site, turns: Sequence[ast.Call]) -> Iterator[tuple[str, ast.expr]]:
    """A transpose of an array with more than two axes that is missing, or one too many."""
    node, parent = site.node, site.parent
    is_operand = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and called(node) in TURNS:
        yield ("transposed" if is_operand else "axes"), node.func.value
    elif is_operand and turns:
        yield "transposed", ast.parse(f"({ast.unparse(node)}).swapaxes(-1, -2)", mode="eval").body
    is_reshaped = isinstance(parent, ast.Attribute) and parent.attr == "reshape"
    is_turned = isinstance(node, ast.Call) and called(node) in TURNS
    for turn in turns if is_reshaped and not is_turned else ():
        assert isinstance(turn.func, ast.Attribute)
        yield "axes", ast.Call(ast.Attribute(node, turn.func.attr, ast.Load()), turn.args, turn.keywords)


def _subscripts(site: Site) -> Iterator[ast.expr]:
    """Two letters of one term of an einsum exchanged."""
    node = site.node
    is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and "->" in node.value
    if not (is_text and isinstance(site.parent, ast.Call) and called(site.parent) == "einsum"):
        return
    text: str = node.value  # type: ignore[attr-defined]  # a constant
    start = 0
    for term in text.replace("->", ",,").split(","):
        letters = [i for i, letter in enumerate(term, start) if letter.isalpha()]
        start += len(term) + 1
        for i, j in combinations(letters, 2):
            yield ast.Constant(text[:i] + text[j] + text[i + 1 : j] + text[i] + text[j + 1 :])


def _reversed(site: Site) -> Iterator[ast.expr]:
    """The other direction of a loop, or of an array."""
    node = site.node
    if isinstance(site.parent, ast.For) and site.field == "iter" and isinstance(node, ast.Call):
        if called(node) == "reversed":
            yield node.args[0]
        elif called(node) == "range":
            yield ast.Call(ast.Name("reversed", ast.Load()), [node], [])
    if isinstance(node, ast.Subscript) and ast.unparse(node.slice).startswith("::-1"):
        yield node.value
    elif site.node is site.root and is_whole(site) and isinstance(node, ast.Call | ast.Name | ast.Subscript):
        yield ast.parse(f"({ast.unparse(node)})[::-1]", mode="eval").body


def _softmax(site: Site) -> Iterator[ast.expr]:
    """y·(g − Σ g·y) in place of a product of y and g: softmax's whole Jacobian for its diagonal."""
    node = site.node
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and is_whole(site)):
        return
    names = sorted({n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - {"np", "numpy"})
    if len(names) <= MOST_NAMES and not any(isinstance(n, ast.Call) for n in ast.walk(node)):
        for y, g in permutations(names, 2):
            yield ast.parse(f"{y} * ({g} - ({g} * {y}).sum(axis=-1, keepdims=True))", mode="eval").body


def _exchanged(site: Site) -> Iterator[ast.expr]:
    """Two parts of what is stacked or gone through, the one in the place of the other."""
    node = site.node
    is_joined = isinstance(site.parent, ast.Call | ast.For | ast.comprehension)
    if not (is_joined and isinstance(node, ast.Tuple | ast.List)):
        return
    if not all(isinstance(part, ast.Name | ast.Attribute) for part in node.elts):
        return
    for i, j in combinations(range(len(node.elts[:MOST_PARTS])), 2):
        parts = list(node.elts)
        parts[i], parts[j] = parts[j], parts[i]
        yield type(node)(parts, ast.Load())


def _activations(site: Site) -> Iterator[ast.expr]:
    """The derivative of tanh for a sigmoid's and the reverse, written with the output; tanh once too often, or not."""
    node = site.node
    if not isinstance(node, ast.BinOp):
        return
    left, right = node.left, node.right
    is_from_one = isinstance(node.op, ast.Sub) and isinstance(left, ast.Constant) and left.value == 1
    if is_from_one and isinstance(right, ast.BinOp) and isinstance(right.op, ast.Pow):
        y = f"({ast.unparse(right.left)})"
        yield ast.parse(f"{y} * (1 - {y})", mode="eval").body
        if isinstance(right.left, ast.Call) and len(right.left.args) == 1:
            yield ast.parse(f"1 - ({ast.unparse(right.left.args[0])}) ** 2", mode="eval").body
        else:
            yield ast.parse(f"1 - np.tanh({y}) ** 2", mode="eval").body
    if isinstance(node.op, ast.Mult) and isinstance(right, ast.BinOp) and isinstance(right.op, ast.Sub):
        y, one = ast.unparse(right.right), ast.unparse(right.left)
        slope = ast.parse(f"1 - ({y}) ** 2", mode="eval").body
        is_product = isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult)
        if one == "1" and ast.unparse(left) == y:
            yield slope
        elif one == "1" and is_product and ast.unparse(left.right) == y:  # type: ignore[attr-defined]  # a product
            yield ast.BinOp(left.left, ast.Mult(), slope)  # type: ignore[attr-defined]  # so, too
