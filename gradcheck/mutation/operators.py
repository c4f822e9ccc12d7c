"""Small changes of Python source, one classic mistake each: a sign, an operator, a dropped term or sum, an axis.

Text and syntax trees; nobody's code is run here. Every change replaces a stretch of the text, as a person who mistypes
it would have: the diff that is shown is what was run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise

from gradcheck.handwritten.edit_sites import called
from gradcheck.record import dataclass

MOST_SWAPS = 2  # other variables that are tried in the place of one
ATOMS = ast.Name | ast.Attribute | ast.Subscript | ast.Call | ast.Constant | ast.Tuple
SIGNS = {ast.Add: ("+", "-"), ast.Sub: ("-", "+")}
COMPARISONS = {ast.Gt: (">", "<"), ast.Lt: ("<", ">"), ast.GtE: (">=", "<="), ast.LtE: ("<=", ">="),
               ast.Eq: ("==", "!="), ast.NotEq: ("!=", "==")}  # fmt: skip
OPPOSITES = {"sum": "mean", "mean": "sum", "maximum": "minimum", "minimum": "maximum", "max": "min", "min": "max"}
Change = tuple[str, int, int, str]  # kind, start, end (characters of the file), what takes the place


@dataclass(frozen=True, slots=True)
class Text:
    """A file, and where the nodes of its syntax tree stand in it."""

    source: str
    lines: tuple[str, ...]
    offsets: tuple[int, ...]

    @classmethod
    def of(cls, source: str) -> Text:
        lines = tuple(f"{line}\n" for line in source.split("\n"))  # a form feed ends no line of Python
        offsets = [0]
        for line in lines:
            offsets.append(offsets[-1] + len(line))
        return cls(source, lines, tuple(offsets))

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        """[start, end) in characters; the tree counts columns in bytes of UTF-8."""
        assert node.end_lineno is not None and node.end_col_offset is not None  # noqa: PT018 – for the type checker
        return self._offset(node.lineno, node.col_offset), self._offset(node.end_lineno, node.end_col_offset)

    def of_node(self, node: ast.expr | ast.stmt) -> str:
        start, end = self.span(node)
        return self.source[start:end]

    def between(self, left: ast.expr, right: ast.expr, sign: str) -> tuple[int, int]:
        """Where an operator stands between its operands."""
        start = self.source.index(sign, self.span(left)[1], self.span(right)[0])
        return start, start + len(sign)

    def _offset(self, line: int, column: int) -> int:
        return self.offsets[line - 1] + len(self.lines[line - 1].encode()[:column].decode())


def changes(function: ast.FunctionDef, text: Text) -> Iterator[tuple[ast.expr | ast.stmt, Change]]:
    """Every change of a function, in the order of the text, with the node that it is made in."""
    names = _variables(function)
    parents = {child: node for node in ast.walk(function) for child in ast.iter_child_nodes(node)}
    for statement in function.body:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            continue  # a docstring
        for node in ast.walk(statement):
            if isinstance(node, ast.expr | ast.stmt):
                for change in _of_node(node, parents, names, text):
                    yield node, change


def _of_node(
    node: ast.expr | ast.stmt, parents: dict[ast.AST, ast.AST], names: dict[str, int], text: Text
) -> Iterator[Change]:
    parent = parents[node]
    match node:
        case ast.BinOp():
            yield from _of_operation(node, text)
        case ast.UnaryOp(op=ast.USub(), operand=operand) if not isinstance(operand, ast.Constant):
            start, _ = text.span(node)
            yield "sign", start, start + 1, ""
        case ast.AugAssign():
            yield from _of_increment(node, text)
        case ast.Compare(ops=[op], left=left, comparators=[right]) if type(op) in COMPARISONS:
            sign, other = COMPARISONS[type(op)]
            yield "operator", *text.between(left, right, sign), other
        case ast.Call():
            yield from _of_call(node, text)
        case ast.Attribute(attr="T", value=value):
            yield "transposed", *text.span(node), text.of_node(value)
        case ast.Slice():
            for bound in (node.lower, node.upper):
                if bound is not None:
                    yield from _by_one("slice", bound, text)
        case ast.Return(value=value) if value is not None:
            yield from _of_return(value, text)
        case ast.If(test=test) | ast.IfExp(test=test):
            yield "condition", *text.span(test), f"not ({text.of_node(test)})"
        case ast.Assign(targets=[ast.Subscript()]) | ast.Expr(value=ast.Call()):
            yield "statement", *text.span(node), "pass"
        case ast.Constant(value=int(value)) if isinstance(parent, ast.BinOp):
            yield "constant", *text.span(node), str(value + 1)
        case ast.Constant(value=float(value)) if isinstance(parent, ast.BinOp):
            yield "constant", *text.span(node), str(2.0 * value)
        case ast.Name(ctx=ast.Load()) if not (isinstance(parent, ast.Call) and parent.func is node):
            yield from _other_variables(node, names, text)
    is_operand = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult)
    if is_operand and isinstance(node, ATOMS) and getattr(node, "attr", "") != "T":
        yield "transposed", text.span(node)[1], text.span(node)[1], ".T"


def _of_operation(node: ast.BinOp, text: Text) -> Iterator[Change]:
    left, right = node.left, node.right
    if type(node.op) in SIGNS:
        sign, other = SIGNS[type(node.op)]
        yield "sign", *text.between(left, right, sign), other
        yield "term", *text.span(node), _kept(left, text)
        yield "term", *text.span(node), _kept(right, text)
    if isinstance(node.op, ast.Mult | ast.Div):
        sign, others = ("*", ("/", "+")) if isinstance(node.op, ast.Mult) else ("/", ("*",))
        for other in others:
            yield "operator", *text.between(left, right, sign), other
        yield "factor", *text.span(node), _kept(left, text)
        if isinstance(node.op, ast.Mult):
            yield "factor", *text.span(node), _kept(right, text)
    if isinstance(node.op, ast.MatMult):
        yield "operator", *text.between(left, right, "@"), "*"
    if isinstance(node.op, ast.Pow):
        yield "operator", *text.span(node), _kept(left, text)


def _kept(node: ast.expr, text: Text) -> str:
    """What is left of an operation: in brackets, unless it needs none."""
    return text.of_node(node) if isinstance(node, ATOMS) else f"({text.of_node(node)})"


def _of_increment(node: ast.AugAssign, text: Text) -> Iterator[Change]:
    end, begin = text.span(node.target)[1], text.span(node.value)[0]
    sign = next((sign for kind, (sign, _) in SIGNS.items() if isinstance(node.op, kind)), "")
    if sign:
        start = text.source.index(f"{sign}=", end, begin)
        yield "sign", start, start + 2, "-=" if sign == "+" else "+="
        yield "accumulation", start, start + 2, "="
    yield "statement", *text.span(node), "pass"


def _of_call(node: ast.Call, text: Text) -> Iterator[Change]:
    name = called(node)
    start, end = text.span(node)
    if isinstance(node.func, ast.Attribute) and name in OPPOSITES:
        stop = text.span(node.func)[1]
        kind = "factor" if name in ("sum", "mean") else "operator"
        yield kind, stop - len(name), stop, OPPOSITES[name]
        is_method = not (isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy"))
        summed = node.func.value if is_method else node.args[0] if node.args else None
        if name in ("sum", "mean") and summed is not None:
            yield "sum", start, end, _kept(summed, text)
    for keyword in node.keywords:
        if keyword.arg == "axis":
            yield from _other_axes(keyword.value, text)
        if keyword.arg == "keepdims" and isinstance(keyword.value, ast.Constant):
            yield "axis", *text.span(keyword.value), str(not keyword.value.value)
    if name == "range":
        yield from (change for bound in node.args for change in _by_one("slice", bound, text))
    if name in ("dot", "matmul", "outer", "transpose", "where") and len(node.args) >= 2:
        first, second = node.args[-2:]
        swapped = text.of_node(second), text.of_node(first)
        between = text.source[text.span(first)[1] : text.span(second)[0]]
        yield "swapped", text.span(first)[0], text.span(second)[1], between.join(swapped)
    if ast.unparse(node.func) == "np.add.at" and len(node.args) == 3:
        array, index, value = map(text.of_node, node.args)
        yield "accumulation", start, end, f"{array}.__setitem__({index}, {value})"


def _other_axes(axis: ast.expr, text: Text) -> Iterator[Change]:
    match axis:
        case ast.Constant(value=int(number)):
            yield "axis", *text.span(axis), "1" if number == 0 else "0"
        case ast.Tuple(elts=[_, _, *_] as axes):
            yield "axis", *text.span(axis), text.of_node(axes[0])
            yield "axis", *text.span(axis), text.of_node(axes[-1])
        case ast.Name():
            yield "axis", *text.span(axis), "0"


def _of_return(value: ast.expr, text: Text) -> Iterator[Change]:
    elements = value.elts if isinstance(value, ast.Tuple) else [value]
    for element in elements:
        if isinstance(element, ast.Name | ast.BinOp | ast.Call | ast.Attribute | ast.UnaryOp):
            yield "sign", *text.span(element), f"-({text.of_node(element)})"
            yield "factor", *text.span(element), f"2 * ({text.of_node(element)})"
    for first, second in pairwise(elements):
        between = text.source[text.span(first)[1] : text.span(second)[0]]
        swapped = between.join((text.of_node(second), text.of_node(first)))
        yield "swapped", text.span(first)[0], text.span(second)[1], swapped


def _by_one(kind: str, bound: ast.expr, text: Text) -> Iterator[Change]:
    for sign in "+-":
        yield kind, *text.span(bound), f"{text.of_node(bound)} {sign} 1"


def _variables(function: ast.FunctionDef) -> dict[str, int]:
    """The arguments and variables of a function, and the line from which on they have a value."""
    known = {argument.arg: function.lineno for argument in function.args.args if argument.arg != "self"}
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            known.setdefault(node.id, node.lineno)
    return known


def _other_variables(node: ast.Name, names: dict[str, int], text: Text) -> Iterator[Change]:
    """The variables that got their value last before this one, and after it: those that it is mixed up with."""
    if node.id not in names:
        return
    others = [name for name, line in names.items() if line < node.lineno and name != node.id]
    near = sorted(others, key=lambda name: abs(names[name] - names[node.id]))
    for other in near[:MOST_SWAPS]:
        yield "variable", *text.span(node), other
