"""The cells of `recurrent::cells`, written from their papers.

    python cells.py    writes grid/cells.safetensors and ../shipped/cases.rs

Keras has none of them. Every function here is one step as its paper has it, with a weight for each
gate where the papers have one, in float64; TensorFlow differentiates it. The keys of the file are
those of `graph_goldens.py`, and so are the tests that a case must pass to be any good.
"""

import zlib
from dataclasses import dataclass

import numpy as np
from safetensors.numpy import save_file

from goldens import GRADIENT_TOLERANCE, HERE, OUTPUT_TOLERANCE, error, tf
from graph_goldens import Refused

FILE = HERE / "grid" / "cells.safetensors"
RUST = HERE.parent / "shipped" / "cases.rs"
BATCH, STEPS, FEATURES = 3, 6, 3


def normal(a, epsilon=1e-3):
    """Layer normalisation without gain and shift."""
    mean, variance = tf.nn.moments(a, -1, keepdims=True)
    return (a - mean) / tf.sqrt(variance + tf.cast(epsilon, a.dtype))


def columns(matrix, count):
    return tf.split(matrix, count, axis=-1)


def layer_norm_lstm(x, states, w):
    h, c = states
    gates = (
        normal(x @ w["kernel"]) * w["kernel_gamma"]
        + normal(h @ w["recurrent_kernel"]) * w["recurrent_gamma"]
        + w["bias"]
    )
    i, f, g, o = columns(gates, 4)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    h = tf.sigmoid(o) * tf.tanh(normal(c) * w["state_gamma"] + w["state_beta"])
    return h, (h, c)


def peephole_lstm(x, states, w):
    h, c = states
    wi, wf, wg, wo = columns(w["kernel"], 4)
    ui, uf, ug, uo = columns(w["recurrent_kernel"], 4)
    bi, bf, bg, bo = columns(w["bias"], 4)
    pi, pf, po = tf.unstack(w["peephole_kernel"])
    i = tf.sigmoid(x @ wi + h @ ui + pi * c + bi)
    f = tf.sigmoid(x @ wf + h @ uf + pf * c + bf)
    c = f * c + i * tf.tanh(x @ wg + h @ ug + bg)
    o = tf.sigmoid(x @ wo + h @ uo + po * c + bo)
    h = o * tf.tanh(c)
    return h, (h, c)


def minimal_gated_unit(x, states, w):
    (h,) = states
    wf, wg = columns(w["kernel"], 2)
    uf, ug = columns(w["recurrent_kernel"], 2)
    bf, bg = columns(w["bias"], 2) if "bias" in w else (0.0, 0.0)
    f = tf.sigmoid(x @ wf + h @ uf + bf)
    g = tf.tanh(x @ wg + (f * h) @ ug + bg)
    h = (1 - f) * h + f * g
    return h, (h,)


def li_gru(x, states, w, layer_normalization=True):
    (h,) = states
    a = x
    if "kernel" in w:
        a = x @ w["kernel"]
        a = (normal(a) * w["gamma"] if layer_normalization else a) + w["beta"]
    az, ag = columns(a, 2)
    uz, ug = columns(w["recurrent_kernel"], 2)
    z = tf.sigmoid(az + h @ uz)
    h = z * h + (1 - z) * tf.nn.relu(ag + h @ ug)
    return h, (h,)


def ind_rnn(x, states, w, activation=tf.nn.relu):
    (h,) = states
    h = activation(x @ w["kernel"] + w["recurrent_kernel"] * h + w.get("bias", 0.0))
    return h, (h,)


def sru(x, states, w, highway_bias=0.0, rescale=True):
    (c,) = states
    units = c.shape[-1]
    parts = columns(w["kernel"], w["kernel"].shape[-1] // units)
    vf, vr = tf.unstack(w["recurrent_kernel"])
    f = tf.sigmoid(x @ parts[1] + vf * c + w["forget_bias"])
    r = tf.sigmoid(x @ parts[2] + vr * c + w["reset_bias"])
    c = f * c + (1 - f) * (x @ parts[0])
    highway = x @ parts[3] if len(parts) == 4 else x
    alpha = tf.cast(np.sqrt(1 + 2 * np.exp(highway_bias)) if rescale else 1.0, x.dtype)
    return r * c + (1 - r) * highway * alpha, (c,)


def janet(x, states, w, beta=1.0):
    (h,) = states
    wf, wg = columns(w["kernel"], 2)
    uf, ug = columns(w["recurrent_kernel"], 2)
    s = x @ wf + h @ uf + w["forget_bias"]
    g = tf.tanh(x @ wg + h @ ug + w["bias"])
    h = tf.sigmoid(s) * h + (1 - tf.sigmoid(s - beta)) * g
    return h, (h,)


def slstm(x, states, w, exponential_forget=False):
    """The stabilised form, differentiated through the stabiliser m as well."""
    h, c, n, m = states
    i, f, z, o = columns(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4)
    log_f = f if exponential_forget else tf.math.log_sigmoid(f)
    first = bool(tf.reduce_all(n == 0.0))
    m_next = i if first else tf.maximum(log_f + m, i)
    i = tf.exp(i - m_next)
    c = i * tf.tanh(z) if first else tf.exp(log_f + m - m_next) * c + i * tf.tanh(z)
    n = i if first else tf.exp(log_f + m - m_next) * n + i
    h = tf.sigmoid(o) * c / n
    return h, (h, c, n, m_next)


def slstm_plain(x, states, w, exponential_forget=False):
    """Without a stabiliser: equations 8 to 14 of the paper. m stays 0."""
    h, c, n, m = states
    i, f, z, o = columns(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"], 4)
    f = tf.exp(f) if exponential_forget else tf.sigmoid(f)
    c = f * c + tf.exp(i) * tf.tanh(z)
    n = f * n + tf.exp(i)
    h = tf.sigmoid(o) * c / n
    return h, (h, c, n, m)


def liquid_time_constant(x, states, w, ode_unfolds=6, time_step=1.0):
    (h,) = states
    tau = tf.math.softplus(w["time_constant"])
    delta = time_step / ode_unfolds
    for _ in range(ode_unfolds):
        f = tf.sigmoid(x @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])
        h = (h + delta * f * w["reversal"]) / (1 + delta * (1 / tau + f))
    return h, (h,)


def echo_state(x, states, w, leak_rate=1.0):
    (h,) = states
    a = x @ w["kernel"] + h @ w["recurrent_kernel"] + w.get("bias", 0.0)
    h = (1 - leak_rate) * h + leak_rate * tf.tanh(a)
    return h, (h,)


@dataclass(frozen=True)
class Case:
    """A cell's step, its text, and the shapes of its weights in the order of the cell."""

    name: str
    step: object
    text: str
    weights: dict
    states: int = 1
    features: int = FEATURES
    options: tuple = ()
    start: bool = False  # the states are inputs
    frozen: bool = False
    sequences: bool = True
    exact_states: bool = True  # gradients from above of the states after the first are not 0
    values: bool = True  # the states after the first are compared
    input_scale: float = 1.0


def units(count, features=FEATURES, gates=1, **more):
    return {"kernel": (features, gates * count), "recurrent_kernel": (count, gates * count), **more}


def cases():
    """All of them."""
    n = 5
    norm = {"kernel": (FEATURES, 4 * n), "recurrent_kernel": (n, 4 * n), "kernel_gamma": (4 * n,),
            "recurrent_gamma": (4 * n,), "bias": (4 * n,), "state_gamma": (n,), "state_beta": (n,)}  # fmt: skip
    peephole = units(n, gates=4, peephole_kernel=(3, n), bias=(4 * n,))
    light = {"kernel": (FEATURES, 2 * n), "gamma": (2 * n,), "beta": (2 * n,), "recurrent_kernel": (n, 2 * n)}
    plain = {name: shape for name, shape in light.items() if name != "gamma"}
    independent = {"kernel": (FEATURES, n), "recurrent_kernel": (n,), "bias": (n,)}
    simple = {"kernel": (FEATURES, 4 * n), "recurrent_kernel": (2, n), "forget_bias": (n,), "reset_bias": (n,)}
    same = {**simple, "kernel": (n, 3 * n)}
    janets = units(n, gates=2, forget_bias=(n,), bias=(n,))
    exponential = units(n, gates=4, bias=(4 * n,))
    liquid = units(n, bias=(n,), time_constant=(n,), reversal=(n,))
    reservoir = units(n, bias=(n,))

    def both(name, step, text, weights, states=1, **options):
        yield Case(name, step, text, weights, states, **options)
        yield Case(f"{name}_from_states", step, text, weights, states, start=True, sequences=False, **options)

    yield from both("layer_norm_lstm", layer_norm_lstm, "LayerNormLstm(5)", norm, 2)
    yield from both("peephole_lstm", peephole_lstm, "PeepholeLstm(5)", peephole, 2)
    yield from both("minimal_gated_unit", minimal_gated_unit, "MinimalGatedUnit(5)", units(n, gates=2, bias=(2 * n,)))
    yield Case("minimal_gated_unit_no_bias", minimal_gated_unit, "MinimalGatedUnit(5, use_bias = false)",
               units(n, gates=2))  # fmt: skip
    yield from both("li_gru", li_gru, "LiGru(5)", light)
    yield Case("li_gru_plain", li_gru, "LiGru(5, layer_normalization = false)", plain,
               options=(("layer_normalization", False),))  # fmt: skip
    yield Case("li_gru_no_kernel", li_gru, "LiGru(5, use_kernel = false)", {"recurrent_kernel": (n, 2 * n)},
               features=2 * n)  # fmt: skip
    yield from both("ind_rnn", ind_rnn, "IndRnn(5)", independent)
    yield Case("ind_rnn_tanh", ind_rnn, "IndRnn(5, tanh, use_bias = false)",
               {"kernel": (FEATURES, n), "recurrent_kernel": (n,)}, options=(("activation", tf.tanh),))  # fmt: skip
    yield from both("sru", sru, "Sru(5)", simple)
    yield Case("sru_highway", sru, "Sru(5, highway_projection = false, highway_bias = -1.5)", same, features=n,
               options=(("highway_bias", -1.5),))  # fmt: skip
    yield Case("sru_no_rescale", sru, "Sru(5, rescale = false)", simple, options=(("rescale", False),))
    yield from both("janet", janet, "Janet(5)", janets)
    yield Case("janet_beta", janet, "Janet(5, beta = 0.25)", janets, options=(("beta", 0.25),))
    yield from both("slstm", slstm, "SLstm(5)", exponential, 4, exact_states=False)
    forget = {"options": (("exponential_forget", True),), "exact_states": False}
    yield from both("slstm_exponential", slstm, "SLstm(5, exponential_forget)", exponential, 4, **forget)
    yield Case("slstm_without_stabiliser", slstm_plain, "SLstm(5, exponential_forget)", exponential, 4,
               values=False, **forget)  # fmt: skip
    # Exponents of some hundreds, of both signs.
    yield Case("slstm_large", slstm, "SLstm(5, exponential_forget)", exponential, 4, input_scale=200.0, **forget)
    yield from both("liquid_time_constant", liquid_time_constant, "LiquidTimeConstant(5)", liquid)
    for count in range(1, 6):
        yield Case(f"liquid_time_constant_{count}", liquid_time_constant,
                   f"LiquidTimeConstant(5, ode_unfolds = {count}, time_step = 0.5)", liquid,
                   options=(("ode_unfolds", count), ("time_step", 0.5)))  # fmt: skip
    yield from both("echo_state", echo_state, "EchoState(5)", reservoir, frozen=True)
    yield Case("echo_state_leaky", echo_state, "EchoState(5, leak_rate = 0.3, use_bias = false)", units(n),
               frozen=True, options=(("leak_rate", 0.3),))  # fmt: skip


def draw_weight(rng, name, shape):
    """A weight that keeps pre-activations within a few units, and that is nowhere trivial."""
    if name.endswith("gamma"):
        low, high = 0.5, 1.5
    elif len(shape) == 1:
        low, high = -0.5, 0.5
    else:
        low, high = -(shape[0] ** -0.5), shape[0] ** -0.5
    return rng.uniform(low, high, shape).astype(np.float32)


def outputs_of(case):
    """(name, width is a sequence) of all outputs of the graph."""
    return ["y", *(f"s{i}" for i in range(case.states if case.values else 1))]


def graph(case):
    """The text for `rnn_model!`."""
    size = 5
    names = [f"i{i}" for i in range(case.states)] if case.start else []
    inputs = [f"input x: [_, {case.features}];", *(f"input {name}: [{size}];" for name in names)]
    flags = (", return_sequences" if case.sequences else "") + ", return_state"
    start = f", initial_state = [{', '.join(names)}]" if names else ""
    found = outputs_of(case)
    targets = ["out", *(f"t{i}" if f"s{i}" in found else "_" for i in range(case.states))]
    lines = [f"let ({', '.join(targets)}) = x -> RNN({case.text}{flags}{start});"]
    lines += [f"output {name} = {target};" for name, target in
              zip(found, [t for t in targets if t != "_"], strict=True)]  # fmt: skip
    return "{ " + " ".join([*inputs, *lines]) + " }"


def run(case, weights, inputs, d_outputs, kind):
    """Every tensor of the case, computed in one precision."""
    w = {name: tf.constant(value.astype(kind)) for name, value in weights.items()}
    x = {name: tf.constant(value.astype(kind)) for name, value in inputs.items()}
    with tf.GradientTape() as tape:
        tape.watch([*w.values(), *x.values()])
        zeros = tf.zeros((BATCH, 5), kind)
        states = tuple(x[f"i{i}"] if case.start else zeros for i in range(case.states))
        steps = []
        for t in range(STEPS):
            out, states = case.step(x["x"][:, t], states, w, **dict(case.options))
            steps.append(out)
        y = tf.stack(steps, 1) if case.sequences else steps[-1]
        outputs = dict(zip(outputs_of(case), (y, *states), strict=False))
        if d_outputs is None:
            return {name: value.shape for name, value in outputs.items()}
        loss = tf.add_n([tf.reduce_sum(v * d_outputs[k].astype(kind)) for k, v in outputs.items()])
    by_weight, by_input = tape.gradient(loss, (w, x), unconnected_gradients="zero")
    found = {f"out/{name}": value.numpy() for name, value in outputs.items()}
    for index, name in enumerate(w):
        if case.frozen:
            found[f"moved/{index:02}"] = w[name].numpy()
        else:
            found[f"grad/{index:02}"] = by_weight[name].numpy()
    return found | {f"grad_in/{name}": value.numpy() for name, value in by_input.items()}


def make(case):
    """The tensors of a case, of the first draw that is well-conditioned."""
    for attempt in range(8):
        try:
            return draw(case, np.random.default_rng([zlib.crc32(case.name.encode()), attempt]))
        except Refused as reason:
            print(f"{reason}, again")
            last = reason
    raise last


def draw(case, rng):
    """The tensors of one draw, or why its numbers would be no good test."""
    weights = {name: draw_weight(rng, name, shape) for name, shape in case.weights.items()}
    x = case.input_scale * rng.uniform(-1, 1, (BATCH, STEPS, case.features))
    inputs = {"x": x.astype(np.float32)}
    if case.start:
        for i in range(case.states):
            # The normaliser of the sLSTM is positive.
            low, high = (0.5, 2.0) if case.states == 4 and i == 2 else (-1.0, 1.0)
            inputs[f"i{i}"] = rng.uniform(low, high, (BATCH, 5)).astype(np.float32)
    shapes = run(case, weights, inputs, None, "float64")
    d_outputs = {name: rng.uniform(-1, 1, shape).astype(np.float32) for name, shape in shapes.items()}
    if not case.exact_states:
        for name in d_outputs.keys() - {"y", "s0"}:
            d_outputs[name] = np.zeros_like(d_outputs[name])
    exact = run(case, weights, inputs, d_outputs, "float64")
    rounded = run(case, weights, inputs, d_outputs, "float32")
    for key, value in exact.items():
        gradient = key.startswith("grad")
        limit = (GRADIENT_TOLERANCE if gradient else OUTPUT_TOLERANCE) / 10
        if not np.all(np.isfinite(value)) or np.max(np.abs(value)) > 1e3:
            raise Refused(f"{case.name}: {key} is not finite or too large")
        off = error(rounded[key], value)
        if not off <= limit:
            raise Refused(f"{case.name}: {key}: float32 is off by {off:.1e}")
        if gradient and np.max(np.abs(value)) < 1e-4:
            raise Refused(f"{case.name}: {key}: tests nothing")
    tensors = {f"in/{key}": value for key, value in inputs.items()}
    tensors |= {f"d/{key}": value for key, value in d_outputs.items()}
    for index, (name, value) in enumerate(weights.items()):
        tensors[f"weight/{index:02}/{name}"] = value
    tensors |= exact
    return {f"{case.name}/{k}": np.ascontiguousarray(v.astype(np.float32)) for k, v in tensors.items()}


def main():
    """Writes both files."""
    tensors, lines = {}, ["// Made by tests/keras/cells.py. Do not edit.", "use recurrent::cells::*;", ""]
    failed = []
    for case in cases():
        try:
            tensors |= make(case)
        except Refused as reason:
            failed.append(str(reason))
        lines.append(f"shipped!({case.name}, {graph(case)});")
    if failed:
        raise SystemExit("\n".join(failed))
    save_file(tensors, FILE)
    RUST.write_text("\n".join(lines) + "\n")
    print(f"{len(lines) - 3} cases, {FILE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
