"""`gradcheck doctor`: what grading finds on this machine: which walls hold, why others are missing, what would help."""

from __future__ import annotations

import json
import os
import platform
import sys
from typing import Any

import click


@click.command()
@click.option(
    "--format",
    "format_",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="What stdout shows.",
)
@click.pass_context
def command(ctx: click.Context, format_: str) -> None:
    """Show what `gradcheck grade` can put around a submission here, and what to do where something is missing.

    Every tier is tried: a box of it attempts to read and write files, to connect, to start processes and to reach the
    grader, and each attempt has to fail. Nothing is changed on the machine.

    Exit code: 0 grading is safe here, 4 it is not.

    Example: gradcheck doctor
    """
    from gradcheck.model.report import ExitCode
    from gradcheck.reporters.escape import clean

    found = examination()
    if format_ == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        encoding = getattr(sys.stdout, "encoding", None) or "ascii"
        click.echo("\n".join(clean(line, encoding) for line in lines(found)))
    ctx.exit(int(ExitCode.UNSAFE if found["grade"] is None else ExitCode.EXPECTED))


def examination() -> dict[str, Any]:
    """What is there, as plain data; `grade` is the tier that grading would use, None where it would refuse."""
    import numpy as np

    from gradcheck import __version__
    from gradcheck.sandbox.choice import try_tier
    from gradcheck.sandbox.remedies import place, remedy
    from gradcheck.sandbox.terms import Tier
    from gradcheck.sandbox.tiers import LACKS, LAYERS, LIMITS, TIERS

    tiers = []
    for name in TIERS:
        tried = try_tier(name)
        works = isinstance(tried, Tier)
        told: dict[str, Any] = {"name": name, "works": works, "layers": list(LAYERS[name]), "lacks": list(LACKS[name])}
        tiers.append({**told, "reason": None if works else str(tried), "remedy": None if works else remedy(name)})
    return {
        "schema": 1,
        "gradcheck": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "place": place() if sys.platform == "linux" else platform.system(),
        "root": hasattr(os, "geteuid") and os.geteuid() == 0,
        "tiers": tiers,
        "grade": next((tier["name"] for tier in tiers if tier["works"] and tier["name"] != LIMITS), None),
    }


def lines(found: dict[str, Any]) -> list[str]:
    """The page for people."""
    who = "root" if found["root"] else "not root"
    page = [
        f"gradcheck {found['gradcheck']}, Python {found['python']}, numpy {found['numpy']}",
        f"{found['system']}: {found['place']}, {who}",
        "",
        "tiers of the sandbox, the strongest first",
    ]
    for tier in found["tiers"]:
        page.append(f"  {tier['name']:<7} {'works  ' if tier['works'] else 'missing'}  {', '.join(tier['layers'])}")
        if tier["reason"]:
            page += [f"{'':19}why: {tier['reason']}", f"{'':19}what helps: {tier['remedy']}"]
        else:
            page += [f"{'':19}but {lack}" for lack in tier["lacks"]]
    page.append("")
    if found["grade"] is None:
        page.append("grading refuses here: no tier that stops a submission works")
    else:
        page.append(f"gradcheck grade uses: {found['grade']}")
    return page
