"""The tree of one file → its cases, with everything that is wrong gathered on the way.

Splits the file into cases, merges `defaults`, expands `sweep`; how one case comes together is in `assemble`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from gradcheck.casefile.assemble import assemble
from gradcheck.casefile.checks import check_case, kind_of, without_other_kinds
from gradcheck.casefile.fields import ASSIGNMENT, CASE, KINDS, SUBMITTED, TOP, read_fields
from gradcheck.casefile.merge import merged
from gradcheck.casefile.nodes import Broken, Fields, Items, Node
from gradcheck.casefile.page import Mistake
from gradcheck.casefile.readers import described, expected
from gradcheck.casefile.sweep import expand, variants
from gradcheck.casefile.tree import MAX_MISTAKES, Tree
from gradcheck.errors import GradcheckError, NotationError, did_you_mean
from gradcheck.location import Location, Span
from gradcheck.model.case import Case
from gradcheck.model.report import FileProblem
from gradcheck.record import dataclass

MAX_CASES = 5_000  # of one file, sweeps included
# Keys that no other mistake of a case hangs on: with one of them wrong the case can still be searched for more.
HARMLESS = frozenset(
    ("why", "tags", "seed", "trials", "rtol", "expect", "points", "hidden", "expected", "gradient", "upstream", "wrt")
)


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands under `assignment`. values : key → value, or its default; where : key → its place"""

    values: Mapping[str, Any]
    where: Mapping[str, Location]


class Reading:
    """One file on its way from tree to cases."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.page = tree.page
        self.found: list[Mistake | NotationError] = list(tree.mistakes)
        self.doubtful: list[Case] = []
        self.assignment: Heading | None = None

    def problems(self) -> tuple[FileProblem, ...]:
        """Everything found, by place, each once: what is wrong in `defaults` is wrong in every case."""
        unique = {(self.page.place_of(each), each.message): each for each in self.found}
        ordered = sorted(unique, key=lambda pair: pair[0])
        problems = [self.page.problem(unique[key]) for key in ordered[:MAX_MISTAKES]]
        if len(ordered) > MAX_MISTAKES:
            rest = f"{len(ordered) - MAX_MISTAKES} more mistakes are not listed"
            problems.append(FileProblem(ordered[MAX_MISTAKES][0], rest, "mend those above first"))
        return tuple(problems)

    def cases(self) -> Iterator[Case]:
        """The good cases in file order; `problems` and `doubtful` are complete when they are used up.

        doubtful : cases with a mistake that does not hide what else may be wrong with them
        """
        total = 0
        names: set[str] = set()
        for fields, own in self._mappings():
            before = len(self.found)
            case, is_complete = self._case(fields, own, names)
            if len(self.found) >= 10 * MAX_MISTAKES:
                return
            if case is None:
                continue
            if len(self.found) > before or not is_complete:
                with suppress(GradcheckError):  # a sweep that is the mistake
                    self.doubtful.extend(expand(case)[:1])
                continue
            expanded = tuple(variant for one in expand(case) for variant in variants(one))
            total += len(expanded)
            if total > MAX_CASES:
                message = f"the file holds more than {MAX_CASES} cases, sweeps included"
                self._wrong(_first(own), message, "split it into several files")
                return
            yield from expanded

    def _mappings(self) -> Iterator[tuple[Fields, Fields]]:
        """Every case of the file: with defaults merged in, and as it stands."""
        root = self.tree.root
        if root is None or isinstance(root, Broken):
            if not self.found:
                self._wrong(Span(0, 1), "the file holds no case", f"begin with 'name:' and one of {', '.join(KINDS)}")
        elif not isinstance(root, Fields):
            hint = "put 'cases:' above the list" if isinstance(root, Items) else "begin with 'name:'"
            self._wrong(_first(root), f"expected a case, got {described(root)}", hint)
        elif root.key("cases") is None and root.key("defaults") is None:
            self._assignment(root.get("assignment"))
            own = tuple((key, value) for key, value in root.pairs if key.text != "assignment")
            if own or not self.found:
                case = Fields(root.page, root.span, own, root.flow)
                yield case, case
        else:
            yield from self._listed(root)

    def _listed(self, root: Fields) -> Iterator[tuple[Fields, Fields]]:
        self._top(root)
        self._assignment(root.get("assignment"))
        defaults, cases = root.get("defaults"), root.get("cases")
        shared = self._defaults(defaults)
        if not isinstance(cases, Items) or not cases.nodes:
            if not isinstance(cases, Broken):
                key = root.key("cases")
                span = key.span if key is not None else _first(root)
                got = "an empty list" if isinstance(cases, Items) else described(cases) if cases else "nothing"
                self._wrong(span, f"expected a list of cases, got {got}", "write each case behind a '-' below 'cases:'")
            return
        for node in cases.nodes:
            if isinstance(node, Fields):
                yield merged(shared, node) if shared else node, node
            elif not isinstance(node, Broken):
                self._wrong(
                    node.span, f"expected a case, got {described(node)}", "write each case as 'key: value' lines"
                )

    def _defaults(self, defaults: Node | None) -> Fields | None:
        if defaults is None or isinstance(defaults, Broken):
            return None
        if not isinstance(defaults, Fields):
            self.found.extend(expected("a mapping", defaults, "write 'key: value' lines below 'defaults:'").found)
            return None
        if key := defaults.key("name"):
            self._wrong(key.span, "'name' cannot be a default", "every case has a name of its own")
        pairs = tuple(pair for pair in defaults.pairs if pair[0].text != "name")
        return Fields(defaults.page, defaults.span, pairs, defaults.flow)

    def _top(self, root: Fields) -> None:
        """Nothing but the list and its headings may stand beside it."""
        for key, _ in root.pairs:
            if key.text in CASE:
                self._wrong(
                    key.span, f"'{key.text}' stands beside 'cases'", "move it into a case, or under 'defaults:'"
                )
            elif key.text not in TOP:
                hint = did_you_mean(key.text, TOP, f"the keys beside 'cases' are: {', '.join(TOP[1:])}")
                self._wrong(key.span, f"unknown key '{key.text[:40]}'", hint)

    def _assignment(self, node: Node | None) -> None:
        if isinstance(node, Fields):
            read = read_fields(ASSIGNMENT, node)
            self.found.extend(read.mistakes)
            where = {key.text: self.page.location(value.span.start) for key, value in node.pairs}
            self.assignment = Heading(read.values, where)
        elif node is not None and not isinstance(node, Broken):
            self.found.extend(expected("a mapping", node, "write 'key: value' lines below 'assignment:'").found)

    def _case(self, fields: Fields, own: Fields, names: set[str]) -> tuple[Case | None, bool]:
        """One case, or None where it cannot be made, and whether all of it could be read; mistakes are in `found`."""
        kind, mistakes = kind_of(fields, _first(own))
        self.found.extend(mistakes)
        if kind is not None:
            fields = without_other_kinds(fields, kind)
        is_submitted = self.assignment is not None and fields.get("reference") is not None
        read = read_fields(SUBMITTED if is_submitted else CASE, fields)
        self.found.extend(read.mistakes)
        if kind is None:
            return None, False
        stem = Path(self.page.file).stem
        case = assemble(read.values, kind, fields, own, f"{stem} {len(names) + 1}" if names else stem)
        if case.name in names:
            message = f"a case before this one is called '{case.name[:40]}' too"
            self._wrong(self._name_span(own), message, "give each case of a file its own name")
        names.add(case.name)
        # One more than will be shown: each costs time, and a file can be made of nothing else.
        self.found.extend(islice(check_case(case, fields, read.unsure), MAX_MISTAKES + 1))
        usable = not read.unsure - HARMLESS and not self._is_damaged(fields, own)
        return (case if usable else None), not read.unsure

    def _name_span(self, own: Fields) -> Span:
        node = own.get("name")
        return node.span if node is not None else _first(own)

    def _is_damaged(self, fields: Fields, own: Fields) -> bool:
        """Whether a mistake of the tree lies within the case, or within the defaults it takes."""
        borrowed = [value.span for _, value in fields.pairs]
        spans = [own.span, *borrowed]
        return any(span.start <= mistake.span.start <= span.end for mistake in self.tree.mistakes for span in spans)

    def _wrong(self, span: Span, message: str, hint: str) -> None:
        self.found.append(Mistake(span, message, hint))


def _first(node: Node) -> Span:
    """The first character of a node: a mapping as a whole would be underlined to its line's end."""
    return Span(node.span.start, node.span.start + 1)
