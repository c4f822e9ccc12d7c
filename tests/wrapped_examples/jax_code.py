"""Right code on jax arrays; each wrong twin in a test is this file with one line changed."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import custom_jvp


@jax.custom_vjp
def affine(x, w, b):
    return jnp.tanh(x @ w + b)


def affine_fwd(x, w, b):
    out = affine(x, w, b)
    return out, (x, w, out)


def affine_bwd(res, g):
    x, w, out = res
    dz = g * (1 - out**2)
    return dz @ w.T, x.T @ dz, dz.sum(0)


affine.defvjp(affine_fwd, affine_bwd)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def power(x, n):
    return x**n


def power_fwd(x, n):
    return x**n, x


def power_bwd(n, x, g):
    return (g * n * x ** (n - 1),)


power.defvjp(power_fwd, power_bwd)


@custom_jvp
def softplus(x):
    return jnp.log1p(jnp.exp(x))


@softplus.defjvp
def softplus_jvp(primals, tangents):
    (x,), (t,) = primals, tangents
    return softplus(x), t / (1 + jnp.exp(-x))


def loss(w, x, target):
    return jnp.mean((softplus(x @ w) - target) ** 2)


def init(seed):
    key = jax.random.key(seed)
    return {"W": jax.random.normal(key, (3, 2)), "tail": (jnp.full(2, 0.5), [jnp.ones(2)])}


def model(params, x):
    offset, (scale,) = params["tail"]
    return affine(x, params["W"], offset) * scale
