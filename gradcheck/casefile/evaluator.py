"""The tree of an array text → its value, by the words of `initialisers` and arithmetic.

A walk over our own syntax tree: Python's evaluator is never involved, and whatever is not named here is refused.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gradcheck.casefile.initialisers import BARE, FUNCTIONS, Makers, Number, Value, Word
from gradcheck.errors import NotationError, did_you_mean
from gradcheck.location import SourceText
from gradcheck.notation import Attribute, Binary, Call, Name, Node, Sequence, Unary, walk
from gradcheck.notation import Number as NumberNode

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow,
}  # fmt: skip
_LARGEST = 2**63 - 1  # of an int64


def evaluate(node: Node, makers: Makers, sizes: Mapping[str, Number], source: SourceText) -> Value:
    """The value of a text: a number, or an array of float64 or int64.

    makers : makes the arrays, or only measures them
    sizes : what names stand for

    Raises NotationError with its place in `source`.
    """
    try:
        return _value(node, makers, sizes, source)
    except NotationError as error:
        raise error.placed(source, node.span) from None


def check_words(node: Node, source: SourceText) -> None:
    """Look for what no size can mend: unknown initialisers, pieces that no array has. Raises NotationError."""
    for part in walk(node):
        match part:
            case Call():
                _word(part, source)
            case Binary() if part.operator in _ARITHMETIC:
                pass
            case NumberNode() | Name() | Unary() | Sequence():
                pass
            case _:
                raise NotationError(*_FOREIGN, source, part.span)


def _value(node: Node, makers: Makers, sizes: Mapping[str, Number], source: SourceText) -> Value:
    match node:
        case NumberNode():
            return _in_range(node.value)
        case Name():
            return _named(node.id, makers, sizes)
        case Unary():
            operand = evaluate(node.operand, makers, sizes, source)
            return _arithmetic(makers, "-", 0, operand) if node.operator == "-" else operand
        case Binary() if node.operator in _ARITHMETIC:
            left = evaluate(node.left, makers, sizes, source)
            return _arithmetic(makers, node.operator, left, evaluate(node.right, makers, sizes, source))
        case Sequence():
            return _stack(makers, [evaluate(item, makers, sizes, source) for item in node.items])
        case Call():
            return _call(node, makers, sizes, source)
        case _:
            raise NotationError(
                "this is not part of an array", "use numbers, lists, sizes, + - * / // % **, and " + _all()
            )


def _named(name: str, makers: Makers, sizes: Mapping[str, Number]) -> Value:
    if name in sizes:
        return sizes[name]
    if name in BARE and makers.shape is not None:
        return BARE[name](makers, makers.shape)
    if name in FUNCTIONS:
        raise NotationError(f"'{name}' needs a shape here", f"write {FUNCTIONS[name].usage}")
    if name in BARE:
        raise NotationError(f"'{name}' is for parameters, which know their shape", f"write {FUNCTIONS['normal'].usage}")
    raise NotationError(f"unknown size '{name}'", did_you_mean(name, sizes, "give it a number under 'sizes:'"))


def _word(node: Call, source: SourceText) -> tuple[str, Word]:
    """The initialiser that is called. Raises NotationError where there is none of that name."""
    name = node.function.id if isinstance(node.function, Name) else ""
    if name in FUNCTIONS:
        return name, FUNCTIONS[name]
    written = source.text[node.function.span.start : node.function.span.end]
    last = node.function.name if isinstance(node.function, Attribute) else name
    hint = f"write {FUNCTIONS[last].usage}" if last in FUNCTIONS else did_you_mean(last, FUNCTIONS, "use " + _all())
    raise NotationError(f"unknown initialiser '{written}'", hint, source, node.function.span)


def _call(node: Call, makers: Makers, sizes: Mapping[str, Number], source: SourceText) -> Value:
    name, word = _word(node, source)
    arguments = [evaluate(argument, makers, sizes, source) for argument in node.arguments]
    keywords = {key: evaluate(value, makers, sizes, source) for key, value in node.keywords}
    try:
        inspect.signature(word.call).bind(makers, *arguments, **keywords)
    except TypeError as error:
        raise NotationError(f"'{name}' is called wrongly: {error}", f"write {word.usage}") from None
    return word.call(makers, *arguments, **keywords)


def _arithmetic(makers: Makers, sign: str, left: Value, right: Value) -> Value:
    if not isinstance(left, np.ndarray) and not isinstance(right, np.ndarray):
        return _of_numbers(sign, left, right)
    a, b = np.asarray(left), np.asarray(right)
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise NotationError(f"shapes {a.shape} and {b.shape} do not fit together", "give both the same shape") from None
    is_whole = a.dtype == b.dtype == np.int64 and sign not in ("/", "**")

    def build() -> Any:
        if is_whole:
            _refuse_overflow(sign, a, b)
            return _ARITHMETIC[sign](a, b)
        return _ARITHMETIC[sign](a.astype(np.float64), b.astype(np.float64))

    return makers.make(shape, np.int64 if is_whole else np.float64, build)


def _of_numbers(sign: str, left: Number, right: Number) -> Number:
    if sign == "**" and isinstance(left, int) and isinstance(right, int) and right * left.bit_length() > 1100:
        if abs(left) > 1:  # 9**9**9: known to be too large before Python tries
            raise NotationError("this number is too large", f"the largest whole number is {_LARGEST}")
        right = right % 2 + 2  # −1, 0 or 1 to a high power
    try:
        result = _ARITHMETIC[sign](left, right)
    except ZeroDivisionError:
        raise NotationError("division by zero", "check the sizes") from None
    except OverflowError:
        raise NotationError("this number is too large for a float64", "the largest is about 1.8e308") from None
    if isinstance(result, complex):
        raise NotationError("the root of a negative number is not real", "check the sign")
    return _in_range(result)


def _in_range(number: Number) -> Number:
    if isinstance(number, int) and abs(number) > _LARGEST:
        raise NotationError("this number is too large", f"the largest whole number is {_LARGEST}; 1e30 is a float")
    return number


def _refuse_overflow(sign: str, a: Any, b: Any) -> None:
    """NumPy wraps int64 around without a word."""
    if not a.size or not b.size:
        return
    left, right = (max(abs(int(x.min())), abs(int(x.max()))) for x in (a, b))
    if sign in ("//", "%") and not b.all():
        raise NotationError("division by zero", "check the sizes")
    if (left * right if sign == "*" else left + right) > _LARGEST and sign not in ("//", "%"):
        raise NotationError("a number of the array is too large", f"the largest whole number is {_LARGEST}")


def _stack(makers: Makers, items: list[Value]) -> Value:
    if not any(isinstance(item, np.ndarray) for item in items):  # real in any case: a shape may be written so
        return np.asarray(items, np.int64 if items and all(isinstance(i, int) for i in items) else np.float64)
    arrays = [np.asarray(item) for item in items]
    for array in arrays:
        if array.shape != arrays[0].shape:
            message = f"the parts of a list have different shapes: {arrays[0].shape} and {array.shape}"
            raise NotationError(message, "give all the same shape")
    is_whole = all(array.dtype == np.int64 for array in arrays)
    return makers.make((len(arrays), *arrays[0].shape), np.int64 if is_whole else np.float64, lambda: np.stack(arrays))


def _all() -> str:
    return ", ".join(FUNCTIONS)


_FOREIGN = ("this is not part of an array", "use numbers, lists, sizes, + - * / // % **, and " + _all())
