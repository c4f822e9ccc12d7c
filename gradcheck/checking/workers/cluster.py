"""A Dask cluster as an executor (extra `dask`): the same tasks, each in a process of its own on the worker's machine.

Dask gives the tasks of a lost worker to another one. Where nobody is left, the rest is done on this machine. Workers
need gradcheck, and the files of the cases under the same paths.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor, TimeoutError
from itertools import count
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4
from weakref import WeakKeyDictionary

from gradcheck.checking.workers.executors import Call, Processes, WorkerLostError, cores, outcome_of
from gradcheck.errors import GradcheckError

P = ParamSpec("P")
R = TypeVar("R")

ANSWERS_WITHIN = 10.0  # seconds that a scheduler may take to answer
GLANCE = 1.0  # seconds between two looks at whether the cluster is still there
GIVEN_UP_AFTER = 15.0  # seconds without a single worker; one that restarts its process takes a few


class ClusterError(GradcheckError):
    """There is no cluster to be used."""


class Cluster(Executor):
    """The workers of a Dask cluster.

    address : of its scheduler, `tcp://host:8786`
    fallen_back : why tasks were done here, once they were; ""
    Raises ClusterError where nobody answers, or has workers.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            hint = "pip install 'gradcheck[dask]'"
            raise ClusterError("--cluster needs the package 'distributed', which is not installed", hint) from None
        try:
            self._client = Client(address, timeout=ANSWERS_WITHIN, set_as_default=False)
            self.count = sum(self._client.nthreads().values())
        except (OSError, TimeoutError, ValueError) as error:
            hint = "start one with 'dask scheduler', or leave out --cluster"
            raise ClusterError(f"no Dask scheduler answers at '{address}': {_reason(error)}", hint) from None
        if not self.count:
            self._client.close()
            hint = f"start some with 'dask worker {address}'"
            raise ClusterError(f"the Dask cluster at '{address}' has no workers", hint)
        self._dask = self._client.get_executor(pure=False)
        self._threads = ThreadPoolExecutor(2 * self.count, thread_name_prefix="cluster")
        self._token, self._numbers = uuid4().hex, count()
        self._calls: WeakKeyDictionary[Future[Any], tuple[int, Call]] = WeakKeyDictionary()
        self._local: Processes | None = None
        self._lock = threading.Lock()
        self._is_stopped = False
        self.fallen_back = ""

    def submit(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        number, call = next(self._numbers), Call(pickle.dumps((function, args, kwargs)))
        future = self._threads.submit(lambda: outcome_of(self._carry_out(number, call)))
        self._calls[future] = number, call
        return future

    def _carry_out(self, number: int, call: Call) -> bytes:
        answer: bytes | WorkerLostError | None = None
        if not self.fallen_back:
            try:
                key = (self._token, number)
                answer = self._waited_for(self._dask.submit(_carried_out, key, call.message, os.getcwd()), call)
            except WorkerLostError:
                raise
            except Exception as error:  # whatever goes wrong with the cluster; the task's own errors are in its answer
                self.fallen_back = self.fallen_back or _reason(error)
        if isinstance(answer, WorkerLostError):
            raise answer
        return self._here().carry_out(call) if answer is None else answer

    def _waited_for(self, future: Future[Any], call: Call) -> Any:
        """Raises WorkerLostError where nobody wants the answer any more, TimeoutError where nobody can give it."""
        idle = 0.0
        while True:
            try:
                return future.result(GLANCE)
            except TimeoutError:
                if future.done():
                    raise
            if call.is_abandoned or self._is_stopped:
                future.cancel()
                raise WorkerLostError(None)
            idle = 0.0 if self._client.status == "running" and self._client.nthreads() else idle + GLANCE
            if idle >= GIVEN_UP_AFTER:
                raise TimeoutError("it has no workers any more")

    def _here(self) -> Processes:
        with self._lock:
            if self._local is None:
                self._local = Processes(cores())
            return self._local

    def abandon(self, futures: Iterable[Future[Any]]) -> None:
        """See `Workers.abandon`."""
        numbers = []
        for future in futures:
            if not future.cancel() and future in self._calls:
                number, call = self._calls[future]
                call.abandon()
                numbers.append(number)
        if numbers:
            self._tell(_abandon, [(self._token, number) for number in numbers])

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if wait:
            self._threads.shutdown(wait=True, cancel_futures=cancel_futures)
        self._is_stopped = True
        if self._local is not None:
            self._local.shutdown(wait=False)
        self._tell(_end, self._token)
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._client.close(timeout=ANSWERS_WITHIN)

    def _tell(self, function: Callable[..., None], *args: Any) -> None:
        """Run something on every worker, beside its tasks; those that cannot be reached have nothing to end."""
        telling = threading.Thread(target=self._client.run, args=(function, *args), kwargs={"on_error": "ignore"})
        telling.daemon = True
        if not self.fallen_back:
            telling.start()
            telling.join(ANSWERS_WITHIN)


# On a Dask worker: the processes that do its tasks, by the token of the cluster object that sent them, and the tasks
# themselves. Several runs may use the same worker.
_processes: dict[str, Processes] = {}
_calls: dict[tuple[str, int], Call] = {}


def _carried_out(key: tuple[str, int], message: bytes, directory: str) -> bytes | WorkerLostError:
    """On a Dask worker: what `worker.carried_out` returns, surroundings included."""
    processes = _processes.setdefault(key[0], Processes(1, directory))
    call = _calls[key] = Call(message)
    try:
        return processes.carry_out(call)
    except WorkerLostError as lost:
        return lost
    finally:
        _calls.pop(key, None)


def _abandon(keys: list[tuple[str, int]]) -> None:
    for key in keys:
        call = _calls.get(key)
        if call is not None:
            call.abandon()


def _end(token: str) -> None:
    processes = _processes.pop(token, None)
    if processes is not None:
        processes.shutdown(wait=False)


def _reason(error: BaseException) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]
