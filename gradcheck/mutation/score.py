"""Plants mistakes for every case, runs the cases with each, and tells which are noticed: how good the cases are.

A mistake in a function that several cases run counts once, and any of them may notice it. What nobody notices is tried
on further configurations: where one of those notices, that is the advice; where the gradient is the same in all of
them, the mistake was none.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from types import CodeType
from typing import Any

from gradcheck.checking.families import families
from gradcheck.errors import GradcheckError
from gradcheck.handwritten.session.interrupts import watched
from gradcheck.model.case import Case, CodeBody
from gradcheck.model.progress import Progress
from gradcheck.mutation.bench import Bench
from gradcheck.mutation.judge import Outcome
from gradcheck.mutation.outcomes import Fate, Mutant, Mutated, MutationReport
from gradcheck.mutation.source import Key, Mutation, forget, mutations
from gradcheck.mutation.subject import Plan, Subject

LIMIT = 100  # mistakes for a case
NOTICED: dict[Outcome, str] = {"fail": "fail", "error": "error", "undecided": "undecided"}


def mutate(
    cases: Sequence[Case], *, limit: int = LIMIT, seed: int = 0, progress: Progress | None = None
) -> MutationReport:
    """Plant mistakes and see which of them the cases notice.

    limit : mistakes for a case, drawn evenly over its functions and tensors; the same for the same seed
    progress : is told how many cases are done
    """
    forget()
    subjects: list[Subject] = []
    done: list[Mutated] = []
    taken: set[Key] = set()
    is_interrupted = False
    try:
        with watched():
            written = list(families(cases))
            for family in written:
                subjects.append(Subject(family))
                if progress is not None:
                    progress.cases(0, len(written))
            for number, subject in enumerate(subjects):
                if subject.benches:
                    mutants = tuple(_of_subject(subject, subjects, taken, limit, seed))
                    done.append(_mutated(subject, mutants))
                if progress is not None:
                    progress.cases(number + 1, len(subjects))
    except KeyboardInterrupt:
        is_interrupted = True
    skipped = tuple(skip for subject in subjects for skip in subject.skipped)
    advice = tuple(_advice(done))
    return MutationReport(tuple(_advised(done, advice)), skipped, (), advice, is_interrupted=is_interrupted)


def _mutated(subject: Subject, mutants: tuple[Mutant, ...]) -> Mutated:
    case = subject.case
    return Mutated(case.name, case.file, case.location.line, mutants, tuple(dict.fromkeys(subject.found)))


def _of_subject(
    subject: Subject, subjects: Sequence[Subject], taken: set[Key], limit: int, seed: int
) -> Iterator[Mutant]:
    """What is planted for one case; functions that an earlier one ran are done."""
    groups: list[list[Plan | Mutation]] = [list(plans) for _, plans in subject.plans()]
    for key, inner in subject.functions().items():
        if key not in taken:
            taken.add(key)
            everywhere = set(inner).union(*(s.functions().get(key, set()) for s in subjects))
            groups.append(list(mutations(key, everywhere)))
    groups = [group for group in groups if group]
    wanted = limit
    found: list[tuple[tuple[int, int], Mutant]] = []
    for place in _shuffled(groups, f"{seed} {subject.name}"):
        if wanted == 0:
            break
        chosen = groups[place[0]][place[1]]
        mutant = _planted(subject, chosen) if isinstance(chosen, Plan) else _changed(subject, subjects, chosen)
        if mutant is not None:
            found.append((place, mutant))
            wanted -= mutant.fate != "forward"
    yield from (mutant for _, mutant in sorted(found, key=lambda entry: entry[0]))


def _shuffled(groups: Sequence[Sequence[object]], seed: str) -> list[tuple[int, int]]:
    """All members of some groups, (group, place), in an order whose beginning is even, as long as the groups last.

    Even between arrays and source, then among the tensors or functions of each, then among the kinds of mistakes.
    """
    turns = []
    for group, members in enumerate(groups):
        order = list(range(len(members)))
        Random(f"{seed} {group}").shuffle(order)
        kinds = [getattr(members[place], "kind", "") for place in order]
        order = [order[i] for i in sorted(range(len(order)), key=lambda i: kinds[:i].count(kinds[i]))]
        alike = [g for g, others in enumerate(groups) if others and type(others[0]) is type(members[0])]
        turns += [(turn * len(alike) + alike.index(group), group, place) for turn, place in enumerate(order)]
    return [(group, place) for _, group, place in sorted(turns)]


def _planted(subject: Subject, plan: Plan) -> Mutant:
    place = f"{plan.source} {plan.tensor}"
    for bench in subject.benches:
        outcome = bench.with_plant(plan.plant, plan.source, plan.tensor)
        if outcome in NOTICED:
            return Mutant(subject.name, "array", plan.plant, place, "killed", _by(subject, bench, outcome))
    caught: list[str] = []
    for advice, bench in subject.probes:
        if advice in caught:
            continue
        try:
            outcome = bench.with_plant(plan.plant, plan.source, plan.tensor)
        except GradcheckError:  # the function breaks beside this point
            continue
        if outcome in ("fail", "error") and subject.trusted(bench, advice):
            caught.append(advice)
    fate: Fate = "survived" if caught else "equivalent"
    return Mutant(subject.name, "array", plan.plant, place, fate, caught_by=tuple(caught))


def _changed(subject: Subject, subjects: Sequence[Subject], mutation: Mutation) -> Mutant | None:
    """The fate of a mistake in the source; None where it is no program."""
    code = _compiled(subject, mutation)
    if code is None:
        return None
    shown = _shown(subject.case, mutation.path)
    place = f"{shown}:{mutation.line} {mutation.function}"

    def became(fate: Fate, by: str = "", **others: Any) -> Mutant:
        return Mutant(subject.name, "source", mutation.kind, place, fate, by, **others)

    is_run = False
    for other in (subject, *(s for s in subjects if s is not subject)):
        for bench in (b for b in other.benches if b.runs(mutation)):
            is_run = True
            outcome = bench.with_mutation(mutation, code)
            if outcome == "forward":
                return became("forward")
            if outcome in NOTICED:
                return became("killed", _by(other, bench, outcome))
    caught: list[str] = []
    for advice, bench in subject.probes:
        if advice in caught or not bench.runs(mutation):
            continue
        outcome = bench.with_mutation(mutation, code)
        if outcome == "forward":
            return became("forward")
        if outcome in ("fail", "error") and subject.trusted(bench, advice):
            caught.append(advice)
    is_mistake = bool(caught) or not is_run
    diff = mutation.diff(shown)
    return became("survived" if is_mistake else "equivalent", diff=diff, is_run=is_run, caught_by=tuple(caught))


def _compiled(subject: Subject, mutation: Mutation) -> CodeType | None:
    functions = next((found for b in subject.benches if (found := b.ran.functions.get(mutation.key))), ())
    return mutation.compiled(functions[0].__code__) if functions else None


def _by(subject: Subject, bench: Bench, outcome: Outcome | None) -> str:
    label = f"{subject.name} [{bench.label}]" if bench.label else subject.name
    return f"{label}: {outcome}"


def _shown(case: Case, path: str) -> str:
    """The file as its author would write it, seen from the case."""
    folder = case.body.path.parent if isinstance(case.body, CodeBody) else case.directory.absolute()
    return os.path.relpath(path, folder).replace(os.sep, "/")


def _advice(done: Sequence[Mutated]) -> Iterator[tuple[str, str, int]]:
    """Per case the lines that catch most survivors, then most of the rest, and so on."""
    for case in done:
        left = [set(m.caught_by) for m in case.mutants if m.fate == "survived" and m.caught_by]
        while left:
            words = list(dict.fromkeys(word for m in case.mutants for word in m.caught_by))
            best = max(words, key=lambda word: sum(word in caught for caught in left))
            yield case.name, best, sum(best in caught for caught in left)
            left = [caught for caught in left if best not in caught]


def _advised(done: Sequence[Mutated], advice: Sequence[tuple[str, str, int]]) -> Iterator[Mutated]:
    """The cases with the advice of each survivor in the order of the advice for its case."""
    for case in done:
        order = [word for name, word, _ in advice if name == case.name]
        yield replace(
            case,
            mutants=tuple(
                replace(
                    m, caught_by=tuple(sorted(m.caught_by, key=lambda w: order.index(w) if w in order else len(order)))
                )
                for m in case.mutants
            ),
        )
