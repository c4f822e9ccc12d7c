"""Which functions of a file are given a derivative rule of their own in jax, and which functions are those rules.

Read from the syntax tree and never run; jax itself need not be there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

DEFINING = ("defvjp", "defjvp", "defjvps")


def rules_of_jax(tree: ast.Module) -> dict[str, tuple[str, ...]]:
    """Function → its rules: `f.defvjp(f_fwd, f_bwd)`, and `@f.defjvp` above a function."""
    found: dict[str, tuple[str, ...]] = {}
    for name, rules in _definitions(tree):
        found[name] = (*found.get(name, ()), *rules)
    return found


def _definitions(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in tree.body:
        match node:
            case ast.Expr(ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=word), args=args, keywords=more)):
                if word in DEFINING:
                    given = [*args, *(keyword.value for keyword in more)]
                    yield name, [rule.id for rule in given if isinstance(rule, ast.Name)]
            case ast.FunctionDef(name=rule, decorator_list=decorators):
                for decorator in decorators:
                    match decorator:
                        case ast.Attribute(value=ast.Name(id=name), attr=word) if word in DEFINING:
                            yield name, [rule]
