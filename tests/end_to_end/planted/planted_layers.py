"""Ten layers with one mistake each, which a friendly configuration does not show. Every forward is right."""

import numpy as np

# -- affine: right for more than one sample ---------------------------------------------------------------------------


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    dx = dout @ w.T
    dw = x.T @ dout
    db = np.sum(np.squeeze(dout), axis=0)  # a batch of one loses its axis, and the sum goes over the outputs
    return dx, dw, db


# -- convolution: right for stride 1 ----------------------------------------------------------------------------------


def conv_forward(x, w, stride):
    rows, columns = w.shape[1:]
    height, width = (x.shape[1] - rows) // stride + 1, (x.shape[2] - columns) // stride + 1
    out = np.zeros((len(x), len(w), height, width))
    for i in range(height):
        for j in range(width):
            patch = x[:, i * stride : i * stride + rows, j * stride : j * stride + columns]
            out[:, :, i, j] = np.einsum("nhw,fhw->nf", patch, w)
    return out, (x, w, stride)


def conv_backward(dout, cache):
    x, w, stride = cache
    rows, columns = w.shape[1:]
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            dw += np.einsum("nf,nhw->fhw", dout[:, :, i, j], x[:, top : top + rows, left : left + columns])
            dx[:, i : i + rows, j : j + columns] += np.einsum("nf,fhw->nhw", dout[:, :, i, j], w)  # not (top, left)
    return dx, dw


# -- max-pool: right where windows do not overlap ---------------------------------------------------------------------


def max_pool_forward(x, pool_param):
    size, stride = pool_param["size"], pool_param["stride"]
    height, width = (x.shape[1] - size) // stride + 1, (x.shape[2] - size) // stride + 1
    out = np.zeros((len(x), height, width))
    for n, i, j in np.ndindex(out.shape):
        out[n, i, j] = x[n, i * stride : i * stride + size, j * stride : j * stride + size].max()
    return out, (x, pool_param)


def max_pool_backward(dout, cache):
    x, pool_param = cache
    size, stride = pool_param["size"], pool_param["stride"]
    dx = np.zeros_like(x)
    for n, i, j in np.ndindex(dout.shape):
        patch = x[n, i * stride : i * stride + size, j * stride : j * stride + size]
        row, column = np.unravel_index(patch.argmax(), patch.shape)
        dx[n, i * stride + row, j * stride + column] = dout[n, i, j]  # forgets what another window left there
    return dx


# -- maximum over time: right where one value is the largest ----------------------------------------------------------


def max_over_time_forward(x):
    out = x.max(axis=1)
    return out, (x, out)


def max_over_time_backward(dout, cache):
    x, out = cache
    return (x == out[:, None]) * dout[:, None]  # each of several largest values gets all of it


# -- layer norm: right where the variance is far above eps ------------------------------------------------------------


def layer_norm_forward(x, gamma, beta, eps):
    centred = x - x.mean(axis=1, keepdims=True)
    variance = np.mean(centred**2, axis=1, keepdims=True)
    normal = centred / np.sqrt(variance + eps)
    return gamma * normal + beta, (centred, variance, normal, gamma)


def layer_norm_backward(dout, cache):
    centred, variance, normal, gamma = cache
    count = dout.shape[1]
    dgamma = np.sum(dout * normal, axis=0)
    dbeta = np.sum(dout, axis=0)
    dnormal = dout * gamma
    deviation = np.sqrt(variance)  # without eps
    dvariance = -0.5 * np.sum(dnormal * centred, axis=1, keepdims=True) / deviation**3
    dcentred = dnormal / deviation + 2 * centred * dvariance / count
    dx = dcentred - dcentred.mean(axis=1, keepdims=True)
    return dx, dgamma, dbeta


# -- group norm: right on square maps ---------------------------------------------------------------------------------


def group_norm_forward(x, gamma, groups, eps):
    samples, channels, side = x.shape[:3]
    grouped = x.reshape(samples, groups, -1)
    centred = grouped - grouped.mean(axis=2, keepdims=True)
    scale = 1 / np.sqrt(np.mean(centred**2, axis=2, keepdims=True) + eps)
    normal = centred * scale
    out = gamma * normal.reshape(x.shape)
    return out, (normal, scale, gamma, channels // groups * side * side)


def group_norm_backward(dout, cache):
    normal, scale, gamma, count = cache  # counted as if the map were square
    dgamma = np.sum(dout * normal.reshape(dout.shape), axis=(0, 2, 3), keepdims=True)
    dnormal = (dout * gamma).reshape(normal.shape)
    totals = np.sum(dnormal, axis=2, keepdims=True), np.sum(dnormal * normal, axis=2, keepdims=True)
    dx = scale / count * (count * dnormal - totals[0] - normal * totals[1])
    return dx.reshape(dout.shape), dgamma


# -- dropout: right for p = 1/2 ---------------------------------------------------------------------------------------


def dropout_forward(x, p):
    dropped = np.random.rand(*x.shape) < p
    return np.where(dropped, 0, x / (1 - p)), (dropped, p)


def dropout_backward(dout, cache):
    dropped, p = cache
    return np.where(dropped, 0, dout / p)


# -- rnn step: right where the bias is zero ---------------------------------------------------------------------------


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    return np.tanh(x @ Wx + prev_h @ Wh + b), (x, prev_h, Wx, Wh)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh = cache
    dz = dnext_h * (1 - np.tanh(x @ Wx + prev_h @ Wh) ** 2)  # computed again, without b
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, prev_h.T @ dz, dz.sum(axis=0)


# -- embedding: right where no id repeats -----------------------------------------------------------------------------


def embedding_forward(ids, W):
    return W[ids], (ids, W)


def embedding_backward(dout, cache):
    ids, W = cache
    dW = np.zeros_like(W)
    dW[ids] += dout  # of equal ids only the last counts
    return dW


# -- a net: right without its penalty ---------------------------------------------------------------------------------


class TwoLayerNet:
    def __init__(self, inputs, hidden, classes, reg=0.0):
        self.reg = reg
        self.params = {
            "W1": np.random.randn(inputs, hidden),
            "b1": 0.1 * np.random.randn(hidden),
            "W2": np.random.randn(hidden, classes),
            "b2": 0.1 * np.random.randn(classes),
        }

    def loss(self, X, y):
        W1, b1, W2, b2 = (self.params[name] for name in ("W1", "b1", "W2", "b2"))
        hidden = np.maximum(X @ W1 + b1, 0)
        scores = hidden @ W2 + b2
        exps = np.exp(scores - scores.max(axis=1, keepdims=True))
        probs = exps / exps.sum(axis=1, keepdims=True)
        rows = np.arange(len(X))
        loss = -np.log(probs[rows, y]).mean() + self.reg * (np.sum(W1**2) + np.sum(W2**2))

        dscores = probs.copy()
        dscores[rows, y] -= 1
        dscores /= len(X)
        dhidden = dscores @ W2.T * (hidden > 0)
        grads = {
            "W1": X.T @ dhidden + self.reg * W1,  # half of the penalty's slope
            "b1": dhidden.sum(axis=0),
            "W2": hidden.T @ dscores + self.reg * W2,
            "b2": dscores.sum(axis=0),
        }
        return loss, grads
