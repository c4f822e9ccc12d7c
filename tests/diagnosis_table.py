"""`make diagnose`: every planted mistake and what the diagnosis says about it, as a table per right kind.

With numbers behind it (`python tests/diagnosis_table.py 100 200 400 800`), what so many edited runs of a backward are
worth: from there comes `repairing.MOST_RUNS`.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1]))

from gradcheck.checking.explaining import repairing
from tests.diagnosis.suite import NONE, check_mutants, check_outside, check_plants, summary, table


def print_tables() -> None:
    for name, check in (
        ("written as arrays", check_plants),
        ("edited code of the gallery", check_mutants),
        ("outside the list", check_outside),
    ):
        answers = check()
        print(f"{name}: {summary(answers)}\n{table(answers)}")
        for a in answers:
            if not a.is_right:
                print(f"  {a.name}: {' or '.join(a.kinds) or NONE}, said {a.first}")
        print()


def print_budgets(budgets: Sequence[int]) -> None:
    for budget in budgets:
        repairing.MOST_RUNS = budget
        started = perf_counter()
        answers = check_mutants()
        print(f"{budget:>6} runs: {summary(answers)}, {perf_counter() - started:.0f} s")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of the planted mistakes
    if sys.argv[1:]:
        print_budgets([int(number) for number in sys.argv[1:]])
    else:
        print_tables()
