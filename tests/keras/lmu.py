"""Writes `lmu.safetensors`: a Legendre memory unit (Voelker et al., NeurIPS 2019), for a cell with constant matrices.

    a, b      the matrices of the memory, discretised by a zero-order hold: of order 6, for 9 steps, in exact fractions
    NAME      the weights that are trained, as the cell of `../models/tests/own_numbers.rs` names them
    x, h      [batch, time, features] and [batch, time, units], computed in float64
"""

from fractions import Fraction

import numpy as np
from safetensors.numpy import save_file

from goldens import HERE

ORDER, THETA, UNITS, FEATURES = 6, 9, 5, 3


def product(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def matrices():
    """exp of [[A, B], [0, 0]] / theta, whose upper rows are the discrete A and B: equations 2 and 3 of the paper."""
    n = ORDER
    m = [[Fraction(0)] * (n + 1) for _ in range(n + 1)]
    for i in range(n):
        for j in range(n):
            m[i][j] = Fraction((2 * i + 1) * (-1 if i < j else (-1) ** (i - j + 1)), THETA)
        m[i][n] = Fraction((2 * i + 1) * (-1) ** i, THETA)
    found = [[Fraction(int(i == j)) for j in range(n + 1)] for i in range(n + 1)]
    term = found
    for k in range(1, 40):
        term = [[x / k for x in row] for row in product(term, m)]
        found = [[x + y for x, y in zip(*rows)] for rows in zip(found, term)]
    assert max(abs(x) for row in term for x in row) < Fraction(1, 10**20)
    found = np.array([[float(x) for x in row] for row in found])
    return found[:n, :n], found[:n, n]


def main():
    a, b = matrices()
    rng = np.random.default_rng(1906)
    shapes = {
        "input_encoder": (FEATURES, 1),
        "hidden_encoder": (UNITS, 1),
        "memory_encoder": (ORDER, 1),
        "input_kernel": (FEATURES, UNITS),
        "hidden_kernel": (UNITS, UNITS),
        "memory_kernel": (ORDER, UNITS),
    }
    w = {name: rng.uniform(-0.5, 0.5, shape).astype(np.float32) for name, shape in shapes.items()}
    x = rng.uniform(-1, 1, (4, 12, FEATURES)).astype(np.float32)
    h, m, steps = np.zeros((4, UNITS)), np.zeros((4, ORDER)), []
    # The model's matrices are float32.
    a, b = a.astype(np.float32), b.astype(np.float32)
    for step in range(x.shape[1]):
        now = x[:, step].astype(np.float64)
        u = now @ w["input_encoder"] + h @ w["hidden_encoder"] + m @ w["memory_encoder"]
        m = m @ a.T.astype(np.float64) + u * b.astype(np.float64)
        h = np.tanh(now @ w["input_kernel"] + h @ w["hidden_kernel"] + m @ w["memory_kernel"])
        steps.append(h)
    tensors = {"a": a, "b": b, "x": x, "h": np.stack(steps, 1).astype(np.float32), **w}
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, HERE / "lmu.safetensors")


if __name__ == "__main__":
    main()
