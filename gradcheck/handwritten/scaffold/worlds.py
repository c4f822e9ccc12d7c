"""How arrays of different roles customarily go together: rows and matrices, images and filters, sequences and states.

Tables; a world is a shape per role, in customary names of sizes. Which of them a function lives in is seen in trials.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradcheck.handwritten.scaffold.docstrings import Shape

World = Mapping[str, Shape]  # a role that is missing has the shape of the data; targets are shaped like the output

ROWS: World = {
    "data": ("N", "D"), "weight": ("D", "M"), "bias": ("M",), "scale": ("D",), "shift": ("D",), "targets": ("N", "M"),
    "state": ("N", "H"), "wx": ("D", "H"), "wh": ("H", "H"), "ids": ("N",),
}  # fmt: skip
IMAGES: World = {
    "data": ("N", "C", "H", "W"), "weight": ("F", "C", "HH", "WW"), "bias": ("F",), "scale": ("C",), "shift": ("C",),
}  # fmt: skip
WORLDS: Mapping[str, World] = {
    "rows": ROWS,
    "rows, W (out, in)": {**ROWS, "weight": ("M", "D"), "wx": ("H", "D")},
    "rows, b (1, M)": {**ROWS, "bias": ("1", "M"), "scale": ("1", "D"), "shift": ("1", "D")},
    "rows, W (D,)": {**ROWS, "weight": ("D",), "bias": (), "targets": ("N",)},
    "columns": {**ROWS, "data": ("D", "N"), "weight": ("M", "D"), "bias": ("M", "1"), "state": ("H", "N"),
                "wx": ("H", "D"), "scale": ("D", "1"), "shift": ("D", "1"), "targets": ("M", "N")},
    "columns, w (D, 1)": {"data": ("D", "N"), "weight": ("D", "1"), "bias": (), "targets": ("1", "N")},
    "alike": {"data": ("N", "D")},
    "images": IMAGES,
    "square windows": {**IMAGES, "weight": ("F", "C", "K", "K")},
    "images, group": {**IMAGES, "scale": ("1", "C", "1", "1"), "shift": ("1", "C", "1", "1")},
    "images, b (F, 1)": {**IMAGES, "bias": ("F", "1")},
    "images, channels last": {"data": ("N", "H", "W", "C"), "weight": ("K", "K", "C", "F"),
                              "bias": ("1", "1", "1", "F"), "scale": ("C",), "shift": ("C",)},
    "sequences": {**ROWS, "data": ("N", "T", "D"), "ids": ("N", "T"), "targets": ("N", "T", "M"), "mask": ("N", "T")},
    "sequences, square": {"data": ("N", "T", "D"), "weight": ("D", "D"), "bias": ("D",)},
    "signals": {"data": ("N", "C", "L"), "weight": ("F", "C", "K"), "bias": ("F",), "scale": ("C",), "shift": ("C",)},
    "one row": {**ROWS, "data": ("D",), "state": ("H",), "targets": ("M",)},
    "one column": {**ROWS, "data": ("D", "1"), "weight": ("M", "D"), "bias": ("M", "1"), "state": ("H", "1"),
                   "wx": ("H", "D"), "targets": ("M", "1")},
    "one image": {"data": ("H", "W"), "weight": ("K", "K"), "bias": ("1",)},
    "numbers": {"data": ("N",)},
    "numbers, w": {"data": ("N",), "weight": (), "bias": (), "targets": ("N",)},
    "one number": {"data": ()},
}  # fmt: skip
USUAL = ("rows", "rows, W (out, in)", "rows, b (1, M)", "alike", "columns", "rows, W (D,)", "columns, w (D, 1)",
         "images", "sequences", "one row", "one column", "numbers, w", "numbers", "one number")  # fmt: skip
# what a function is about → the worlds to try first
PREFERRED = {
    "conv": ("images", "square windows", "images, b (F, 1)", "images, channels last", "one image", "signals"),
    "conv1d": ("signals", "sequences"),
    "pool": ("images", "images, channels last", "one image", "signals"),
    "spatial": ("images", "images, group", "images, channels last"),
    "group_norm": ("images, group", "images", "rows"),
    "recurrent": ("sequences", "rows", "columns", "one column"),
    "temporal": ("sequences", "sequences, square", "rows"),
    "step": ("rows", "columns", "one row", "one column"),
}  # fmt: skip
GATES = {"lstm": 4, "gru": 3}  # matrices side by side in one
# forms of the targets of a loss, by its family; "" for what is no loss
TARGETS = {
    "binary": ("bits", "same", "ids"), "regression": ("same", "ids"), "loss": ("ids", "one hot", "same", "bits"),
    "": ("same", "ids"),
}  # fmt: skip
# role of a size in the constructor → what it is in shapes of rows, and of images
SIZES = {"in": "D", "out": "M", "hidden": "H", "classes": "C", "vocabulary": "V", "time": "T", "": "D"}
IMAGE_SIZES = {"in": "C", "out": "F", "": "C"}


def is_image(world: World) -> bool:
    return "C" in world["data"]
