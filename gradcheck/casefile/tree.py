"""YAML events → a tree of `nodes`; every limit is checked on the events, before a node is built.

What the keys mean is said in `fields`; what a number or a word means, in `scalars`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from gradcheck.casefile.nodes import Broken, Fields, Items, Node, Scalar
from gradcheck.casefile.page import UNREADABLE, Mistake, Page
from gradcheck.casefile.torn import without_torn
from gradcheck.casefile.yaml_errors import in_our_words
from gradcheck.errors import GradcheckError
from gradcheck.location import Span
from gradcheck.record import dataclass, field

MAX_DEPTH = 50  # collections within each other; the deepest real case has five
MAX_BRACKETS = 200  # open at once; generous, because those of comments and texts are counted too
MAX_NODES = 12_000  # see MAX_BYTES in page.py
MAX_MISTAKES = 100  # per file; nobody mends more before trying again


@dataclass(frozen=True, slots=True)
class Tree:
    """What a page holds; root is None where nothing could be read.

    mistakes : in the order found; values they concern are `Broken` or left out
    """

    page: Page
    root: Node | None
    mistakes: tuple[Mistake, ...]


class _StopError(GradcheckError):
    """Nothing below this mistake can be read."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message, mistake.hint)
        self.mistake = mistake


def compose(page: Page) -> Tree:
    """Read the one document of a page. Never raises: what is wrong is in `mistakes`."""
    composer = _Composer(page)
    try:
        root = composer.document()
    except _StopError as stop:
        return Tree(page, None, (*composer.mistakes, stop.mistake))
    return Tree(page, root, tuple(composer.mistakes))


@dataclass(slots=True)
class _Frame:
    """A collection that is still open; `entries` alternates keys and values where it is a mapping."""

    start: int
    is_mapping: bool
    flow: bool
    entries: list[Node] = field(default_factory=list)


class _Composer:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.mistakes: list[Mistake] = []
        self.frames: list[_Frame] = []
        self.root: Node | None = None
        self.nodes = 0
        self.foreign: set[str] = set()

    def document(self) -> Node | None:
        self._refuse_directives()
        self._refuse_brackets()
        documents = 0
        for event in self._events():
            kind = type(event).__name__
            span = Span(event.start_mark.index, event.end_mark.index)
            match kind:
                case "DocumentStartEvent":
                    documents += 1
                    if documents > 1:
                        hint = "list the cases of one file under 'cases:'"
                        raise self._stop(span.start, "a second document begins here, a case file holds one", hint, 3)
                case "AliasEvent":
                    self._count(span)
                    self._foreign(span, "an alias", f"write the value out, or quote the text: '{self._shown(span)}'")
                    self._add(Broken(self.page, span))
                case "ScalarEvent":
                    self._count(span)
                    span = self._without_properties(event, span)
                    self._add(self._scalar(event, span))
                case "SequenceStartEvent" | "MappingStartEvent":
                    self._count(span)
                    span = self._without_properties(event, span)
                    if len(self.frames) >= MAX_DEPTH:
                        raise self._stop(
                            span.start, f"more than {MAX_DEPTH} lists or mappings within each other", "write it flatter"
                        )
                    self.frames.append(_Frame(span.start, kind[0] == "M", bool(event.flow_style)))
                case "SequenceEndEvent" | "MappingEndEvent":
                    frame = self.frames.pop()
                    # A block ends where its last child ends; the reader's own mark is the next token.
                    end = span.end if frame.flow or not frame.entries else frame.entries[-1].span.end
                    self._add(self._collection(frame, Span(frame.start, end)))
        return self.root

    def _events(self) -> Iterator[Any]:
        from ruamel.yaml import YAML

        try:
            yield from YAML(typ="safe", pure=True).parse(self.page.text)
        # The reader's own errors, and what it lets slip on texts made to break it (`"\UFFFFFFFF"`, a tag of `%FF`).
        except Exception as error:
            raise _StopError(in_our_words(error, self.page)) from None

    def _scalar(self, event: Any, span: Span) -> Node:
        if found := UNREADABLE.search(event.value) or re.search("\r", event.value):  # written as an escape
            message = f"an escape stands for the character U+{ord(found[0]):04X}, which is no text"
            self._mistake(span, message, "remove the escape")
            return Broken(self.page, span)
        style = event.style or ""
        frame = self.frames[-1] if self.frames else None
        if not style and not event.value and frame and frame.is_mapping and len(frame.entries) % 2:
            key = frame.entries[-1].span  # nothing stands there: point behind the key, not at the next token
            span = Span(key.end, key.end + 1)
        if style in ("|", ">"):  # up to the last character of the block, not to the next token
            raw = self.page.text[span.start : span.end]
            span = Span(span.start, span.start + max(1, len(raw.rstrip())))
        return Scalar(self.page, span, event.value, style)

    def _collection(self, frame: _Frame, span: Span) -> Node:
        entries = self._mended(frame) if frame.flow else frame.entries
        if not frame.is_mapping:
            return Items(self.page, span, tuple(entries), frame.flow)
        pairs: dict[str, tuple[Scalar, Node]] = {}
        for key, value in zip(entries[::2], entries[1::2], strict=True):
            if self._is_key(key):
                assert isinstance(key, Scalar)
                if key.text in pairs:
                    line = self.page.location(pairs[key.text][0].span.start).line
                    self._mistake(
                        key.span,
                        f"the key '{key.text[:40]}' stands here a second time",
                        f"remove one; the first is in line {line}",
                    )
                else:
                    pairs[key.text] = (key, value)
        return Fields(self.page, span, tuple(pairs.values()), frame.flow)

    def _mended(self, frame: _Frame) -> list[Node]:
        """The entries of a flow collection, with values that a comma tore apart told of and marked as broken."""
        entries, spans = without_torn(frame.entries, is_mapping=frame.is_mapping)
        for span in spans:
            shown = self._shown(span)
            message = f"a comma ends a value inside '{{ }}' and '[ ]', so '{shown}' falls apart"
            self._mistake(span, message, f"""quote the text: "{shown}", or write the entries below each other""")
        return entries

    def _is_key(self, key: Node) -> bool:
        if not isinstance(key, Scalar):
            if not isinstance(key, Broken):
                span = Span(key.span.start, key.span.start + 1)
                self._mistake(span, "expected a name as key, got a list or a mapping", "quote the text if it is one")
            return False
        if key.text == "<<" and not key.style:
            self._mistake(
                key.span, "merge keys ('<<') are not part of YAML 1.2", "put what cases share under 'defaults:'"
            )
            return False
        if not isinstance(key.value, str):
            shown = "nothing" if key.text == "" else f"'{key.text[:40]}'"
            self._mistake(
                key.span, f"expected a name as key, got {shown}", f"quote it if it is a name: '{key.text[:40]}'"
            )
            return False
        return True

    def _without_properties(self, event: Any, span: Span) -> Span:
        """Where the value itself begins, behind a tag or an anchor; both are told of."""
        text, tag = self.page.text, event.tag
        if not event.anchor and not tag:
            return span
        end = span.end if type(event).__name__ == "ScalarEvent" else len(text)
        at = span.start
        while at < end and text[at] in "!&":
            word = Span(at, at + len(text[at:end].split(maxsplit=1)[0]))
            what = "a tag" if text[at] == "!" else "an anchor"
            hint = "leave it out, or quote the text" if text[at] == "!" else "write values out where they are used"
            self._foreign(word, what, hint)
            at = word.end
            while at < end and text[at] in " \n\t":
                at += 1
        return Span(min(at, end), max(span.end, min(at, end)))

    def _foreign(self, span: Span, what: str, hint: str) -> None:
        """A piece of YAML that case files do without: each is told of once, for bombs are made of little else."""
        shown = self._shown(span)
        if shown not in self.foreign:
            self.foreign.add(shown)
            self._mistake(span, f"'{shown}' is {what}, and case files have none", hint)

    def _add(self, node: Node) -> None:
        if self.frames:
            self.frames[-1].entries.append(node)
        else:
            self.root = node

    def _count(self, span: Span) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            hint = "keep large arrays in an .npz file beside the case: x: data.npz:x"
            raise self._stop(span.start, f"the file holds more than {MAX_NODES} values", hint)

    def _refuse_directives(self) -> None:
        for start in self.page.starts:
            line = self.page.text[start : start + 200].split("\n", 1)[0]
            if line.startswith("%"):
                shown = line.rstrip()[:40]
                raise self._stop(start, f"'{shown}' is a directive, and case files have none",
                                 "remove the line; case files are YAML 1.2", len(shown))  # fmt: skip
            if line.strip() and not line.lstrip().startswith("#"):
                return

    def _refuse_brackets(self) -> None:
        """A look at the characters, because the reader's time grows with the square of the open brackets."""
        depth = 0
        for offset, character in enumerate(self.page.text):
            if character in "[{":
                depth += 1
                if depth > MAX_BRACKETS:
                    raise self._stop(offset, f"more than {MAX_BRACKETS} brackets within each other", "write it flatter")
            elif character in "]}":
                depth = max(0, depth - 1)

    def _shown(self, span: Span) -> str:
        """The characters as written, on one line, cut where they are many."""
        text = " ".join(self.page.text[span.start : min(span.end, span.start + 200)].split())
        return text if len(text) <= 40 else text[:39] + "…"

    def _mistake(self, span: Span, message: str, hint: str) -> None:
        self.mistakes.append(Mistake(span, message, hint))
        if len(self.mistakes) >= MAX_MISTAKES:
            raise self._stop(span.end, f"{MAX_MISTAKES} mistakes so far; the rest of the file was not read",
                             "mend these first")  # fmt: skip

    def _stop(self, offset: int, message: str, hint: str, width: int = 1) -> _StopError:
        return _StopError(Mistake(Span(offset, offset + width), message, hint))
