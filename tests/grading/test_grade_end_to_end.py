"""The installed command with its real box: hostile submissions, a run that is killed and goes on, Gradescope."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from gradcheck.errors import UnsafeError
from gradcheck.grading.journal import FILE
from gradcheck.sandbox.box import choose_tier
from tests.grading.helpers import EXAMPLE, REFERENCE, case, homework, mistakes
from tests.grading.test_grade_formats import GRADESCOPE

COUNT = 10
LIMIT = 60.0  # seconds that anything here may take
# The program as it is installed, whatever is on the path.
GRADE = (sys.executable, "-c", "from gradcheck.cli import main; main()", "grade")


def is_safe() -> bool:
    try:
        choose_tier()
    except UnsafeError:
        return False
    return True


pytestmark = pytest.mark.skipif(not is_safe(), reason="no sandbox of tier medium or better holds here")


def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GRADE, *map(str, arguments)], capture_output=True, text=True, timeout=LIMIT, cwd=cwd, check=False
    )


def timeless(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "results.json").read_text())
    for result in data["results"]:
        result["seconds"] = 0.0
    return data


def everything_below(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


# -- the example --


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graded")
    shutil.copytree(EXAMPLE, folder / "hw")
    before = everything_below(folder)
    result = run("hw/hw.yaml", "hw/submissions", "-o", "out", "-o", "gradescope-zip:auto.zip", cwd=folder)
    assert result.returncode == 0, result.stderr
    after = everything_below(folder)
    outside = {path for path in after if before.get(path) != after[path]}
    assert all(path.startswith((str(folder / "out"), str(folder / "auto.zip"))) for path in outside), outside
    return folder


def grades(folder: Path) -> dict[str, list[str]]:
    with (folder / "out" / "grades.csv").open() as stream:
        return {row[0]: row[1:] for row in csv.reader(stream)}


@pytest.mark.parametrize(
    ("name", "points", "statuses"),
    [
        ("perfect", "18", {"graded"}),
        ("wrong_db", "11.5", {"graded"}),
        ("empty", "0", {"not_implemented"}),
        ("returns_zeros", "0", {"graded"}),
        ("claims_equality", "0", {"graded"}),
        ("peeks_at_frames", "0", {"error"}),
        ("writes_results", "0", {"graded", "error"}),
        ("exits", "0", {"error"}),
    ],
)
def test_each_submission_of_the_example_gets_what_it_earned(
    graded: Path, name: str, points: str, statuses: set[str]
) -> None:
    row = grades(graded)[name]
    assert row[0] == points
    assert row[2] in statuses


def test_a_wrong_db_reads_why(graded: Path) -> None:
    page = next((graded / "out" / "feedback").glob("wrong-db-*.md")).read_text()
    assert "    b: fail, 3 of 3 elements differ, N=5 (-2)" in page
    assert "1/N" in page


def test_a_submission_of_several_files_imports_its_own_and_nothing_else(tmp_path: Path) -> None:
    """Only declared files enter the box; one that is called like a library does not get in its way."""
    cases = case("one", "    points: {out: 1, x: 1, w: 1}\n")
    homework(tmp_path, cases, head="  title: a\n  files: [student.py, parts/tools.py]\n")
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "tools.py").write_text("import numpy as np\ntanh = np.tanh\n")
    for name, module in (("good", ""), ("nosy", "reference"), ("other", "undeclared")):
        folder = tmp_path / "subs" / name
        (folder / "parts").mkdir(parents=True)
        shutil.copy(tmp_path / "parts" / "tools.py", folder / "parts" / "tools.py")
        (folder / "numpy.py").write_text("raise SystemExit\n")
        (folder / "undeclared.py").write_text(REFERENCE)
        source = REFERENCE.replace("np.tanh(x @ w), (x, w)", "tanh(x @ w), (x, w)")
        if module:
            source = f"import {module}\n" + source.replace("    x, w = cache", f"    return {module}.g(dout, cache)")
        (folder / "student.py").write_text(f"from parts.tools import tanh\n{source}")
    result = run("hw.yaml", "subs", "-o", "out", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert {name: row[0] for name, row in grades(tmp_path).items() if name != "student"} == {
        "good": "3", "nosy": "0", "other": "0"
    }  # fmt: skip


# -- interrupted --


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Submissions that differ, and take their time."""
    homework(tmp_path, case("open") + case("secret", "    hidden: true\n"))
    (tmp_path / "subs").mkdir()
    slow = "import time\ntime.sleep(0.05)\n"
    for number in range(COUNT):
        source = REFERENCE if number % 3 else REFERENCE.replace("x.T @ dz", "-x.T @ dz")
        (tmp_path / "subs" / f"s{number:02}.py").write_text(f"# {number}\n{slow}{source}")
    return tmp_path


def lines(folder: Path) -> list[dict[str, Any]]:
    path = folder / FILE
    if not path.exists():
        return []
    text = path.read_text()
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].split("\n") if line]


def begun(folder: Path, least: int) -> subprocess.Popen[bytes]:
    """A grading that is under way."""
    process = subprocess.Popen(
        [*GRADE, "hw.yaml", "subs", "-o", "out", "--jobs", "2"],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        # A parent that ignores Ctrl-C (a shell's background job) would have its children ignore it, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )  # fmt: skip
    assert process.stderr is not None
    started = time.monotonic()
    while len(lines(folder / "out")) < least:
        if process.poll() is not None:
            pytest.fail(f"it ended before it could be interrupted: {process.stderr.read().decode()}")
        assert time.monotonic() - started < LIMIT
        time.sleep(0.01)
    return process


def descendants(pid: int) -> Iterator[int]:
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has just ended
            for child in map(int, thread.read_text().split()):
                yield child
                yield from descendants(child)


def test_a_run_that_is_killed_goes_on_where_it_was(many: Path) -> None:
    process = begun(many, 3)
    family = list(descendants(process.pid))
    assert family
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=LIMIT)
    known = lines(many / "out")
    assert 3 <= len(known) < COUNT
    started = time.monotonic()
    while any(is_running(pid) for pid in family):
        assert time.monotonic() - started < LIMIT, "somebody was left behind"
        time.sleep(0.05)

    assert run("hw.yaml", "subs", "-o", "out", cwd=many).returncode == 0
    after = lines(many / "out")
    assert after[: len(known)] == known
    assert sorted(entry["result"]["submission"] for entry in after) == [f"s{number:02}" for number in range(COUNT)]

    assert run("hw.yaml", "subs", "-o", "whole", "--jobs", "1", cwd=many).returncode == 0
    assert timeless(many / "out") == timeless(many / "whole")
    assert grades(many)["s01"][0] == "2"
    assert grades(many)["s00"][0] == "1"


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_ctrl_c_keeps_what_is_known_and_leaves_nobody_behind(many: Path) -> None:
    process = begun(many, 2)
    family = list(descendants(process.pid))
    assert family
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    data = json.loads((many / "out" / "results.json").read_text())
    assert data["waiting"]
    assert len(data["results"]) + len(data["waiting"]) == COUNT
    started = time.monotonic()
    while any(is_running(pid) for pid in family):
        assert time.monotonic() - started < LIMIT, "somebody was left behind"
        time.sleep(0.05)


# -- Gradescope --


def gradescope(zipped: Path, submission: Path, root: Path) -> dict[str, Any]:
    """What its harness does, in its layout: unpacks the upload, copies the submission, runs the script as root."""
    (root / "source").mkdir(parents=True)
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(root / "source")
    subprocess.run(["chmod", "-R", "go-rwx", str(root / "source")], check=True)  # as setup.sh does
    subprocess.run(["bash", "-n", str(root / "source" / "setup.sh")], check=True)
    shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
    (root / "run_autograder").chmod(0o755)
    shutil.copytree(submission, root / "submission")
    (root / "results").mkdir()
    (root / "submission_metadata.json").write_text("{}")
    environment = {**os.environ, "PYTHON": sys.executable}
    subprocess.run(["./run_autograder"], cwd=root, env=environment, timeout=LIMIT, check=True, capture_output=True)
    data: dict[str, Any] = json.loads((root / "results" / "results.json").read_text())
    return data


@pytest.mark.parametrize(("name", "score"), [("perfect", 18.0), ("wrong_db", 11.5), ("writes_results", 0.0)])
def test_the_autograder_runs_in_gradescopes_layout(graded: Path, tmp_path: Path, name: str, score: float) -> None:
    data = gradescope(graded / "auto.zip", EXAMPLE / "submissions" / name, tmp_path / "autograder")
    assert mistakes(GRADESCOPE, data) == []
    assert data["score"] == score
    assert "sandbox: medium" in data["output"]
    assert [test["name"] for test in data["tests"]][-2:] == ["hidden 1", "hidden 2"]
    assert sorted(path.name for path in (tmp_path / "autograder" / "results").iterdir()) == ["results.json"]


def test_the_autograder_says_so_when_it_cannot_grade(graded: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(graded / "auto.zip") as old, zipfile.ZipFile(tmp_path / "broken.zip", "w") as new:
        for info in old.infolist():
            content = b"" if info.filename == "assignment/reference.py" else old.read(info)
            new.writestr(info, content)
    data = gradescope(tmp_path / "broken.zip", EXAMPLE / "submissions" / "perfect", tmp_path / "autograder")
    assert mistakes(GRADESCOPE, data) == []
    assert data["score"] == 0
    assert "could not grade this submission" in data["output"]


def contents(path: Path) -> list[tuple[str, int, tuple[int, ...]]]:
    """Of the files that are about the assignment."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    return [(i.filename, i.CRC, i.date_time) for i in infos if not i.filename.startswith("gradcheck/")]


def test_the_upload_has_its_scripts_at_the_root_and_is_the_same_every_time(graded: Path) -> None:
    result = run("hw/hw.yaml", "-o", "gradescope-zip:again.zip", cwd=graded)
    assert result.returncode == 0, result.stderr
    with zipfile.ZipFile(graded / "auto.zip") as archive:
        modes = {info.filename: info.external_attr >> 16 & 0o777 for info in archive.infolist()}
    assert contents(graded / "again.zip") == contents(graded / "auto.zip")
    assert modes["setup.sh"] == modes["run_autograder"] == 0o755
    assert {"assignment/hw.yaml", "assignment/reference.py", "gradcheck/cli/grade.py"} <= modes.keys()
    assert not any("submissions/" in name or "__pycache__" in name for name in modes)
