"""Expected outputs kept as files: `GOLDEN=1` (`make golden`) rewrites them, and the diff is reviewed.

Compares whole texts; what is rendered, and how wide, is the tests' business.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).parent


def check_golden(path: str | Path, text: str) -> None:
    """Compare a text with a file below this folder, to the byte; or write the file where GOLDEN is set."""
    file = FOLDER / path
    if os.environ.get("GOLDEN"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
        return
    assert file.exists(), f"{file.relative_to(FOLDER)} is missing; GOLDEN=1 writes it"
    assert text == file.read_bytes().decode("utf-8", "surrogateescape")
