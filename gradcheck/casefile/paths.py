"""Paths written in a case file → files, never outside the case's tree.

The tree is the folder of the case file with all below it, and the folder where the command was started with all below
it: `code: ../src/layers.py` works from the root of a project, and nothing reaches further. Links are followed first.
"""

from __future__ import annotations

from pathlib import Path

from gradcheck.errors import GradcheckError, did_you_mean


class PathError(GradcheckError):
    """A path that leads nowhere, or out of the case's tree."""


def find_file(directory: Path, written: str, *, must_exist: bool = True) -> Path:
    """The absolute path of a file named in a case file of `directory`.

    must_exist : False for a file that somebody else has (the code of an assignment)

    Raises PathError where it does not exist, is no file, is absolute, or lies outside the tree.
    """
    if not written or "\0" in written or len(written) > 1000:
        raise PathError("expected the path of a file", "write it relative to the case file")
    if "\\" in written:
        raise PathError(f"the path '{written}' has backslashes", "write '/' between folders, on every system")
    if Path(written).is_absolute():
        raise PathError(f"the path '{written}' is absolute", "write it relative to the case file")
    try:
        base, start = directory.resolve(), Path.cwd().resolve()
        path = (base / written).resolve()
        roots = [base] if start == Path(start.anchor) else [base, start]  # the root of the disk is nobody's project
        if not any(path.is_relative_to(root) for root in roots):
            raise PathError(
                f"the path '{written}' leads out of the case's folder",
                "move the file beside the case, or start gradcheck in a folder that holds both",
            )
        if not path.exists():
            if not must_exist:
                return path
            siblings = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
            raise PathError(
                f"there is no file '{written}' beside the case file",
                did_you_mean(path.name, siblings, "the path is relative to the case file"),
            )
        if not path.is_file():
            raise PathError(f"'{written}' is not a file", "name a file")
    except (OSError, RuntimeError) as error:  # a loop of links, a folder that may not be read
        raise PathError(f"the path '{written}' cannot be followed", "check links and permissions") from error
    return path
