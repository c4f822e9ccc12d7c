"""A Dask cluster on this machine gives the report of a run without it, also when its workers are lost on the way."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradcheck.record import dataclass
from tests.unit.test_executors import awaited
from tests.unit.test_spread import GALLERY, write

pytest.importorskip("distributed", reason="the extra 'dask' is not installed")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are ended in another way there")


@dataclass(frozen=True)
class Running:
    """A scheduler and two workers, without nannies: what is killed stays so."""

    address: str
    scheduler: subprocess.Popen[str]
    workers: tuple[subprocess.Popen[str], ...]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Running]:
    file = tmp_path / "scheduler.json"

    def start(program: str, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--scheduler-file", str(file), *arguments]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True)

    quiet = ("--no-dashboard",)
    started = [start("dask_scheduler", "--port", "0", "--host", "127.0.0.1", *quiet)]
    try:
        assert awaited(lambda: file.exists() and file.read_text().strip().endswith("}"))
        started += [start("dask_worker", "--no-nanny", "--nthreads", "1", *quiet) for _ in range(2)]
        address = json.loads(file.read_text())["address"]
        _await_workers(address, 2)
        yield Running(address, started[0], tuple(started[1:]))
    finally:
        for process in started:
            process.kill()
            process.wait()


def _await_workers(address: str, number: int) -> None:
    code = f"from distributed import Client; Client({address!r}).wait_for_workers({number}, timeout=60)"
    subprocess.run([sys.executable, "-c", code], check=True, stderr=subprocess.DEVNULL)


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "gradcheck", "run", "--format", "json", *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def outcome(process: subprocess.Popen[str]) -> tuple[int, list[object], str]:
    """Exit code, the cases without their durations, and what was said on stderr."""
    out, err = process.communicate(timeout=200)
    return process.returncode, [{**case, "seconds": 0} for case in json.loads(out)["cases"]], err


def test_the_gallery_comes_out_the_same(tmp_path: Path, cluster: Running) -> None:
    files = [str(file) for file in GALLERY[:12]]
    alone = outcome(started(tmp_path, *files))
    assert outcome(started(tmp_path, *files, "--cluster", cluster.address)) == alone


def with_marks(folder: Path) -> list[str]:
    """Cases that leave a mark in the middle of a large one, where its probes are shared; and the same without."""
    pair = ("marks", "square_backward")
    write(folder, ("known", "square", "square_backward"), ("long", *pair), x="full((30, 12), 1.25)")
    return ["cases.yaml"]


@pytest.mark.parametrize("lost", ["one worker", "all workers", "the scheduler"])
def test_what_is_lost_on_the_way_is_done_again(tmp_path: Path, cluster: Running, lost: str) -> None:
    files = with_marks(tmp_path)
    process = started(tmp_path, *files, "--cluster", cluster.address)
    assert awaited(lambda: (tmp_path / "reached").exists())
    doomed = {"one worker": cluster.workers[:1], "all workers": cluster.workers, "the scheduler": [cluster.scheduler]}
    for each in doomed[lost]:
        each.kill()
    code, cases, err = outcome(process)
    assert (code, cases) == outcome(started(tmp_path, *files))[:2]
    if lost == "one worker":
        assert err == ""
    else:
        assert f"the cluster at '{cluster.address}' was lost (" in err
        assert err.rstrip().endswith("); the rest was checked here")


def test_an_error_of_the_code_and_a_crash_are_the_same_there(tmp_path: Path, cluster: Running) -> None:
    write(tmp_path, ("a", "exits", "square_backward"), ("b", "square", "wrong_backward"), ("c", "absent", "absent"))
    code, cases, _ = outcome(started(tmp_path, "cases.yaml", "--cluster", cluster.address))
    assert (code, cases) == outcome(started(tmp_path, "cases.yaml", "--jobs", "2"))[:2]


def test_a_cluster_without_workers_is_refused(tmp_path: Path, cluster: Running) -> None:
    write(tmp_path, ("a", "square", "square_backward"))
    for worker in cluster.workers:
        worker.terminate()
        worker.wait()
    process = started(tmp_path, "cases.yaml", "--cluster", cluster.address)
    _, err = process.communicate(timeout=100)
    assert process.returncode == 2
    assert err == (
        f"error: the Dask cluster at '{cluster.address}' has no workers\n"
        f"  start some with 'dask worker {cluster.address}'\n"
    )
