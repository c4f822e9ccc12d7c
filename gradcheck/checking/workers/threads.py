"""Threads inside matrix products: one for each process, so that a run's sums are the same with workers and without.

They would not help: the products of a check are many and small, and split among threads they take up to four times as
long. Who wants them says so in the environment.
"""

from __future__ import annotations

import os

# Of OpenBLAS, of what is built with OpenMP, of Intel's and of Apple's library.
VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
ONE_THREAD = dict.fromkeys(VARIABLES, "1")


def limit_threads() -> None:
    """For this process and those that it starts; to be called before numpy is imported."""
    for name, value in ONE_THREAD.items():
        os.environ.setdefault(name, value)
