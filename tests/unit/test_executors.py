"""Worker processes: results and errors come back, a task that ends its process takes no other with it, none stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from pathlib import Path

import pytest

from gradcheck.checking.workers.executors import Processes, WorkerLostError, cores
from gradcheck.errors import FieldError, NotationError, UserCodeError
from gradcheck.location import SourceText, Span

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are ended in another way there")


@pytest.fixture
def workers() -> Iterator[Processes]:
    processes = Processes(2)
    yield processes
    processes.shutdown(wait=False)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2] if Path("/proc").exists() else True


def awaited(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true; how long that takes says nothing."""
    for _ in range(600):
        if condition():
            return True
        time.sleep(0.05)
    return False


def raising(error: Exception) -> None:
    raise error


def test_it_is_an_executor_like_any_other(workers: Processes) -> None:
    assert isinstance(workers, Executor)
    assert list(workers.map(divmod, [7, 8, 9], [4, 4, 4])) == [(1, 3), (2, 0), (2, 1)]
    assert workers.submit(int, "ff", base=16).result() == 255


def test_tasks_run_in_other_processes_that_are_used_again(workers: Processes) -> None:
    pids = {workers.submit(os.getpid).result() for _ in range(6)}
    assert len(pids) == 1
    assert os.getpid() not in pids


def test_each_process_has_one_thread_for_matrix_products_unless_somebody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    with Processes(1) as workers:
        seen = [workers.submit(os.getenv, name).result() for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")]
    assert seen == ["1", "3"]


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("of the task"),
        UserCodeError("raised", "forward", "no", "layers.py", 3, "look there"),
        FieldError("unknown", "known: x", ("inputs", "y")),
        NotationError("unexpected", "write", SourceText.of("x +"), Span(2, 3)),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_comes_back_whole(workers: Processes, error: Exception) -> None:
    with pytest.raises(type(error)) as caught:
        workers.submit(raising, error).result()
    assert str(caught.value) == str(error)
    assert vars(caught.value) == vars(error)


def test_what_cannot_be_sent_is_an_error_of_its_task(workers: Processes) -> None:
    with pytest.raises(TypeError, match="cannot be sent"):
        workers.submit(eval, "lambda: 0").result()
    assert workers.submit(abs, -2).result() == 2


@pytest.mark.parametrize(
    ("function", "argument", "words"),
    [(os._exit, 7, "exit code 7"), (os.abort, None, "SIGABRT")],
    ids=["exit", "abort"],
)
def test_a_task_that_ends_its_process_takes_no_other_with_it(
    workers: Processes, function: Callable[..., object], argument: int | None, words: str
) -> None:
    others = [workers.submit(time.sleep, 0.2) for _ in range(3)]
    ending = workers.submit(function, *([] if argument is None else [argument]))
    others += [workers.submit(time.sleep, 0.01) for _ in range(3)]
    with pytest.raises(WorkerLostError) as lost:
        ending.result()
    assert str(lost.value) == words
    assert [other.result() for other in others] == [None] * 6


def dying_once(mark: str) -> str:
    if not os.path.exists(mark):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def test_a_task_whose_process_was_killed_is_done_again(workers: Processes, tmp_path: Path) -> None:
    assert workers.submit(dying_once, str(tmp_path / "mark")).result() == "done"


def test_what_a_task_prints_is_not_taken_for_an_answer(workers: Processes) -> None:
    assert workers.submit(os.write, 1, b"to stderr").result() == 9
    assert workers.submit(print, "to stderr").result() is None
    with pytest.raises(EOFError):
        workers.submit(input).result()


def note_and_sleep(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    while True:
        time.sleep(1)


def noted(file: Path) -> int:
    assert awaited(lambda: file.exists() and file.read_text() != "")
    return int(file.read_text())


def test_an_abandoned_task_ends_at_once_and_is_not_tried_again(workers: Processes, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    endless = workers.submit(note_and_sleep, str(file))
    pid = noted(file)
    workers.abandon([endless])
    with pytest.raises(WorkerLostError):
        endless.result()
    assert not is_running(pid)
    assert workers.submit(abs, -1).result() == 1


def test_shutting_down_without_waiting_ends_what_is_being_done(tmp_path: Path) -> None:
    workers, file = Processes(1), tmp_path / "pid"
    endless, waiting = workers.submit(note_and_sleep, str(file)), workers.submit(abs, -1)
    pid = noted(file)
    workers.shutdown(wait=False)
    assert not is_running(pid)
    assert waiting.cancelled()
    assert isinstance(endless.exception(), WorkerLostError)


def test_shutting_down_with_waiting_does_what_is_there_to_do() -> None:
    with Processes(1) as workers:
        futures = [workers.submit(abs, -n) for n in range(5)]
    assert [future.result() for future in futures] == list(range(5))


OWNER = """
import sys, time
sys.path[:] = {path!r}
from gradcheck.checking.workers.executors import Processes
from tests.unit.test_executors import note_and_sleep
workers = Processes(1)
workers.submit(note_and_sleep, {file!r})
time.sleep(600)
"""


def test_a_worker_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    root = str(Path(__file__).parents[2])
    owner = subprocess.Popen([sys.executable, "-c", OWNER.format(path=[root, *sys.path], file=str(file))])
    try:
        pid = noted(file)
    finally:
        owner.kill()
        owner.wait()
    assert awaited(lambda: not is_running(pid))


def test_there_is_at_least_one_core() -> None:
    assert 1 <= cores() <= (os.cpu_count() or 1)
