"""Normalisation: per image and channel, over the last axis, by root mean square, of weights, per batch."""

import numpy as np


def instance_norm(img, scale, offset, tiny):
    mean = img.mean(axis=(1, 2), keepdims=True)
    centred = img - mean
    std = np.sqrt((centred**2).mean(axis=(1, 2), keepdims=True) + tiny)
    unit = centred / std
    return unit * scale + offset, (unit, std, scale)


def instance_norm_backward(g, memo):
    unit, std, scale = memo
    doffset = g.sum(axis=(0, 1, 2))
    dscale = (g * unit).sum(axis=(0, 1, 2))
    du = g * scale
    m1 = du.mean(axis=(1, 2), keepdims=True)
    m2 = (du * unit).mean(axis=(1, 2), keepdims=True)
    return (du - m1 - unit * m2) / std, dscale, doffset


def make_layer_norm(eps):
    """A pair of closures that share what forward saw."""
    seen = {}

    def run(t, gain, shift):
        mu = t.mean(-1, keepdims=True)
        var = ((t - mu) ** 2).mean(-1, keepdims=True)
        seen.update(t=t, mu=mu, var=var, gain=gain)
        return (t - mu) / np.sqrt(var + eps) * gain + shift

    def back(up):
        t, mu, var, gain = seen["t"], seen["mu"], seen["var"], seen["gain"]
        D = t.shape[-1]
        inv = 1.0 / np.sqrt(var + eps)
        dn = up * gain
        dvar = (dn * (t - mu) * -0.5 * inv**3).sum(-1, keepdims=True)
        dmu = (-dn * inv).sum(-1, keepdims=True)
        dt = dn * inv + dvar * 2 * (t - mu) / D + dmu / D
        dgain = np.einsum("ntd,ntd->d", up, (t - mu) * inv)
        return dt, dgain, up.sum((0, 1))

    return run, back


def rms_norm(a, gain):
    rms = np.sqrt(np.mean(a * a, axis=1, keepdims=True) + 1e-3)
    return gain * a / rms, (a, gain, rms)


def rms_norm_backward(da_out, ctx):
    a, gain, rms = ctx
    n = a.shape[1]
    v = da_out * gain
    da = v / rms - a * (v * a).sum(axis=1, keepdims=True) / (n * rms**3)
    dgain = (da_out * a / rms).sum(axis=0)
    return da, dgain


def weight_norm(data, direction, length):
    """Rows of direction are scaled to the lengths; (out, in)."""
    norm = np.linalg.norm(direction, axis=1, keepdims=True)
    W = length[:, None] * direction / norm
    return data @ W.T, (data, direction, length, norm, W)


def weight_norm_backward(dres, held):
    data, direction, length, norm, W = held
    dW = dres.T @ data
    dlength = (dW * direction / norm).sum(axis=1)
    along = (dW * direction).sum(axis=1, keepdims=True)
    ddirection = length[:, None] / norm * (dW - direction * along / norm**2)
    return dres @ W, ddirection, dlength


class BatchScale:
    """Batch normalisation of (N, D) with the usual chain of small steps."""

    eps = 0.01

    def __init__(self, gamma, beta):
        self.gamma, self.beta = gamma, beta

    def __call__(self, x):
        self.off = x - x.mean(0)
        self.var = (self.off**2).mean(0)
        self.sd = np.sqrt(self.var + self.eps)
        self.hat = self.off / self.sd
        return self.gamma * self.hat + self.beta

    def grad(self, dy):
        N = len(dy)
        self.dbeta = dy.sum(0)
        self.dgamma = (dy * self.hat).sum(0)
        dhat = dy * self.gamma
        dsd = -(dhat * self.off).sum(0) / self.sd**2
        dvar = 0.5 * dsd / self.sd
        doff = dhat / self.sd + 2 * self.off * dvar / N
        return doff - doff.mean(0)
