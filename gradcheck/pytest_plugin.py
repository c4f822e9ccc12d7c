"""The pytest plugin: `pytest --gradcheck cases/`, or `gradcheck = true` in the ini file, collects case files.

One test per case and tensor, named `cases/affine.yaml::affine (N=2)::w`; the table is the failure's text. Somebody who
has not asked for it pays for two options and this file: everything else is imported when the first case file comes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from gradcheck.model.case import Case
    from gradcheck.model.report import CaseResult, FileProblem, Report

WHOLE = "case"  # the test of a case whose tensors are not known, because it cannot be built
PROBLEMS = "problems"  # the test of a file with mistakes in it


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gradcheck", "gradients against central differences")
    group.addoption("--gradcheck", action="store_true", help="collect gradcheck's case files (.yaml, .yml)")
    parser.addini("gradcheck", "collect gradcheck's case files", type="bool", default=False)
    parser.addini("gradcheck_files", "patterns of case files", type="args", default=["*.yaml", "*.yml"])


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> CaseFile | None:
    config = parent.config
    if not (config.getoption("--gradcheck") or config.getini("gradcheck")):
        return None
    if not any(file_path.match(pattern) for pattern in config.getini("gradcheck_files")):
        return None
    file: CaseFile = CaseFile.from_parent(parent, path=file_path)
    return file


class WrongError(Exception):
    """A test that fails; the message is all that is shown."""


class CaseFile(pytest.File):
    """A case file: its cases, and one test more where something is wrong with the file itself."""

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        from gradcheck.casefile.loader import load
        from gradcheck.checking.families import families

        shown = os.path.relpath(self.path, self.config.invocation_params.dir)
        loaded = load([shown if Path(shown).is_file() else str(self.path)])
        if loaded.problems:
            yield Problems.from_parent(self, name=PROBLEMS, problems=loaded.problems)
        for family in families(loaded.cases):
            check = Check(family)
            for case in family:
                yield CaseNode.from_parent(self, name=_label(case), case=case, check=check)


class CaseNode(pytest.Collector):
    """One case; one combination of a sweep; one stress variant."""

    def __init__(self, *, case: Case, check: Check, **named: Any) -> None:
        super().__init__(**named)
        self.case, self.check = case, check

    def collect(self) -> Iterator[pytest.Item]:
        for tensor in _tensors(self.case):
            yield TensorTest.from_parent(self, name=tensor, case=self.case, check=self.check)


class Check:
    """The check of a case with all its combinations, which is run once for all its tests, by the first of them."""

    def __init__(self, family: tuple[Case, ...]) -> None:
        self.family = family
        self._report: Report | None = None

    def report(self) -> Report:
        if self._report is None:
            from gradcheck.casefile.loader import Loaded
            from gradcheck.checking.check import run_cases
            from gradcheck.checking.settings import Settings

            self._report = run_cases(Loaded(self.family, ()), Settings())
        return self._report

    def result(self, case: Case) -> CaseResult | None:
        """What came out for one of them; None for a variant that does not apply."""
        variant = "" if case.variant is None else case.variant.name
        same = [r for r in self.report().cases if r.variant == variant]
        members = [c for c in self.family if (c.variant.name if c.variant else "") == variant]
        if len(same) == len(members):
            return same[members.index(case)]
        return next((r for r in same if (r.sizes, r.options) == (case.sizes, case.options)), None)


class TensorTest(pytest.Item):
    """One tensor of one case."""

    def __init__(self, *, case: Case, check: Check, **named: Any) -> None:
        super().__init__(**named)
        self.case, self.check = case, check
        if self.config.pluginmanager.hasplugin("xdist"):  # --dist loadgroup checks a case in one process
            self.add_marker(pytest.mark.xdist_group(f"{case.file}::{case.name}"))

    def runtest(self) -> None:
        report = self.check.report()
        if report.problems:
            raise WrongError(_told(report.problems))
        result = self.check.result(self.case)
        if result is None:
            notes = [note for r in report.cases for note in r.notes if note.startswith("vary: ")]
            pytest.skip("; ".join(dict.fromkeys(notes)) or "the variant does not apply")
        if not _is_right(result, self.name):
            raise WrongError(_table(result, self.name, self.config.get_terminal_writer().fullwidth))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, WrongError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        label = self.parent.name if self.parent is not None else self.case.name
        return self.path, self.case.location.line - 1, f"{label}: {self.name}"


class Problems(pytest.Item):
    """What is wrong with a file; its good cases are tests of their own."""

    def __init__(self, *, problems: tuple[FileProblem, ...], **named: Any) -> None:
        super().__init__(**named)
        self.problems = problems

    def runtest(self) -> None:
        raise WrongError(_told(self.problems))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, WrongError) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, self.problems[0].location.line - 1, f"{self.path.name}: {PROBLEMS}"


def _label(case: Case) -> str:
    """The name, with what tells it from its siblings: `affine (N=2)`, `affine (N=2, vary batch1)`.

    Without the signs that pytest reads in a node id: `::` and square brackets.
    """
    from gradcheck.reporters.escape import clean

    known = {**case.options, **case.sizes}
    parts = [f"{name}={known[name]}" for name in case.swept if name in known]
    parts += [f"vary {case.variant.name}"] if case.variant is not None else []
    label = f"{case.name} ({', '.join(parts)})" if parts else case.name
    return clean(label).replace("::", ":").replace("[", "(").replace("]", ")")


def _tensors(case: Case) -> tuple[str, ...]:
    """The tensors that somebody claims something about. A variant is one test: what it has, shows when it is made."""
    from gradcheck.checking.building.build import build
    from gradcheck.checking.one_case import time_limit
    from gradcheck.errors import GradcheckError

    if case.variant is not None:
        return (WHOLE,)
    try:
        with time_limit(case):
            problem = build(case).problem
    except GradcheckError:
        return (WHOLE,)  # the test tells why
    claimed = [name for claim in problem.claims for name in claim.gradients]
    return tuple(dict.fromkeys((*problem.wrt, *claimed)))


def _is_right(result: CaseResult, tensor: str) -> bool:
    """Whether the tensor has no part in why its case is not as expected."""
    if result.as_expected:
        return True
    from gradcheck.model.report import Report
    from gradcheck.reporters.view import view

    unexpected, _ = view(Report((result,)))
    surprising = {finding.tensor for case in unexpected for finding in case.shown}
    return bool(surprising) and tensor != WHOLE and tensor not in surprising


def _table(result: CaseResult, tensor: str, width: int) -> str:
    """The table of `gradcheck run`, of one tensor."""
    from dataclasses import replace

    from gradcheck.model.report import Report
    from gradcheck.reporters.table import render_table
    from gradcheck.reporters.view import worst_of

    found = tuple(finding for finding in result.findings if finding.tensor == tensor or tensor == WHOLE)
    shown = replace(result, findings=found or result.findings, smallest=True)
    # The first line is what pytest's summary shows.
    first = f"{worst_of(found)}: {tensor}" if found else result.verdict
    return f"{first}\n\n" + render_table(Report((shown,)), width=width).rstrip("\n")


def _told(problems: Iterable[FileProblem]) -> str:
    from gradcheck.reporters.problems import render_problem

    return "\n".join(render_problem(problem) for problem in problems).rstrip("\n")
