"""The nouns of grading as JSON, and back: what a journal keeps and `results.json` holds is one and the same.

Numbers that are not finite are the strings "nan", "inf" and "-inf"; what a field is, its annotation says.
"""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def plain(value: Any) -> Any:
    """A noun in dicts, lists, strings and finite numbers; key order is that of its fields."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy's scalars
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return value


def revived(kind: type[T], data: Any) -> T:
    """The noun that `plain` made `data` of. Raises LookupError, TypeError or ValueError where it did not."""
    if not isinstance(data, Mapping):
        raise TypeError(f"expected a mapping for {kind.__name__}")
    hints = _hints(kind)  # type: ignore[arg-type]  # a class is hashable, whatever its instances are
    return kind(**{name: _value(hints[name], item) for name, item in data.items()})


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _value(hint: Any, data: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if data is None:
            return None
        return _value(next(kind for kind in arguments if kind is not type(None)), data)
    if origin is tuple:
        each = arguments[:1] * len(data) if arguments[1:] == (...,) else arguments
        return tuple(_value(kind, item) for kind, item in zip(each, data, strict=True))
    if origin is Literal:
        if data not in arguments:
            raise ValueError(f"{data!r} is not one of {arguments}")
        return data
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _value(arguments[1], item) for key, item in data.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return revived(hint, data)
    if hint is float:
        return float(data)
    return data
