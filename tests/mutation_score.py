"""`make mutants`: plants small mistakes in `gradcheck/verdict`, one at a time, and counts those that its tests notice.

A mutant is one changed place: a comparison, an operator, a number, a word, a condition, a result, a statement left out.
Each is run in a forked process of its own against the unit tests of the verdict; no file is touched.

    python tests/mutation_score.py [MODULE …] [--jobs N] [--least PERCENT]
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import importlib
import io
import os
import signal
import sys
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy  # noqa: F401 - imported once, here, and not again by every mutant
import pytest

ROOT = Path(__file__).parents[1]
MODULES = ("compare", "precision", "aggregate", "ties", "combinations")
TESTS = (*MODULES, "half_precision")  # tests/unit/test_….py
SECONDS = 60  # a mutant that takes longer hangs, and counts as noticed

COMPARISONS = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}  # fmt: skip
OPERATORS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}  # fmt: skip
NAMES = {"maximum": "minimum", "max": "min", "min": "max", "any": "all", "all": "any", "argmax": "argmin"}

# Mutants that mean the same: (module, before, after). Why is said beside each.
EQUIVALENT: set[tuple[str, str, str]] = {
    ("compare", "0", "-1"), ("compare", "3", "4"),  # the codes of two words, which only need to differ from the others
    ("precision", "8 in claimed.dtype.itemsize < 8", "7 in claimed.dtype.itemsize < 8"),  # no float has seven bytes
    # 1 is the edge of what is faint, and 0 as far from it as can be
    ("compare", "0.0 in np.where(size > 0, CONFIRM * estimate.bound / (limits.rtol * size), 0.0)",
     "1.0 in np.where(size > 0, CONFIRM * estimate.bound / (limits.rtol * size), 0.0)"),
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One changed place of a module: its line, the expression before and after, and the whole module."""

    module: str
    line: int
    before: str
    after: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"verdict/{self.module}.py:{self.line}: {self.before}  ->  {self.after}"


def mutants_of(module: str) -> Iterator[Mutant]:
    """Every mutant of a module, in the order of the text."""
    tree = ast.parse((ROOT / "gradcheck" / "verdict" / f"{module}.py").read_text(encoding="utf-8"))
    places = list(_places(tree))
    for number, (parent, field, index) in enumerate(places):
        node = _get(parent, field, index)
        for changed in _changes(node):
            copy = deepcopy(tree)
            place = list(_places(copy))[number]
            _put(*place, changed)
            before, after = _shown(parent, field, node), _shown(parent, field, changed)
            line: int = getattr(node, "lineno", 0)
            yield Mutant(module, line, before, after, ast.fix_missing_locations(copy))


def _places(tree: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Where expressions and statements that mean something stand: not docstrings, annotations, decorators, warnings."""
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "type_comment", "ctx", "op", "ops", "keywords_"):
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if not isinstance(child, ast.AST) or isinstance(child, ast.Import | ast.ImportFrom) or _is_aside(child):
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield tree, name, index
            yield from _places(child)


def _is_aside(node: ast.AST) -> bool:
    """Docstrings, and which of numpy's warnings are silenced: neither is a verdict."""
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_docstring or (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("errstate"))


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """The mistakes that can be made at one node."""
    if isinstance(node, ast.Compare):
        for position, operator in enumerate(node.ops):
            for other in COMPARISONS.get(type(operator), ()):
                ops = [*node.ops[:position], other(), *node.ops[position + 1 :]]
                yield ast.Compare(node.left, ops, node.comparators)
    elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
        yield ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    elif isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in _other_values(node.value))
    elif isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield ast.Attribute(node.value, NAMES[node.attr], node.ctx)
    elif isinstance(node, ast.Name) and node.id in NAMES:
        yield ast.Name(NAMES[node.id], node.ctx)
    elif isinstance(node, ast.If):
        yield ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)
    elif isinstance(node, ast.Return) and node.value is not None and ast.unparse(node.value) != "None":
        yield ast.Return(ast.Constant(None))
    elif isinstance(node, ast.Assign | ast.AugAssign | ast.Expr):
        yield ast.Pass()


def _other_values(value: Any) -> tuple[Any, ...]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value + 1, value - 1)
    if isinstance(value, float):
        return (value * 2.0, value / 2.0) if value else (1.0,)
    if isinstance(value, str) and value:
        return (f"X{value}",)
    return ()


def _get(parent: ast.AST, field: str, index: int | None) -> ast.AST:
    value: Any = getattr(parent, field)
    node: ast.AST = value if index is None else value[index]
    return node


def _put(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _shown(parent: ast.AST, field: str, node: ast.AST) -> str:
    """The first line of a node, with its neighbourhood where it is but a word or a number."""
    text = ast.unparse(ast.fix_missing_locations(deepcopy(node))).splitlines()[0]
    if isinstance(node, ast.Constant | ast.Name | ast.Attribute) and isinstance(parent, ast.expr | ast.keyword):
        text = f"{text} in {ast.unparse(parent).splitlines()[0]}"
    return text[:150]


def is_noticed(mutant: Mutant) -> bool:
    """Whether a test fails with the mutant in place of its module."""
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        os._exit(_run_tests(mutant))
    _, status = os.waitpid(child, 0)
    return status != 0


def _run_tests(mutant: Mutant | None) -> int:
    """The exit code of pytest, the module's own tests first; 1 if the mutant cannot even be imported."""
    own = [m for m in MODULES if mutant is not None and m == mutant.module]
    tests = [str(ROOT / "tests" / "unit" / f"test_{m}.py") for m in dict.fromkeys([*own, *TESTS])]
    with open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(io.StringIO()):
        if mutant is not None:
            try:
                _install(mutant)
            except Exception:
                return 1
        quick = ["--assert=plain", *(f"-pno:{plugin}" for plugin in ("cacheprovider", "xdist", "hypothesispytest"))]
        return int(pytest.main(["-x", "-q", *quick, *tests]))


def _install(mutant: Mutant) -> None:
    name = f"gradcheck.verdict.{mutant.module}"
    package = importlib.import_module("gradcheck.verdict")
    module = types.ModuleType(name)
    sys.modules[name] = module
    exec(compile(mutant.tree, f"{mutant.module}.py", "exec"), module.__dict__)
    setattr(package, mutant.module, module)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE", help=f"of {', '.join(MODULES)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--least", type=float, default=90.0, help="per cent below which this fails")
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    sys.dont_write_bytecode = True
    importlib.import_module("gradcheck.numerical.kinks")
    if os.waitpid(child, 0)[1] if (child := os.fork()) else os._exit(_run_tests(None)):
        print("the tests fail without any mutant", file=sys.stderr)
        return 2
    mutants = [mutant for module in options.modules for mutant in mutants_of(module)]
    different = [m for m in mutants if (m.module, m.before, m.after) not in EQUIVALENT]
    with ThreadPoolExecutor(options.jobs) as pool:
        noticed = list(pool.map(is_noticed, different))
    survivors = [mutant for mutant, was in zip(different, noticed, strict=True) if not was]
    for mutant in survivors:
        print(f"survived: {mutant}")
    score = 100.0 * sum(noticed) / len(different)
    same = len(mutants) - len(different)
    print(
        f"{len(different)} mutants, {sum(noticed)} noticed: {score:.1f} % ({same} more mean the same and were left out)"
    )
    return int(score < options.least)


if __name__ == "__main__":
    sys.exit(main())
