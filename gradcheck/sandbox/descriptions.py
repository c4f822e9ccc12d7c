"""What a box says about itself and its code, checked field by field: texts, names and a few numbers, all bounded.

None of it decides anything. Names are used to look things up, texts are shown, escaped by whoever shows them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gradcheck.handwritten.session import CodeError
from gradcheck.handwritten.session.survey import Survey

KINDS = ("raised", "missing", "unfinished", "invalid")
PHASES = ("load", "forward", "backward")
FLOAT32 = 2.0**-23  # the one machine epsilon beside float64's that is believed: a larger one would loosen a verdict
MAX_TEXT, MAX_NAMES, MAX_NOTES = 600, 4096, 100  # characters, entries


@dataclass(frozen=True)
class State:
    """A session in a box as it stands after an answer; the words are those of `Session`."""

    during: str
    output_names: tuple[str, ...]
    upstream: list[str]
    wrt: list[str]
    claimed: set[str]
    optional: set[str]
    notes: list[str]
    precision: float
    built: bool

    @classmethod
    def of(cls, told: Any) -> State:
        """What a box says of a session; whatever is not as it should be counts as nothing."""
        said: Mapping[str, Any] = told if isinstance(told, dict) else {}
        return cls(
            _one_of(said.get("during"), PHASES),
            tuple(_texts(said.get("output_names"), MAX_NAMES)),
            _texts(said.get("upstream"), MAX_NAMES),
            _texts(said.get("wrt"), MAX_NAMES),
            set(_texts(said.get("claimed"), MAX_NAMES)),
            set(_texts(said.get("optional"), MAX_NAMES)),
            _texts(said.get("notes"), MAX_NOTES),
            FLOAT32 if said.get("precision") == FLOAT32 else 0.0,
            said.get("built") is True,
        )


def code_error(told: Mapping[str, Any], during: str, files: Collection[str]) -> CodeError:
    """The error that a box describes.

    during : what was asked for; files : those that it may name
    """
    file, line = told.get("file"), told.get("line")
    return CodeError(
        _one_of(told.get("kind"), KINDS),
        _one_of(told.get("during"), PHASES) if told.get("during") in PHASES else during,
        _text(told.get("text")),
        file if file in files else None,
        line if type(line) is int and 0 < line < 10**7 else None,
        _text(told.get("hint")),
    )


def survey_of(told: Any) -> Survey:
    """What a box says takes part in a forward."""
    said: Mapping[str, Any] = told if isinstance(told, dict) else {}
    returned = said.get("returned")
    counted = returned.items() if isinstance(returned, dict) and len(returned) <= MAX_NAMES else ()
    counts = {_text(name): count for name, count in counted if type(count) is int and 0 <= count < 10**9}
    return Survey(counts, tuple(_texts(said.get("untaken"), MAX_NAMES)), tuple(_texts(said.get("held"), MAX_NAMES)))


def _one_of(value: Any, words: tuple[str, ...]) -> str:
    return value if isinstance(value, str) and value in words else words[0]


def _text(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _texts(value: Any, most: int) -> list[str]:
    return [_text(entry) for entry in value[:most]] if isinstance(value, list) else []
