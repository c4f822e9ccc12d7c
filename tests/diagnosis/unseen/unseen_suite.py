"""Runs mistakes in code that no rule was tuned on, through case files as a student would, and counts the answers.

Every mistake is an edit of one of the modules beside this file; the edited copy lies in a folder of its own with the
case file. What the right answers are stands in the lists of mistakes and was written down before the first run.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from gradcheck.casefile.loader import load
from gradcheck.checking.one_case import check_case
from gradcheck.checking.settings import Settings
from gradcheck.model.case import Case
from gradcheck.model.report import CaseResult
from tests.diagnosis.suite import NONE, Answer, answer, summary, table
from tests.diagnosis.unseen.mistakes_in_layers import MISTAKES as IN_LAYERS
from tests.diagnosis.unseen.mistakes_in_losses import MISTAKES as IN_LOSSES
from tests.diagnosis.unseen.scrambled import SCRAMBLED, source_of

MODULES = Path(__file__).parent / "layers_and_losses"
MISTAKES = {**IN_LAYERS, **IN_LOSSES}


def check_source(module: str, name: str, change: Callable[[str], str]) -> CaseResult:
    """The result of the case of that name, with the module's source as `change` leaves it."""
    with tempfile.TemporaryDirectory() as folder:
        source = (MODULES / f"{module}.py").read_text(encoding="utf-8")
        Path(folder, f"{module}.py").write_text(change(source), encoding="utf-8")
        path = Path(folder, f"{module}.yaml")
        path.write_text((MODULES / f"{module}.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        result = check_case(case_named(path, name), Settings())
    assert isinstance(result, CaseResult), result
    return result


def case_named(path: Path, name: str) -> Case:
    loaded = load([path])
    assert not loaded.problems, loaded.problems
    return next(case for case in loaded.cases if case.name == name)


def replaced(old: str, new: str) -> Callable[[str], str]:
    def change(source: str) -> str:
        assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in the module"
        return source.replace(old, new)

    return change


def check_mistakes(stride: int = 1) -> Iterator[Answer]:
    """stride : every so many of them."""
    for module, mistakes in MISTAKES.items():
        for name, kinds, old, new in mistakes[::stride]:
            result = check_source(module, name, replaced(old, new))
            yield answer(f"{name}: {old.strip()} -> {new.strip()}", kinds.split(), result)


def check_scrambled(stride: int = 1) -> Iterator[Answer]:
    """stride : every so many of the functions."""
    for module, name, forward, backward in SCRAMBLED[::stride]:
        for how in ("random", "permuted", "rescaled", "elsewhere"):
            added = source_of(how, forward, backward)
            result = check_source(module, name, lambda source, added=added: source + added)
            yield answer(f"{name}, {how}", (), result)


def print_tables() -> None:
    for name, check in (("mistakes", check_mistakes), ("scrambled", check_scrambled)):
        answers = list(check())
        print(f"{name}: {summary(answers)}\n{table(answers)}")
        for a in answers:
            if not a.is_right:
                print(f"  {a.name}: {' or '.join(a.kinds) or NONE}, said {a.first}")


if __name__ == "__main__":
    print_tables()
