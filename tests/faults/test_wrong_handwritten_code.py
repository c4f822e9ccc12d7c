"""Every convention of handwritten code: right examples pass, wrong twins fail, what raises is an error of the user's.

All of it is generated from one table, and the table is held complete: every row of it has examples of all three.
"""

from pathlib import Path
from typing import get_args

import pytest

from tests.handwritten_examples.example import Kind
from tests.handwritten_examples.table import (
    DESIGN,
    EXAMPLES,
    ON_TENSORS,
    USERCODE,
    Example,
    Raises,
    Wrong,
    opened,
    planted,
    run,
    worst_error,
)
from tests.wrapped_examples.table import EXAMPLES as WRAPPED

ROWS = (*DESIGN, *USERCODE)
RIGHT = 1e-7  # of a plain central difference with step 1e-5
RIGHT_SINGLE = 2e-2  # the same in float32
LEAST_WRONG = 1e-3
WRONG = [pytest.param(e, wrong, id=f"{e.name}-{wrong.kind}") for e in EXAMPLES for wrong in e.wrong]
RAISING = [pytest.param(e, r, id=f"{e.name}-{r.during}") for e in EXAMPLES for r in e.raising]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_right_wrong_and_raising_examples(row: str) -> None:
    shown = [example for example in EXAMPLES if row in example.rows]
    on_tensors = [example for example in WRAPPED if example.name in ON_TENSORS.get(row, ())]
    assert shown or on_tensors
    assert len(on_tensors) == len(ON_TENSORS.get(row, ()))
    for example in shown:
        assert len({wrong.kind for wrong in example.wrong}) >= 3
        assert example.raising
    for other in on_tensors:
        assert len(set(other.wrong)) >= 3
        assert other.raising


def test_the_table_has_no_example_without_a_row_and_no_row_twice() -> None:
    assert len(set(ROWS)) == len(ROWS)
    assert len({example.name for example in EXAMPLES}) == len(EXAMPLES)
    for example in EXAMPLES:
        assert example.rows, example.name
        assert set(example.rows) <= set(ROWS), example.name
    assert {wrong.kind for example in EXAMPLES for wrong in example.wrong} == set(get_args(Kind))


def test_every_phase_raises_in_many_examples() -> None:
    phases = [raises.during for example in EXAMPLES for raises in example.raising]
    assert min(phases.count(phase) for phase in ("load", "forward", "backward")) >= 8


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_right_code_passes_and_every_tensor_is_judged(example: Example, tmp_path: Path) -> None:
    found = run(example, tmp_path)
    assert found.error is None
    assert [(f.tensor, f.verdict) for f in found.findings] == [(tensor, "pass") for tensor in example.tensors]


@pytest.mark.parametrize("example", [e for e in EXAMPLES if not e.scale], ids=lambda e: e.name)
def test_right_code_agrees_with_plain_differences(example: Example) -> None:
    """The table is checked by a second, plainer measure: an example is right by itself, not by our verdict."""
    code = opened(example)
    assert code.wrt == example.tensors
    step, allowed = (1e-2, RIGHT_SINGLE) if code.epsilon > 1e-10 else (1e-5, RIGHT)
    assert worst_error(code, step) < allowed


@pytest.mark.parametrize(("example", "wrong"), WRONG)
def test_wrong_code_fails(example: Example, wrong: Wrong, tmp_path: Path) -> None:
    found = run(example, tmp_path, planted(example, wrong.old, wrong.new)[0])
    assert (found.error, found.verdict) == (None, "fail")
    if not example.scale:
        assert worst_error(opened(example, tmp_path / example.file)) > LEAST_WRONG


@pytest.mark.parametrize(("example", "raises"), RAISING)
def test_what_raises_is_an_error_with_phase_file_and_line(example: Example, raises: Raises, tmp_path: Path) -> None:
    source, line = planted(example, raises.old, raises.new)
    found = run(example, tmp_path, source)
    assert found.error is not None
    error = found.error
    assert found.verdict == "error"
    assert (error.kind, error.during, error.file, error.line) == ("raised", raises.during, example.file, line)
