"""Errors of somebody's code, from the words of the session (which stands alone) into the words of the house."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from gradcheck.errors import UserCodeError
from gradcheck.handwritten.session import CodeError

P = ParamSpec("P")
R = TypeVar("R")


@contextmanager
def translated() -> Iterator[None]:
    """A CodeError that leaves the block leaves it as a UserCodeError."""
    try:
        yield
    except CodeError as error:
        raise _translation(error) from None


def translating(function: Callable[P, R]) -> Callable[P, R]:
    """The function, with its CodeErrors translated; adds next to nothing to a call that goes well."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except CodeError as error:
            raise _translation(error) from None

    return call


def _translation(error: CodeError) -> UserCodeError:
    translation = UserCodeError(error.kind, error.during, error.text, error.file, error.line, error.hint)
    translation.statements = error.statements
    return translation
