"""What Keras makes of a graph: the numbers of one case, as tensors under the case's name.

    NAME/in/INPUT          floats [batch, (time,) features]; ids (uint32) and masks (0 or 1)
                           [batch, time]
    NAME/weight/NN/PATH    every weight, in the order of the model text; PATH is Keras's
    NAME/out/OUTPUT        in inference
    NAME/train/OUTPUT      in training, where it differs
    NAME/mask/OUTPUT       the mask that Keras hands on with an output, where it has one
    NAME/d/OUTPUT          the gradient from above: the loss is the sum of train/X * d/X over all
                           outputs, and the penalty
    NAME/grad/NN           the loss's gradient by a trainable weight
    NAME/grad_in/INPUT     and by an input of floats
    NAME/moved/NN          what training made of a weight that is not trained
    NAME/penalty           what the activity regularisers add to the loss in training
    NAME/weight_penalty    the weight regularisers' sum, of which the gradients here know nothing

A case of several calls in a row (stateful layers) has `NAME/in.1/…` and so on for the second call.

As in `goldens.py`, everything is drawn as float32, computed in float64 and stored as float32, and a
case that Keras's own float32 misses by a tenth of the tests' tolerance is refused.
"""

from pathlib import Path
import numpy as np
import tensorflow as tf

from goldens import GRADIENT_TOLERANCE, OUTPUT_TOLERANCE, error, keras
from graph import Network

class Refused(Exception):
    """A case that would be no good test."""


def draw_weight(rng, path, shape, scale):
    """A weight that keeps pre-activations within a few units, and that is nowhere trivial."""
    low, high = {
        "bias": (-0.5, 0.5),
        "beta": (-0.5, 0.5),
        "moving_mean": (-0.5, 0.5),
        "gamma": (0.5, 1.5),
        "moving_variance": (0.5, 1.5),
        "embeddings": (-1.0, 1.0),
    }.get(path.split("/")[-1], (-(shape[0] ** -0.5), shape[0] ** -0.5))
    if low < 0:
        low, high = low * scale, high * scale
    return rng.uniform(low, high, shape).astype(np.float32)


def tensor(values, floatx):
    """An input as Keras takes it."""
    kind = {"f": floatx, "u": "int32", "b": "bool"}[values.dtype.kind]
    return tf.constant(values.astype(kind))


class Run:
    """One graph with drawn weights, in one precision."""

    def __init__(self, graph, inputs, floatx):
        keras.config.set_floatx(floatx)
        self.floatx = floatx
        self.network = Network(graph)
        self.network(self.tensors(inputs), False)  # builds it
        self.weights = self.network.weights()

    def tensors(self, inputs):
        return {name: tensor(values, self.floatx) for name, values in inputs.items()}

    def set(self, values):
        for (_, weight), value in zip(self.weights, values, strict=True):
            weight.assign(value.astype(self.floatx))
        self.reset()

    def reset(self):
        for layer in self.network.layers:
            if getattr(layer, "stateful", False):
                # Not layer.reset_state(), which fails for a stack: its states are nested.
                for state in keras.tree.flatten(layer.states):
                    state.assign(keras.ops.zeros_like(state))

    def infer(self, inputs):
        """The outputs in inference, and their masks."""
        found = self.network(self.tensors(inputs), False)
        masks = {name: keras.src.backend.get_keras_mask(value) for name, value in found.items()}
        return (
            {name: value.numpy() for name, value in found.items()},
            {name: mask.numpy() for name, mask in masks.items() if mask is not None},
        )

    def train(self, inputs, d_outputs):
        """(outputs, gradients by weight, by input, moved weights, activity penalty)."""
        x = self.tensors(inputs)
        floats = {name: value for name, value in x.items() if value.dtype.is_floating}
        with tf.GradientTape() as tape:
            tape.watch(list(floats.values()))
            outputs = self.network(x, True)
            penalty = tf.add_n([tf.constant(0.0, self.floatx), *self.network.activity])
            loss = penalty + tf.add_n([
                tf.reduce_sum(value * d_outputs[name].astype(self.floatx))
                for name, value in outputs.items()
            ])  # fmt: skip
        trained = {i: weight.value for i, (_, weight) in enumerate(self.weights) if weight.trainable}
        found = tape.gradient(loss, (trained, floats), unconnected_gradients="zero")
        by_weight, by_input = (
            {key: tf.convert_to_tensor(value).numpy() for key, value in part.items()} for part in found
        )
        moved = {i: w.numpy() for i, (_, w) in enumerate(self.weights) if not w.trainable}
        outputs = {name: value.numpy() for name, value in outputs.items()}
        return outputs, by_weight, by_input, moved, float(penalty)

    def weight_penalty(self):
        """The sum of the weight regularisers."""
        found = [w.regularizer(w) for _, w in self.weights if w.regularizer is not None]
        return tf.add_n([tf.constant(0.0, self.floatx), *found])


def results(run, calls, d_outputs, trains):
    """All that Keras computes: {key: numbers}, without what was drawn. Keys lack the case's name."""
    found = {}

    def put(part, key, value, call):
        part = f"{part}.{call}" if call else part
        found[f"{part}/{key}" if key is not None else part] = np.asarray(value)

    run.reset()
    for call, inputs in enumerate(calls):
        outputs, masks = run.infer(inputs)
        for name, value in outputs.items():
            put("out", name, value, call)
        for name, mask in masks.items():
            put("mask", name, mask, call)
    run.reset()
    for call, inputs in enumerate(calls if trains else []):
        outputs, by_weight, by_input, moved, penalty = run.train(inputs, d_outputs[call])
        for name, value in outputs.items():
            put("train", name, value, call)
        for index, value in by_weight.items():
            put("grad", f"{index:02}", value, call)
        for name, value in by_input.items():
            put("grad_in", name, value, call)
        for index, value in moved.items():
            put("moved", f"{index:02}", value, call)
        if penalty:
            put("penalty", None, [penalty], call)
    penalty = float(run.weight_penalty())
    if penalty:
        found["weight_penalty"] = np.asarray([penalty])
    return found


def golden(name, graph, calls, rng, scale=1.0, trains=True, check_weights=True):
    """The tensors of a case; `calls` are inputs by name, one dictionary a call.

    Raises `Refused` with the reason if the numbers would be no good test.
    """
    double = Run(graph, calls[0], "float64")
    weights = [draw_weight(rng, path, tuple(w.shape), scale) for path, w in double.weights]
    paths = [path for path, _ in double.weights]
    double.set(weights)
    shapes = []
    for inputs in calls:
        outputs, _ = double.infer(inputs)
        shapes.append({key: value.shape for key, value in outputs.items()})
    d_outputs = [
        {key: rng.uniform(-1, 1, shape).astype(np.float32) for key, shape in part.items()} for part in shapes
    ]
    exact = results(double, calls, d_outputs, trains)

    single = Run(graph, calls[0], "float32")
    single.set(weights)
    rounded = results(single, calls, d_outputs, trains)
    if exact.keys() != rounded.keys():
        raise Refused("float32 has other tensors")
    for key, value in exact.items():
        if not np.all(np.isfinite(value)) or np.max(np.abs(value)) > 1e3:
            raise Refused(f"{key}: not finite or too large")
        gradient = key.startswith("grad")
        limit = (GRADIENT_TOLERANCE if gradient else OUTPUT_TOLERANCE) / 10
        difference = error(rounded[key], value)
        if not difference <= limit:
            raise Refused(f"{key}: float32 is off by {difference:.1e}")
        if gradient and check_weights and np.max(np.abs(value)) < 1e-4:
            raise Refused(f"{key}: tests nothing")

    tensors = {}
    for call, inputs in enumerate(calls):
        suffix = f".{call}" if call else ""
        for key, value in inputs.items():
            stored = value.astype(np.float32) if value.dtype == bool else value
            tensors[f"{name}/in{suffix}/{key}"] = stored
        if trains:
            for key, value in d_outputs[call].items():
                tensors[f"{name}/d{suffix}/{key}"] = value
    for index, (path, value) in enumerate(zip(paths, weights, strict=True)):
        tensors[f"{name}/weight/{index:02}/{path}"] = value
    for key, value in exact.items():
        same = key.replace("train", "out", 1)
        if key.startswith("train") and np.array_equal(exact[same], value):
            continue
        tensors[f"{name}/{key}"] = np.ascontiguousarray(value.astype(np.float32))
    return tensors

#: Models in one file: rustc needs some 60 MB for each.
MODELS = 15


def write_rust(script, kind, lines):
    """Cuts test cases into files of `../grid/tests/`: the first of every four is compiled with `all`.

    Its line in `../grid/Cargo.toml` keeps it out of the default set."""
    folder = Path(__file__).resolve().parent.parent / "grid" / "tests"
    for old in folder.glob(f"{kind}_[0-9]*.rs"):
        old.unlink()
    for number, start in enumerate(range(0, len(lines), MODELS)):
        some = lines[start : start + MODELS]
        text = [f"//! Made by tests/keras/{script}. Do not edit."]
        if number % 4:
            text.append('#![cfg(feature = "exhaustive")]')
        if any("NestedCell" in line for line in some):
            text.append("use recurrent_test_grid::NestedCell;")
        text.append("use recurrent_test_grid::grid;")
        text += some
        text += ["#[test]", "fn every_instruction_set() {", "    recurrent_test_grid::every_instruction_set();", "}"]
        (folder / f"{kind}_{number}.rs").write_text("\n".join(text) + "\n")
