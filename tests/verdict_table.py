"""`make verdicts`: the verdict suites through the command line, as a table."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from verdicts.suite import HERE, SUITES, run_suite, table

if __name__ == "__main__":
    for name in SUITES:
        if (HERE / f"{name}.py").exists():
            print(f"{name}\n{table(run_suite(name))}\n")
