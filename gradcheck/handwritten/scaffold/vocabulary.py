"""What names of arguments usually mean: which hold weights, biases or labels, which are sizes, which are settings.

Tables and the functions that look into them; a name that says nothing is data. Nothing here is certain: a trial run has
the last word.
"""

from __future__ import annotations

import re
from typing import Any

from gradcheck.handwritten.conventions.tables import OPTION_DICTS, TARGETS, TRAINING
from gradcheck.record import dataclass


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# role of an array → its names, in lower case; the first that matches counts
ARRAYS = (
    ("wx", r"w_?xh?|w_?ih|w_?x\w|u_?x"),
    ("wh", r"w_?hh?|w_?rec(urrent)?|u_?h"),
    ("weight", r"w[a-z]{0,2}\d*|weights?\d*|kernels?\d*|filters?|theta|w_\w+|weight_\w+|embeddings?"),
    ("bias", r"b[a-z]?\d*|bias(es)?\d*|b_\w+|bias_\w+"),
    ("scale", r"gamma\d*|g|scale"),
    ("shift", r"beta\d*|shift"),
    ("state", r"(prev|previous|last|init(ial)?)_?(h|c|hidden|state|cell|a)|[hc]_?(prev|0|in|t|init)|[hc]"
              r"|hidden(_state)?|state|cell(_state)?|hprev|cprev"),
    ("ids", r"ids|idx|indices|index|indexes|tokens?|captions?|words?"),
    ("mask", r"masks?"),
    ("prediction", r"pred(s|ictions?|icted)?|y_?pred(s|icted)?|y_?hats?|scores?|logits?|prob(s|abilities)?|p|s"),
)  # fmt: skip
LABELS = TARGETS | {"label_idx", "correct", "gt", "y_batch", "t_batch", "y_train", "truth", "y_actual"}

# what a function or a class is about, as its name says; the first that matches counts
FAMILIES = (
    ("group_norm", r"group ?norm"), ("spatial", r"spatial|batch ?norm ?2d"), ("batch_norm", r"batch ?norm|\bbn\b"),
    ("layer_norm", r"layer ?norm|\bln\b|rms ?norm"), ("conv1d", r"conv\w* ?1d"), ("conv", r"conv"), ("pool", r"pool"),
    ("embedding", r"embed"), ("binary", r"bce|binary|logistic loss|log ?loss"),
    ("regression", r"\b(r?mse|mae|l1|l2)|squared?|huber|absolute"),
    ("step", r"(rnn|lstm|gru).*(step|cell)|(step|cell).*(rnn|lstm|gru)"), ("recurrent", r"rnn|lstm|\bgru|recurrent"),
    ("temporal", r"temporal|\btime|\bseq|attention"),
    ("loss", r"loss|entropy|criterion|\bcost|error|objective|svm|hinge|\bnll"), ("matmul", r"mat ?mul|\bdot\b|gemm"),
)  # fmt: skip
LOSSES = ("binary", "regression", "loss")

# role of a size → tokens of its name, the first that has one counts
SIZES = (
    ("kernel", "kernel filter window kh kw field"), ("hidden", "hidden h ff ffn mlp inner"),
    ("classes", "class classes k labels"),
    ("vocabulary", "vocab vocabulary v"), ("embedding", "embed embedding wordvec emb e model"),
    ("time", "time steps timesteps seq length t"),
    ("out", "out output outputs next units neurons nodes to y m filters"),
    ("in", "in input inputs prev from x features feature d dim dims channels c n"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Setting:
    """A number or a word that a call takes. value : a friendly one; sweep : those that show what it hides"""

    value: Any
    sweep: tuple[Any, ...] = ()


SETTINGS = (
    (r"strides?", Setting(1, (1, 2))),
    (r"pad(ding)?s?|pad_?width", Setting(0, (0, 1))),
    (r"reg(ularization|ularisation)?(_?(strength|param|rate|lambda|coef))?|lam(b(da?|d)?_?)?|lbd|weight_decay(_lambda)?|l2(_?reg)?",
     Setting(0.3, (0.0, 0.3))),
    (r"l", Setting(0.3, (0.0, 0.3))),
    (r"eps(ilon)?", Setting(1e-5)),
    (r"momentum|decay|rho", Setting(0.9)),
    (r"keep(_?(prob|rate|p))?", Setting(0.8)),
    (r"p|prob|(p_?)?drop(out)?(_?(p|prob|rate|ratio))?|ratio|(dropout_)?rate", Setting(0.4)),
    (r"alpha|slope|negative_slope|leak(iness)?|a", Setting(0.1)),
    (r"delta|margin|temperature|threshold|scale|factor|c|power", Setting(2.0)),
    (r"(n(um)?_?)?groups?|g", Setting(2, (2, 4))),
    (r"ax(is|es)|dim", Setting(0)),
    (r"mode", Setting("train", ("train", "test"))),
    (r"activation(_?(function|fn|type|name))?|nonlinearity", Setting("tanh")),
    (r"dtype", Setting("float64")),
    (r"weight_(scale|init_std|std)|init_?(std|scale)|std|sigma", Setting(0.5)),
    (r"(learning|learn)_?rate|lr|step_size", Setting(1.0)),
    (r"seed|random_state", Setting(0)),
    (r"verbose|debug|print\w*", Setting(False)),
    (r"(use_|with_|has_)?bias", Setting(True)),
    (r"reduction", Setting("mean")),
    (r"n|degree|order|times|iterations?|heads?|n_?heads?|num_heads?", Setting(2)),
)  # fmt: skip
WINDOW = (
    r"(pool|filter|kernel|window|field|patch)?_?(size|height|width|h|w|shape|dim)|k|f|hh|ww|kernel|window|pool|filter"
)
WINDOWED = {"conv": 3, "conv1d": 3, "pool": 2}  # family → the size of its windows
SWEPT_DEFAULTS = ("stride", "strides", "pad", "padding", "reg", "groups", "num_groups")  # swept although they have one

# a required argument of a forward that is a size: num_users, n_in, hidden_size, outputSize
SIZE_ARGUMENT = r"(num|n|nb|no_of|number_of)_\w+|\w+_?(size|dims?)|dim"

BATCH = _words("n m b bs n_samples num_samples samples batch batch_size num_examples num_train num_test")
TIME = _words("t time steps timesteps time_steps seq_len seq_length sequence_length length")


def role_of(name: str) -> str:
    """The role of an array by its name; `data` where the name says nothing."""
    low = name.strip("_").lower()
    if low in LABELS:
        return "labels"
    return next((role for role, pattern in ARRAYS if re.fullmatch(pattern, low)), "data")


def family_of(name: str) -> str:
    """What a function or a class is about; "" where its name does not say."""
    words = _snake(name).replace("_", " ")
    return next((family for family, pattern in FAMILIES if re.search(pattern, words)), "")


def loss_family(name: str) -> str:
    """What kind of loss something is, whatever else it is about; "" for what is no loss."""
    words = _snake(name).replace("_", " ")
    return next((family for family, pattern in FAMILIES if family in LOSSES and re.search(pattern, words)), "")


def size_role(name: str) -> str:
    """The role of a size, as of `n_in` and `hidden_dim`; "" where the name does not say."""
    tokens = set(_snake(name).split("_"))
    return next((role for role, words in SIZES if tokens & set(words.split())), "")


def setting_of(name: str, family: str = "") -> Setting | None:
    """A setting by its name, with usual values; None for a name that no setting has. family : of what takes it"""
    low = _snake(name)
    if family in WINDOWED and re.fullmatch(WINDOW, low):
        return Setting([WINDOWED[family]] * 2 if low.endswith("shape") else WINDOWED[family])
    return next((setting for pattern, setting in SETTINGS if re.fullmatch(pattern, low)), None)


def is_option_dict(name: str) -> bool:
    return name.lower().endswith(OPTION_DICTS)


def is_training_flag(name: str) -> bool:
    return name.lower() in TRAINING or name.lower() in ("train_flg", "train_flag", "istrain", "istraining")


def _snake(name: str) -> str:
    """`numClasses` → `num_classes`, `Conv2D` → `conv2d`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", name.strip("_")).lower()
