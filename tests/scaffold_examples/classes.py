"""Classes of several conventions."""

import numpy as np


class Layer:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dout):
        raise NotImplementedError


class Dense(Layer):
    """Makes its own small weights and its zeros."""

    def __init__(self, n_in, n_out):
        self.W = 0.001 * np.random.randn(n_in, n_out)
        self.b = np.zeros(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class Recurrent(Layer):
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]

    def forward(self, x, h_prev):
        Wx, Wh, b = self.params
        self.kept = x, h_prev, np.tanh(x @ Wx + h_prev @ Wh + b)
        return self.kept[2]

    def backward(self, dh_next):
        Wx, Wh, _ = self.params
        x, h_prev, h_next = self.kept
        dz = dh_next * (1 - h_next**2)
        self.grads[0][...] = x.T @ dz
        self.grads[1][...] = h_prev.T @ dz
        self.grads[2][...] = dz.sum(axis=0)
        return dz @ Wx.T, dz @ Wh.T


class SoftmaxLoss:
    """A loss layer, which does without the upstream gradient."""

    def forward(self, x, t):
        exps = np.exp(x - x.max(axis=1, keepdims=True))
        self.p, self.t = exps / exps.sum(axis=1, keepdims=True), t
        return -np.log(self.p[np.arange(len(t)), t]).mean()

    def backward(self, dout=1):
        dx = self.p.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return dx / len(dx)


class Standardize:
    """Keeps running statistics among its parameters."""

    def __init__(self, features):
        self.params = {"gamma": np.ones(features), "beta": np.zeros(features), "running_mean": np.zeros(features)}
        self.grads = {}

    def forward(self, x):
        self.params["running_mean"] = 0.9 * self.params["running_mean"] + 0.1 * x.mean(axis=0)
        centred = x - x.mean(axis=0)
        self.scale = np.sqrt((centred**2).mean(axis=0) + 1e-6)
        self.y = centred / self.scale
        return self.params["gamma"] * self.y + self.params["beta"]

    def backward(self, dout):
        self.grads["gamma"], self.grads["beta"] = (dout * self.y).sum(axis=0), dout.sum(axis=0)
        dy = dout * self.params["gamma"]
        return (dy - dy.mean(axis=0) - self.y * (dy * self.y).mean(axis=0)) / self.scale


class Softplus:
    def fn(self, z):
        return np.log1p(np.exp(z))

    def grad(self, z):
        return 1 / (1 + np.exp(-z))


class Net:
    def __init__(self, input_size, hidden_size, num_classes, weight_scale=1e-3, reg=0.0, dtype=np.float32):
        self.reg = reg
        self.params = {
            "W1": weight_scale * np.random.randn(input_size, hidden_size).astype(dtype),
            "W2": weight_scale * np.random.randn(hidden_size, num_classes).astype(dtype),
        }

    def loss(self, X, y=None):
        W1, W2 = self.params["W1"], self.params["W2"]
        hidden = np.tanh(X @ W1)
        if y is None:
            return hidden @ W2
        last = SoftmaxLoss()
        loss = last.forward(hidden @ W2, y) + self.reg * ((W1**2).sum() + (W2**2).sum())
        dscores = last.backward()
        dhidden = dscores @ W2.T * (1 - hidden**2)
        grads = {"W1": X.T @ dhidden + 2 * self.reg * W1, "W2": hidden.T @ dscores + 2 * self.reg * W2}
        return loss, grads


class Regression:
    def __init__(self, inputs, outputs):
        self.params = {"W": np.random.randn(inputs, outputs)}

    def loss(self, x, t):
        return ((x @ self.params["W"] - t) ** 2).mean()

    def gradient(self, x, t):
        error = x @ self.params["W"] - t
        return {"W": 2 * x.T @ error / error.size}
