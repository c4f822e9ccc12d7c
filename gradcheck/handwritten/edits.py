"""Small edits of a Python function, one classic mistake each: made to see what repairs a backward, or what breaks it.

Syntax trees in, syntax trees out; nobody's code is run here. An edit and its reverse are the same mistake, so each
carries the kind that `verdict.diagnose` knows it by.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence

from gradcheck.handwritten.array_edits import array_edits, shown_as_added
from gradcheck.handwritten.edit_sites import Site, atoms_of, called, is_whole, loaded, sites_of
from gradcheck.handwritten.edits_at_hand import (
    doubled,
    expression,
    factors,
    likely_factors,
    negated,
    paths,
    terms,
    variables,
    without,
)  # fmt: skip
from gradcheck.record import dataclass

AXES = ("0", "1", "(0, 2, 3)")  # over which a batch, rows or the places of an image are summed


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit, to be used while the generator that gave it stands still: then the tree has it.

    kind : the mistake that this edit corrects
    line : of the file
    before, after : the statement, as it stands in the file and as it would
    """

    kind: str
    line: int
    before: str
    after: str


def edits(
    function: ast.FunctionDef,
    keep: Callable[[Site], bool] = lambda site: True,
    *,
    shapes_first: bool = False,
    lacking: Sequence[str] = (),
) -> Iterator[Edit]:
    """Every edit of the function, the likeliest mistakes first; each is undone before the next one is made.

    keep : whether anything at a place is worth an edit
    lacking : what a gradient may lack, with its sign: `+ a @ b`
    shapes_first : the mistake changes a shape: then a sum that is missing is the likeliest, and a sign is not
    """
    for kind, site, new in _of_expressions(function, keep, shapes_first, lacking):
        before = _shown(site.statement)
        site.put(ast.fix_missing_locations(ast.copy_location(new, site.node)))
        edit = Edit(kind, site.node.lineno, before, _shown(site.statement))
        try:
            if edit.after != edit.before:
                yield edit
        finally:  # whoever has seen enough may leave
            site.put(site.node)


def probes(function: ast.FunctionDef) -> Iterator[ast.expr]:
    """Every expression whose value has a name, changed to other numbers while it is looked at: what hangs on it?"""
    for site in list(sites_of(function)):
        is_named = isinstance(site.parent, ast.Assign | ast.AugAssign | ast.Return | ast.Tuple)
        if is_named and site.node is site.root and not isinstance(site.node, ast.Tuple):
            # Neither a multiple nor a shift alone: a mask or a normalisation would not see it.
            new = ast.BinOp(ast.BinOp(site.node, ast.Mult(), ast.Constant(1.37)), ast.Add(), ast.Constant(0.61))
            site.put(ast.fix_missing_locations(ast.copy_location(new, site.node)))
            try:
                yield site.node
            finally:
                site.put(site.node)


def _of_expressions(
    function: ast.FunctionDef, keep: Callable[[Site], bool], shapes_first: bool, lacking: Sequence[str]
) -> Iterator[tuple[str, Site, ast.expr]]:
    sites, atoms = [site for site in sites_of(function) if keep(site)], atoms_of(function)
    arriving = {a.arg for a in function.args.args if a.arg[:1] == "d" and len(a.arg) > 1}
    whole = [site for site in sites if is_whole(site)]
    used = loaded(function)

    def sums(axes: Sequence[str]) -> Iterator[tuple[str, Site, ast.expr]]:
        for site in sites:
            if site in whole or (isinstance(site.node, ast.BinOp) and not site.in_size):
                yield from (("sum", site, new) for new in _sums(site.node, axes, named))

    named = [atom for atom in atoms if atom in ("axis", "axes", "dim")]
    if shapes_first:
        yield from sums((*AXES, *named))
    yield from _augmented(sites)
    yield from array_edits(function, sites)
    for family in (_transposed, _slices, _signs, _axes, _operators, _means, _numbers):
        for site in sites:
            yield from ((_of_index(kind, site), site, new) for kind, new in family(site, atoms))
    for site in whole:
        yield from ((kind, site, new) for kind, new in paths(site.node, atoms, used))
    for make in (negated, doubled, likely_factors):
        for site in whole:
            yield from ((kind, site, new) for kind, new in make(site.node, atoms, arriving))
    for site in whole:
        if site.node is site.root:
            yield from (("path", site, expression(f"{ast.unparse(site.node)} {term}")) for term in lacking)
    for site in sites:
        yield from (("variable", site, new) for new in variables(site.node, atoms))
    if not shapes_first:
        yield from sums(named)
    for make in (terms, factors):
        for site in whole:
            yield from ((kind, site, new) for kind, new in make(site.node, atoms, arriving))
    for site in sites:
        yield from (("term", site, new) for new in without(site.node))
    if not shapes_first:
        yield from sums(AXES)


def _of_index(kind: str, site: Site) -> str:
    """What an edit of an index or of a slice corrects, whatever it would be elsewhere."""
    if not site.in_slice:
        return kind
    return "flipped" if isinstance(site.parent, ast.Slice) and site.field == "step" else "shift"


def _shown(statement: ast.stmt) -> str:
    """The first line of a statement as Python writes it; `a += b - a` is an assignment to a."""
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add):
        target, value = ast.unparse(statement.target), statement.value
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub) and ast.unparse(value.right) == target:
            return f"{target} = {ast.unparse(value.left)}"
    if isinstance(statement, ast.Assign | ast.AugAssign) and (shown := shown_as_added(statement)):
        return shown
    return ast.unparse(statement).partition("\n")[0]


# -- families of edits ------------------------------------------------------------------------------------------------


def _augmented(sites: list[Site]) -> Iterator[tuple[str, Site, ast.expr]]:
    """`a = b` and `a += b`, the one for the other; written as an edit of an expression: `a = a + b`, `a += b - a`."""
    for site in sites:
        statement = site.statement
        is_value = site.parent is statement and site.field == "value"
        if isinstance(statement, ast.Assign) and is_value and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Subscript | ast.Name | ast.Attribute):
                before = expression(ast.unparse(target))
                yield "accumulation", site, ast.BinOp(before, ast.Add(), site.node)
        if isinstance(statement, ast.AugAssign) and is_value:
            if isinstance(statement.op, ast.Add):
                target = expression(ast.unparse(statement.target))
                yield "stale", site, ast.BinOp(site.node, ast.Sub(), target)
            yield "sign", site, ast.UnaryOp(ast.USub(), site.node)


def _transposed(site: Site, atoms: list[str]) -> Iterator[tuple[str, ast.expr]]:
    node, parent = site.node, site.parent
    is_operand = isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.MatMult)
    is_argument = isinstance(parent, ast.Call) and called(parent) in ("dot", "matmul")
    if (is_operand or (is_argument and site.field == "args")) and isinstance(node, ast.expr):
        if isinstance(node, ast.Attribute) and node.attr == "T":
            yield "transposed", node.value
        else:
            yield "transposed", ast.Attribute(node, "T", ast.Load())
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        yield "transposed", ast.Attribute(node, "T", ast.Load())


def _signs(site: Site, atoms: list[str]) -> Iterator[tuple[str, ast.expr]]:
    node = site.node
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        yield "sign", ast.BinOp(node.left, other, node.right)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "sign", node.operand


def _axes(site: Site, atoms: list[str]) -> Iterator[tuple[str, ast.expr]]:
    """Other axes of a sum; what they are named in the function as well."""
    if not (isinstance(site.parent, ast.keyword) and site.parent.arg in ("axis", "axes")):
        return
    texts = ["0", "1", "2", "-1", "None", "(0, 2, 3)", "(0, 1)", "(0, 2)", "(1, 2)", "(2, 3)"]
    yield from (("axis", expression(text)) for text in (*texts, *(a for a in atoms if a in ("axis", "axes", "dim"))))


def _operators(site: Site, atoms: list[str]) -> Iterator[tuple[str, ast.expr]]:
    node = site.node
    if isinstance(node, ast.BinOp) and not site.in_slice:
        others = {
            ast.Mult: (ast.Div, ast.Add), ast.Div: (ast.Mult,), ast.Add: (ast.Mult,), ast.MatMult: (ast.Mult,),
        }  # fmt: skip
        for operator in others.get(type(node.op), ()):
            yield "operator", ast.BinOp(node.left, operator(), node.right)
        is_difference = isinstance(node.op, ast.Add | ast.Sub) and isinstance(node.left, ast.BinOp)
        if is_difference and isinstance(node.left.op, ast.Mult | ast.Div):  # type: ignore[attr-defined]  # as is_difference says
            left: ast.BinOp = node.left  # type: ignore[assignment]  # so, too
            inner = ast.BinOp(left.right, node.op, node.right)
            yield "operator", ast.BinOp(left.left, ast.Mult(), inner)  # brackets that are missing
        if isinstance(node.op, ast.Pow):
            yield _power(site), node.left
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "term", ast.BinOp(ast.Constant(1), ast.Sub(), node.operand)
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        flips = {ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE, ast.Eq: ast.NotEq}
        flip = flips.get(type(node.ops[0]))
        if flip is not None:
            yield "operator", ast.Compare(node.left, [flip()], node.comparators)
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and is_whole(site):
        yield _power(site), ast.BinOp(node, ast.Pow(), ast.Constant(2))


def _power(site: Site) -> str:
    """What a power that is missing says: within `1 - y**2`, tanh's derivative, that this is wrong."""
    parent = site.parent
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Sub) and site.field == "right":
        return "activation" if ast.unparse(parent.left) == "1" else "power"
    return "power"


def _means(site: Site, atoms: list[str]) -> Iterator[tuple[str, ast.expr]]:
    node = site.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("sum", "mean"):
        other = "mean" if node.func.attr == "sum" else "sum"
        yield "factor", ast.Call(ast.Attribute(node.func.value, other, ast.Load()), node.args, node.keywords)


def _slices(site: Site, atoms: list[str]) -> Iterator[tuple[str, ast.expr]]:
    """Bounds of slices, and arguments of range, by one."""
    in_slice = isinstance(site.parent, ast.Slice)
    in_index = isinstance(site.parent, ast.Subscript) and site.field == "slice"
    in_range = isinstance(site.parent, ast.Call) and called(site.parent) == "range"
    if in_slice or in_range or (in_index and isinstance(site.node, ast.BinOp | ast.Name)):
        node, kind = site.node, "last_step" if in_range else "shift"
        is_by_one = isinstance(node, ast.BinOp) and isinstance(node.right, ast.Constant) and node.right.value == 1
        for operator in (ast.Add, ast.Sub):
            if not (is_by_one and isinstance(node, ast.BinOp) and not isinstance(node.op, operator)):
                yield kind, _by_one(node, operator())
        if isinstance(node, ast.BinOp):
            yield kind, node.left
        elif not in_index:
            yield from ((kind, ast.BinOp(node, ast.Sub(), expression(atom))) for atom in atoms)


def _by_one(node: ast.expr, operator: ast.Add | ast.Sub) -> ast.expr:
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return ast.Constant(node.value + 1 if isinstance(operator, ast.Add) else node.value - 1)
    return ast.BinOp(node, operator, ast.Constant(1))


def _numbers(site: Site, atoms: list[str]) -> Iterator[tuple[str, ast.expr]]:
    """Other constants beside the one that is written."""
    node = site.node
    in_product = isinstance(site.parent, ast.BinOp)
    is_power = isinstance(site.parent, ast.BinOp) and isinstance(site.parent.op, ast.Pow) and site.field == "right"
    if in_product and isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for value in (0.5, 1, 2, 3, 4):
            if value != node.value:
                yield ("power" if is_power else "factor"), ast.Constant(value)


def _sums(node: ast.expr, axes: Sequence[str], named: list[str]) -> Iterator[ast.expr]:
    """A sum over an axis that is missing, or a mean over axes that have a name; and a sum over all."""
    for axis in axes:
        for word in ("sum", "mean") if axis in named else ("sum",):
            for keepdims in (False, True):
                keywords = [ast.keyword("axis", expression(axis))]
                keywords += [ast.keyword("keepdims", ast.Constant(True))] if keepdims else []
                yield ast.Call(ast.Attribute(node, word, ast.Load()), [], keywords)
    if "0" in axes:
        yield ast.Call(ast.Attribute(node, "sum", ast.Load()), [], [])
