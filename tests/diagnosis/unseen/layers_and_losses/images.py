"""Convolution and pooling: channel last with loops, dilated with windows, transposed; overlapping maxima."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv_nhwc(img, ker, bias, step, rim):
    """img (N, H, W, C), ker (k, k, C, F)."""
    k = ker.shape[0]
    wide = np.pad(img, ((0, 0), (rim, rim), (rim, rim), (0, 0)))
    rows = (wide.shape[1] - k) // step + 1
    cols = (wide.shape[2] - k) // step + 1
    out = np.zeros((len(img), rows, cols, ker.shape[3]))
    for r in range(rows):
        for c in range(cols):
            patch = wide[:, r * step : r * step + k, c * step : c * step + k]
            out[:, r, c] = np.tensordot(patch, ker, axes=3) + bias
    return out, (img.shape, wide, ker, step, rim)


def conv_nhwc_backward(g, kept):
    shape, wide, ker, step, rim = kept
    k = ker.shape[0]
    dwide, dker = np.zeros_like(wide), np.zeros_like(ker)
    for r in range(g.shape[1]):
        for c in range(g.shape[2]):
            at = g[:, r, c]
            top, left = r * step, c * step
            dker += np.tensordot(wide[:, top : top + k, left : left + k], at, axes=(0, 0))
            dwide[:, top : top + k, left : left + k] += np.tensordot(at, ker, axes=(1, 3))
    dimg = dwide[:, rim : rim + shape[1], rim : rim + shape[2]]
    return dimg, dker, g.sum(axis=(0, 1, 2))


def dilated(signal, taps):
    """signal (N, C, L), taps (F, C, K), every second sample; a correlation without padding."""
    reach = 2 * (taps.shape[2] - 1) + 1
    win = sliding_window_view(signal, reach, axis=2)[..., ::2]
    return np.einsum("nclk,fck->nfl", win, taps), (signal, taps, win)


def dilated_backward(dy, saved):
    signal, taps, win = saved
    dtaps = np.einsum("nfl,nclk->fck", dy, win)
    dsignal = np.zeros_like(signal)
    L = dy.shape[2]
    for j in range(taps.shape[2]):
        dsignal[:, :, 2 * j : 2 * j + L] += np.einsum("nfl,fc->ncl", dy, taps[:, :, j])
    return dsignal, dtaps


def spread(code, filt, shift):
    """A transposed convolution in one dimension: code (N, L, C), filt (K, C, F), stride 2."""
    N, L, _ = code.shape
    K, _, F = filt.shape
    out = np.zeros((N, 2 * (L - 1) + K, F))
    for p in range(L):
        out[:, 2 * p : 2 * p + K] += np.einsum("nc,kcf->nkf", code[:, p], filt)
    return out + shift, (code, filt)


def spread_backward(d, saved):
    code, filt = saved
    K = filt.shape[0]
    dcode, dfilt = np.zeros_like(code), np.zeros_like(filt)
    for p in range(code.shape[1]):
        piece = d[:, 2 * p : 2 * p + K]
        dcode[:, p] = np.einsum("nkf,kcf->nc", piece, filt)
        dfilt += np.einsum("nc,nkf->kcf", code[:, p], piece)
    return dcode, dfilt, d.sum((0, 1))


def peaks(maps, size, hop):
    """Maxima of overlapping windows, channel last."""
    N, H, W, C = maps.shape
    rows, cols = (H - size) // hop + 1, (W - size) // hop + 1
    out = np.empty((N, rows, cols, C))
    for i, j in np.ndindex(rows, cols):
        out[:, i, j] = maps[:, i * hop : i * hop + size, j * hop : j * hop + size].max(axis=(1, 2))
    return out, (maps, out, size, hop)


def peaks_backward(dpk, memo):
    maps, out, size, hop = memo
    dmaps = np.zeros_like(maps)
    for i, j in np.ndindex(*out.shape[1:3]):
        spot = (slice(None), slice(i * hop, i * hop + size), slice(j * hop, j * hop + size))
        hit = maps[spot] == out[:, i, j][:, None, None]
        dmaps[spot] += hit * dpk[:, i, j][:, None, None]
    return dmaps


def blur(maps):
    """Mean of each 2 x 2 window, stride 1; (H, W)."""
    return (maps[:-1, :-1] + maps[1:, :-1] + maps[:-1, 1:] + maps[1:, 1:]) / 4


def blur_backward(db):
    dm = np.zeros((db.shape[0] + 1, db.shape[1] + 1))
    dm[:-1, :-1] += db / 4
    dm[1:, :-1] += db / 4
    dm[:-1, 1:] += db / 4
    dm[1:, 1:] += db / 4
    return dm


def enlarge(small):
    return small.repeat(2, axis=1).repeat(2, axis=2), small.shape


def enlarge_backward(big, shape):
    N, H, W = shape
    return big.reshape(N, H, 2, W, 2).sum(axis=(2, 4))
