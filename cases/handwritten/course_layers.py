"""The layers of a first course on deep learning, each with a backward pass written by hand.

A forward returns its output and a cache, `name_backward(dout, cache)` the gradients of the float inputs, in the order
in which forward takes them. A loss returns its value and its gradient at once. Images have the axes (N, C, H, W),
other batches (N, D). Options come last, in a dict.
"""

import numpy as np

# -- fully connected, relu --------------------------------------------------------------------------------------------


def affine_forward(x, w, b):
    """x (N, …) with D numbers in each of N samples, w (D, M), b (M,) → out (N, M)."""
    rows = x.reshape(len(x), -1)
    return rows @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    rows = x.reshape(len(x), -1)
    dx = (dout @ w.T).reshape(x.shape)
    dw = rows.T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    """x of any shape → out of that shape."""
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    x = cache
    return np.where(x > 0, dout, 0)


# -- images: a window moves over them ---------------------------------------------------------------------------------


def places(height, width, window, stride):
    """Where a window stops on an image: (row and column of the output, rows and columns of the input) for each stop."""
    tall, wide = window
    for i, top in enumerate(range(0, height - tall + 1, stride)):
        for j, left in enumerate(range(0, width - wide + 1, stride)):
            yield i, j, slice(top, top + tall), slice(left, left + wide)


def output_size(length, window, stride):
    """In how many places a window stops along one axis."""
    return (length - window) // stride + 1


def conv_forward(x, w, b, conv_param):
    """x (N, C, H, W), w (F, C, HH, WW), b (F,) → out (N, F, H', W').

    conv_param : stride, and pad, the width of the rim of zeros on every side
    """
    stride, pad = conv_param["stride"], conv_param["pad"]
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, width = padded.shape[2:]
    window = w.shape[2:]
    out = np.empty((len(x), len(w), output_size(height, window[0], stride), output_size(width, window[1], stride)))
    for i, j, rows, columns in places(height, width, window, stride):
        patch = padded[:, :, rows, columns]
        out[:, :, i, j] = np.tensordot(patch, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (padded, w, conv_param)


def conv_backward(dout, cache):
    padded, w, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    height, width = padded.shape[2:]
    dpadded = np.zeros_like(padded)
    dw = np.zeros_like(w)
    for i, j, rows, columns in places(height, width, w.shape[2:], stride):
        arriving = dout[:, :, i, j]
        dw += np.tensordot(arriving, padded[:, :, rows, columns], axes=(0, 0))
        dpadded[:, :, rows, columns] += np.tensordot(arriving, w, axes=(1, 0))
    dx = dpadded[:, :, pad : height - pad, pad : width - pad]
    db = dout.sum(axis=(0, 2, 3))
    return dx, dw, db


def max_pool_forward(x, pool_param):
    """x (N, C, H, W) → out (N, C, H', W'), the largest number in each window.

    pool_param : size of the square window, and stride
    """
    size, stride = pool_param["size"], pool_param["stride"]
    samples, channels, height, width = x.shape
    out = np.empty((samples, channels, output_size(height, size, stride), output_size(width, size, stride)))
    for i, j, rows, columns in places(height, width, (size, size), stride):
        out[:, :, i, j] = x[:, :, rows, columns].max(axis=(2, 3))
    return out, (x, pool_param)


def max_pool_backward(dout, cache):
    x, pool_param = cache
    size, stride = pool_param["size"], pool_param["stride"]
    samples, channels, height, width = x.shape
    dx = np.zeros_like(x)
    for i, j, rows, columns in places(height, width, (size, size), stride):
        patches = x[:, :, rows, columns].reshape(samples * channels, -1)
        winners = patches.argmax(axis=1)  # one for each patch: equal numbers must not all get the whole gradient
        dpatches = np.zeros_like(patches)
        dpatches[np.arange(len(patches)), winners] = dout[:, :, i, j].ravel()
        # Windows overlap where the stride is smaller, and one number may win in several: add, never assign.
        dx[:, :, rows, columns] += dpatches.reshape(samples, channels, size, size)
    return dx


# -- normalisation: the same two lines over different axes ------------------------------------------------------------


def normalize(x, axes, eps):
    """x moved to mean 0 and scaled to variance 1 along some axes, and the scale, 1/√(variance + eps)."""
    centred = x - x.mean(axis=axes, keepdims=True)
    scale = 1 / np.sqrt((centred**2).mean(axis=axes, keepdims=True) + eps)
    return centred * scale, scale


def normalize_backward(dnormal, normal, scale, axes):
    """Three paths lead back to x: the number itself, the mean, and the variance."""
    through_mean = dnormal.mean(axis=axes, keepdims=True)
    through_variance = normal * (dnormal * normal).mean(axis=axes, keepdims=True)
    return scale * (dnormal - through_mean - through_variance)


def batch_norm_forward(x, gamma, beta, bn_param):
    """x (N, D), gamma and beta (D,) → out (N, D), each feature normalised over the batch.

    bn_param : mode, train or test; eps; momentum; running_mean and running_var, updated in training, used in testing
    """
    mode, eps = bn_param["mode"], bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    mean = bn_param.setdefault("running_mean", np.zeros(x.shape[1]))
    variance = bn_param.setdefault("running_var", np.ones(x.shape[1]))
    if mode == "train":
        normal, scale = normalize(x, 0, eps)
        bn_param["running_mean"] = momentum * mean + (1 - momentum) * x.mean(axis=0)
        bn_param["running_var"] = momentum * variance + (1 - momentum) * x.var(axis=0)
    else:
        scale = 1 / np.sqrt(variance + eps)
        normal = (x - mean) * scale
    return gamma * normal + beta, (mode, normal, scale, gamma)


def batch_norm_backward(dout, cache):
    mode, normal, scale, gamma = cache
    dnormal = dout * gamma
    # In testing mean and variance are constants, and nothing goes back through them.
    dx = normalize_backward(dnormal, normal, scale, 0) if mode == "train" else dnormal * scale
    dgamma = (dout * normal).sum(axis=0)
    dbeta = dout.sum(axis=0)
    return dx, dgamma, dbeta


def layer_norm_forward(x, gamma, beta, ln_param):
    """x (N, D), gamma and beta (D,) → out (N, D), each sample normalised over its features."""
    normal, scale = normalize(x, 1, ln_param.get("eps", 1e-5))
    return gamma * normal + beta, (normal, scale, gamma)


def layer_norm_backward(dout, cache):
    normal, scale, gamma = cache
    dx = normalize_backward(dout * gamma, normal, scale, 1)
    dgamma = (dout * normal).sum(axis=0)
    dbeta = dout.sum(axis=0)
    return dx, dgamma, dbeta


def group_norm_forward(x, gamma, beta, groups, gn_param):
    """x (N, C, H, W), gamma and beta (1, C, 1, 1) → out (N, C, H, W), each group of channels normalised by itself."""
    grouped = x.reshape(len(x), groups, -1)
    normal, scale = normalize(grouped, 2, gn_param.get("eps", 1e-5))
    out = gamma * normal.reshape(x.shape) + beta
    return out, (normal, scale, gamma)


def group_norm_backward(dout, cache):
    normal, scale, gamma = cache
    dnormal = (dout * gamma).reshape(normal.shape)
    dx = normalize_backward(dnormal, normal, scale, 2).reshape(dout.shape)
    dgamma = (dout * normal.reshape(dout.shape)).sum(axis=(0, 2, 3), keepdims=True)
    dbeta = dout.sum(axis=(0, 2, 3), keepdims=True)
    return dx, dgamma, dbeta


# -- dropout ----------------------------------------------------------------------------------------------------------


def dropout_forward(x, dropout_param):
    """x of any shape → out of that shape.

    dropout_param : mode, train or test; keep, the probability that a number stays; seed, for the same mask every time
    """
    mode, keep = dropout_param["mode"], dropout_param["keep"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    if mode == "test":
        return x, None
    mask = (np.random.rand(*x.shape) < keep) / keep  # scaled up, so that the mean stays what it is in testing
    return x * mask, mask


def dropout_backward(dout, cache):
    mask = cache
    return dout if mask is None else dout * mask


# -- losses -----------------------------------------------------------------------------------------------------------


def svm_loss(scores, y):
    """scores (N, C), the right classes y (N,) → mean hinge loss with margin 1, its gradient (N, C)."""
    rows = np.arange(len(y))
    margins = scores - scores[rows, y][:, None] + 1
    margins[rows, y] = 0
    loss = np.maximum(margins, 0).sum() / len(y)

    dscores = (margins > 0).astype(scores.dtype)
    dscores[rows, y] = -dscores.sum(axis=1)
    return loss, dscores / len(y)


def softmax_loss(scores, y):
    """scores (N, C), the right classes y (N,) → mean cross-entropy, its gradient (N, C)."""
    rows = np.arange(len(y))
    shifted = scores - scores.max(axis=1, keepdims=True)  # exp of a large score overflows
    log_probs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_probs[rows, y].mean()

    dscores = np.exp(log_probs)
    dscores[rows, y] -= 1
    return loss, dscores / len(y)


# -- one step through time --------------------------------------------------------------------------------------------


def sigmoid(z):
    """1/(1 + exp(-z)) without overflow."""
    return 0.5 * (1 + np.tanh(z / 2))


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    """x (N, D), prev_h (N, H), Wx (D, H), Wh (H, H), b (H,) → next_h (N, H)."""
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dz = dnext_h * (1 - next_h**2)
    return dz @ Wx.T, dz @ Wh.T, x.T @ dz, prev_h.T @ dz, dz.sum(axis=0)


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    """x (N, D), prev_h and prev_c (N, H), Wx (D, 4H), Wh (H, 4H), b (4H,) → next_h and next_c (N, H).

    The columns of Wx, Wh and b are those of the gates input, forget, output, and of the candidate, in this order.
    """
    z = np.split(x @ Wx + prev_h @ Wh + b, 4, axis=1)
    let_in, keep, let_out = (sigmoid(part) for part in z[:3])
    candidate = np.tanh(z[3])
    next_c = keep * prev_c + let_in * candidate
    next_h = let_out * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, let_in, keep, let_out, candidate, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, let_in, keep, let_out, candidate, next_c = cache
    tanh_c = np.tanh(next_c)
    dc = dnext_c + dnext_h * let_out * (1 - tanh_c**2)  # the cell goes on by itself, and into next_h
    dz = np.hstack(
        [
            dc * candidate * let_in * (1 - let_in),
            dc * prev_c * keep * (1 - keep),
            dnext_h * tanh_c * let_out * (1 - let_out),
            dc * let_in * (1 - candidate**2),
        ]
    )
    return dz @ Wx.T, dz @ Wh.T, dc * keep, x.T @ dz, prev_h.T @ dz, dz.sum(axis=0)


# -- embedding --------------------------------------------------------------------------------------------------------


def embedding_forward(ids, W):
    """ids (N, T), whole numbers below V, W (V, D) → out (N, T, D), a row of W for each id."""
    return W[ids], (ids, W.shape)


def embedding_backward(dout, cache):
    ids, shape = cache
    dW = np.zeros(shape)
    np.add.at(dW, ids, dout)  # dW[ids] += dout would keep one of several equal ids
    return dW


# -- a whole model ----------------------------------------------------------------------------------------------------


class TwoLayerNet:
    """affine, relu, affine, softmax loss; `params` by name, weights with an L2 penalty."""

    def __init__(self, inputs, hidden, classes, weight_scale=0.1):
        self.params = {
            "W1": weight_scale * np.random.randn(inputs, hidden),
            "b1": np.zeros(hidden),
            "W2": weight_scale * np.random.randn(hidden, classes),
            "b2": np.zeros(classes),
        }

    def loss(self, X, y=None, reg=0.0):
        """X (N, inputs), y (N,) → loss, gradients by the names of `params`; without y the scores (N, classes)."""
        p = self.params
        hidden, affine1 = affine_forward(X, p["W1"], p["b1"])
        active, relu = relu_forward(hidden)
        scores, affine2 = affine_forward(active, p["W2"], p["b2"])
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        loss += reg * ((p["W1"] ** 2).sum() + (p["W2"] ** 2).sum())

        grads = {}
        dactive, grads["W2"], grads["b2"] = affine_backward(dscores, affine2)
        _, grads["W1"], grads["b1"] = affine_backward(relu_backward(dactive, relu), affine1)
        grads["W1"] += 2 * reg * p["W1"]
        grads["W2"] += 2 * reg * p["W2"]
        return loss, grads
