"""Function pairs of a course: option dicts, images, sequences."""

from __future__ import annotations

from tests.handwritten_examples.example import Example, Raises, Wrong, X, normal

IMAGE = normal(2, 2, 5, 4)
CONV = {"x": IMAGE, "w": normal(3, 2, 3, 2), "b": normal(3)}
GROUPS = {"x": normal(2, 4, 3, 2), "gamma": 1 + normal(1, 4, 1, 1) / 4, "beta": normal(1, 4, 1, 1, seed=1)}
RNN = {"x": normal(2, 4, 3), "h0": normal(2, 5), "Wx": normal(3, 5), "Wh": normal(5, 5), "b": normal(5)}
NORM = {"x": normal(5, 3), "gamma": 1 + normal(3) / 4, "beta": normal(3, seed=1)}
BATCHNORM = (
    Wrong("path missing", "dhat - dhat.mean(axis=0) - hat * (dhat * hat).mean(axis=0)", "dhat - dhat.mean(axis=0)"),
    Wrong("mean for sum", "dout.sum(axis=0)", "dout.mean(axis=0)"),
    Wrong("wrong tensor", "dhat = dout * gamma", "dhat = dout"),
)
DROPOUT = (
    Wrong("mask not applied", "return dout * mask", "return dout"),
    Wrong("factor", "return dout * mask", "return dout * (mask > 0)"),
    Wrong(
        "mask redrawn", "return dout * mask", "return dout * np.random.permutation(mask.ravel()).reshape(mask.shape)"
    ),
)
CONV_WRONG = (
    Wrong("assigned for accumulated", "dpadded[:, :, rows, columns] +=", "dpadded[:, :, rows, columns] ="),
    Wrong("wrong index", "dx = dpadded[:, :, pad :", "dx = dpadded[:, :, 0 :"),
    Wrong("not summed", "dout.sum(axis=(0, 2, 3))", "dout.sum(axis=(2, 3))[0]"),
)
GROUPNORM = (
    Wrong("path missing", "centred = dhat - dhat.mean(axis=(2, 3, 4), keepdims=True)", "centred = dhat"),
    Wrong("not summed", "dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)", "dbeta = dout[:1, :, :1, :1]"),
    Wrong("wrong tensor", "dgamma = (dout * hat", "dgamma = (dout * gamma * hat"),
)
RNN_WRONG = (
    Wrong("path missing", "dh[:, t] + carried", "dh[:, t]"),
    Wrong("transposed", "carried = dz @ Wh.T", "carried = dz @ Wh"),
    Wrong("assigned for accumulated", "dWx += x", "dWx[...] = x"),
    Wrong("wrong index", "states[t - 1] if t else h0", "states[t]"),
)

EXAMPLES = (
    Example(
        "option dict that is overwritten",
        {
            "forward": "out, cache = batchnorm_forward(x, gamma, beta, bn_param)",
            "backward": "dx, dgamma, dbeta = batchnorm_backward(dout, cache)",
        },
        NORM,
        ("x", "gamma", "beta"),
        BATCHNORM,
        (Raises("forward", 'mode, eps, momentum = bn_param["mode"]', 'mode, eps, momentum = bn_param["modes"]'),),
        ("mutated bn_param",),
        "batchnorm_forward batchnorm_backward",
        "sequences.py",
        options={"bn_param": {"mode": "train", "momentum": 0.5}},
    ),
    Example(
        "bare option dict that is overwritten",
        {"entry": "batchnorm"},
        NORM,
        ("x", "gamma", "beta"),
        BATCHNORM,
        (Raises("backward", "hat, gamma, std = cache", "hat, gamma = cache"),),
        ("mutated bn_param",),
        "batchnorm_forward batchnorm_backward",
        "sequences.py",
        options={"mode": "train"},
    ),
    Example(
        "option dict with a seed",
        {
            "forward": "out, cache = dropout_forward(x, dict(p=p, mode='train', seed=123))",
            "backward": "dx = dropout_backward(dout, cache)",
        },
        {"x": X},
        ("x",),
        DROPOUT,
        (Raises("backward", "return dout * mask", "return dout @ mask"),),
        ("reseeding dropout_param",),
        "dropout_forward dropout_backward",
        "sequences.py",
        options={"p": 0.5},
    ),
    Example(
        "images",
        {
            "forward": "out, cache = conv_forward(x, w, b, dict(stride=stride, pad=pad))",
            "backward": "dx, dw, db = conv_backward(dout, cache)",
        },
        CONV,
        ("x", "w", "b"),
        CONV_WRONG,
        (Raises("backward", "rows, columns = slice(i * stride", "rows, columns = slice(i * strides"),),
        ("NCHW", "dtype of the input"),
        "conv_forward conv_backward",
        "sequences.py",
        options={"stride": 1, "pad": 1},
    ),
    Example(
        "bare pair of images",
        {"entry": "conv"},
        CONV,
        ("x", "w", "b"),
        CONV_WRONG,
        (Raises("forward", "window = padded", "window = padding"),),
        ("NCHW", "dtype of the input"),
        "conv_forward conv_backward",
        "sequences.py",
        options={"stride": 1, "pad": 1},
    ),
    Example(
        "a size by position",
        {
            "forward": "out, cache = spatial_groupnorm_forward(x, gamma, beta, G, dict(eps=eps))",
            "backward": "dx, dgamma, dbeta = spatial_groupnorm_backward(dout, cache)",
        },
        GROUPS,
        ("x", "gamma", "beta"),
        GROUPNORM,
        (Raises("backward", "return dx.reshape(dout.shape)", "return dx.reshape(dout)"),),
        ("positional G",),
        "spatial_groupnorm_forward spatial_groupnorm_backward",
        "sequences.py",
        options={"eps": 1e-3},
        sizes={"G": 2},
    ),
    Example(
        "bare pair with a size",
        {"entry": "spatial_groupnorm"},
        GROUPS,
        ("x", "gamma", "beta"),
        GROUPNORM,
        (Raises("forward", "groups = x.reshape(N, G, C // G, H, W)", "groups = x.reshape(N, G, C * G, H, W)"),),
        ("positional G",),
        "spatial_groupnorm_forward spatial_groupnorm_backward",
        "sequences.py",
        options={"eps": 1e-3},
        sizes={"G": 2},
    ),
    Example(
        "a sequence",
        {
            "forward": "h, cache = rnn_forward(x, h0, Wx, Wh, b)",
            "backward": "dx, dh0, dWx, dWh, db = rnn_backward(dh, cache)",
        },
        RNN,
        ("x", "h0", "Wx", "Wh", "b"),
        RNN_WRONG,
        (Raises("backward", "dWh += before.T @ dz", "dWh += before @ dz"),),
        ("sequence, one upstream gradient",),
        "rnn_forward rnn_backward",
        "sequences.py",
    ),
    Example(
        "bare sequence",
        {"entry": "rnn"},
        RNN,
        ("x", "h0", "Wx", "Wh", "b"),
        RNN_WRONG,
        (Raises("forward", "h, states = h0, []", "h, states = h0, [], 0"),),
        ("sequence, one upstream gradient",),
        "rnn_forward rnn_backward",
        "sequences.py",
    ),
)
