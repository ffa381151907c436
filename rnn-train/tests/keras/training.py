"""Numbers of real Keras for losses, optimizers, schedules and metrics.

Made with Keras 3.15.1, tensorflow-cpu 2.21.0, numpy 2.4.6, Python 3.11:

    pip install keras==3.15.1 tensorflow-cpu==2.21.0
    python rnn-train/tests/keras/training.py

writes rnn-train/tests/data/training.json. Everything is computed in float64 from inputs that
float32 holds exactly, so that the numbers are those of the formulas and not of Keras's rounding.
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
random = np.random.default_rng(20240611)
L, O, M = keras.losses, keras.optimizers, keras.metrics
S = O.schedules


def f32(x):
    """Rounded to what float32 holds."""
    return np.asarray(x, "float32").astype("float64")


def plain(x):
    return np.asarray(x, "float64").ravel().tolist()


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def one_loss(name, loss, target, prediction, weight):
    p = tf.constant(prediction)
    with tf.GradientTape() as tape:
        tape.watch(p)
        value = loss(target, p, sample_weight=weight)
    # Weights of a sequence are given by row here, as Keras wants them.
    return {
        "name": name,
        "features": prediction.shape[-1],
        "predictions": plain(prediction),
        "targets": plain(target),
        "weights": None if weight is None else plain(weight),
        "value": float(value),
        "gradient": plain(tape.gradient(value, p)),
    }


def losses():
    rows, classes = 7, 5
    logits = f32(random.normal(size=(rows, classes)) * 3)
    logits[0] *= 30
    logits = f32(logits)
    probabilities = f32(softmax(random.normal(size=(rows, classes))))
    unnormalised = f32(random.uniform(0.1, 0.9, (rows, classes)))
    labels = random.integers(0, classes, rows)
    one_hot = np.eye(classes)[labels]
    soft = f32(softmax(random.normal(size=(rows, classes))))
    weights = f32(random.uniform(0, 2, rows))
    weights[2] = 0
    bits = random.integers(0, 2, (rows, classes)).astype("float64")
    sigmoids = f32(random.uniform(0.02, 0.98, (rows, classes)))
    reals = f32(random.normal(size=(rows, classes)) * 2)
    others = f32(random.normal(size=(rows, classes)) * 2)
    others[1, 2] = reals[1, 2]
    # A sequence: batch 2, time 3.
    sequence = f32(random.normal(size=(2, 3, classes)))
    sequence_labels = random.integers(0, classes, (2, 3))
    # Weights of the two samples, broadcast over time: [batch, 1].
    per_sample = np.array([[0.5], [2.0]])

    out = []
    for w in (None, weights):
        tag = "" if w is None else " weighted"
        out += [
            one_loss("sparse logits" + tag, L.SparseCategoricalCrossentropy(from_logits=True), labels, logits, w),
            one_loss("sparse" + tag, L.SparseCategoricalCrossentropy(), labels, probabilities, w),
            one_loss("sparse" + tag, L.SparseCategoricalCrossentropy(), labels, unnormalised, w),
            one_loss("categorical logits" + tag, L.CategoricalCrossentropy(from_logits=True), soft, logits, w),
            one_loss("categorical logits" + tag, L.CategoricalCrossentropy(from_logits=True), one_hot, logits, w),
            one_loss("categorical" + tag, L.CategoricalCrossentropy(), soft, probabilities, w),
            one_loss("categorical" + tag, L.CategoricalCrossentropy(), one_hot, unnormalised, w),
            one_loss("categorical logits smooth" + tag, L.CategoricalCrossentropy(from_logits=True, label_smoothing=0.125), one_hot, logits, w),
            one_loss("categorical smooth" + tag, L.CategoricalCrossentropy(label_smoothing=0.125), one_hot, probabilities, w),
            one_loss("binary logits" + tag, L.BinaryCrossentropy(from_logits=True), bits, logits, w),
            one_loss("binary" + tag, L.BinaryCrossentropy(), bits, sigmoids, w),
            one_loss("binary logits smooth" + tag, L.BinaryCrossentropy(from_logits=True, label_smoothing=0.25), bits, logits, w),
            one_loss("binary smooth" + tag, L.BinaryCrossentropy(label_smoothing=0.25), bits, sigmoids, w),
            one_loss("mse" + tag, L.MeanSquaredError(), reals, others, w),
            one_loss("mae" + tag, L.MeanAbsoluteError(), reals, others, w),
            one_loss("huber" + tag, L.Huber(), reals, others, w),
            one_loss("huber half" + tag, L.Huber(delta=0.5), reals, others, w),
        ]
    # Probabilities that Keras cuts off at 1e-7 and 1 - 1e-7.
    hard = np.array([[0.0, 1.0], [1.0, 0.0], [0.25, 0.75]])
    out += [
        one_loss("categorical", L.CategoricalCrossentropy(), np.eye(2)[[0, 0, 1]], hard, None),
        one_loss("binary", L.BinaryCrossentropy(), np.eye(2)[[0, 0, 1]], hard, None),
        one_loss("sparse logits", L.SparseCategoricalCrossentropy(from_logits=True), sequence_labels, sequence, None),
    ]
    # Keras takes weights of a sequence as [batch, 1] or [batch, time].
    weighted = one_loss("sparse logits weighted", L.SparseCategoricalCrossentropy(from_logits=True), sequence_labels, sequence, per_sample)
    weighted["weights"] = plain(np.repeat(per_sample, 3, axis=1))
    return out + [weighted]


START = [f32(random.uniform(0.5, 2.0, (2, 3))), f32(-random.uniform(0.5, 2.0, 4))]
GRADIENTS = [[f32(random.normal(size=(2, 3))), f32(random.normal(size=4) * 3)] for _ in range(10)]
GRADIENTS[4][0][:] = 0


def one_optimizer(name, options):
    optimizer = getattr(O, name)(**options)
    variables = [keras.Variable(v) for v in START]
    after = []
    for gradients in GRADIENTS:
        optimizer.apply([tf.constant(g) for g in gradients], variables)
        after.append(plain(np.concatenate([np.ravel(v) for v in variables])))
    return {"name": name, "options": options, "after": after}


def optimizers():
    clips = [{"clipnorm": 1.0}, {"clipvalue": 0.5}, {"global_clipnorm": 1.5}]
    decay = [{"weight_decay": 0.25}]
    own = {
        "SGD": [{}, {"learning_rate": 0.03125, "momentum": 0.75}, {"momentum": 0.875, "nesterov": True}],
        "RMSprop": [{}, {"momentum": 0.875}, {"centered": True}, {"centered": True, "momentum": 0.5, "rho": 0.75, "epsilon": 1e-3}],
        "Adam": [{}, {"amsgrad": True}, {"beta_1": 0.5, "beta_2": 0.75, "epsilon": 1e-2, "learning_rate": 0.0625}],
        "AdamW": [{}, {"amsgrad": True, "weight_decay": 0.5}],
        "Adagrad": [{}, {"initial_accumulator_value": 0.5, "epsilon": 1e-3, "learning_rate": 0.0625}],
    }
    return [one_optimizer(name, o) for name, options in own.items() for o in options + clips + decay]


def schedules():
    cases = [
        ("ExponentialDecay", dict(initial_learning_rate=0.5, decay_steps=7, decay_rate=0.75)),
        ("ExponentialDecay", dict(initial_learning_rate=0.5, decay_steps=7, decay_rate=0.75, staircase=True)),
        ("InverseTimeDecay", dict(initial_learning_rate=0.5, decay_steps=7, decay_rate=0.75)),
        ("InverseTimeDecay", dict(initial_learning_rate=0.5, decay_steps=7, decay_rate=0.75, staircase=True)),
        ("PolynomialDecay", dict(initial_learning_rate=0.5, decay_steps=10)),
        ("PolynomialDecay", dict(initial_learning_rate=0.5, decay_steps=10, end_learning_rate=0.125, power=2.0, cycle=True)),
        ("CosineDecay", dict(initial_learning_rate=0.5, decay_steps=20)),
        ("CosineDecay", dict(initial_learning_rate=0.5, decay_steps=20, alpha=0.25)),
        ("CosineDecay", dict(initial_learning_rate=0.125, decay_steps=10, warmup_target=0.5, warmup_steps=6)),
        ("PiecewiseConstantDecay", dict(boundaries=[5, 10], values=[1.0, 0.5, 0.25])),
    ]
    steps = list(range(30))
    # A float of Python's would be float32 in TensorFlow.
    f64 = lambda o: {k: np.float64(v) if type(v) is float else v for k, v in o.items()}
    return [
        {"name": n, "options": o, "values": [float(getattr(S, n)(**f64(o))(s)) for s in steps]} for n, o in cases
    ]


def one_metric(name, metric, features, batches):
    """`batches`: target, prediction, weight."""
    for target, prediction, weight in batches:
        if "top" in name:
            # TensorFlow has in_top_k for float32 only; the inputs are exact in it.
            prediction = prediction.astype("float32")
        metric.update_state(target, prediction, sample_weight=weight)
    return {
        "name": name,
        "features": features,
        "batches": [
            {
                "targets": plain(t),
                "predictions": plain(p),
                "weights": None if w is None else plain(w),
            }
            for t, p, w in batches
        ],
        "result": float(metric.result()),
    }


def metrics():
    def batches(target, width, weighted):
        out = []
        for rows in (6, 3):
            prediction = f32(random.uniform(size=(rows, width)))
            weight = f32(random.uniform(0, 2, rows)) if weighted else None
            out.append((target(rows, width), prediction, weight))
        return out

    labels = lambda rows, width: random.integers(0, width, rows)
    one_hot = lambda rows, width: np.eye(width)[labels(rows, width)]
    bits = lambda rows, width: random.integers(0, 2, (rows, width)).astype("float64")
    reals = lambda rows, width: f32(random.normal(size=(rows, width)))
    out = []
    for weighted in (False, True):
        for name, metric, target, width in [
            ("sparse", M.SparseCategoricalAccuracy, labels, 4),
            ("categorical", M.CategoricalAccuracy, one_hot, 4),
            ("binary", M.BinaryAccuracy, bits, 4),
            ("binary 0.75", lambda: M.BinaryAccuracy(threshold=0.75), bits, 4),
            ("binary", M.BinaryAccuracy, bits, 1),
            ("mae", M.MeanAbsoluteError, reals, 4),
            ("mse", M.MeanSquaredError, reals, 4),
            ("top 5", M.TopKCategoricalAccuracy, one_hot, 9),
            ("top 2", lambda: M.TopKCategoricalAccuracy(k=2), one_hot, 9),
            ("sparse top 5", M.SparseTopKCategoricalAccuracy, labels, 9),
            ("sparse top 2", lambda: M.SparseTopKCategoricalAccuracy(k=2), labels, 9),
        ]:
            out.append(one_metric(name, metric(), width, batches(target, width, weighted)))
    return out


def main():
    data = {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__},
        "losses": losses(),
        "optimizers": {
            "start": plain(np.concatenate([v.ravel() for v in START])),
            "gradients": [plain(np.concatenate([g.ravel() for g in gs])) for gs in GRADIENTS],
            "cases": optimizers(),
        },
        "schedules": schedules(),
        "metrics": metrics(),
    }
    path = pathlib.Path(__file__).parent.parent / "data" / "training.json"
    path.write_text(json.dumps(data, separators=(",", ":")) + "\n")
    print(f"{path.name}: {path.stat().st_size} bytes")


main()
