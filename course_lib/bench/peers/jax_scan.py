"""JAX: `jax.jit` of a `lax.scan` over time, layer by layer; the input's part of the gates is one product before it."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy

from course_lib.bench.peers.task import Job, Task

Array = jax.Array


def rnn(read: Array, past: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """h_t = tanh(read + past)."""
    return jnp.tanh(read + past), c


def lstm(read: Array, past: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """c_t = f c_{t-1} + i g, h_t = o tanh(c_t)."""
    i, f, g, o = jnp.split(read + past, 4, axis=1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru(read: Array, past: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """h_t = (1 - z) n + z h_{t-1}, reset after the product."""
    (r_x, z_x, n_x), (r_h, z_h, n_h) = jnp.split(read, 3, axis=1), jnp.split(past, 3, axis=1)
    r, z = jax.nn.sigmoid(r_x + r_h), jax.nn.sigmoid(z_x + z_h)
    n = jnp.tanh(n_x + r * n_h)
    return n + z * (h - n), c


CELLS = {"RNN": rnn, "LSTM": lstm, "GRU": gru}


def build(task: Task, mode: str) -> Job:
    """Compiled ahead of the first call, with residual connections from layer 2 on."""
    cell = CELLS[task.cell]
    # Matrices as JAX's own layers keep them, input first: a transposed one would be slower within the scan.
    layers = [[jnp.asarray(each.t().contiguous()) for each in task.weights(l)] for l in range(task.shape.num_layers)]
    x = jnp.asarray(task.x.numpy())

    def output(x: Array, layers: list[list[Array]]) -> Array:
        up = row(cell, x, layers[0])
        for weights in layers[1:]:
            up = up + row(cell, up, weights)
        return up

    if mode == "forward":
        forward = jax.jit(output).lower(x, layers).compile()
        return Job(lambda: forward(x, layers).block_until_ready(), lambda found: [numpy.asarray(found)])
    train = jax.jit(jax.grad(lambda x, layers: output(x, layers).sum(), argnums=(0, 1))).lower(x, layers).compile()
    return Job(
        lambda: jax.block_until_ready(train(x, layers)),
        lambda found: [numpy.asarray(found[0]), numpy.asarray(found[1][0][1]).T],
    )


def row(cell: object, below: Array, weights: Sequence[Array]) -> Array:
    """h of one layer at every time."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    zeros = jnp.zeros((below.shape[1], weight_hh.shape[0]), below.dtype)

    def step(state: tuple[Array, Array], read: Array) -> tuple[tuple[Array, Array], Array]:
        h, c = cell(read, state[0] @ weight_hh + bias_hh, *state)
        return (h, c), h

    return jax.lax.scan(step, (zeros, zeros), below @ weight_ih + bias_ih)[1]
