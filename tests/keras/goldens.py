"""Writes `goldens/*.safetensors` and `../goldens/tests/*.rs` from real Keras.

    python goldens.py [NAME...]    (all cases, or the golden files of those named)

A golden file holds, in float32, tight and row-major:

    <layer>/<weight>           every weight, randomised, biases and moving statistics included
    input                      [batch, (time,) features], or ids (uint32) [batch, time]
    output                     in inference (`training=False`)
  and, but for models with dropout:
    train/output               in training (`training=True`), where it differs from `output`
    train/<layer>/moving_*     what training with this one batch made of the moving statistics
    d_output                   the gradient from above: the loss is sum(train/output * d_output)
    grad/<layer>/<weight>      the loss's gradient by every trainable weight
    grad/input                 and by the input, unless that is ids

Weights, inputs and `d_output` are drawn as float32 numbers with a seed that the name gives. All
else Keras computes from them in float64 (`floatx`), and it is stored rounded to float32, so that
a test measures its own rounding and not Keras's. This script also runs Keras in float32
and refuses to write a golden that float32 does not reach by a tenth of the tests' tolerance.
"""

import os
import sys
import time
import zlib
from pathlib import Path

os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

from cases import groups
from language import build, text, weight_names

HERE = Path(__file__).parent
GOLDENS = HERE / "goldens"
RUST = HERE.parent / "goldens" / "tests"

# The tolerances of the Rust tests (`../support/golden.rs`), on the same `error`.
OUTPUT_TOLERANCE = 1e-5
GRADIENT_TOLERANCE = 1e-4


def error(found, golden):
    """The largest relative error of an element.

    Elements below the root mean square of their tensor are taken relative to that: near zero they
    are what is left of larger numbers that cancel.
    """
    golden = np.asarray(golden, np.float64)
    floor = max(np.sqrt(np.mean(golden**2)), 1e-6)
    return np.max(np.abs(found - golden) / np.maximum(np.abs(golden), floor))


def draw_weight(rng, name, shape):
    """A weight that keeps pre-activations within a few units, and that is nowhere trivial."""
    kind = name.split("/")[1]
    low, high = {
        "bias": (-0.5, 0.5),
        "beta": (-0.5, 0.5),
        "moving_mean": (-0.5, 0.5),
        "gamma": (0.5, 1.5),
        "moving_variance": (0.5, 1.5),
        "embeddings": (-1.0, 1.0),
    }.get(kind, (-(shape[0] ** -0.5), shape[0] ** -0.5))
    return rng.uniform(low, high, shape).astype(np.float32)


def draw(case):
    """Weights, input and gradient from above of a case, from its name alone."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    model = build(case.model)
    weights = {
        name: draw_weight(rng, name, tuple(weight.shape))
        for name, weight in zip(weight_names(model), model.weights, strict=True)
    }
    first = case.model[0]
    if first.kind == "Embedding":
        inputs = rng.integers(0, first.positional[0], (case.batch, case.steps), np.uint32)
    else:
        shape = [case.steps if size is None else size for size in first.positional]
        inputs = (case.spread * rng.uniform(-1, 1, (case.batch, *shape))).astype(np.float32)
    output_shape = model.compute_output_shape(inputs.shape)
    return weights, inputs, rng.uniform(-1, 1, output_shape).astype(np.float32)


def compute(model_text, drawn, trains, floatx):
    """What Keras makes of the drawn numbers in the precision `floatx`: (outputs, gradients)."""
    weights, inputs, d_output = drawn
    keras.config.set_floatx(floatx)
    model = build(model_text)
    assert weight_names(model) == list(weights)
    for weight, value in zip(model.weights, weights.values(), strict=True):
        weight.assign(value.astype(floatx))
    ids = inputs.dtype == np.uint32
    x = tf.constant(inputs.astype("int32" if ids else floatx))

    outputs, gradients = {"output": model(x, training=False).numpy()}, {}
    if trains:
        with tf.GradientTape() as tape:
            if not ids:
                tape.watch(x)
            y = model(x, training=True)
            loss = tf.reduce_sum(y * d_output.astype(floatx))
        outputs["train/output"] = y.numpy()
        sources = {} if ids else {"grad/input": x}
        for name, weight in zip(weights, model.weights, strict=True):
            if weight.trainable:
                sources[f"grad/{name}"] = weight.value
            else:
                outputs[f"train/{name}"] = weight.numpy()
        found = tape.gradient(loss, sources, unconnected_gradients="zero")
        gradients = {name: tf.convert_to_tensor(value).numpy() for name, value in found.items()}
    for name, value in (outputs | gradients).items():
        assert value.dtype == floatx, (name, value.dtype)
    return outputs, gradients


def check(case, name, found, golden, limit):
    """Asserts that two results of Keras are within `limit`, tensor by tensor."""
    assert found.keys() == golden.keys()
    worst = 0.0
    for key, value in golden.items():
        assert np.all(np.isfinite(value)), (case.name, key)
        assert np.max(np.abs(value)) < 1e4, (case.name, key, "too large to be a good test")
        # Only a recurrent kernel that meets nothing but the zero state has no gradient.
        first_step = case.model[0].positional[0] == 1 and key.endswith("/recurrent_kernel")
        assert np.max(np.abs(value)) > 1e-3 or first_step, (case.name, key, "tests nothing")
        difference = error(found[key], value)
        worst = max(worst, difference)
        assert difference <= limit, (case.name, name, key, difference)
    return worst


def golden(case):
    """The tensors of a case's golden file, checked against float32 and the other spellings."""
    drawn = draw(case)
    outputs, gradients = compute(case.model, drawn, case.trains, "float64")
    for suffix, model in case.also:
        other = compute(model, drawn, case.trains, "float64")
        check(case, suffix, other[0], outputs, 1e-12)
        check(case, suffix, other[1], gradients, 1e-12)
    single = compute(case.model, drawn, case.trains, "float32")
    worst = (
        check(case, "float32", single[0], outputs, OUTPUT_TOLERANCE / 10),
        check(case, "float32", single[1], gradients, GRADIENT_TOLERANCE / 10),
    )
    weights, inputs, d_output = drawn
    tensors = {**weights, "input": inputs}
    tensors |= {name: value.astype(np.float32) for name, value in (outputs | gradients).items()}
    if case.trains:
        tensors["d_output"] = d_output
        if np.array_equal(outputs["output"], outputs["train/output"]):
            del tensors["train/output"]
    return tensors, worst


def rust(found):
    """A generated test program: one macro call a case."""
    lines = ["//! Made by tests/keras/goldens.py. Do not edit.", "use recurrent_test_goldens::golden;"]
    for case in found:
        for suffix, model in (("", case.model), *case.also):
            name = f"{case.name}_{suffix}" if suffix else case.name
            lines.append(f'golden!({name}, "{case.name}", {text(model)});')
    lines += ["#[test]", "fn every_instruction_set() {", "    recurrent_test_goldens::every_instruction_set();", "}"]
    return "\n".join(lines) + "\n"


def write_rust(programs):
    """All test programs, and no other file."""
    for old in RUST.glob("*.rs"):
        old.unlink()
    for name, found in programs.items():
        (RUST / f"{name}.rs").write_text(rust(found))


def main(chosen):
    """Writes the golden files of the chosen cases, or all of them and the Rust files."""
    start = time.monotonic()
    programs = groups()
    found = [case for some in programs.values() for case in some]
    unknown = set(chosen) - {case.name for case in found}
    assert not unknown, unknown
    GOLDENS.mkdir(exist_ok=True)
    worst = []
    for case in found:
        if chosen and case.name not in chosen:
            continue
        tensors, errors = golden(case)
        worst.append((errors, case.name))
        path = GOLDENS / f"{case.name}.safetensors"
        save_file(tensors, path, metadata={"model": text(case.model)})
    if not chosen:
        for path in GOLDENS.glob("*.safetensors"):
            if path.stem not in {case.name for case in found}:
                path.unlink()
        write_rust(programs)
    for index, what in enumerate(["outputs", "gradients"]):
        errors, name = max(worst, key=lambda pair: pair[0][index])
        print(f"Keras float32 against float64, {what}: at most {errors[index]:.1e} ({name})")
    size = sum(path.stat().st_size for path in GOLDENS.iterdir())
    print(f"{len(worst)} goldens, {size / 1e6:.2f} MB in all, {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
