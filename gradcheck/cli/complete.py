"""Shell completion of arguments that click knows nothing about: files, and the cases within one.

Reads a file only once its name is written out, and never complains: a shell has nowhere to show it.
"""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem


def complete_files(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The shell's own completion of file names."""
    return [CompletionItem(incomplete, type="file")]


def complete_case(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files; behind `file.yaml::` the names of its cases."""
    file, colons, begun = incomplete.partition("::")
    if not colons:
        return complete_files(ctx, parameter, incomplete)
    from gradcheck.casefile.loader import load

    names = dict.fromkeys(case.name for case in load([file]).cases if case.name.startswith(begun))
    return [CompletionItem(f"{file}::{name}") for name in names]
