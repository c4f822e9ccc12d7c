"""What a grading needs around it: workers, a journal, and a path of imports on which no submission lies."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from gradcheck.cli.grade_targets import GradeTarget

if TYPE_CHECKING:  # an assignment takes numpy, `--help` does without
    from gradcheck.checking.workers.executors import Workers
    from gradcheck.grading.journal import Journal
    from gradcheck.model.grading import Assignment, Walls


@contextmanager
def journal_for(targets: Sequence[GradeTarget], assignment: Assignment, walls: Walls, fresh: bool) -> Iterator[Journal]:
    """The journal of the folder that gets everything; one that is forgotten where there is no such folder."""
    from tempfile import TemporaryDirectory

    from gradcheck.grading.journal import JournalError, journal_in

    folder = next((target.path for target in targets if not target.format), None)
    with TemporaryDirectory(prefix="gradcheck-") if folder is None else nullcontext(str(folder)) as place:
        try:
            os.makedirs(place, exist_ok=True)
        except OSError as error:
            raise JournalError(f"'{place}' cannot be made: {error.strerror}", "choose another folder: -o OUT") from None
        with journal_in(Path(place), assignment, walls, is_fresh=fresh) as journal:
            yield journal


@contextmanager
def workers_for(jobs: int, cluster: str | None, remarks: list[str]) -> Iterator[Workers]:
    """Processes of this machine, or those of a cluster; they end with the block."""
    from gradcheck.checking.workers.executors import Processes, cores

    if cluster is not None:
        from gradcheck.cli.workers import crew_of

        with crew_of(jobs, cluster, remarks) as crew:
            assert crew is not None
            yield crew.workers
        return
    processes = Processes(jobs or cores())
    try:
        yield processes
    finally:
        processes.shutdown(wait=False)


def leave_no_path_here() -> None:
    """`python -m gradcheck` puts the current folder on the path of imports, where submissions may lie."""
    import gradcheck

    home = os.path.dirname(os.path.dirname(os.path.abspath(gradcheck.__file__)))
    here = {"", os.getcwd()} - {home}
    sys.path[:] = [entry for entry in sys.path if entry not in here]
