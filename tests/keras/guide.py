"""Runs the models of Keras's guide "Working with RNNs" and stores what they give.

    python guide.py [SECTION...]    writes ../../examples/guide/SECTION.safetensors

https://keras.io/guides/working_with_rnns/ (Scott Zhu, Francois Chollet), as of 2023-07-10, section by
section, at the guide's sizes. The guide uses random weights and mostly random data. Here both come
from a formula that takes a few lines in any language (`uniform`), so that neither has to be stored:

    fill(seed, i) = lowbias32(i + seed * 0x9E3779B9 mod 2^32) >> 8        a whole number below 2^24

- A number of an input or a target is fill / 2^24, in [0, 1), like numpy's `random`; an id is
  fill mod vocabulary.
- A number of a weight is fill / 2^23 - 1, in [-1, 1), times 1 for embeddings, 0.5 for biases, beta and
  the moving mean, and otherwise the largest power of two whose square is at most 1 / (first axis);
  gamma and the moving variance are 1 + 0.5 * (fill / 2^23 - 1).
- Seeds: 1000 * section + 100 * model + index of the weight in the order of the text;
  1000 * section + 500 + index of the input, plus 20 a call.

All of it is exact in float32. Every file has the last (at most) four numbers of each weight and input
(`check/…`), so that a slip in the formula is not mistaken for one in a layer. Results were computed by
Keras in float64 and stored as float32.
"""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from graph import Graph, In, Let, Out, chain
from graph_goldens import Run, keras, tf
from goldens import error
from nested import NestedCell, NestedRNN
from language import (
    GRU,
    LSTM,
    RNN,
    BatchNormalization,
    Bidirectional,
    Dense,
    Embedding,
    GRUCell,
    LSTMCell,
    SimpleRNN,
    SimpleRNNCell,
)

HERE = Path(__file__).parent
FOLDER = HERE.parent.parent / "examples" / "guide"
DIGITS = HERE.parent.parent / "examples" / "data" / "digits.csv"


def fill(seed, count):
    """Whole numbers below 2^24 from the seed and the index."""
    h = (np.arange(count, dtype=np.uint64) + np.uint64(seed * 0x9E3779B9 % 2**32)).astype(np.uint32)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x846CA68B)
    h ^= h >> np.uint32(16)
    return h >> np.uint32(8)


def uniform(seed, shape):
    """In [0, 1)."""
    return (fill(seed, np.prod(shape)).astype(np.float32) / np.float32(2**24)).reshape(shape)


def weight(seed, path, shape):
    """A weight by the name of its kind."""
    kind = path.split("/")[-1]
    values = fill(seed, np.prod(shape)).astype(np.float32) / np.float32(2**23) - np.float32(1)
    scale = 1.0
    if kind in ("bias", "beta", "moving_mean", "gamma", "moving_variance"):
        scale = 0.5
    elif kind != "embeddings":
        while scale * scale * shape[0] > 1:
            scale /= 2
    shift = 1 if kind in ("gamma", "moving_variance") else 0
    return (values * np.float32(scale) + np.float32(shift)).reshape(shape)


@dataclass(frozen=True)
class Model:
    """One model of a section. `calls`: how often it is called in a row; `reset`: before which call
    its states are reset; `seeds`: the model whose weights it has."""

    graph: Graph
    calls: int = 1
    seeds: int = 0
    reset: int | None = None
    real: tuple = ()  # the real steps of every row of its mask input


@dataclass(frozen=True)
class Section:
    """A section with a number, the guide's title, and models on inputs of these shapes."""

    number: int
    title: str
    models: dict
    shapes: dict  # by input name; of ids (vocabulary, batch, steps)
    notes: dict = field(default_factory=dict)


def vectors(features):
    return In("x", "floats", (None, features))


def one(inputs, *layers):
    """A graph of one chain."""
    return Graph((inputs, Out("y", chain("x", *layers))))


IDS = In("x", "ids")
TEXT = {"x": (1000, 4, 12)}

DECODER = Graph((
    In("source", "ids"),
    In("target", "ids"),
    Let(("_", "h", "c"), chain("source", Embedding(1000, 64), LSTM(64, return_state=True))),
    Out("logits", chain("target", Embedding(2000, 64), LSTM(64, initial_state=("h", "c")), Dense(10))),
))  # fmt: skip

# A mask that is not padded on the right.
REAL = ((1, 1, 1, 0, 0, 1, 1, 0, 1, 1), (0, 0, 0, 1, 1, 1, 1, 1, 1, 1),
        (1, 0, 1, 0, 1, 0, 1, 0, 1, 0), (1,) * 10)  # fmt: skip

SECTIONS = {
    "simple_example": Section(1, "Built-in RNN layers: a simple example", {
        "model": Model(one(IDS, Embedding(1000, 64), LSTM(128), Dense(10))),
    }, TEXT),
    "outputs_and_states": Section(2, "Outputs and states", {
        "model": Model(
            one(IDS, Embedding(1000, 64), GRU(256, return_sequences=True), SimpleRNN(128), Dense(10))
        ),
        "encoder_decoder": Model(DECODER, seeds=1),
    }, TEXT | {"source": (1000, 4, 12), "target": (2000, 4, 9)}),
    "layers_and_cells": Section(3, "RNN layers and RNN cells", {
        "lstm": Model(one(vectors(8), LSTM(10))),
        "lstm_cell": Model(one(vectors(8), RNN(LSTMCell(10)))),
        "gru": Model(one(vectors(8), GRU(10))),
        "gru_cell": Model(one(vectors(8), RNN(GRUCell(10)))),
        "simple_rnn": Model(one(vectors(8), SimpleRNN(10))),
        "simple_rnn_cell": Model(one(vectors(8), RNN(SimpleRNNCell(10)))),
    }, {"x": (4, 7, 8)}),
    "statefulness": Section(4, "Cross-batch statefulness", {
        "model": Model(one(vectors(50), LSTM(64, stateful=True)), calls=4, reset=3),
    }, {"x": (20, 10, 50)}),
    "state_reuse": Section(5, "RNN State Reuse", {
        "model": Model(one(vectors(50), LSTM(64, stateful=True)), calls=2),
        "new": Model(Graph((
            vectors(50), In("h", "floats", (64,)), In("c", "floats", (64,)),
            Out("y", chain("x", LSTM(64, initial_state=("h", "c")))),
        )), seeds=1),
    }, {"x": (20, 10, 50)}),
    "bidirectional": Section(6, "Bidirectional RNNs", {
        "model": Model(one(
            In("x", "floats", (5, 10)),
            Bidirectional(LSTM(64, return_sequences=True)), Bidirectional(LSTM(32)), Dense(10),
        )),
    }, {"x": (4, 5, 10)}),
    "performance": Section(7, "Performance optimization and CuDNN kernels", {
        "default": Model(one(vectors(28), LSTM(64))),
        "activation": Model(one(vectors(28), LSTM(64, activation="relu"))),
        "recurrent_activation": Model(one(vectors(28), LSTM(64, recurrent_activation="hard_sigmoid"))),
        "recurrent_dropout": Model(one(vectors(28), LSTM(64, recurrent_dropout=0.2))),
        "unroll": Model(one(In("x", "floats", (10, 28)), LSTM(64, unroll=True))),
        "use_bias": Model(one(vectors(28), LSTM(64, use_bias=False))),
        "mask": Model(Graph((
            In("x", "floats", ("time", 28)), In("m", "mask", ("time",)),
            Out("y", chain("x", LSTM(64, mask="m"))),
        )), real=REAL),
    }, {"x": (4, 10, 28)}),
}  # fmt: skip


def last(values):
    """The last numbers of a tensor, to check it by."""
    return np.ascontiguousarray(values.reshape(-1)[-4:])


def inputs_of(section, model, call, states=()):
    """The inputs of a call by name. A state that is an input comes from `states`, in order."""
    found, states = {}, list(states)
    for index, part in enumerate(model.graph.inputs):
        seed = 1000 * section.number + 500 + index + 20 * call
        if part.kind == "mask":
            found[part.name] = np.array(model.real, bool)
        elif part.kind == "ids":
            vocabulary, *shape = section.shapes[part.name]
            found[part.name] = (fill(seed, np.prod(shape)) % np.uint32(vocabulary)).reshape(shape)
        elif part.name in section.shapes:
            found[part.name] = uniform(seed, section.shapes[part.name])
        else:
            found[part.name] = states.pop(0)
    return found


def compute(section, floatx):
    """{key: tensor} of a section of graphs in one precision."""
    found, states = {}, ()
    for name, model in section.models.items():
        calls = range(model.calls)
        shift = 2 if name == "new" else 0  # the third paragraph
        # Call number `reset` is the first call once more.
        numbers = [0 if call == model.reset else call + shift for call in calls]
        inputs = [inputs_of(section, model, number, states) for number in numbers]
        run = Run(model.graph, inputs[0], floatx)
        first = 1000 * section.number + 100 * model.seeds
        weights = [
            weight(first + index, path, tuple(w.shape)) for index, (path, w) in enumerate(run.weights)
        ]
        run.set(weights)
        for (path, _), (index, value) in zip(run.weights, enumerate(weights), strict=True):
            found[f"{name}/check/weight/{index:02}/{path}"] = last(value)
        for call in calls:
            if call == model.reset:
                run.reset()
            for key, value in inputs[call].items():
                if value.dtype != bool:
                    found[f"{name}/check/in.{call}/{key}"] = last(value)
            outputs, _ = run.infer(inputs[call])
            for key, value in outputs.items():
                found[f"{name}/out.{call}/{key}"] = value
        layer = run.network.layers[0]
        if getattr(layer, "stateful", False):
            states = [state.numpy() for state in layer.states]
            for key, value in zip("hc", states, strict=True):
                found[f"{name}/state/{key}"] = value
    return found


def save(name, tensors, metadata):
    """Writes a file, results rounded to float32."""
    def stored(value):  # noqa: E306
        return value.astype(np.uint32 if value.dtype.kind in "ui" else np.float32)

    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{name}.safetensors"
    # One entry: several are written in any order.
    metadata = {"models": json.dumps(metadata)}
    save_file({key: np.ascontiguousarray(stored(value)) for key, value in tensors.items()}, path, metadata)
    print(f"{name}: {path.stat().st_size / 1e3:.1f} kB")


def graphs(name):
    """Makes the file of a section of graphs."""
    section = SECTIONS[name]
    exact, rounded = compute(section, "float64"), compute(section, "float32")
    worst = max((error(rounded[key], value), key) for key, value in exact.items() if "check" not in key)
    print(f"{name}: float32 is off by at most {worst[0]:.1e} ({worst[1]})")
    assert worst[0] < 5e-6
    save(name, exact, {model: str(part.graph) for model, part in section.models.items()})


TRAIN = 1437
EPOCHS = 40  # about as many steps as the guide's one epoch of MNIST


def train_digits(layer, floatx):
    """The guide's classifier after training: {key: numbers}."""
    table = np.loadtxt(DIGITS, delimiter=",", dtype=np.float32)
    images, labels = (table[:, :64] / 16).reshape(-1, 8, 8).astype(floatx), table[:, 64].astype(np.int32)
    found = {}
    graph = one(vectors(8), layer, BatchNormalization(), Dense(10))
    run = Run(graph, {"x": images[:1]}, floatx)
    weights = []
    for index, (path, w) in enumerate(run.weights):
        # As a layer starts: the formula is for kernels only.
        start = {"beta": 0.0, "gamma": 1.0, "moving_mean": 0.0, "moving_variance": 1.0, "bias": 0.0}
        kind, values = path.split("/")[-1], weight(8000 + index, path, tuple(w.shape))
        weights.append(np.full_like(values, start[kind]) if kind in start else values)
        found[f"check/weight/{index:02}/{path}"] = last(weights[-1])
    run.set(weights)
    model = keras.Sequential(run.network.layers)
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        optimizer="sgd",
        metrics=["accuracy"],
    )
    fit = model.fit(
        images[:TRAIN], labels[:TRAIN], batch_size=64, epochs=EPOCHS, shuffle=False, verbose=0,
        validation_data=(images[TRAIN:], labels[TRAIN:]),
    )  # fmt: skip
    found |= {name: np.array(values) for name, values in fit.history.items()}
    for index, (path, w) in enumerate(run.weights):
        found[f"trained/{index:02}/{path}"] = w.numpy()
    found["logits"] = run.infer({"x": images[:8]})[0]["y"]
    found["digit"] = np.argmax(found["logits"], axis=1).astype(np.uint32)
    found["label"] = labels[:8].astype(np.uint32)
    return found


def digits():
    """The section with the classifier; the guide has MNIST there, this 8 by 8 digits.

    The first 1437 digits train, in their order, with SGD in batches of 64 as in the guide; the rest
    validate.
    """
    exact = train_digits(LSTM(64), "float64")
    cell, rounded = train_digits(RNN(LSTMCell(64)), "float64"), train_digits(LSTM(64), "float32")
    for key, value in exact.items():
        if "check" not in key and "trained" not in key:
            assert np.array_equal(value, cell[key]), key  # RNN(LSTMCell) gives the same
            print(f"digits {key}: float32 is off by {error(rounded[key], value):.1e}")
        elif "trained" in key:
            print(f"digits {key}: float32 is off by {error(rounded[key], value):.1e}")
    print("digits:", *(f"{key} {exact[key][-1]:.4f}" for key in ("loss", "accuracy", "val_accuracy")))
    save("digits", exact, {"model": "Input(_, 8) -> LSTM(64) -> BatchNormalization -> Dense(10)"})


UNITS, SIZES, STEPS, BATCH, BATCHES = (10, 20, 30), (32, 64, 32), 50, 64, 10


def nested_batch(number, floatx):
    """Inputs and targets of a batch. Only what is after the last step matters to outputs, but states
    sum over all of them."""
    (u1, u2, u3), (i1, i2, i3) = UNITS, SIZES
    shapes = [(BATCH, STEPS, i1), (BATCH, STEPS, i2, i3), (BATCH, u1), (BATCH, u2, u3)]
    found = [uniform(9500 + i + 20 * number, shape) for i, shape in enumerate(shapes)]
    return [part.astype(floatx) for part in found], [last(part) for part in found]


def nested():
    """The sections with nested inputs: outputs and states, then one epoch of Adam."""
    keras.config.set_floatx("float64")
    keras.utils.clear_session()  # forgets the old one
    model = NestedRNN(NestedCell(*UNITS), return_state=True)
    found = {}
    (x1, x2, *_), checks = nested_batch(0, "float64")
    for name, values in zip(("location", "pressure", "target_1", "target_2"), checks, strict=True):
        found[f"check/in.0/{name}"] = values
    model((x1[:1], x2[:1]))
    for index, w in enumerate(model.cell.weights):
        # Keras's "uniform": between -0.05 and 0.05; here 1/16 of the formula.
        values = weight(9000 + index, "embeddings", tuple(w.shape)) / np.float32(16)
        w.assign(values.astype("float64"))
        found[f"check/weight/{index:02}/{w.name}"] = last(values)
    rows = 4
    outputs = model((x1[:rows], x2[:rows]))
    assert all(value.dtype == "float64" for value in outputs)
    for name, value in zip(("out/y0", "out/y1", "state/s0", "state/s1"), outputs, strict=True):
        found[name] = value.numpy()

    # One epoch as in the guide: the sum of both outputs' mean squared errors, Adam with Keras's
    # defaults. The guide's accuracy is no measure of random numbers and is left out.
    optimizer, losses = keras.optimizers.Adam(), []
    mse = keras.losses.MeanSquaredError()
    for number in range(BATCHES):
        (x1, x2, t1, t2), _ = nested_batch(number, "float64")
        with tf.GradientTape() as tape:
            # Outputs are those of the last step; the steps before do not reach them.
            y1, y2, *_ = model((x1, x2))
            loss = mse(t1, y1) + mse(t2, y2)
        losses.append(float(loss))
        gradients = tape.gradient(loss, [w.value for w in model.cell.weights])
        optimizer.apply(gradients, model.cell.weights)
    found["losses"] = np.array(losses)
    found["trained/kernel_1"] = model.cell.kernel_1.numpy()
    found["trained/kernel_2_3"] = model.cell.kernel_2_3.numpy()[0, 0]
    print("nested", losses[0], losses[-1])
    save("nested", found, {"model": (
        "input location: [_, 32]; input pressure: [_, 64, 32]; "
        "let (y0, y1, s0, s1) = (location, pressure) -> RNN(NestedCell(10, 20, 30), return_state);"
    )})  # fmt: skip


def main(chosen):
    """The chosen sections, or all."""
    makers = {name: lambda name=name: graphs(name) for name in SECTIONS}
    makers |= {"digits": digits, "nested": nested}
    for name in chosen or makers:
        makers[name]()
    size = sum(path.stat().st_size for path in FOLDER.glob("*.safetensors"))
    print(f"{size / 1e3:.0f} kB in all")


if __name__ == "__main__":
    main(sys.argv[1:])
