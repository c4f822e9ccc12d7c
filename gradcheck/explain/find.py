"""`file.yaml`, `file.yaml::name` → the one case that is meant."""

from __future__ import annotations

from collections.abc import Sequence

from gradcheck.casefile.loader import load
from gradcheck.errors import GradcheckError, did_you_mean
from gradcheck.explain.explain import combination_of
from gradcheck.model.case import Case
from gradcheck.model.report import FileProblem

MOST_NAMES = 8  # that an error lists


class NoCaseError(GradcheckError):
    """No case is meant, or several are."""


def find_case(written: str) -> tuple[Case | None, tuple[FileProblem, ...]]:
    """The case, or None and what is wrong with its file; of a swept case the first combination, unless one is named.

    written : a name is matched whole, then with its combination (`affine [N=2]`), then as a part of a single name

    Raises NoCaseError where not exactly one case is meant.
    """
    file, _, name = written.partition("::")
    loaded = load([file])
    cases = [case for case in loaded.cases if case.variant is None]
    if not cases and loaded.problems:
        return None, loaded.problems
    if not cases:
        raise NoCaseError(f"'{file}' holds no case", "name a case file")
    if name:
        return _named(cases, file, name.strip(), loaded.problems), loaded.problems
    names = list(dict.fromkeys(case.name for case in cases))
    if len(names) > 1:
        raise NoCaseError(f"'{file}' holds {len(names)} cases", f"name one of them: {_choices(file, names)}")
    return cases[0], loaded.problems


def _named(cases: Sequence[Case], file: str, name: str, problems: Sequence[FileProblem]) -> Case | None:
    whole = [case for case in cases if name in (case.name, f"{case.name} [{combination_of(case)}]")]
    if whole:
        return whole[0]
    names = list(dict.fromkeys(case.name for case in cases if name.casefold() in case.name.casefold()))
    if len(names) == 1:
        return next(case for case in cases if case.name == names[0])
    if problems:
        return None  # the case that is meant may be the broken one
    if names:
        raise NoCaseError(f"'{name}' matches {len(names)} cases", f"name one of them: {_choices(file, names)}")
    known = list(dict.fromkeys(case.name for case in cases))
    raise NoCaseError(f"there is no case '{name}' in '{file}'", did_you_mean(name, known, _choices(file, known)))


def _choices(file: str, names: Sequence[str]) -> str:
    shown = ", ".join(f"'{file}::{name}'" for name in names[:MOST_NAMES])
    return shown if len(names) <= MOST_NAMES else f"{shown}, and {len(names) - MOST_NAMES} more"
