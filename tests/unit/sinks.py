"""Reports for the tests of all formats: one dangerous text in every field, and formats parsed back."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any, NamedTuple, TypeVar

from markdown_it import MarkdownIt
from markdown_it.token import Token

from gradcheck.model.report import Report
from tests.unit.reports import HOSTILE, NAUGHTY

T = TypeVar("T")

EVIL = (
    "\x1b[31m\x1b]8;;http://evil\x07 ::error file=a::x\n::stop-commands::t\r\n##[group]%0A::warning::y 100% "
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"' onload='x' ]]> --> &amp; [l](javascript:alert(1)) "
    "![i](http://evil/x.png) `c` **b** | a | b\t=1+1 \u202e\x00\ud800\ufffe [red]x[/red] @all #1 www.evil.com ~~~ ```"
)
STARTS = ("", "=", "+", "-", "@", "\t=", " =", "::", "#", "- ", "<", "\uff1d", "\n", "    ", "|")


class Said(NamedTuple):
    """One message as a format shows it, without spaces around its title: Markdown and HTML do not keep them."""

    title: str
    lines: tuple[str, ...]
    place: str


def evil_report(start: str) -> Report:
    """One case and one finding with the text in every field that may hold one, behind a beginning of its own."""
    return Report((_instead(NAUGHTY, start + EVIL),))


def _instead(value: T, text: str) -> T:
    result: Any = value
    if isinstance(value, str):
        result = value.replace(HOSTILE, text)
    elif is_dataclass(value) and not isinstance(value, type):
        result = replace(value, **{f.name: _instead(getattr(value, f.name), text) for f in fields(value)})
    elif isinstance(value, tuple):
        result = tuple(_instead(item, text) for item in value)
    elif isinstance(value, dict):
        result = {_instead(k, text): _instead(v, text) for k, v in value.items()}
    return result  # type: ignore[no-any-return]  # the same type, rebuilt


def from_junit(text: str) -> list[Said]:
    """The failures and errors."""
    said = []
    for case in ET.fromstring(text).iter("testcase"):
        for child in case:
            title, *lines, place = (child.text or "").split("\n")
            assert child.get("message") == title
            said.append(Said(title.strip(), tuple(lines), place))
    return said


def from_github(text: str) -> tuple[list[Said], list[str]]:
    """The annotations as the runner reads them (actions/runner, ActionCommand.cs), and the other lines."""
    said, rest = [], []
    for line in text.split("\n")[:-1]:
        found = re.fullmatch(r"::(error|warning) (.*?)::(.*)", line)
        if found is None:
            rest.append(line)
            continue
        pairs = dict(pair.split("=", 1) for pair in found[2].split(","))
        values = {name: _unescaped(value.replace("%3A", ":").replace("%2C", ",")) for name, value in pairs.items()}
        assert set(values) == {"file", "line", "title"}
        message = tuple(_unescaped(found[3]).split("\n"))
        said.append(Said(values["title"].strip(), message, f"{values['file']}:{values['line']}"))
    return said, rest


def _unescaped(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def markdown_tokens(text: str) -> list[Token]:
    """As GitHub reads it; links of bare addresses are left out, those need a colon or a dot that is not escaped."""
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def from_markdown(text: str) -> list[Said]:
    """The messages: a heading, an indented block, a line with the place."""
    tokens = markdown_tokens(text)
    said = []
    for number, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h3":
            code = tokens[number + 3]
            lines = tuple(code.content.rstrip("\n").split("\n")) if code.type == "code_block" else ()
            place = tokens[number + (5 if lines else 4)]
            said.append(Said(shown(tokens[number + 1]), lines, shown(place)))
    return said


def shown(inline: Token) -> str:
    """The text of a piece of Markdown in which nothing but text is allowed."""
    kinds = {child.type for child in inline.children or ()}
    assert kinds <= {"text", "text_special"}, kinds
    return "".join(child.content for child in inline.children or ())


def from_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class Element:
    """A node of a parsed page."""

    def __init__(self, tag: str, attributes: dict[str, str], parent: Element | None) -> None:
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children: list[Element | str] = []

    @property
    def text(self) -> str:
        return "".join(child if isinstance(child, str) else child.text for child in self.children)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        found = []
        for child in self.children:
            if isinstance(child, Element):
                wanted = {name.replace("_", ""): value for name, value in attributes.items()}
                if child.tag == tag and wanted.items() <= child.attributes.items():
                    found.append(child)
                found += child.all(tag, **attributes)
        return found


class _Reader(HTMLParser):
    VOID = frozenset({"meta", "input", "br", "path", "rect", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Element("", {}, None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        made = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.children.append(made)
        if tag not in self.VOID:
            self.here = made

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.here.children.append(Element(tag, {name: value or "" for name, value in attrs}, self.here))

    def handle_endtag(self, tag: str) -> None:
        assert self.here.tag == tag, f"</{tag}> within <{self.here.tag}>"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        self.here.children.append(data)


def from_html(text: str) -> Element:
    """The page as a tree; every element that is opened is closed in its turn."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.here is reader.root
    return reader.root


def said_in_html(page: Element) -> list[Said]:
    """The articles about what is not as expected."""
    said = []
    for article in page.all("article"):
        if article.attributes["data-state"] == "right":
            continue
        heading = article.all("h3")[0]
        badge = heading.all("span")[0].text
        title = heading.text.removeprefix(badge).strip()
        lines = [p.text for p in article.all("p", _class="said")]
        block = article.all("pre", **{"aria-label": title})
        if not lines and block:
            lines = block[0].text.split("\n")
        said.append(Said(title, tuple(lines), article.all("p", _class="place")[0].text))
    return said
