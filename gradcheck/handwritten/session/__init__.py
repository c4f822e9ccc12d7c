"""Runs somebody's Python: loads a file, evaluates the statements of a plan on fresh copies, and says what went wrong.

Standard library and numpy only, and every import within the folder relative: copied alone into a sandbox, it runs there
as it runs here. What the names of a plan mean was decided in `calls.py`; whether a gradient is right is decided
elsewhere, from the arrays that come out.
"""

from .code import Code
from .errors import CodeError, suggestion
from .expressions import BUILTINS
from .session import Session

__all__ = ["BUILTINS", "Code", "CodeError", "Session", "suggestion"]
