"""`gradcheck new` as a person uses it: a file is written, nothing is overwritten, and what is written runs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ROOT / "cases" / "handwritten" / "course_layers.py"
EXAMPLES = ROOT / "tests" / "scaffold_examples"
PAIR = "def double_forward(x):\n    return 2 * x, None\n\n\ndef double_backward(dout, cache):\n    return 2 * dout\n"


def gradcheck(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gradcheck", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, encoding="utf-8", check=False)


def results(file: str, cwd: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(gradcheck("run", "--format", "json", file, cwd=cwd).stdout)
    return found


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    (tmp_path / "pair.py").write_text(PAIR, encoding="utf-8")
    return tmp_path


def test_the_layers_of_a_course_get_a_file_that_runs_and_covers_every_pair(tmp_path: Path) -> None:
    shutil.copy(LAYERS, tmp_path / "layers.py")
    done = gradcheck("new", "layers.py", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "layers_cases.yaml: 15 cases for layers.py\nnext: gradcheck run layers_cases.yaml\n"
    text = (tmp_path / "layers_cases.yaml").read_text(encoding="utf-8")
    source = LAYERS.read_text(encoding="utf-8")
    wanted = [*re.findall(r"^def (\w+_(?:forward|backward|loss))\(", source, re.MULTILINE), "TwoLayerNet"]
    assert len(wanted) > 20
    calls = "\n".join(re.findall(r"^ +(?:setup|forward|backward): .*$", text, re.MULTILINE))
    assert [name for name in wanted if f" {name}(" not in calls] == []
    found = results("layers_cases.yaml", tmp_path)
    assert (found["exit"], found["problems"]) == (0, [])
    assert {case["verdict"] for case in found["cases"]} == {"pass"}
    # Where published layers are wrong: windows that overlap, a stride of 2, a penalty.
    tried = {name: {str(case["sizes"] | case["options"]) for case in found["cases"] if case["name"] == name}
             for name in ("max_pool", "conv", "TwoLayerNet")}  # fmt: skip
    assert any("'stride': 1" in one and "'size': 2" in one for one in tried["max_pool"])
    assert any("'stride': 2" in one and "'pad': 1" in one for one in tried["conv"])
    assert any("'reg': 0.3" in one for one in tried["TwoLayerNet"])


@pytest.mark.parametrize("name", ["functions", "classes"])
def test_what_is_written_for_the_examples_passes(name: str, tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / f"{name}.py", tmp_path)
    assert gradcheck("new", f"{name}.py", cwd=tmp_path).returncode == 0
    found = results(f"{name}_cases.yaml", tmp_path)
    assert (found["exit"], found["problems"]) == (0, [])


def test_a_wrong_gradient_is_found_by_the_file_that_was_written_for_it(pair: Path) -> None:
    (pair / "pair.py").write_text(PAIR.replace("2 * dout", "dout"), encoding="utf-8")
    assert gradcheck("new", "pair.py", cwd=pair).returncode == 0
    assert results("pair_cases.yaml", pair)["exit"] == 1


def test_code_that_breaks_in_backward_is_an_error_of_the_run_with_its_line(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "questions.py", tmp_path)
    done = gradcheck("new", "questions.py", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout == (
        "questions_cases.yaml: 5 cases for questions.py\n"
        "to fill in: blend, questions_cases.yaml:12\n"
        "to fill in: Activation, questions_cases.yaml:23\n"
        "next: gradcheck run questions_cases.yaml\n"
    )
    lines = (tmp_path / "questions_cases.yaml").read_text(encoding="utf-8").splitlines()
    assert [lines[line - 1].endswith("# fill in") for line in (12, 23)] == [True, True]
    found = results("questions_cases.yaml", tmp_path)
    broken = {case["name"]: (case["error"]["kind"], case["error"]["line"]) for case in found["cases"] if case["error"]}
    assert broken == {"cube": ("raised", 32), "todo": ("unfinished", None)}
    assert {case["name"] for case in found["cases"] if case["verdict"] == "pass"} == {"strided"}


def test_an_existing_file_is_overwritten_only_by_force(pair: Path) -> None:
    (pair / "pair_cases.yaml").write_text("mine\n", encoding="utf-8")
    done = gradcheck("new", "pair.py", cwd=pair)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "error: 'pair_cases.yaml' exists; --force overwrites it, -o writes elsewhere\n"
    assert (pair / "pair_cases.yaml").read_text(encoding="utf-8") == "mine\n"
    assert gradcheck("new", "pair.py", "--force", cwd=pair).returncode == 0
    assert results("pair_cases.yaml", pair)["exit"] == 0


def test_a_file_in_a_folder_above_names_the_code_by_its_path(pair: Path) -> None:
    (pair / "src").mkdir()
    (pair / "pair.py").rename(pair / "src" / "pair.py")
    done = gradcheck("new", "src/pair.py", "-o", "cases.yaml", cwd=pair)
    assert done.stdout == "cases.yaml: 1 case for pair.py\nnext: gradcheck run cases.yaml\n"
    assert "  code: src/pair.py\n" in (pair / "cases.yaml").read_text(encoding="utf-8")
    assert results("cases.yaml", pair)["exit"] == 0


def test_a_dash_writes_to_stdout_and_says_the_rest_on_stderr(pair: Path) -> None:
    done = gradcheck("new", "pair.py", "-o", "-", cwd=pair)
    assert done.stdout.startswith("# Cases for the backward passes in pair.py")
    assert done.stderr == "pair_cases.yaml: 1 case for pair.py\nnext: gradcheck run pair_cases.yaml\n"
    assert [file.name for file in pair.iterdir()] == ["pair.py"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("empty.py",), "error: no backward pass was found in 'empty.py'\n"
         "  recognised are pairs such as relu_forward and relu_backward, classes with forward and backward\n"),
        (("pair.py", "-o", "nowhere/cases.yaml"), "error: there is no folder 'nowhere' for 'nowhere/cases.yaml'\n"),
        (("pair.py", "-o", "."), "error: '.' is a folder; name a file\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_and_nothing_is_written(
    pair: Path, arguments: tuple[str, ...], message: str
) -> None:
    (pair / "empty.py").write_text("x = 1\n", encoding="utf-8")
    done = gradcheck("new", *arguments, cwd=pair)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", message)
    assert sorted(file.name for file in pair.iterdir()) == ["empty.py", "pair.py"]


def test_a_case_file_that_could_not_reach_the_code_is_not_written(pair: Path) -> None:
    inner = pair / "inner"
    inner.mkdir()
    done = gradcheck("new", "../pair.py", "-o", "cases.yaml", cwd=inner)
    assert done.returncode == 2
    assert done.stderr.startswith("error: the path '../pair.py' leads out of the case's folder\n")
    assert list(inner.iterdir()) == []


def test_an_endless_forward_is_ended_and_the_others_are_written(pair: Path) -> None:
    source = PAIR + PAIR.replace("double", "endless").replace("return 2 * x, None", "while True:\n        pass")
    (pair / "pair.py").write_text(source, encoding="utf-8")
    done = gradcheck("new", "pair.py", "--timeout", "1", cwd=pair)
    assert done.returncode == 0
    assert "to fill in: endless" in done.stdout
    assert results("pair_cases.yaml", pair)["exit"] == 0
