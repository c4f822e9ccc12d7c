"""Fixed arrays that the ops are tested on: no two elements alike, none near a kink, both signs.

Only values; each op says beside its rules which of them it wants.
"""

from __future__ import annotations

import numpy as np

SCALAR = np.array(1.7)
ROW = np.array([0.7, -1.3, 0.4])
COLUMN = np.array([[-0.9], [1.6]])
MATRIX = np.array([[0.8, -0.35, 1.9], [-1.2, 2.3, -0.6]])
OTHER = np.array([[1.1, -2.1, 0.25], [0.45, 1.5, -1.7]])
TALL = np.array([[0.3, -1.4], [0.9, 1.25], [-0.75, 0.55], [2.2, -0.15]])
SQUARE = np.array([[0.6, -1.1, 0.35], [1.45, -0.8, 2.05], [-0.2, 0.95, -1.75]])
BLOCK = np.array([[[0.5, -0.9, 1.3], [2.1, -1.6, 0.85]], [[-0.4, 1.15, -2.4], [0.65, -0.25, 1.8]]])
EMPTY = np.zeros((0, 3))
POSITIVE_ROW = np.array([0.3, 1.4, 2.6])
POSITIVE = np.array([[0.4, 1.2, 2.5], [3.1, 0.75, 1.6]])
CONDITION = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
PICKS = np.array([1, 0, 1, 1])  # repeats on purpose: gradients of repeated picks add up
