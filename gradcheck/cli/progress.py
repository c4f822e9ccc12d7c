"""A line on a terminal for somebody who waits: cases done, elements done, time left. It leaves no trace.

Nothing is shown in the first second, nor where nobody looks: in a file, a pipe or the log of a CI system.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, TextIO

from gradcheck.cli.output import is_terminal
from gradcheck.reporters.escape import clean

if TYPE_CHECKING:  # read when there is something to show
    from rich.progress import Progress as Bar

    from gradcheck.checking.workers.remaining import Remaining

SILENT = 1.0  # seconds
OFTEN = 0.1  # seconds between two pictures
LARGE = 1000  # elements; a smaller case is over before its line could be read


def is_watched(stream: TextIO | None) -> bool:
    """Whether a person sees what is written there at once."""
    if os.environ.get("CI") or os.environ.get("TERM") == "dumb":
        return False
    return is_terminal(stream)


class ProgressLine:
    """Shows on a stream what it is told; implements `model.progress.Progress`. To be closed."""

    def __init__(self, stream: TextIO, color: bool, clock: Callable[[], float] = perf_counter) -> None:
        self.stream, self.color, self.clock = stream, color, clock
        self.started, self.shown = clock(), 0.0
        self.count, self.total, self.name = 0, 0, ""
        self.noun = "cases"  # what is counted
        self._bar: Bar | None = None
        self._remaining: Remaining | None = None

    def cases(self, done: int, total: int) -> None:
        self.count, self.total, self._remaining = done, total, None
        self._show()

    def case(self, name: str) -> None:
        self.name = clean(name, self.stream.encoding or "ascii")

    def plan(self, probes: Mapping[str, int], costs: Mapping[str, float]) -> None:
        from gradcheck.checking.workers.remaining import Remaining

        self._remaining = Remaining(self.clock) if sum(probes.values()) >= LARGE else None
        if self._remaining is not None:
            self._remaining.plan(probes, costs)

    def probed(self, tensor: str, probes: int) -> None:
        if self._remaining is not None:
            self._remaining.probed(tensor, probes)
            self._show()

    def say(self, text: str) -> None:
        """A line that stays, above the one that goes."""
        self.close()
        self.stream.write(f"{text}\n")
        self.stream.flush()

    def close(self) -> None:
        """Take the line away."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def text(self) -> tuple[str, float | None]:
        """What the line says now, and the share of the bar that is full."""
        parts, share = [], None
        if self.total > 1:
            parts.append(f"{self.count} of {self.total} {self.noun}")
            share = self.count / self.total
            left = (self.clock() - self.started) * (self.total - self.count) / self.count if self.count else None
        if self._remaining is not None:
            done, total = self._remaining.elements()
            parts.append(f"{self.name}: {done:,} of {total:,} elements")
            left = self._remaining.left()
            share = _part(self.clock() - self.started, left) if self.total <= 1 else share
        elif not parts:
            return "", None
        if left is not None:
            parts.append(f"{duration(left)} left")
        return ", ".join(parts), share

    def _show(self) -> None:
        now = self.clock()
        if now - self.started < SILENT or now - self.shown < OFTEN:
            return
        self.shown = now
        text, share = self.text()
        if not text:
            return
        if self._bar is None:
            self._bar = _bar(self.stream, self.color)
            self._bar.add_task(text, total=1.0)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], description=text, completed=share or 0.0)
        self._bar.refresh()


@contextmanager
def watching(stream: TextIO | None, color: bool) -> Iterator[ProgressLine | None]:
    """A line for the time of the block; None where nobody looks."""
    if stream is None or not is_watched(stream):
        yield None
        return
    line = ProgressLine(stream, color)
    try:
        yield line
    finally:
        line.close()


def duration(seconds: float) -> str:
    """`8 s`, `3 min 20 s`, `2 h 5 min`: two figures, as an estimate deserves."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60 // 10 * 10} s"
    return f"{whole // 60} min" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def _part(elapsed: float, left: float | None) -> float | None:
    return None if left is None else elapsed / max(elapsed + left, 1e-9)


def _bar(stream: TextIO, color: bool) -> Bar:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    return Bar(
        BarColumn(20),
        TextColumn("{task.description}", markup=False),
        console=Console(file=stream, force_terminal=True, no_color=not color, highlight=False),
        auto_refresh=False,  # no thread beside somebody's code
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
