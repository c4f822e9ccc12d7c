"""Every convention of handwritten code: right examples agree with a plain central difference, wrong twins do not."""

from pathlib import Path

import pytest

from tests.handwritten_examples.table import EXAMPLES, LAYERS, Example, opened, worst_error

RIGHT = 1e-7
WRONG = [(example, change) for example in EXAMPLES for change in example.wrong]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.name)
def test_right_code_agrees_with_differences(example: Example) -> None:
    code = opened(example)
    assert code.wrt == example.tensors
    assert worst_error(code) < RIGHT


@pytest.mark.parametrize(("example", "change"), WRONG, ids=lambda v: v.name if isinstance(v, Example) else v[1][:30])
def test_wrong_code_does_not(example: Example, change: tuple[str, str], tmp_path: Path) -> None:
    source = LAYERS.read_text()
    assert source.count(change[0]) >= 1, "the table does not fit layers.py"
    (tmp_path / "layers.py").write_text(source.replace(*change))
    assert worst_error(opened(example, tmp_path / "layers.py")) > 1e-3
