"""Text → syntax tree: Python's own parser first, then a white list; what is not on it is refused at its place.

The nodes are `nodes.py`'s. Nothing is evaluated here, and nothing is ever given to Python's evaluator.
"""

from __future__ import annotations

import ast
import re
import warnings
from functools import lru_cache

from gradcheck.errors import NotationError
from gradcheck.location import SourceText, Span, line_starts
from gradcheck.notation.nodes import (
    Attribute,
    Binary,
    Call,
    Constant,
    Mapping,
    Name,
    Node,
    Number,
    Sequence,
    Slice,
    Statement,
    Subscript,
    Text,
    Unary,
)

MAX_LENGTH = 20_000  # characters; the longest text of a real case has a few hundred
MAX_BRACKETS = 60  # brackets within each other
MAX_DEPTH = 200  # operations within each other (a sum of 200 terms); keeps every reader's recursion harmless

_ODD = re.compile(r"[^\S \t\n]|[\x00-\x08\x0b-\x1f\x7f]")

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.MatMult: "@", ast.USub: "-", ast.UAdd: "+", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
    ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


def parse_expression(source: SourceText) -> Node:
    """Read one expression. Raises NotationError with the place of the mistake."""
    statements = parse_statements(source)
    if len(statements) != 1 or statements[0].target is not None:
        extra = statements[1].span if len(statements) > 1 else statements[0].span
        raise NotationError("expected one expression, got a statement", "write the value alone", source, extra)
    return statements[0].value


@lru_cache(maxsize=1024)  # a text is read by each who wants to know something of it, and for every size of a sweep
def parse_statements(source: SourceText) -> tuple[Statement, ...]:
    """Read lines of assignments and expressions. Raises NotationError with the place of the mistake."""
    return _Reader(source).statements()


class _Reader:
    """Python's own syntax tree → ours, refusing everything that is not on the list."""

    def __init__(self, source: SourceText) -> None:
        self.source = source
        self.starts = line_starts(source.text)
        self.lines = source.text.split("\n")

    def statements(self) -> tuple[Statement, ...]:
        text = self.source.text
        if not text.strip():
            raise self._error("expected an expression, got nothing", "write a value here", Span(0, 1))
        if len(text) > MAX_LENGTH:
            raise self._error(f"the text has {len(text)} characters, more than {MAX_LENGTH}", "shorten it", Span(0, 1))
        if odd := _ODD.search(text):  # Python ends a line at some of them, files and people do not
            where = Span(odd.start(), odd.end())
            raise self._error(f"the character U+{ord(odd[0]):04X} is not part of the notation", "remove it", where)
        self._refuse_deep_brackets()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what Python says of `1[0]` and the like is nothing about the case
                tree = ast.parse(text)
        except SyntaxError as error:
            raise self._syntax_error(error) from None
        except (ValueError, MemoryError, RecursionError):  # NUL characters; a text made to exhaust the parser
            raise self._error("this text cannot be read as an expression", "write it more simply", Span(0, 1)) from None
        if not tree.body:
            raise self._error(
                "expected an expression, got a comment", "write a value here", Span(0, len(text.rstrip()))
            )
        return tuple(self._statement(line) for line in tree.body)

    def _statement(self, line: ast.stmt) -> Statement:
        span = self._span(line)
        match line:
            case ast.Assign(targets=[target], value=value):
                return Statement(span, self._assignable(self._node(target, 0)), self._node(value, 0))
            case ast.Assign():
                raise self._error("only one '=' is allowed in a line", "split it into two lines", span)
            case ast.AugAssign(target=target, op=op):
                sign = OPERATORS.get(type(op), "…")
                name = self.source.text[self._span(target).start : self._span(target).end]
                raise self._error(f"'{sign}=' is not part of the notation", f"write {name} = {name} {sign} …", span)
            case ast.AnnAssign():
                raise self._error("an annotation is not part of the notation", "write name = value", span)
            case ast.Expr(value=value):
                return Statement(span, None, self._node(value, 0))
            case _:
                word = self.source.text[span.start : span.end].split()[0]
                raise self._error(
                    f"'{word}' statements are not allowed",
                    "write assignments and values only",
                    Span(span.start, span.start + len(word)),
                )

    def _assignable(self, node: Node) -> Node:
        if isinstance(node, Sequence):
            for item in node.items:
                self._assignable(item)
        elif not isinstance(node, Name | Attribute | Subscript):
            raise self._error("cannot assign to this", "write a name on the left of '='", node.span)
        return node

    def _node(self, tree: ast.expr, depth: int) -> Node:
        span = self._span(tree)
        if depth > MAX_DEPTH:
            raise self._error(
                f"more than {MAX_DEPTH} operations within each other", "split it into several lines", span
            )
        deeper = depth + 1
        match tree:
            case ast.Constant(value=bool() | None as constant):
                return Constant(span, constant)
            case ast.Constant(value=int() | float() as number):
                return self._number(span, number)
            case ast.Constant(value=str() as text):
                return Text(span, text)
            case ast.Name():
                self._public(tree.id, span)
                return Name(span, tree.id)
            case ast.Attribute():
                name_span = Span(span.end - len(tree.attr), span.end)
                self._public(tree.attr, name_span)
                return Attribute(span, self._node(tree.value, deeper), tree.attr)
            case ast.Slice():
                parts = (tree.lower, tree.upper, tree.step)
                return Slice(span, *(None if part is None else self._node(part, deeper) for part in parts))
            case ast.Subscript():
                return Subscript(span, self._node(tree.value, deeper), self._node(tree.slice, deeper))
            case ast.Call():
                return self._call(tree, span, deeper)
            case ast.UnaryOp() if type(tree.op) in OPERATORS:
                return Unary(span, OPERATORS[type(tree.op)], self._node(tree.operand, deeper))
            case ast.BinOp() if type(tree.op) in OPERATORS:
                left, right = self._node(tree.left, deeper), self._node(tree.right, deeper)
                return Binary(span, OPERATORS[type(tree.op)], left, right)
            case ast.Compare(ops=[operator], comparators=[right]) if type(operator) in OPERATORS:
                return Binary(span, OPERATORS[type(operator)], self._node(tree.left, deeper), self._node(right, deeper))
            case ast.Tuple() | ast.List():
                items = tuple(self._node(item, deeper) for item in tree.elts)
                return Sequence(span, items, isinstance(tree, ast.Tuple))
            case ast.Dict() if None not in tree.keys:
                keys = [self._node(key, deeper) for key in tree.keys if key is not None]
                return Mapping(span, tuple(zip(keys, (self._node(v, deeper) for v in tree.values), strict=True)))
            case _:
                what = _WORDS.get(type(tree), "this kind of expression")
                if isinstance(tree, ast.BinOp | ast.UnaryOp):
                    what = f"'{_FOREIGN_OPERATORS.get(type(tree.op), '')}'"
                power = isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitXor)
                hint = "a power is written '**'" if power else "use numbers, names, calls and + - * / ** @"
                raise self._error(f"{what} is not part of the notation", hint, span)

    def _call(self, tree: ast.Call, span: Span, depth: int) -> Call:
        for argument in tree.args:
            if isinstance(argument, ast.Starred):
                raise self._error(
                    "'*' before an argument is not part of the notation",
                    "write the arguments out",
                    self._span(argument),
                )
        keywords: list[tuple[str, Node]] = []
        for keyword in tree.keywords:
            if keyword.arg is None:
                raise self._error(
                    "'**' before an argument is not part of the notation", "write name=value", self._span(keyword.value)
                )
            self._public(keyword.arg, self._span(keyword))
            if keyword.arg in (name for name, _ in keywords):
                raise self._error(f"'{keyword.arg}' is given twice", "write it once", self._span(keyword))
            keywords.append((keyword.arg, self._node(keyword.value, depth)))
        arguments = tuple(self._node(argument, depth) for argument in tree.args)
        return Call(span, self._node(tree.func, depth), arguments, tuple(keywords))

    def _number(self, span: Span, value: int | float) -> Number:
        if (isinstance(value, int) and value.bit_length() > 1023) or value in (float("inf"), float("-inf")):
            raise self._error("this number is too large for a float64", "the largest is about 1.8e308", span)
        return Number(span, value)

    def _public(self, name: str, span: Span) -> None:
        if name.startswith("_") and name != "_":
            raise self._error(f"names with a leading underscore are not allowed: '{name}'", "use a public name", span)

    def _refuse_deep_brackets(self) -> None:
        depth = 0
        for offset, character in enumerate(self.source.text):
            if character in "([{":
                depth += 1
                if depth > MAX_BRACKETS:
                    where = Span(offset, offset + 1)
                    raise self._error(
                        f"more than {MAX_BRACKETS} brackets within each other", "write it more simply", where
                    )
            elif character in ")]}":
                depth -= 1

    def _syntax_error(self, error: SyntaxError) -> NotationError:
        row = min(max((error.lineno or 1) - 1, 0), len(self.starts) - 1)
        offset = self.starts[row] + max((error.offset or 1) - 1, 0)
        start = min(offset, max(len(self.source.text.rstrip()) - 1, 0))
        end = start + 1
        if error.end_lineno == error.lineno and error.end_offset and error.offset and error.end_offset > error.offset:
            end = start + error.end_offset - error.offset
        cause, _, suspicion = (error.msg or "").partition(". ")
        hint = suspicion or "check brackets, commas and operators"
        if cause == "invalid syntax" and self.lines[row].lstrip().startswith("="):
            cause, hint = "nothing stands on the left of '='", "write a name there, or leave '=' out"
        elif cause == "invalid syntax":
            cause = "this cannot be read from here on"
        elif cause.startswith("Exceeds the limit"):
            cause, hint = "a number has too many digits", "a float64 has 17 digits"
        elif "indent" in cause:
            hint = "begin every line in the same column"
        message = f"syntax error: {cause[:1].lower()}{cause[1:]}"
        return self._error(message, hint[:1].lower() + hint[1:], Span(start, end))

    def _span(self, tree: ast.expr | ast.stmt | ast.keyword) -> Span:
        end_line, end_column = tree.end_lineno or tree.lineno, tree.end_col_offset or tree.col_offset
        return Span(self._offset(tree.lineno, tree.col_offset), self._offset(end_line, end_column))

    def _offset(self, line: int, column: int) -> int:
        # Python counts columns in UTF-8 bytes; people and files count characters.
        row = self.lines[line - 1]
        characters = column if row.isascii() else len(row.encode()[:column].decode(errors="ignore"))
        return self.starts[line - 1] + characters

    def _error(self, message: str, hint: str, span: Span) -> NotationError:
        return NotationError(message, hint, self.source, span)


_WORDS: dict[type[ast.AST], str] = {
    ast.Lambda: "'lambda'", ast.IfExp: "'if … else'", ast.BoolOp: "'and' / 'or'", ast.ListComp: "a comprehension",
    ast.GeneratorExp: "a comprehension", ast.DictComp: "a comprehension", ast.SetComp: "a comprehension",
    ast.Set: "a set", ast.JoinedStr: "an f-string", ast.NamedExpr: "':='", ast.Await: "'await'", ast.Yield: "'yield'",
    ast.Starred: "'*'", ast.Compare: "a chain of comparisons", ast.Constant: "this kind of constant",
}  # fmt: skip

_FOREIGN_OPERATORS: dict[type[ast.AST], str] = {
    ast.BitXor: "^", ast.BitAnd: "&", ast.BitOr: "|", ast.LShift: "<<", ast.RShift: ">>", ast.Invert: "~",
    ast.Not: "not",
}  # fmt: skip
