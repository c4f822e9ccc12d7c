"""The key `arrays:` – what code computes with in place of numpy arrays: torch, jax, or somebody's own tensors.

Only the words are read here. The libraries are `with_torch.py` and `with_jax.py`, imported where a case asks for them;
an engine of one's own is `session/engine.py`'s, since it enters the box with the code.
"""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gradcheck.casefile.paths import PathError, find_file
from gradcheck.errors import FieldError, NotationError, did_you_mean
from gradcheck.handwritten.session.wrapping import PLAIN, Wrapping
from gradcheck.location import SourceText
from gradcheck.model.case import Case, CodeBody
from gradcheck.notation import Call, Constant, Name, Node, Number, Text, parse_expression
from gradcheck.record import dataclass, field

LIBRARIES = ("torch", "jax")
DTYPES = ("float64", "float32", "float16", "bfloat16")
HINT = "write torch, jax, or file.py:Tensor"


@dataclass(frozen=True, slots=True)
class Arrays:
    """What a case writes under `arrays`, read.

    library : torch, jax, or "" for an engine of one's own
    file : the file of the engine; name : its class, or a function that makes a tensor
    keywords : of a library dtype and device; of an engine what its class is given beside the numbers
    """

    library: str = ""
    file: Path | None = None
    name: str = ""
    keywords: Mapping[str, Any] = field(default_factory=dict)

    def plan(self, body: CodeBody, code: Path) -> Any:
        """What a plan says of it: the library, or where the engine is, as seen from the code.

        code : the file that the calls are made on; an engine beside the case's own code is looked for beside this one
        """
        if self.file is None:
            return self.library
        beside = os.path.relpath(self.file, body.path.parent)
        file = beside if (code.parent / beside).is_file() else os.path.relpath(self.file, code.parent)
        return {"file": file, "name": self.name, "keywords": dict(self.keywords)}


def read_arrays(case: Case, body: CodeBody) -> Arrays | None:
    """What the case's code computes with; None for numpy.

    Raises FieldError or NotationError with the place of the mistake.
    """
    written = (body.arrays or "numpy").strip()
    if written == "numpy":
        return None
    if body.build is not None:
        raise FieldError(
            "'arrays' stands beside 'build', which is given no arrays", "leave one of them out", ("arrays",)
        )
    file, colon, rest = written.partition(".py:")
    source = SourceText(rest if colon else written, (case.at("arrays"),))
    name, keywords = _called(source)
    if colon:
        try:
            return Arrays(file=find_file(case.directory, f"{file}.py"), name=name, keywords=keywords)
        except PathError as error:
            raise FieldError(error.message, error.hint, ("arrays",)) from None
    if name not in LIBRARIES:
        raise FieldError(f"unknown kind of arrays '{name}'", did_you_mean(name, LIBRARIES, HINT), ("arrays",))
    known = ("dtype", "device") if name == "torch" else ("dtype",)
    for word, value in keywords.items():
        if word not in known:
            hint = did_you_mean(word, known, f"known: {', '.join(known)}")
            raise FieldError(f"'{name}' takes no '{word}'", hint, ("arrays",))
        if word == "dtype" and value not in DTYPES:
            hint = did_you_mean(str(value), DTYPES, f"known: {', '.join(DTYPES)}")
            raise FieldError(f"unknown dtype '{value}'", hint, ("arrays",))
    return Arrays(library=name, keywords=keywords)


def make_wrapping(asked: Arrays | None, arrays: Mapping[str, NDArray[Any]], dtype: str | None = None) -> Wrapping:
    """The adapter of a library, made; plain arrays where none is asked for, or where the session makes its own.

    arrays : the inputs; where no dtype is written, theirs is taken
    dtype : another one, in place of both
    Raises FieldError where the library is not installed, or has no such device.
    """
    if asked is None or not asked.library:
        return PLAIN
    dtype = dtype or asked.keywords.get("dtype") or _coarsest(arrays)
    library = _imported(asked.library)
    if asked.library == "torch":
        from gradcheck.handwritten.with_torch import TorchTensors

        device = str(asked.keywords.get("device", "cpu"))
        try:
            return TorchTensors(library, dtype, device)
        except (RuntimeError, AssertionError) as error:
            message = f"the device '{device}' cannot be used: {' '.join(str(error).split())[:200]}"
            raise FieldError(message, "leave it out, and tensors are on the CPU", ("arrays",)) from None
    from gradcheck.handwritten.with_jax import JaxArrays

    return JaxArrays(library, dtype)


def _called(source: SourceText) -> tuple[str, dict[str, Any]]:
    """`Tensor` or `Tensor(requires_grad=True)`: the name, and the keywords."""
    node = parse_expression(source)
    keywords: dict[str, Any] = {}
    if isinstance(node, Call) and not node.arguments:
        keywords = {word: _value(value, source) for word, value in node.keywords}
        node = node.function
    if not isinstance(node, Name):
        raise NotationError("expected a name", HINT, source, node.span)
    return node.id, keywords


def _value(node: Node, source: SourceText) -> Any:
    if isinstance(node, Name):
        return node.id
    if isinstance(node, Number | Text | Constant):
        return node.value
    raise NotationError("expected a number or a word", "write dtype=float32", source, node.span)


def _coarsest(arrays: Mapping[str, NDArray[Any]]) -> str:
    kinds = [array.dtype for array in arrays.values() if array.dtype.kind == "f"]
    return str(max(kinds, key=lambda kind: float(np.finfo(kind).eps), default=np.dtype(np.float64)))


def _imported(library: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it says about its own imports is nothing about the case
            return importlib.import_module(library)
    except ImportError as error:
        installed = isinstance(error, ModuleNotFoundError) and error.name == library
        message = f"'{library}' is not installed" if installed else f"'{library}' cannot be imported: {error}"
        raise FieldError(message, f"pip install 'gradcheck[{library}]'", ("arrays",)) from None
