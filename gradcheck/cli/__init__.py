"""The command line: finds the command, runs it, and turns what it raises into a message and an exit code.

Each command is a module of this package with a `command` in it, imported only when it is asked for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import click

from gradcheck import __version__
from gradcheck.errors import GradcheckError, UnsafeError

COMMANDS = ("run", "explain", "grade", "handout", "new", "mutate", "ops", "doctor", "selftest", "schema")

_BROKEN, _UNSAFE, _INTERRUPTED = 2, 4, 130  # ExitCode, which would bring in numpy


class Commands(click.Group):
    """A group whose commands cost nothing until they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"gradcheck.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and (os.path.exists(args[0]) or args[0].endswith((".yaml", ".yml"))):
            meant = "new" if args[0].endswith(".py") else "run"
            ctx.fail(f"no such command '{args[0]}'. Did you mean: gradcheck {meant} {args[0]}")
        return super().resolve_command(ctx, args)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Runs the command and exits the process with its code; no exception leaves as a traceback."""
        run: Callable[..., Any] = super().main
        if not standalone_mode:
            return run(*args, standalone_mode=False, **extra)
        sys.exit(_guarded(lambda: run(*args, standalone_mode=False, **extra)))


def _guarded(run: Callable[[], Any]) -> int:
    """The exit code of a command, whatever it does."""
    try:
        return int(run() or 0)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        return _INTERRUPTED
    except getattr(click.exceptions, "NoArgsIsHelpError", ()) as error:
        error.show()
    except click.ClickException as error:  # whose own exit code may be 1, which says that a gradient is wrong
        said = error.format_message()
        context = getattr(error, "ctx", None)
        _tell(f"error: {said[:1].lower()}{said[1:]}", f"see: {context.command_path} --help" if context else "")
    except GradcheckError as error:
        _tell(f"error: {error.message}", error.hint)
        return _UNSAFE if isinstance(error, UnsafeError) else _BROKEN
    except Exception as error:
        if os.environ.get("GRADCHECK_TRACEBACK"):
            raise
        advice = "this is a mistake in gradcheck; GRADCHECK_TRACEBACK=1 shows where, please report it"
        _tell(f"internal error: {type(error).__name__}: {error}", advice)
    return _BROKEN


def _tell(cause: str, hint: str) -> None:
    """A message on stderr in the grammar of all errors."""
    from gradcheck.reporters.escape import clean, clean_lines

    encoding = getattr(sys.stderr, "encoding", None) or "ascii"
    lines = [clean(cause, encoding), *(f"  {line}" for line in clean_lines(hint, encoding))]
    click.echo("\n".join(lines), err=True)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="gradcheck")
def main() -> None:
    """Check gradients against central differences, with an error bound on every verdict."""
