"""Recurrent layers: a cell as a class with (out, in) weights, a loop over time, an LSTM on (time, batch, …) arrays."""

import numpy as np


def squash(z):
    return 1 / (1 + np.exp(-z))


class GatedCell:
    """One step of a GRU: weights act on columns, so they are (hidden, in)."""

    def __init__(self, U, V, c):
        self.U, self.V, self.c = U, V, c

    def forward(self, x, h):
        n = h.shape[1]
        a = x @ self.U.T + self.c
        rz = h @ self.V[: 2 * n].T
        self.r = squash(a[:, :n] + rz[:, :n])
        self.z = squash(a[:, n : 2 * n] + rz[:, n:])
        self.cand = np.tanh(a[:, 2 * n :] + (self.r * h) @ self.V[2 * n :].T)
        self.x, self.h = x, h
        return (1 - self.z) * h + self.z * self.cand

    def backward(self, up):
        x, h, r, z, cand = self.x, self.h, self.r, self.z, self.cand
        n = h.shape[1]
        dcand = up * z * (1 - cand**2)
        drh = dcand @ self.V[2 * n :]
        dr = drh * h * r * (1 - r)
        dz = up * (cand - h) * z * (1 - z)
        drz = np.hstack([dr, dz])
        da = np.hstack([drz, dcand])
        self.dU = da.T @ x
        self.dV = np.vstack([drz.T @ h, dcand.T @ (r * h)])
        self.dc = da.sum(axis=0)
        dh = up * (1 - z)
        dh = dh + drh * r
        dh = dh + drz @ self.V[: 2 * n]
        return da @ self.U, dh


def elman(xs, h0, A, B, b):
    hs = [h0]
    for t in range(xs.shape[1]):
        hs.append(np.tanh(xs[:, t] @ A + hs[-1] @ B + b))
    return np.stack(hs[1:], axis=1), (xs, hs, A, B)


def elman_backward(dhs, saved):
    xs, hs, A, B = saved
    dxs, dA, dB, db = np.zeros_like(xs), np.zeros_like(A), np.zeros_like(B), np.zeros(B.shape[1])
    carry = np.zeros_like(hs[0])
    for t in reversed(range(xs.shape[1])):
        total = dhs[:, t] + carry
        pre = total * (1 - hs[t + 1] ** 2)
        dA += xs[:, t].T @ pre
        dB += hs[t].T @ pre
        db += pre.sum(0)
        dxs[:, t] = pre @ A.T
        carry = pre @ B.T
    return dxs, carry, dA, dB, db


def long_memory(seq, W, bias):
    """seq (T, N, D); W (D + H, 4 H) in the order input, forget, output, content; starts at zero."""
    T, N, D = seq.shape
    H = W.shape[1] // 4
    h, c, tape = np.zeros((N, H)), np.zeros((N, H)), []
    for t in range(T):
        both = np.concatenate([seq[t], h], axis=1)
        i, f, o, g = np.split(both @ W + bias, 4, axis=1)
        i, f, o, g = squash(i), squash(f), squash(o), np.tanh(g)
        before, c = c, f * c + i * g
        h = o * np.tanh(c)
        tape.append((both, i, f, o, g, before, c))
    return h, (tape, W, D)


def long_memory_backward(dlast, saved):
    tape, W, D = saved
    dW, dbias = np.zeros_like(W), np.zeros(W.shape[1])
    dseq = np.zeros((len(tape), len(dlast), D))
    dh, dc = dlast, np.zeros_like(dlast)
    for t in range(len(tape) - 1, -1, -1):
        both, i, f, o, g, before, c = tape[t]
        do = dh * np.tanh(c)
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        gates = [dc * g * i * (1 - i), dc * before * f * (1 - f), do * o * (1 - o), dc * i * (1 - g * g)]
        dpre = np.concatenate(gates, axis=1)
        dW += both.T @ dpre
        dbias += dpre.sum(axis=0)
        dboth = dpre @ W.T
        dseq[t] = dboth[:, :D]
        dh = dboth[:, D:]
        dc = dc * f
    return dseq, dW, dbias
