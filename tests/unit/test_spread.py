"""A run with workers gives the report of a run without them; what ends a worker or the run loses only what it must."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gradcheck.casefile.loader import load
from gradcheck.checking.check import run_cases
from gradcheck.checking.settings import Settings
from gradcheck.checking.workers.executors import Crew, Processes
from gradcheck.model.report import Report
from gradcheck.numerical import portions
from gradcheck.reporters.json import render_json
from tests.unit.test_executors import awaited

ROOT = Path(__file__).parents[2]
GALLERY = sorted((ROOT / "cases").glob("*.yaml"))

CODE = """
import os, time

def square(x):
    return x**2, x

def square_backward(dout, x):
    return 2 * x * dout

def slow(x):
    time.sleep(0.005)
    return x**2, x

def exits(x):
    os._exit(7)

def exits_late(x):
    if abs(x[-1, -1] - 1.25) > 1e-9:
        os._exit(8)
    return slow(x)

def endless(x):
    while True:
        pass

def endless_late(x):
    while abs(x[-1, -1] - 1.25) > 1e-9:
        pass
    return slow(x)

def wrong_backward(dout, x):
    return x * dout

def waits(x):
    time.sleep(2)
    open("reached", "w").close()
    time.sleep(60)
    return x**2, x

def marks(x):
    moved = x != 1.25
    if moved[3, 0] and moved.sum() == 1:  # probed by itself: after the noise was measured
        open("reached", "w").close()
    return slow(x)
"""

NETWORK = """
name: network
network:
  - linear(300, 100)
  - relu
  - linear(100, 10)
loss: softmax_cross_entropy
inputs:
  x: normal(32, 300)
  target: integers(0, 10, size=32)
"""


@pytest.fixture(autouse=True)
def ctrl_c_works() -> Iterator[None]:
    """Tests that run in the background inherit an ignored Ctrl-C, and so would what they start."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    workers = Processes(2)
    yield Crew(workers)
    workers.shutdown(wait=False)


def write(folder: Path, *cases: tuple[str, str, str], x: str = "normal(3)", more: str = "") -> Path:
    """A file with one case for each (name, forward, backward)."""
    (folder / "code.py").write_text(CODE, encoding="utf-8")
    text = f"defaults:\n  code: code.py\n  inputs:\n    x: {x}\n{more}cases:\n"
    for name, forward, backward in cases:
        text += (
            f"  - name: {name}\n    forward: out, cache = {forward}(x)\n    backward: dx = {backward}(dout, cache)\n"
        )
    (folder / "cases.yaml").write_text(text, encoding="utf-8")
    return folder / "cases.yaml"


def facts(report: Report) -> list[Any]:
    """The report as JSON, durations aside."""
    page = json.loads(render_json(report, report.exit_code))
    for case in page["cases"]:
        del case["seconds"]
    return [json.dumps(case) for case in page["cases"]] + [json.dumps(page["problems"]), page["exit"]]


def test_the_gallery_comes_out_the_same(crew: Crew) -> None:
    loaded = load([str(file) for file in GALLERY])
    assert facts(run_cases(loaded, Settings(), crew)) == facts(run_cases(loaded, Settings()))


def test_broken_files_come_out_the_same(crew: Crew) -> None:
    loaded = load([str(file) for file in sorted((ROOT / "tests" / "broken").glob("*.yaml"))])
    assert facts(run_cases(loaded, Settings(), crew)) == facts(run_cases(loaded, Settings()))


@pytest.mark.parametrize("text", [NETWORK, NETWORK.replace("relu", "batch_norm(100)")], ids=["relu", "batch_norm"])
def test_the_probes_of_one_network_come_out_the_same(
    tmp_path: Path, crew: Crew, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "network.yaml").write_text(text)
    loaded = load([str(tmp_path / "network.yaml")])
    alone = facts(run_cases(loaded, Settings()))
    asked: list[int] = []
    gather = portions.Work._pays

    def pays(self: portions.Work, request: portions.Request, done: int) -> bool:
        is_shared = gather(self, request, done)
        asked.append(request.parts - done if is_shared else 0)
        return is_shared

    monkeypatch.setattr(portions, "FIRST", 0.0)
    monkeypatch.setattr(portions, "AGAIN", 0.0)
    monkeypatch.setattr(portions.Work, "_pays", pays)
    assert facts(run_cases(loaded, Settings(), crew)) == alone
    assert max(asked) > 10  # workers had a part in it


def test_a_sweep_and_its_variants_come_out_the_same(tmp_path: Path, crew: Crew) -> None:
    more = "  sizes:\n    D: 2\n  sweep:\n    N: [1, 3]\n    D: [2, 4]\n"
    file = write(tmp_path, ("one", "square", "square_backward"), ("two", "square", "wrong_backward"), x="normal(N, D)",
                 more=more)  # fmt: skip
    file.write_text(file.read_text() + "    vary: [batch1, ties, dtype]\n")
    loaded = load([str(file)])
    assert facts(run_cases(loaded, Settings(seed=4), crew)) == facts(run_cases(loaded, Settings(seed=4)))


def test_the_first_surprise_ends_the_run_where_it_does_without_workers(tmp_path: Path, crew: Crew) -> None:
    right, wrong = ("square", "square_backward"), ("square", "wrong_backward")
    file = write(tmp_path, ("a", *right), ("b", *wrong), ("c", *right), ("d", *wrong), ("e", *right))
    settings = Settings(exit_first=True)
    workers = Processes(2)  # of which such a run ends those that are at work
    try:
        shared = run_cases(load([str(file)]), settings, Crew(workers))
    finally:
        workers.shutdown(wait=False)
    assert [case.name for case in shared.cases] == ["a", "b"]
    assert facts(shared) == facts(run_cases(load([str(file)]), settings))


def test_a_large_handwritten_case_comes_out_the_same(tmp_path: Path, crew: Crew) -> None:
    loaded = load([str(write(tmp_path, ("large", "slow", "square_backward"), x="normal(5, 9)"))])
    assert facts(run_cases(loaded, Settings(), crew)) == facts(run_cases(loaded, Settings()))


def test_code_that_ends_its_process_loses_only_its_case(tmp_path: Path, crew: Crew) -> None:
    file = write(tmp_path, ("a", "square", "square_backward"), ("b", "exits", "square_backward"),
                 ("c", "square", "square_backward"), ("d", "square", "wrong_backward"))  # fmt: skip
    first, broken, *rest = run_cases(load([str(file)]), Settings(), crew).cases
    assert [case.verdict for case in (first, *rest)] == ["pass", "pass", "fail"]
    assert broken.error is not None
    assert (broken.verdict, broken.as_expected, broken.error.kind) == ("error", False, "crashed")
    assert broken.error.text == "the process that ran the case came to an end: exit code 7"


@pytest.mark.parametrize(
    ("function", "more", "kind"),
    [("exits_late", "", "crashed"), ("endless_late", "  timeout: 6\n", "timeout")],
    ids=["exits", "endless"],
)
def test_a_large_case_that_breaks_in_the_middle_is_an_error_and_no_other_case_is_lost(
    tmp_path: Path, crew: Crew, monkeypatch: pytest.MonkeyPatch, function: str, more: str, kind: str
) -> None:
    rows = ", ".join(["[0.5, -0.75, 0.25]"] * 20 + ["[0.5, -0.75, 1.25]"])
    file = write(tmp_path, ("late", function, "square_backward"), ("next", "square", "square_backward"),
                 x=f"[{rows}]", more=more)  # fmt: skip
    text = file.read_text().replace("  - name: next\n", "  - name: next\n    inputs:\n      x: [1.5, 2.5]\n")
    file.write_text(text)
    broken, right = run_cases(load([str(file)]), Settings(), crew).cases
    assert broken.error is not None
    assert broken.error.kind == kind
    assert right.verdict == "pass"


def run(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gradcheck", "run", "cases.yaml", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent in another way there")
@pytest.mark.parametrize("pair", [("waits", "square_backward"), ("marks", "square_backward")], ids=["case", "probes"])
def test_ctrl_c_leaves_what_is_known_and_no_worker(tmp_path: Path, pair: tuple[str, str]) -> None:
    write(tmp_path, ("known", "square", "square_backward"), ("long", *pair), x="full((60, 60), 1.25)")
    file = tmp_path / "cases.yaml"
    text = file.read_text().replace("  - name: known\n", "  - name: known\n    inputs:\n      x: [1.5, 2.5]\n")
    file.write_text(text)
    process = run(tmp_path, "--jobs", "2", "--format", "json")
    assert awaited(lambda: (tmp_path / "reached").exists())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err == "interrupted: 1 of 2 cases checked\n"
    assert [case["name"] for case in json.loads(out)["cases"]] == ["known"]
    assert not _workers_in(tmp_path)


def _workers_in(folder: Path) -> list[str]:
    """Processes, their ended ones aside, that run in a folder; [] where the system does not tell."""
    return [str(link.parent) for link in Path("/proc").glob("[0-9]*/cwd") if _is_there(link, folder)]


def _is_there(link: Path, folder: Path) -> bool:
    try:
        return link.resolve() == folder.resolve()
    except OSError:  # it ended meanwhile, or is somebody else's
        return False


@pytest.mark.parametrize("jobs", ["2", "auto"])
def test_the_command_says_the_same_with_workers(tmp_path: Path, jobs: str) -> None:
    write(tmp_path, ("right", "square", "square_backward"), ("wrong", "square", "wrong_backward"))
    pages = []
    for arguments in ([], ["--jobs", jobs]):
        process = run(tmp_path, "--format", "json", *arguments)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (1, "")
        pages.append([{**case, "seconds": 0} for case in json.loads(out)["cases"]])
    assert pages[0] == pages[1]


@pytest.mark.parametrize("jobs", ["0", "-1", "two", "99999999999999999999", "1.5"])
def test_a_number_of_jobs_that_is_none_is_refused(tmp_path: Path, jobs: str) -> None:
    write(tmp_path, ("right", "square", "square_backward"))
    process = run(tmp_path, "--jobs", jobs)
    _, err = process.communicate(timeout=60)
    expected = f"error: invalid value for '--jobs': expected auto or a number from 1 to 1024, got '{jobs}'\n"
    assert process.returncode == 2
    assert err.startswith(expected)
