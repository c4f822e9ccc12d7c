"""Losses that return their own gradients: margins, distances, a chain of labels, probabilities, robust errors."""

import numpy as np


def multi_margin(theta, X, labels, reg):
    """Hinge loss of a linear classifier whose weights and bias come as one flat vector."""
    N, D = X.shape
    C = theta.size // (D + 1)
    W, b = theta[: D * C].reshape(D, C), theta[D * C :]
    scores = X @ W + b
    gap = np.maximum(0, scores - scores[np.arange(N), labels][:, None] + 1)
    gap[np.arange(N), labels] = 0
    loss = gap.sum() / N + reg * np.sum(W * W)
    on = (gap > 0).astype(float)
    on[np.arange(N), labels] = -on.sum(axis=1)
    dW = X.T @ on / N + 2 * reg * W
    db = on.sum(axis=0) / N
    return loss, np.concatenate([dW.ravel(), db])


def triplet(anchor, same, other, margin):
    near = ((anchor - same) ** 2).sum(axis=1)
    far = ((anchor - other) ** 2).sum(axis=1)
    active = (near - far + margin > 0)[:, None] / len(anchor)
    loss = np.maximum(0, near - far + margin).mean()
    danchor = 2 * (other - same) * active
    dsame = 2 * (same - anchor) * active
    dother = 2 * (anchor - other) * active
    return loss, danchor, dsame, dother


def pairs(left, right, alike, margin):
    """Contrastive loss (Hadsell 2006): alike pairs are drawn together, others pushed to the margin."""
    diff = left - right
    dist = np.sqrt((diff**2).sum(1) + 1e-8)
    room = np.maximum(0, margin - dist)
    loss = np.mean(alike * dist**2 + (1 - alike) * room**2) / 2
    coef = (alike * dist - (1 - alike) * room) / len(left)
    dleft = (coef / dist)[:, None] * diff
    return loss, dleft, -dleft


def chain_logz(unary, trans):
    """log Σ over paths exp(score): unary (T, K), trans (from, to)."""
    alpha = [unary[0]]
    for t in range(1, len(unary)):
        s = alpha[-1][:, None] + trans
        top = s.max(axis=0)
        alpha.append(unary[t] + top + np.log(np.exp(s - top).sum(axis=0)))
    last = alpha[-1]
    logz = last.max() + np.log(np.exp(last - last.max()).sum())
    return logz, (unary, trans, alpha, logz)


def chain_logz_backward(dz, memo):
    unary, trans, alpha, logz = memo
    dunary, dtrans = np.zeros_like(unary), np.zeros_like(trans)
    flow = dz * np.exp(alpha[-1] - logz)
    for t in range(len(unary) - 1, 0, -1):
        dunary[t] = flow
        share = np.exp(alpha[t - 1][:, None] + trans + unary[t] - alpha[t])
        edge = share * flow
        dtrans += edge
        flow = edge.sum(axis=1)
    dunary[0] = flow
    return dunary, dtrans


def logit_bce(z, truth, weight):
    """Binary cross-entropy of logits, positives weighted; mean over everything."""
    soft = np.log1p(np.exp(-np.abs(z))) + np.maximum(-z, 0)
    loss = (truth * weight * soft + (1 - truth) * (soft + z)).mean()
    p = 1 / (1 + np.exp(-z))
    dz = (truth * weight * (p - 1) + (1 - truth) * p) / z.size
    return loss, dz


def smooth_l1(guess, goal):
    r = guess - goal
    small = np.abs(r) < 1
    loss = np.sum(np.where(small, 0.5 * r**2, np.abs(r) - 0.5))
    return loss, np.where(small, r, np.sign(r))


def info_nce(za, zb, temp):
    """Cosine similarities of all pairs; the partner is the right class."""
    na = np.sqrt((za**2).sum(1, keepdims=True))
    nb = np.sqrt((zb**2).sum(1, keepdims=True))
    ua, ub = za / na, zb / nb
    sim = ua @ ub.T / temp
    P = np.exp(sim - sim.max(1, keepdims=True))
    P = P / P.sum(1, keepdims=True)
    loss = -np.log(np.diag(P)).mean()
    dsim = (P - np.eye(len(P))) / len(P) / temp
    dua, dub = dsim @ ub, dsim.T @ ua
    dza = (dua - ua * (dua * ua).sum(1, keepdims=True)) / na
    dzb = (dub - ub * (dub * ub).sum(1, keepdims=True)) / nb
    return loss, dza, dzb


def gaussian_kl(mu, logvar):
    loss = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar))
    return loss, mu, 0.5 * (np.exp(logvar) - 1)


def token_xent(logits, words, keep):
    """Cross-entropy of (N, T, V) logits; padding has keep = 0; mean over the batch."""
    N, T, V = logits.shape
    flat = logits.reshape(N * T, V)
    q = np.exp(flat - flat.max(1, keepdims=True))
    q /= q.sum(1, keepdims=True)
    idx = np.arange(N * T)
    loss = -(keep.ravel() * np.log(q[idx, words.ravel()])).sum() / N
    dflat = q.copy()
    dflat[idx, words.ravel()] -= 1
    dflat *= keep.ravel()[:, None]
    dflat /= N
    return loss, dflat.reshape(N, T, V)
