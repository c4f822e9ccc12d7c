"""The pytest plugin: one test per case and tensor, the table as the failure's text, and nothing where nobody asked."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

CASES = """
cases:
  - name: affine
    function: x @ w + b
    inputs:
      x: normal(N, 3)
      w: normal(3, 2)
      b: normal(2)
    gradient:
      x: upstream @ w.T
      w: x.T @ upstream
      b: upstream[0]
    sweep:
      N: [1, 2]
  - name: "a [strange]::name"
    function: x**2
    inputs:
      x: 3
    expected:
      value: 9
  - name: known to be wrong
    function: x**2
    inputs:
      x: 3
    gradient:
      x: x
    expect: fail
"""


def run(folder: Path, *arguments: str, plugins: tuple[str, ...] = (), code: int | None = None) -> str:
    """The output of a pytest of its own, with this plugin and no others."""
    named = [part for name in ("gradcheck.pytest_plugin", *plugins) for part in ("-p", name)]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "OPENBLAS_NUM_THREADS": "1", "COLUMNS": "120"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *named, "-p", "no:cacheprovider", *arguments],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    if code is not None:
        assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def outcomes(output: str) -> dict[str, str]:
    """Test → PASSED, FAILED, SKIPPED, of `-v` or of several workers."""
    line = r"^(?:\[gw\d\] \[ *\d+%\] )?(?:(PASSED|FAILED) )?(\S*\.yaml::.*?)(?: (PASSED|FAILED|SKIPPED).*)?$"
    lines = re.findall(line, output.split("= FAILURES =")[0], re.M)
    return {test.strip(): before or after for before, test, after in lines if before or after}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "all.yaml").write_text(CASES)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -W error\n")
    return tmp_path


BROKEN_CODE = "def f(x):\n    raise ValueError('no')\n\n\ndef b(dout):\n    return 1\n"
RIGHT_CODE = "def f(x):\n    return x * 2.0\n\n\ndef b(dout):\n    return dout * 2.0\n"
CODE_CASE = "name: f\ncode: layers.py\nforward: out = f(x)\nbackward: dx = b(dout)\ninputs:\n  x: normal(4, 3)\n"

EXPECTED = {
    "cases/all.yaml::affine (N=1)::x": "PASSED", "cases/all.yaml::affine (N=1)::w": "PASSED",
    "cases/all.yaml::affine (N=1)::b": "PASSED", "cases/all.yaml::affine (N=2)::x": "PASSED",
    "cases/all.yaml::affine (N=2)::w": "PASSED", "cases/all.yaml::affine (N=2)::b": "FAILED",
    "cases/all.yaml::a (strange):name::x": "PASSED", "cases/all.yaml::a (strange):name::value": "PASSED",
    "cases/all.yaml::known to be wrong::x": "PASSED",
}  # fmt: skip


def test_every_case_and_tensor_is_a_test_and_the_table_its_failure(folder: Path) -> None:
    output = run(folder, "--gradcheck", "-v", "cases", code=1)
    assert outcomes(output) == EXPECTED
    failure = output.split("affine (N=2): b")[1].split("short test summary")[0]
    assert re.search(r"^✗ affine \[N=2\]  b \(formula\)|^✗ affine  b \(formula\)", failure, re.M)
    assert "FAIL  affine" in failure
    assert "cases/all.yaml:3" in failure
    assert "Traceback" not in output
    assert "FAILED cases/all.yaml::affine (N=2)::b - fail: b" in output


def test_a_node_id_and_a_keyword_choose_tests(folder: Path) -> None:
    chosen = run(folder, "--gradcheck", "-v", "cases/all.yaml::affine (N=2)::w", code=0)
    assert outcomes(chosen) == {"cases/all.yaml::affine (N=2)::w": "PASSED"}
    chosen = run(folder, "--gradcheck", "-v", "cases", "-k", "affine and b", code=1)
    assert outcomes(chosen) == {k: v for k, v in EXPECTED.items() if "affine" in k and k.endswith("b")}


def test_x_stops_at_the_first_failure(folder: Path) -> None:
    output = run(folder, "--gradcheck", "-v", "-x", "cases", code=1)
    assert list(outcomes(output).values()).count("FAILED") == 1
    assert len(outcomes(output)) == 6


def test_workers_share_the_tests(folder: Path) -> None:
    pytest.importorskip("xdist")
    for how in ("load", "loadgroup"):
        output = run(folder, "--gradcheck", "-v", "-n", "2", "--dist", how, "cases", plugins=("xdist.plugin",), code=1)
        found = {re.sub(r"@.*$", "", test): word for test, word in outcomes(output).items()}
        assert found == EXPECTED


def test_an_ini_line_asks_for_it_and_patterns_say_which_files(folder: Path) -> None:
    (folder / "pytest.ini").write_text("[pytest]\ngradcheck = true\ngradcheck_files = cases/*.yaml\n")
    (folder / "compose.yaml").write_text("services: {}\n")
    assert outcomes(run(folder, "-v", code=1)) == EXPECTED


def test_without_asking_nothing_is_collected(folder: Path) -> None:
    assert "no tests ran" in run(folder, "cases", code=5)


def test_without_asking_nothing_heavy_is_imported() -> None:
    probe = "import sys, json, pytest, gradcheck.pytest_plugin; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert [name for name in loaded if name.startswith("gradcheck.")] == ["gradcheck.pytest_plugin"]
    assert not {"numpy", "ruamel", "click"} & {name.partition(".")[0] for name in loaded}


def test_a_mistake_of_the_file_is_a_test_and_its_good_cases_still_run(folder: Path) -> None:
    file = folder / "cases" / "all.yaml"
    file.write_text("cases:\n  - name: bad\n    functoin: x\n    inputs:\n      x: 1\n"
                    "  - name: unknown word\n    function: sigmod(x)\n    inputs:\n      x: 1\n"
                    "  - name: good\n    function: x**2\n    inputs:\n      x: 1\n")  # fmt: skip
    output = run(folder, "--gradcheck", "-v", "cases", code=1)
    assert outcomes(output) == {
        "cases/all.yaml::problems": "FAILED", "cases/all.yaml::unknown word::case": "FAILED",
        "cases/all.yaml::good::x": "PASSED",
    }  # fmt: skip
    assert "cases/all.yaml:3:5: error: unknown key 'functoin'" in output
    assert "cases/all.yaml:7:15: error: unknown function 'sigmod'" in output
    assert "Traceback" not in output


def test_code_that_raises_fails_with_its_error(folder: Path) -> None:
    (folder / "cases" / "layers.py").write_text(BROKEN_CODE)
    (folder / "cases" / "all.yaml").write_text(CODE_CASE)
    output = run(folder, "--gradcheck", "-v", "cases", code=1)
    assert outcomes(output) == {"cases/all.yaml::f::case": "FAILED"}
    assert "ValueError: no" in output
    assert "layers.py:2" in output


def test_an_expectation_that_was_not_met_fails(folder: Path) -> None:
    (folder / "cases" / "all.yaml").write_text(
        "name: f\nfunction: x**2 + y\ninputs:\n  x: 3\n  y: 1\nexpect:\n  x: fail\n"
    )
    output = run(folder, "--gradcheck", "-v", "cases", code=1)
    assert outcomes(output) == {"cases/all.yaml::f::x": "FAILED", "cases/all.yaml::f::y": "PASSED"}
    (folder / "cases" / "all.yaml").write_text("name: f\nfunction: x**2\ninputs:\n  x: 3\nexpect: fail\n")
    assert outcomes(run(folder, "--gradcheck", "-v", "cases", code=1)) == {"cases/all.yaml::f::x": "FAILED"}


def test_a_stress_variant_is_a_test_that_is_skipped_where_it_does_not_apply(folder: Path) -> None:
    (folder / "cases" / "layers.py").write_text(RIGHT_CODE)
    (folder / "cases" / "all.yaml").write_text(f"{CODE_CASE}vary:\n  - batch1\n  - repeated\n")
    output = run(folder, "--gradcheck", "-v", "-rs", "cases", code=0)
    assert outcomes(output) == {
        "cases/all.yaml::f::x": "PASSED", "cases/all.yaml::f (vary batch1)::case": "PASSED",
        "cases/all.yaml::f (vary repeated)::case": "SKIPPED",
    }  # fmt: skip
    assert "vary: repeated does not apply: " in output


def test_the_entry_point_is_this_plugin() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    module = import_module(project["entry-points"]["pytest11"]["gradcheck"])
    assert module.__name__ == "gradcheck.pytest_plugin"
    assert callable(module.pytest_collect_file)
