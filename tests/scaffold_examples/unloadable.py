"""Cannot be run where its library is missing."""

import a_library_that_nobody_has
import numpy as np

a_library_that_nobody_has.start()


def double_forward(x):
    """x (N, D)."""
    return a_library_that_nobody_has.double(x), None


def double_backward(dout, cache):
    return 2 * np.asarray(dout)
