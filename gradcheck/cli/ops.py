"""`gradcheck ops`: every word that functions and networks of a case file may use, from the tables that define them."""

from __future__ import annotations

from typing import NamedTuple

import click


class Entry(NamedTuple):
    section: str
    name: str
    signature: str
    meaning: str
    at_kink: str = ""


@click.command()
@click.argument("words", nargs=-1, metavar="[NAME]...")
def command(words: tuple[str, ...]) -> int:
    """List operations, layers, losses and penalties; with names, those whose name holds one of them.

    \b
    Example:
      gradcheck ops relu
    """
    chosen = [entry for entry in entries() if not words or any(word in entry.name for word in words)]
    if not chosen:
        from gradcheck.errors import did_you_mean

        hint = did_you_mean(words[0], (entry.name for entry in entries()), "gradcheck ops lists them all")
        raise click.UsageError(f"nothing is called '{words[0]}'; {hint}")
    width = max(len(entry.signature) for entry in chosen)
    section = ""
    for entry in chosen:
        if entry.section != section:
            click.echo(f"{'' if not section else chr(10)}{entry.section}")
            section = entry.section
        click.echo(f"  {entry.signature:<{width}}  {entry.meaning}".rstrip())
        if entry.at_kink:
            click.echo(f"  {'':<{width}}  {entry.at_kink}")
    return 0


def entries() -> list[Entry]:
    """The tables, one line per word."""
    from gradcheck.graph.composed import LOSSES, PENALTIES
    from gradcheck.graph.layers import LAYERS
    from gradcheck.ops.registry import all_ops

    found = [
        Entry("operations", op.name, f"{op.symbol} {op.signature}".strip(), op.formula, op.kink.at if op.kink else "")
        for op in all_ops().values()
    ]
    found += [Entry("layers", layer.name, layer.signature, layer.meaning) for layer in LAYERS.values()]
    found += [Entry("losses", loss.name, loss.name, loss.meaning) for loss in LOSSES.values()]
    found += [Entry("penalties", p.name, p.signature, p.meaning) for p in PENALTIES.values()]
    return found
