"""Right code on torch tensors; each wrong twin in a test is this file with one line changed."""

import torch
from torch import nn
from torch.autograd import Function


class Affine(Function):
    @staticmethod
    def forward(ctx, x, w, b, scale=1.0):
        ctx.save_for_backward(x, w)
        ctx.scale = scale
        return scale * (x @ w) + b

    @staticmethod
    def backward(ctx, dout):
        x, w = ctx.saved_tensors
        dx = ctx.scale * (dout @ w.T)
        dw = ctx.scale * (x.T @ dout)
        return dx, dw, dout.sum(0), None


class Split(Function):
    """Two outputs, and a context that is set up by itself."""

    @staticmethod
    def forward(x):
        return torch.sin(x), torch.exp(x)

    @staticmethod
    def setup_context(ctx, inputs, output):
        (x,) = inputs
        ctx.save_for_backward(x, output[1])

    @staticmethod
    def backward(ctx, dsine, dgrowth):
        x, growth = ctx.saved_tensors
        return dsine * torch.cos(x) + dgrowth * growth


class Swish(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, dout):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return dout * s * (1 + x * (1 - s))


class Net(nn.Module):
    def __init__(self, n_in, n_hidden):
        super().__init__()
        self.fc1 = nn.Linear(n_in, n_hidden, bias=False)
        self.norm = nn.BatchNorm1d(n_hidden)
        self.drop = nn.Dropout(0.25)
        self.fc2 = nn.Linear(n_hidden, 2)

    def forward(self, x):
        return self.fc2(self.drop(Swish.apply(self.norm(self.fc1(x)))))


class LazyNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(inplace=True), nn.LazyLinear(2))

    def forward(self, x):
        return self.body(x)


class HalfUsed(nn.Module):
    def __init__(self):
        super().__init__()
        self.used, self.unused = nn.Linear(3, 2), nn.Linear(3, 2)

    def forward(self, x):
        return self.used(x)


class Straight(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx, dout):
        (x,) = ctx.saved_tensors
        return dout * (x > 0)


def distance(x, w):
    return ((Straight.apply(x) - w) ** 2).sum(1).sqrt()


def scaled_forward(x, w):
    out = torch.tanh(x @ w)
    return out, (x, w, out)


def scaled_backward(dout, cache):
    x, w, out = cache
    dz = dout * (1 - out**2)
    return dz @ w.T, x.T @ dz
