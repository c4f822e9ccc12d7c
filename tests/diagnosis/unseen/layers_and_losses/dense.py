"""Dense layers and elementwise ones: (out, in) weights, tied weights, gates, shortcuts, tables, masks, products."""

import math

import numpy as np


def project(inp, weight, offset):
    """torch's layout: weight (out, in); works on any leading axes."""
    return inp @ weight.T + offset, (inp, weight)


def project_backward(gout, saved):
    inp, weight = saved
    ginp = gout @ weight
    gweight = gout.reshape(-1, weight.shape[0]).T @ inp.reshape(-1, weight.shape[1])
    goffset = gout.reshape(-1, weight.shape[0]).sum(axis=0)
    return ginp, gweight, goffset


def tied(flat, data, decay):
    """An autoencoder on (D, N) columns with one matrix for both ways, weight decay, and one vector of parameters."""
    D, N = data.shape
    H = (flat.size - D) // (D + 1)
    W, b, c = flat[: H * D].reshape(H, D), flat[H * D : H * D + H], flat[H * D + H :]
    hid = 1 / (1 + np.exp(-(W @ data + b[:, None])))
    rec = W.T @ hid + c[:, None]
    err = rec - data
    loss = 0.5 * (err**2).sum() / N + 0.5 * decay * (W**2).sum()
    drec = err / N
    dhid = W @ drec
    dpre = dhid * hid * (1 - hid)
    dW = dpre @ data.T
    dW += hid @ drec.T
    dW += decay * W
    return loss, np.concatenate([dW.ravel(), dpre.sum(1), drec.sum(1)])


class Shortcut:
    """x + f(x), f = W2·relu(W1·x), rows."""

    def __init__(self, W1, W2):
        self.W1, self.W2 = W1, W2
        self.dW1, self.dW2 = np.zeros_like(W1), np.zeros_like(W2)

    def forward(self, x):
        self.x = x
        self.pre = x @ self.W1
        self.act = np.maximum(self.pre, 0)
        return x + self.act @ self.W2

    def backward(self, up):
        self.dW2 += self.act.T @ up
        dact = up @ self.W2.T
        dpre = dact * (self.pre > 0)
        self.dW1 += self.x.T @ dpre
        return up + dpre @ self.W1.T


def highway(x, Wt, Wh):
    gate = 1 / (1 + np.exp(-x @ Wt))
    body = np.tanh(x @ Wh)
    return gate * body + (1 - gate) * x, (x, Wt, Wh, gate, body)


def highway_backward(dy, mem):
    x, Wt, Wh, gate, body = mem
    dgate = dy * (body - x) * gate * (1 - gate)
    dbody = dy * gate * (1 - body**2)
    dx = dy * (1 - gate) + dgate @ Wt.T + dbody @ Wh.T
    return dx, x.T @ dgate, x.T @ dbody


def bag(table, ids):
    """Mean of the vectors of each row of ids; ids repeat."""
    return table[ids].mean(axis=1), (table.shape, ids)


def bag_backward(dbag, saved):
    shape, ids = saved
    dtable = np.zeros(shape)
    share = np.repeat(dbag[:, None, :], ids.shape[1], axis=1) / ids.shape[1]
    np.add.at(dtable, ids, share)
    return dtable


def drop(acts, mask, p):
    scaled = mask / (1 - p)
    return acts * scaled, (scaled, p)


def drop_backward(dd, saved):
    scaled, p = saved  # noqa: RUF059 – the name is there for whoever uses it wrongly
    return dd * scaled


def bilinear(u, M, w):
    """out[n, k] = uᵀ M[k] w."""
    return np.einsum("ni,kij,nj->nk", u, M, w), (u, M, w)


def bilinear_backward(dk, args):
    u, M, w = args
    du = np.einsum("nk,kij,nj->ni", dk, M, w)
    dM = np.einsum("nk,ni,nj->kij", dk, u, w)
    dw = np.einsum("nk,ni,kij->nj", dk, u, M)
    return du, dM, dw


def crossing(feats, V):
    """Factorisation machine (Rendle 2010): pairwise products in linear time."""
    s = feats @ V
    return 0.5 * (s**2 - (feats**2) @ (V**2)).sum(1), (feats, V, s)


def crossing_backward(dq, kept):
    feats, V, s = kept
    dfeats = dq[:, None] * (s @ V.T - feats * (V**2).sum(1))
    dV = feats.T @ (dq[:, None] * s) - V * ((feats**2).T @ dq)[:, None]
    return dfeats, dV


def cosine(a, b):
    na, nb = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    c = (a * b).sum(1) / (na * nb)
    return c, (a, b, na, nb, c)


def cosine_backward(dc, saved):
    a, b, na, nb, c = saved
    both = (na * nb)[:, None]
    da = dc[:, None] * (b / both - c[:, None] * a / (na**2)[:, None])
    db = dc[:, None] * (a / both - c[:, None] * b / (nb**2)[:, None])
    return da, db


def gelu(x):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return 0.5 * x * (1 + np.tanh(inner))


def gelu_backward(dg, x):
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    th = np.tanh(inner)
    slope = math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x**2)
    return dg * (0.5 * (1 + th) + 0.5 * x * (1 - th**2) * slope)


def selu(x):
    return np.where(x > 0, 1.05 * x, 1.05 * 1.67 * (np.exp(x) - 1)), x


def selu_backward(ds, x):
    return ds * np.where(x > 0, 1.05, 1.05 * 1.67 * np.exp(x))


def swish(x, beta):
    s = 1 / (1 + np.exp(-beta * x))
    return x * s, (x, beta, s)


def swish_backward(dsw, saved):
    x, beta, s = saved
    ds = dsw * x * s * (1 - s)
    return dsw * s + ds * beta, (ds * x).sum()


def running(x):
    return np.cumsum(x, axis=0)


def running_backward(dr):
    return np.cumsum(dr[::-1], axis=0)[::-1]


def log_probs(x):
    low = x - x.max(axis=1, keepdims=True)
    out = low - np.log(np.exp(low).sum(axis=1, keepdims=True))
    return out, out


def log_probs_backward(dl, out):
    return dl - np.exp(out) * dl.sum(axis=1, keepdims=True)


def standardise(x, centre, spread):
    """Broadcast: x (N, T, D), centre (T, 1), spread (D,)."""
    return (x - centre) / spread, (x, centre, spread)


def standardise_backward(dz, saved):
    x, centre, spread = saved
    dx = dz / spread
    dcentre = -dx.sum(axis=(0, 2))[:, None]
    dspread = -(dz * (x - centre) / spread**2).sum(axis=(0, 1))
    return dx, dcentre, dspread
