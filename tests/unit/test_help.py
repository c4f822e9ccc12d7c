"""Every command tells an example, and shells complete commands, options, files and the names of cases."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradcheck.cli import COMMANDS, main

ROOT = Path(__file__).parents[2]


def helped(*words: str) -> str:
    done = CliRunner().invoke(main, [*words, "--help"])
    assert done.exit_code == 0
    return " ".join(done.output.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_an_example_whose_options_it_knows(name: str) -> None:
    text = helped(name)
    found = re.search(rf"Example: gradcheck {name}\b(.*?) (?:Options|Arguments):", text)
    assert found is not None
    command = main.get_command(None, name)  # type: ignore[arg-type]  # it needs no context
    assert command is not None
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in shlex.split(found[1]) if word.startswith("-")} <= known


def test_the_help_of_gradcheck_lists_every_command_with_what_it_does() -> None:
    text = helped()
    for name in COMMANDS:
        assert re.search(rf"\b{name} [A-Z][a-z]", text), name


def completed(*words: str) -> list[str]:
    """What bash is offered for the last of the words: `type,value` lines, in click's protocol."""
    line = ["gradcheck", *words]
    environment = {
        **os.environ, "_GRADCHECK_COMPLETE": "bash_complete", "COMP_WORDS": shlex.join(line),
        "COMP_CWORD": str(len(line) - 1),
    }  # fmt: skip
    script = "import sys; sys.argv = ['gradcheck']; from gradcheck.cli import main; main(prog_name='gradcheck')"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, cwd=ROOT)
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1] if done.stdout.strip() else []


def test_commands_and_options_are_completed() -> None:
    assert completed("ex") == ["plain,explain"]
    assert completed("run", "--wat") == ["plain,--watch"]
    assert completed("explain", "x.yaml", "--format", "") == ["plain,text", "plain,mermaid", "plain,html"]


def test_case_files_are_completed_by_the_shell_and_cases_by_their_names() -> None:
    assert completed("run", "cases/1") == ["file,cases/1"]
    assert completed("explain", "cases/1") == ["file,cases/1"]
    file = "cases/11_published_example.yaml"
    assert completed("explain", f"{file}::the r") == [
        f"plain,{file}::the right output",
        f"plain,{file}::the right gradients",
    ]
    assert completed("explain", "cases/none.yaml::a") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_shells_are_given_a_script(shell: str) -> None:
    environment = {**os.environ, "_GRADCHECK_COMPLETE": f"{shell}_source"}
    script = "import sys; sys.argv = ['gradcheck']; from gradcheck.cli import main; main(prog_name='gradcheck')"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert "_GRADCHECK_COMPLETE" in done.stdout
