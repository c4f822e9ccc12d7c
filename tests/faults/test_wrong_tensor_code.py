"""Code on tensors of torch, of jax and of one's own: right examples pass, wrong twins fail, what raises is an error."""

from pathlib import Path

import pytest

from tests.wrapped_examples.table import EXAMPLES, FOLDER, Example, params, result

RIGHT = [(example, None) for example in EXAMPLES]
WRONG = [(example, change) for example in EXAMPLES for change in example.wrong]


@pytest.mark.parametrize(("example", "_nothing"), params(RIGHT))
def test_right_code_passes_and_every_tensor_is_judged(example: Example, _nothing: None, tmp_path: Path) -> None:
    found = result(tmp_path, example.case, example.file)
    assert found.error is None
    assert {(f.tensor, f.verdict) for f in found.findings} == {(tensor, "pass") for tensor in example.tensors}
    assert [f.tensor for f in found.findings] == list(example.tensors)


@pytest.mark.parametrize(("example", "change"), params(WRONG))
def test_wrong_code_fails(example: Example, change: tuple[str, str], tmp_path: Path) -> None:
    found = result(tmp_path, example.case, example.file, change=change)
    assert (found.error, found.verdict) == (None, "fail")


@pytest.mark.parametrize(("example", "_nothing"), params(RIGHT))
def test_what_raises_is_an_error_with_file_and_line(example: Example, _nothing: None, tmp_path: Path) -> None:
    found = result(tmp_path, example.case, example.file, change=example.raising)
    source = (FOLDER / example.file).read_text()
    first = source[: source.index(example.raising[0])].count("\n") + 1
    assert found.error is not None
    assert found.verdict == "error"
    assert (found.error.kind, found.error.file, found.error.line) == ("raised", example.file, first)
