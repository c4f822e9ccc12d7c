"""Attention with einsum, with heads by reshape, and the additive kind; softmax over a row."""

import numpy as np


def rows_to_one(s):
    e = np.exp(s - s.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def attend(Q, K, V):
    """Causal attention on (batch, time, width)."""
    T, width = Q.shape[1:]
    scores = np.einsum("btd,bsd->bts", Q, K) / np.sqrt(width)
    scores = np.where(np.tril(np.ones((T, T))) > 0, scores, -1e9)
    P = rows_to_one(scores)
    return np.einsum("bts,bsd->btd", P, V), (Q, K, V, P)


def attend_backward(dO, kept):
    Q, K, V, P = kept
    root = np.sqrt(Q.shape[2])
    dV = np.einsum("bts,btd->bsd", P, dO)
    dP = np.einsum("btd,bsd->bts", dO, V)
    dS = P * (dP - (dP * P).sum(axis=-1, keepdims=True))
    dQ = np.einsum("bts,bsd->btd", dS, K) / root
    dK = np.einsum("bts,btd->bsd", dS, Q) / root
    return dQ, dK, dV


def heads_forward(x, Wqkv, Wo):
    """Self-attention with two heads on (time, width); Wqkv (width, 3 width)."""
    T, D = x.shape
    q, k, v = (m.reshape(T, 2, D // 2).transpose(1, 0, 2) for m in np.split(x @ Wqkv, 3, axis=1))
    p = rows_to_one(q @ k.transpose(0, 2, 1) / (D // 2) ** 0.5)
    merged = (p @ v).transpose(1, 0, 2).reshape(T, D)
    return merged @ Wo, (x, Wqkv, Wo, q, k, v, p, merged)


def heads_backward(dy, cache):
    x, Wqkv, Wo, q, k, v, p, merged = cache
    T, D = x.shape
    dWo = merged.T @ dy
    dheads = (dy @ Wo.T).reshape(T, 2, D // 2).transpose(1, 0, 2)
    dv = p.transpose(0, 2, 1) @ dheads
    dp = dheads @ v.transpose(0, 2, 1)
    ds = p * (dp - np.sum(p * dp, axis=2, keepdims=True)) / (D // 2) ** 0.5
    dq, dk = ds @ k, ds.transpose(0, 2, 1) @ q
    joined = [m.transpose(1, 0, 2).reshape(T, D) for m in (dq, dk, dv)]
    dqkv = np.concatenate(joined, axis=1)
    return dqkv @ Wqkv.T, x.T @ dqkv, dWo


def glimpse(query, memory, Wa, v):
    """Additive attention: one query (N, D), a memory (N, S, D)."""
    mixed = np.tanh((memory + query[:, None, :]) @ Wa)
    weights = rows_to_one(mixed @ v)
    return (weights[:, :, None] * memory).sum(axis=1), (query, memory, Wa, v, mixed, weights)


def glimpse_backward(dctx, kept):
    query, memory, Wa, v, mixed, weights = kept
    dweights = (dctx[:, None, :] * memory).sum(axis=2)
    dlogit = weights * (dweights - (weights * dweights).sum(axis=1, keepdims=True))
    dv = np.tensordot(dlogit, mixed, axes=([0, 1], [0, 1]))
    dmixed = dlogit[:, :, None] * v
    dpre = dmixed * (1 - mixed**2)
    dsum = dpre @ Wa.T
    dWa = np.einsum("nsd,nse->de", memory + query[:, None, :], dpre)
    dquery = dsum.sum(axis=1)
    dmemory = dsum + weights[:, :, None] * dctx[:, None, :]
    return dquery, dmemory, dWa, dv
