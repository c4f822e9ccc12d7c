"""Right code in many conventions; each wrong twin in a test is this file with one line changed."""

import random

import numpy as np

# -- function pairs ---------------------------------------------------------------------------------------------------


def affine_forward(x, w, b):
    out = x.reshape(len(x), -1) @ w + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, _ = cache
    dx = (dout @ w.T).reshape(x.shape)
    dw = x.reshape(len(x), -1).T @ dout
    db = dout.sum(axis=0)
    return dx, dw, db


def scaled_forward(x, scale_param):
    return scale_param["factor"] * x**2, (x, scale_param)


def scaled_backward(dout, cache):
    x, scale_param = cache
    return 2 * scale_param["factor"] * x * dout


def step_forward(x, prev_h, prev_c, Wx):
    gate = np.tanh(x @ Wx + prev_h)
    next_c = gate * prev_c
    next_h = np.sin(next_c)
    cache = (x, prev_c, Wx, gate, next_c)
    return next_h, next_c, cache


def step_backward(dnext_h, dnext_c, cache):
    x, prev_c, Wx, gate, next_c = cache
    dc = dnext_c + dnext_h * np.cos(next_c)
    dz = dc * prev_c * (1 - gate**2)
    return dz @ Wx.T, dz, dc * gate, x.T @ dz


def fwd(x, w):
    return np.tanh(x @ w), (x, w)


def bwd(res, g):
    x, w = res
    dz = g * (1 - np.tanh(x @ w) ** 2)
    return dz @ w.T, x.T @ dz


def product(a, b):
    return a * b


def product_backward(dout, a, b):
    return dout * b, dout * a


# -- losses and activations -------------------------------------------------------------------------------------------


def softmax_loss(x, y):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    loss = -np.log(p[rows, y]).mean()
    dx = p.copy()
    dx[rows, y] -= 1
    dx /= len(x)
    return loss, dx


def mse(target, pred):
    return np.mean((target - pred) ** 2)


def mse_prime(target, pred):
    return 2 * (pred - target) / pred.size


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_grad(out):
    return out * (1 - out)


# -- layer objects ----------------------------------------------------------------------------------------------------


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class ListAffine:
    """Parameters and gradients in lists, gradients filled in place."""

    def __init__(self, W, b):
        self.params = [W, b]
        self.grads = [np.zeros_like(W), np.zeros_like(b)]

    def forward(self, x):
        W, b = self.params
        self.x = x
        return np.dot(x, W) + b

    def backward(self, dout):
        W, _ = self.params
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ W.T


class Dense:
    """Draws its own weights; keeps gradients in a dict; `lr` updates inside backward."""

    def __init__(self, n_in, n_out):
        self.params = {"W": np.random.randn(n_in, n_out), "b": np.random.randn(1, n_out)}
        self.grads = {}

    def forward(self, x, train=False):
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.x.T @ dout
        self.grads["b"] = dout.sum(axis=0, keepdims=True)
        return dout @ self.params["W"].T

    def backprop(self, dout, lr):
        dx = dout @ self.params["W"].T
        self.params["W"] -= lr * (self.x.T @ dout)
        self.params["b"] = self.params["b"] - lr * dout.sum(axis=0, keepdims=True)
        return dx

    def second_value(self, dout):
        return dout @ self.params["W"].T, [self.x.T @ dout, dout.sum(axis=0, keepdims=True)]


class Parameter:
    def __init__(self, data):
        self.data = data
        self.grad = None


class ObjectDense:
    """Parameters are objects with `.data` and `.grad`, handed out by methods."""

    def __init__(self, n_in, n_out):
        self.weight = Parameter(np.random.randn(n_in, n_out))
        self.bias = Parameter(np.random.randn(n_out))

    def parameters(self):
        return [self.weight, self.bias]

    def __call__(self, x):
        self.x = x
        return x @ self.weight.data + self.bias.data

    def backward(self, dout):
        self.weight.grad = self.x.T @ dout
        self.bias.grad = dout.sum(axis=0)
        return dout @ self.weight.data.T


class MethodDense(Dense):
    def get_params(self):
        return [self.params["W"], self.params["b"]]

    def get_grads(self):
        return [self.grads["W"], self.grads["b"]]


class KeepsOutput:
    """The output and the input gradient stay on the object."""

    def __init__(self, weights, biases):
        self.weights, self.biases = weights, biases

    def forward(self, inputs):
        self.inputs = inputs
        self.output = inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights = self.inputs.T @ dvalues
        self.dbiases = dvalues.sum(axis=0)
        self.dinputs = dvalues @ self.weights.T


class LazyDense:
    """Makes its weights in its first forward."""

    def __init__(self, width):
        self.width = width
        self.W = None

    def forward(self, x):
        if self.W is None:
            self.W = np.random.randn(x.shape[1], self.width)
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Dropout:
    def __init__(self, p):
        self.p = p

    def forward(self, x, train=True):
        self.mask = (np.random.rand(*x.shape) >= self.p) / (1 - self.p)
        return x * self.mask * random.choice([2.0, 3.0])

    def backward(self, dout):
        random.seed(0)
        return dout * self.mask * random.choice([2.0, 3.0])


class LeakyReLU:
    def __init__(self, alpha=0.01):
        self.alpha = alpha

    def forward(self, x):
        self.x = x
        return np.where(x > 0, x, self.alpha * x)

    def backward(self, dout):
        return np.where(self.x > 0, dout, self.alpha * dout)


class MSELoss:
    def forward(self, pred, target):
        self.difference = pred - target
        return (self.difference**2).mean()

    def backward(self):
        return 2 * self.difference / self.difference.size


class Square:
    """A Function with a context."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        ctx.power = 2
        return w * x**ctx.power

    @staticmethod
    def backward(ctx, grad_output):
        x, w = ctx.saved_tensors
        return grad_output * 2 * w * x, grad_output * x**ctx.power


# -- whole models -----------------------------------------------------------------------------------------------------


class TwoLayerNet:
    def __init__(self, n_in, n_hidden, reg=0.0):
        self.reg = reg
        self.params = {"W1": np.random.randn(n_in, n_hidden), "b1": np.random.randn(n_hidden)}
        self.params["W2"] = np.random.randn(n_hidden, 3)

    def loss(self, X, y=None):
        p = self.params
        h = np.tanh(X @ p["W1"] + p["b1"])
        scores = h @ p["W2"]
        if y is None:
            return scores
        loss, dscores = softmax_loss(scores, y)
        loss += self.reg * ((p["W1"] ** 2).sum() + (p["W2"] ** 2).sum())
        dh = dscores @ p["W2"].T * (1 - h**2)
        grads = {"W2": h.T @ dscores + 2 * self.reg * p["W2"], "b1": dh.sum(axis=0)}
        grads["W1"] = X.T @ dh + 2 * self.reg * p["W1"]
        return loss, grads

    def keyed_by_d(self, X, y):
        loss, grads = self.loss(X, y)
        return loss, {f"d{name}": value for name, value in grads.items()}
