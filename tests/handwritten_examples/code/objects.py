"""Layer objects: how their methods are called, and where they keep outputs, parameters and gradients."""

import numpy as np


class Shifted:
    """`forward_pass` and `backward_pass`; a learning rate and an update in the pass itself."""

    def __init__(self, n_in, n_out):
        self.W, self.w0 = np.random.randn(n_in, n_out), np.random.randn(1, n_out)

    def forward_pass(self, X, training=True):
        self.layer_input = X
        return X @ self.W + self.w0

    def backward_pass(self, accum_grad):
        self.grad_W = self.layer_input.T @ accum_grad
        self.grad_w0 = accum_grad.sum(axis=0, keepdims=True)
        return accum_grad @ self.W.T


class Propagated:
    """`fprop` and `bprop`, gradients beside their parameters in dicts."""

    def __init__(self, W, b):
        self.parameters = {"W": W, "b": b}
        self.gradients = {}

    def fprop(self, x):
        self.x = x
        return np.sin(x @ self.parameters["W"] + self.parameters["b"])

    def bprop(self, dout):
        dz = dout * np.cos(self.x @ self.parameters["W"] + self.parameters["b"])
        self.gradients["W"] = self.x.T @ dz
        self.gradients["b"] = dz.sum(axis=0)
        return dz @ self.parameters["W"].T


class Updating:
    """Backward moves the parameters and keeps no gradient of them."""

    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.random.randn(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backprop(self, d_out, learn_rate):
        dx = d_out @ self.W.T
        self.W -= learn_rate * (self.x.T @ d_out)
        self.b -= learn_rate * d_out.sum(axis=0)
        return dx


class SGD:
    def __init__(self, lr):
        self.lr = lr

    def update(self, w, grad):
        return w - self.lr * grad


class Optimised:
    """Backward is handed an optimizer, which makes the update."""

    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout, optimizer):
        dx = dout @ self.W.T
        self.W = optimizer.update(self.W, self.x.T @ dout)
        return dx


class Attributed:
    """The course layer: Z and A stay on the object, and so does the gradient of what came in."""

    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, A_prev):
        self.A_prev = A_prev
        self.Z = A_prev @ self.W + self.b
        self.A = np.tanh(self.Z)

    def backward(self, dA):
        dZ = dA * (1 - self.A**2)
        self.dW = self.A_prev.T @ dZ
        self.db = dZ.sum(axis=0)
        self.dA_prev = dZ @ self.W.T


class Methods:
    """Parameters and their gradients are handed out by methods."""

    def __init__(self, n_in, n_out):
        self._w, self._b = np.random.randn(n_in, n_out), np.random.randn(n_out)

    def forward(self, x):
        self.x = x
        return x @ self._w + self._b

    def backward(self, dout):
        self._gw, self._gb = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self._w.T

    def params(self):
        return [self._w, self._b]

    def param_grads(self):
        return [self._gw, self._gb]


class Stacked:
    """Every forward appends its state, for a backward through time."""

    def __init__(self, W):
        self.W = W
        self.states = []

    def forward(self, x):
        h = np.tanh(x @ self.W)
        self.states.append((x, h))
        return h

    def backward(self, dout):
        x, h = self.states.pop()
        dz = dout * (1 - h**2)
        self.dW = x.T @ dz
        return dz @ self.W.T


class Noisy:
    """Does something else while it trains."""

    def __init__(self, keep):
        self.keep = keep

    def forward(self, x, train):
        self.train = train
        if not train:
            return x
        self.mask = (np.random.rand(*x.shape) < self.keep) / self.keep
        return x * self.mask

    def backward(self, dout):
        if self.train:
            return dout * self.mask
        return dout


class Lazy:
    """Learns the size of its input from the first one that comes."""

    def __init__(self, width):
        self.width, self.W, self.b = width, None, None

    def forward(self, x):
        if self.W is None:
            self.W, self.b = np.random.randn(x.shape[1], self.width), np.random.randn(self.width)
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0)
        return dout @ self.W.T


class LazyInPart:
    """Has its bias from the start, and its weights from the first input on."""

    def __init__(self, width):
        self.width = width
        self.params, self.grads = {"b": np.random.randn(width)}, {}

    def forward(self, x):
        if "W" not in self.params:
            self.params["W"] = np.random.randn(x.shape[1], self.width)
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, dout):
        self.grads["W"] = self.x.T @ dout
        self.grads["b"] = dout.sum(axis=0)
        return dout @ self.params["W"].T


class Returning:
    """Backward returns the gradients of the parameters behind that of the input."""

    def __init__(self, n_in, n_out):
        self.W, self.b = np.random.randn(n_in, n_out), np.random.randn(n_out)

    def forward(self, X):
        self.X = X
        return X @ self.W + self.b

    def backward(self, dZ):
        dW = self.X.T @ dZ
        db = dZ.sum(axis=0)
        dX = dZ @ self.W.T
        return dX, [dW, db]
