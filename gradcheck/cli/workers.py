"""`--jobs` and `--cluster`: the options, and the workers that they stand for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # a run without workers imports nothing of them
    from gradcheck.checking.workers.executors import Crew

MOST_JOBS = 1024
PATIENCE = 1.0  # seconds; two workers take a quarter of it to start, and gain nothing on what is shorter


def jobs_of(ctx: click.Context, parameter: click.Parameter, value: str) -> int:
    """A number of workers; 0 for `auto`."""
    if value == "auto":
        return 0
    if not (value.isascii() and value.isdecimal() and 1 <= int(value[:9]) <= MOST_JOBS):
        raise click.BadParameter(f"expected auto or a number from 1 to {MOST_JOBS}, got '{value}'")
    return int(value)


@contextmanager
def crew_of(jobs: int, cluster: str | None, remarks: list[str]) -> Iterator[Crew | None]:
    """The workers of a run; they end with the block. None where everything is done in this process.

    jobs : how many processes; 0 for as many as there are cores, brought in once the run has taken a second
    cluster : address of a Dask scheduler
    remarks : a sentence is added where the cluster was lost on the way
    """
    if cluster is not None:
        from gradcheck.checking.workers.cluster import Cluster
        from gradcheck.checking.workers.executors import Crew

        remote = Cluster(cluster)
        try:
            yield Crew(remote)
        finally:
            remote.shutdown(wait=False)
            if remote.fallen_back:
                remarks.append(f"the cluster at '{cluster}' was lost ({remote.fallen_back}); the rest was checked here")
        return
    if jobs == 1:
        yield None
        return
    from gradcheck.checking.workers.executors import Crew, Processes, cores

    count = jobs or cores()
    if count == 1 and not jobs:
        yield None
        return
    processes = Processes(count)
    try:
        yield Crew(processes, 0.0 if jobs else PATIENCE)
    finally:
        processes.shutdown(wait=False)
