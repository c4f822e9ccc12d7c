"""`gradcheck schema`: the JSON schema of case files, for the YAML language server of an editor."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from gradcheck.cli.output import write, write_file


@click.command()
@click.option("-o", "--output", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file.")
def command(path: Path | None) -> None:
    """Print the JSON schema of case files: editors then complete keys, explain them, and underline mistakes.

    A line `# yaml-language-server: $schema=gradcheck.schema.json` at the top of a case file is enough for any editor
    with the YAML language server (VS Code, Neovim, Emacs, JetBrains).

    Exit code: 0 when it is written, 2 otherwise.

    Example: gradcheck schema -o gradcheck.schema.json
    """
    from gradcheck.casefile.schema import file_schema

    text = json.dumps(file_schema(), indent=2, ensure_ascii=False) + "\n"
    if path is None:
        write(text, sys.stdout, color=False)
        return
    write_file(path, text)
