"""`gradcheck ops`: every word that functions and networks of a case file may use, from the tables that define them."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import click

WIDTH = 80
NAMES = 29  # columns of the signatures; a longer one has a line of its own


class Entry(NamedTuple):
    """One word.

    signature : how it is written; in_network : the same in a network, where that differs
    example : makes a whole case
    """

    section: str
    name: str
    signature: str
    meaning: str
    example: Callable[[], str]
    at_kink: str = ""
    in_network: str = ""


@click.command()
@click.argument("words", nargs=-1, metavar="[NAME]...")
def command(words: tuple[str, ...]) -> int:
    """List operations, layers, losses and penalties; a NAME also shows an example.

    A part of a name lists all that hold it.

    \b
    Example:
      gradcheck ops relu
    """
    known = entries()
    if not words:
        _tell([*_listing(known), "", *_rest(known)])
        return 0
    exact = [entry for entry in known if entry.name in words]
    chosen = exact or [entry for entry in known if any(word in entry.name for word in words)]
    if not chosen:
        from gradcheck.errors import did_you_mean

        hint = did_you_mean(words[0], (entry.name for entry in known), "gradcheck ops lists them all")
        raise click.UsageError(f"nothing is called '{words[0]}'; {hint}")
    if exact or len({entry.name for entry in chosen}) == 1:
        _tell([line for entry in chosen for line in ["", *_details(entry)]][1:])
    else:
        _tell(_listing(chosen))
    return 0


def _tell(lines: Iterable[str]) -> None:
    """The lines on stdout, as far as it has their characters."""
    from gradcheck.reporters.escape import clean

    encoding = getattr(sys.stdout, "encoding", None) or "ascii"
    click.echo("\n".join(clean(line, encoding) for line in lines))


def entries() -> list[Entry]:
    """The tables, one entry per word."""
    from gradcheck.cli.examples import composed_example, layer_example, op_example, penalty_example
    from gradcheck.graph.functions import COMPOSED
    from gradcheck.graph.layers import LAYERS
    from gradcheck.graph.losses import LOSSES
    from gradcheck.graph.losses.each import PAIR
    from gradcheck.graph.penalties import PENALTIES, WEIGHT
    from gradcheck.ops.registry import all_ops

    kinds = {
        "elementwise": "operations, element by element", "along_axes": "operations along axes",
        "layout": "operations that move elements", "contraction": "products", "unknown": "operations on whole arrays",
    }  # fmt: skip
    found = [
        Entry(heading, op.name, _of_op(op), op.formula, _made(op_example, op), op.kink.at if op.kink else "")
        for kind, heading in kinds.items()
        for op in all_ops().values()
        if op.kind == kind
    ]
    found += [
        Entry("functions made of operations", f.name, f.signature, f.meaning, _made(composed_example, f))
        for name, f in COMPOSED.items()
        if name not in LOSSES
    ]
    found += [Entry("layers", k.name, k.signature, k.meaning, _made(layer_example, k)) for k in LAYERS.values()]
    found += [
        Entry("losses", f.name, f.signature, f.meaning, _made(composed_example, f), "",
              f"loss: {f.signature_without(PAIR)}" if f.parameters == PAIR else "")
        for f in LOSSES.values()
    ]  # fmt: skip
    found += [
        Entry("penalties", p.name, p.signature_without(WEIGHT), p.meaning, _made(penalty_example, p))
        for p in PENALTIES.values()
    ]
    return found


def _of_op(op: Any) -> str:
    """The signature of an op, with the sign that it is written as."""
    if not op.symbol or op.symbol == "[]":
        return str(op.signature)
    return f"{op.arguments[0]} {op.symbol} {op.arguments[1]}, {op.name}"


def _made(example: Callable[[Any], str], thing: Any) -> Callable[[], str]:
    return lambda: example(thing)


def _listing(chosen: Iterable[Entry]) -> list[str]:
    """A section per kind of word. Layers that only apply a function are named together at the end of theirs."""
    chosen = list(chosen)
    applying = {_as_layer(entry.signature) for entry in chosen if entry.section != "layers"}
    lines: list[str] = []
    for section in dict.fromkeys(entry.section for entry in chosen):
        here = [entry for entry in chosen if entry.section == section]
        applied = [entry for entry in here if section == "layers" and entry.signature in applying]
        shown = [entry for entry in here if entry not in applied]
        lines += ["", section] if lines else [section]
        for entry, following in zip(shown, [*shown[1:], None], strict=True):
            # What several have in common is said once, below the last of them.
            is_last = following is None or following.at_kink != entry.at_kink
            lines += _line(entry, entry.at_kink if is_last else "")
        if applied:
            lines += _wrapped(f"and these functions: {', '.join(entry.name for entry in applied)}", "  ")
    return lines


def _as_layer(signature: str) -> str:
    """A call without its first argument, x, which a layer is given."""
    return signature.replace("(x)", "").replace("(x, ", "(")


def _line(entry: Entry, at_kink: str) -> list[str]:
    """Signature and meaning, and below what happens at a kink; options without their defaults."""
    signature = entry.name if entry.section == "losses" else re.sub(r"(?<=\w)=[^,)]*", "", entry.signature)
    mark = "∧" if entry.at_kink else " "
    meaning = _wrapped(entry.meaning, " " * (NAMES + 3))
    if len(signature) > NAMES:
        lines = [*_wrapped(signature, f"{mark} ", "      "), *meaning]
    else:
        lines = [f"{mark} {signature:<{NAMES}} {meaning[0].lstrip()}", *meaning[1:]]
    return [*lines, *_wrapped(at_kink, " " * (NAMES + 3) + "∧ ", " " * (NAMES + 5))]


def _details(entry: Entry) -> list[str]:
    """Everything about one word, and a case to paste."""
    lines = [f"{entry.signature}    ({entry.section})", *_wrapped(entry.meaning, "  ")]
    lines += _wrapped(entry.in_network and f"in a network: {entry.in_network}", "  ", "    ")
    lines += _wrapped(entry.at_kink and f"at a kink: {entry.at_kink}", "  ", "    ")
    return [*lines, "", *(f"  {line}" for line in entry.example().splitlines())]


def _rest(known: list[Entry]) -> list[str]:
    """What is no entry: reductions of losses, constants, attributes, methods; and where there is more."""
    from gradcheck.graph.vocabulary import ATTRIBUTES, MAKERS, METHODS, NUMBERS

    attributes = ", ".join(f"x.{name}" for name in ATTRIBUTES)
    notes = [
        "∧ has kinks; what happens there stands below.",
        "Losses compare prediction and target, in a network the output and the input 'target'; all take "
        "reduction='mean', 'sum' or 'none'.",
        f"Constants: {', '.join((*MAKERS, *NUMBERS))}. Arrays have {attributes}, and as methods {', '.join(METHODS)}.",
        f"gradcheck ops NAME shows options and an example, e.g. gradcheck ops {known[0].name}",
    ]
    return [line for note in notes for line in _wrapped(note, "", "  ")]


def _wrapped(text: str, indent: str, deeper: str | None = None) -> list[str]:
    further = indent if deeper is None else deeper
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
