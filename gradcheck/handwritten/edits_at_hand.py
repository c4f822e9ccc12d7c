"""Edits with what a function has at hand: a factor, a term or another variable in place of, or beside, an expression.

As in `edits.py`, each carries the kind of the mistake that it corrects; the other families are there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def negated(node: ast.expr, atoms: list[str], arriving: set[str]) -> Iterator[tuple[str, ast.expr]]:
    yield "sign", ast.UnaryOp(ast.USub(), node)


def doubled(node: ast.expr, atoms: list[str], arriving: set[str]) -> Iterator[tuple[str, ast.expr]]:
    for number in (2, 0.5):
        yield "factor", ast.BinOp(ast.Constant(number), ast.Mult(), node)


def likely_factors(node: ast.expr, atoms: list[str], arriving: set[str]) -> Iterator[tuple[str, ast.expr]]:
    """A factor that is missing: something at hand, or the derivative of tanh made of it."""
    for atom in atoms:
        kind = "upstream" if atom in arriving else "term"
        yield kind, ast.BinOp(node, ast.Mult(), expression(atom))
        yield "activation", ast.BinOp(node, ast.Mult(), expression(f"(1 - {atom} ** 2)"))


def factors(node: ast.expr, atoms: list[str], arriving: set[str]) -> Iterator[tuple[str, ast.expr]]:
    """The rarer factors: lengths, other derivatives, divisors."""
    for atom in atoms:
        forms = (f"({atom} * (1 - {atom}))", f"(1 - {atom})", f"({atom} > 0)")
        yield from (("activation", ast.BinOp(node, ast.Mult(), expression(form))) for form in forms)
        yield "term", ast.BinOp(node, ast.Div(), expression(atom))
        for operator in (ast.Div(), ast.Mult()):
            yield "factor", ast.BinOp(node, operator, expression(f"len({atom})"))


def variables(node: ast.expr, atoms: list[str]) -> Iterator[ast.expr]:
    """Another thing at hand in place of this one."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and (text := ast.unparse(node)) in atoms:
        yield from (expression(atom) for atom in atoms if atom != text)


def paths(node: ast.expr, atoms: list[str], used: set[str]) -> Iterator[tuple[str, ast.expr]]:
    """Something that is computed and never used."""
    for atom in atoms:
        if atom.isidentifier() and atom not in used:
            yield "path", ast.BinOp(node, ast.Add(), expression(atom))
            yield "path", ast.BinOp(node, ast.Sub(), expression(atom))


def terms(node: ast.expr, atoms: list[str], arriving: set[str]) -> Iterator[tuple[str, ast.expr]]:
    """A summand that is missing: 1, or something at hand."""
    yield "term", ast.BinOp(ast.Constant(1), ast.Add(), node)
    for atom in atoms:
        yield "term", ast.BinOp(node, ast.Add(), expression(atom))
        yield "term", ast.BinOp(node, ast.Sub(), expression(atom))


def without(node: ast.expr) -> Iterator[ast.expr]:
    """One operand less."""
    if isinstance(node, ast.BinOp):
        yield node.left
        yield node.right
