"""Executors: where a run's tasks are done – in processes of this machine; `cluster.py` has those of a Dask cluster.

All are `concurrent.futures.Executor`s. What the tasks are is `tasks.py`'s business, which of them there are
`spread.py`'s. In front of the standard ProcessPoolExecutor, whose processes all end when one of them does, these know
which call ended its process, can be stopped at once, and start where no child of `multiprocessing` may.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, ParamSpec, Protocol, TypeVar
from weakref import WeakKeyDictionary

from gradcheck.checking.workers.threads import ONE_THREAD
from gradcheck.checking.workers.worker import receive, send
from gradcheck.record import dataclass

P = ParamSpec("P")
R = TypeVar("R")

START = "import sys; sys.path[:] = {path!r}; from gradcheck.checking.workers.worker import main; main()"
TRIES = 2  # a process may be killed for lack of memory; a call that ends two of them is what ends them


class Workers(Protocol):
    """An executor for a run. count : how many tasks it does at a time"""

    count: int

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """As of any executor. The future raises WorkerLostError where the task is what ends workers."""

    def abandon(self, futures: Iterable[Future[Any]]) -> None:
        """Give up tasks that nobody waits for any more; what is being done of them ends now."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As of any executor; without `wait` what is being done ends now."""


@dataclass(frozen=True, slots=True)
class Crew:
    """Workers, and when they are brought in.

    patience : seconds that a run goes on without them; a small one is done by then
    """

    workers: Workers
    patience: float = 0.0


class WorkerLostError(Exception):
    """The process that did a task came to an end in the middle of it.

    code : its exit code, negative for a signal
    """

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        if self.code is None or self.code >= 0:
            return f"exit code {self.code}"
        try:
            return signal.Signals(-self.code).name
        except ValueError:
            return f"signal {-self.code}"


class Process:
    """One worker process; does one call at a time.

    directory : where it runs; None for that of this process
    """

    def __init__(self, directory: str | None = None) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-c", START.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=directory,
            env={**ONE_THREAD, **os.environ},
            # Ctrl-C is for the owner, who then ends the worker.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )

    def call(self, message: bytes) -> bytes:
        """The answer to one message. Raises WorkerLostError."""
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        try:
            send(self._popen.stdin, message)
            return receive(self._popen.stdout)
        except (EOFError, OSError, ValueError):  # ValueError: closed by `end` in another thread
            self.end()
            raise WorkerLostError(self._popen.returncode) from None

    def end(self) -> None:
        """End the process, and those that it has started, now."""
        if self._popen.returncode is None:  # else its number may be another process's by now
            with suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self._popen.pid, signal.SIGKILL)
                else:
                    self._popen.kill()
        self._popen.wait()
        for stream in (self._popen.stdin, self._popen.stdout):
            with suppress(OSError):  # what was not sent yet
                if stream is not None:
                    stream.close()


class Call:
    """A task on its way: what is sent to a worker, and the worker that has it."""

    def __init__(self, message: bytes) -> None:
        self.message, self.is_abandoned = message, False
        self.process: Process | None = None

    def abandon(self) -> None:
        """End it, whatever it does."""
        self.is_abandoned = True
        if self.process is not None:
            self.process.end()


class Processes(Executor):
    """Worker processes of this machine, each started when there is something to do for it.

    A task that loses its process is tried once more in a fresh one, then its future raises WorkerLostError.
    """

    def __init__(self, count: int, directory: str | None = None) -> None:
        self.count, self.directory = count, directory
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._calls: WeakKeyDictionary[Future[Any], Call] = WeakKeyDictionary()
        self._idle: list[Process] = []
        self._all: set[Process] = set()
        self._lock = threading.Lock()
        self._is_stopped = False

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        call = Call(pickle.dumps((function, args, kwargs)))
        future = self._threads.submit(lambda: outcome_of(self.carry_out(call)))
        self._calls[future] = call
        return future

    def carry_out(self, call: Call) -> bytes:
        """See `worker.carried_out`; done in a worker, and waited for. Raises WorkerLostError."""
        lost = WorkerLostError(None)
        for _ in range(TRIES):
            process = call.process = self._taken()
            if not call.is_abandoned:
                try:
                    answer = process.call(call.message)
                except WorkerLostError as error:
                    lost = error
                else:
                    self._idle.append(process)
                    return answer
            process.end()
            self._all.discard(process)
            if call.is_abandoned or self._is_stopped:
                break
        raise lost

    def _taken(self) -> Process:
        """An idle process, or a new one."""
        with self._lock:
            if self._is_stopped:
                raise WorkerLostError(None)
            if self._idle:
                return self._idle.pop()
            process = Process(self.directory)
            self._all.add(process)
            return process

    def abandon(self, futures: Iterable[Future[Any]]) -> None:
        """See `Workers.abandon`."""
        for future in futures:
            if not future.cancel() and future in self._calls:
                self._calls[future].abandon()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers, when they have done what is there to do (`wait`) or at once."""
        # What waits is cancelled before a process ends: its thread would take the next task at once.
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures or not wait)
        with self._lock:
            self._is_stopped = True
        for process in list(self._all):
            process.end()
        self._threads.shutdown(wait=True, cancel_futures=True)


def outcome_of(answer: bytes) -> Any:
    """What a call returned. Raises what it raised."""
    is_good, outcome = pickle.loads(answer)
    if is_good:
        return outcome
    raise outcome


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
