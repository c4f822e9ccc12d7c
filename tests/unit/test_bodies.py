"""The dicts in the body of a function are known by their text, with what is kept in them."""

import ast
import textwrap

from gradcheck.handwritten.bodies import dicts_in, indexed_in


def function(source: str) -> ast.FunctionDef:
    node = ast.parse(textwrap.dedent(source)).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def test_a_dict_is_made_at_once_or_filled_later() -> None:
    body = function(
        """
        def f(params, x):
            grads = {"W": x}
            grads["b"] = x
            more = dict(a=1)
            every = {name: 0 for name in params}
            number = x["n"]
            return grads
        """
    )
    assert dicts_in(body) == {"grads": ("W", "b"), "more": ("a",), "every": ()}


def test_keys_are_told_once_and_in_order() -> None:
    body = function(
        """
        def f(params, i):
            def inner():
                return params["elsewhere"]
            return params["W1"] + params["b1"] + params["W1"] + params[i] + params[0]
        """
    )
    assert indexed_in(body) == {"params": ("W1", "b1")}
