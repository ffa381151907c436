"""What real Keras makes of whole trainings: masks, sample weights, regularisers, constraints,
several outputs.

Made with Keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6, Python 3.11:

    pip install keras==3.15.1 tensorflow-cpu==2.21.0
    python rnn-train/tests/keras/fit.py

writes rnn-train/tests/data/fit.json. Everything is computed in float64 from inputs that float32
holds exactly. The model is a Dense layer after a Masking layer, since training is what is looked
at; with two outputs it is two of them. It runs eagerly: in a graph TensorFlow does not know the size
of a batch when Keras asks for it, and an output's own loss counts a short last batch as a whole one
(with PyTorch and JAX it does not).
"""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf

keras.config.set_floatx("float64")
random = np.random.default_rng(20251124)
K, R, C = keras.layers, keras.regularizers, keras.constraints
SAMPLES, STEPS, FEATURES, CLASSES = 7, 4, 2, 3
EPOCHS, BATCH, RATE = 3, 2, 0.25


def f32(x):
    """Rounded to what float32 holds."""
    return np.asarray(x, "float32").astype("float64")


def plain(x):
    return np.asarray(x, "float64").ravel().tolist()


# Padding left, right, as a hole; samples 4 and 5, one batch, are all padding.
MASK = np.array([[1, 1, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0], [1, 0, 1, 0], [0] * 4, [0] * 4, [1, 0, 0, 0]])
# No real step is 0, which is what Masking looks for.
X = f32(random.uniform(0.25, 2, (SAMPLES, STEPS, FEATURES)) * random.choice([-1, 1], (SAMPLES, STEPS, FEATURES)))
LABELS = random.integers(0, CLASSES, (SAMPLES, STEPS))
REALS = f32(random.normal(size=(SAMPLES, STEPS, CLASSES)))
WEIGHTS = f32(random.uniform(0, 2, (SAMPLES, STEPS)))
KERNEL = f32(random.normal(size=(FEATURES, CLASSES)))
BIAS = f32(random.normal(size=CLASSES))
KERNEL[0, 0] = 0


def sparse():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def one(name, masked=True, loss="sparse", weights=None, dense={}, rows={}, loss_weights=None, metrics=None, weighted=None, outputs=("dense",)):
    """`rows`: what the Rust side has to know of `dense`."""
    x = X * MASK[..., None] if masked else X
    inputs = keras.Input((STEPS, FEATURES))
    real = K.Masking()(inputs) if masked else inputs
    results = [K.Dense(CLASSES, name=name, **dense)(real) for name in outputs]
    model = keras.Model(inputs, results if len(results) > 1 else results[0])
    loss = [loss] if isinstance(loss, str) else loss
    several = len(outputs) > 1
    targets = [LABELS if l == "sparse" else REALS for l in loss]
    losses = [sparse() if l == "sparse" else keras.losses.MeanSquaredError() for l in loss]
    lone = lambda list: list if several else list[0]
    model.compile(
        keras.optimizers.SGD(RATE), lone(losses), loss_weights=loss_weights,
        metrics=metrics, weighted_metrics=weighted, run_eagerly=True,
    )
    for name_ in outputs:
        model.get_layer(name_).set_weights([KERNEL, BIAS])
    weight = None if weights is None else [WEIGHTS if w else np.ones_like(WEIGHTS) for w in weights]
    weight = None if weight is None else lone(weight)
    history = model.fit(
        x, lone(targets), sample_weight=weight, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0,
    ).history
    evaluated = model.evaluate(x, lone(targets), sample_weight=weight, batch_size=BATCH, verbose=0, return_dict=True)
    return {
        "name": name, "masked": masked, "losses": loss, "outputs": list(outputs), "rows": rows,
        "weights": weights, "loss_weights": loss_weights,
        "history": {k: plain(v) for k, v in history.items()},
        "evaluated": {k: float(v) for k, v in evaluated.items()},
        "after": [plain(w) for name_ in outputs for w in model.get_layer(name_).get_weights()],
    }


def cases():
    accuracy, mae = ["accuracy"], ["mean_absolute_error"]
    two = dict(outputs=("a", "b"), loss=["sparse", "mse"])
    norm = lambda c, **rows: dict(dense=dict(kernel_constraint=c, bias_constraint=C.MaxNorm(0.5)), rows=dict(kernel=rows, bias={"max_norm": 0.5}))
    return [
        one("plain", masked=False, metrics=accuracy),
        one("masked", metrics=accuracy),
        one("masked and weighted", weights=[True], metrics=accuracy, weighted=accuracy),
        one("masked numbers", loss="mse", metrics=mae),
        one("masked and weighted numbers", loss="mse", weights=[True], metrics=mae, weighted=mae),
        one("l1", dense=dict(kernel_regularizer=R.L1(0.125)), rows={"l1": 0.125}),
        one("l2", dense=dict(kernel_regularizer=R.L2(0.25)), rows={"l2": 0.25}),
        one("both", dense=dict(kernel_regularizer=R.L1L2(0.125, 0.25)), rows={"l1": 0.125, "l2": 0.25}),
        one("activity", dense=dict(activity_regularizer=R.L1L2(0.0625, 0.125)), rows={"activity_l1": 0.0625, "activity_l2": 0.125}),
        one("max norm", **norm(C.MaxNorm(0.75), max_norm=0.75)),
        one("min max norm", **norm(C.MinMaxNorm(0.5, 0.625, 0.25), min=0.5, max=0.625, rate=0.25)),
        one("min max norm of rows", **norm(C.MinMaxNorm(0.5, 0.625, 1.0, axis=1), min=0.5, max=0.625, rate=1.0, axis=1)),
        one("unit norm", **norm(C.UnitNorm(), unit=True)),
        one("non negative", **norm(C.NonNeg(), non_neg=True)),
        one("two outputs", **two, metrics=[["accuracy"], mae]),
        one("two outputs with loss weights", **two, loss_weights=[0.5, 2.0], metrics=[["accuracy"], []]),
        one("two outputs with sample weights", **two, weights=[True, False], metrics=[["accuracy"], mae], weighted=[["accuracy"], mae]),
    ]


def main():
    data = {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__},
        "samples": SAMPLES, "steps": STEPS, "features": FEATURES, "classes": CLASSES,
        "epochs": EPOCHS, "batch": BATCH, "rate": RATE,
        "x": plain(X), "mask": plain(MASK), "labels": plain(LABELS), "reals": plain(REALS),
        "weights": plain(WEIGHTS), "kernel": plain(KERNEL), "bias": plain(BIAS),
        "cases": cases(),
    }
    path = pathlib.Path(__file__).parent.parent / "data" / "fit.json"
    path.write_text(json.dumps(data, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


main()
