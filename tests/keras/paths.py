"""Writes what Keras users write of their models, and what the models compute.

    python paths.py [NAME...]    writes paths/ and ../models/tests/keras_paths.rs, or only checks

`paths/NAME.safetensors` is the file of a user's one line,

    save_file({v.path: v.numpy() for v in model.variables}, "NAME.safetensors")

of a model that was made as users make models, in the session of this script: Keras counts the layers of all models, so
most names have numbers. `paths/outputs.safetensors` has for every model

    NAME/in     [batch, (time,) features], or ids (uint32) [batch, time]
    NAME/out    in inference, computed in float64
"""

import sys
import zlib
from dataclasses import dataclass
from typing import Callable

import numpy as np
from safetensors.numpy import save_file

from goldens import HERE, OUTPUT_TOLERANCE, error, keras, tf
from graph_goldens import draw_weight

from keras import layers as L

FOLDER = HERE / "paths"
RUST = HERE.parent / "models" / "tests" / "keras_paths.rs"
SEQ = {"return_sequences": True}


@dataclass(frozen=True)
class Case:
    """A Keras model, the same in `rnn_model!`, and the shape of its input; `ids` below so many."""

    name: str
    make: Callable
    text: str
    shape: tuple = (3, 5, 3)
    ids: int = 0
    optimizer: bool = False  # its variables are in the file, too


def sequential(*layers, **named):
    """Built as soon as it is made."""
    return lambda: keras.Sequential([L.Input((5, 3)), *(make() for make in layers)], **named)


def recurrent(name, make, text):
    """One recurrent layer: alone, in both directions, with what belongs to it."""
    yield Case(name, sequential(lambda: make(4)), f"Input(5, 3) -> {text(4)}")
    yield Case(
        f"{name}_stack",
        sequential(lambda: make(4, **SEQ), lambda: make(4, **SEQ), lambda: make(3), lambda: L.Dense(2)),
        f"Input(5, 3) -> {text(4, True)} -> {text(4, True)} -> {text(3)} -> Dense(2)",
    )
    yield Case(
        f"{name}_both",
        sequential(lambda: L.Bidirectional(make(4, **SEQ)), lambda: L.Bidirectional(make(3))),
        f"Input(5, 3) -> Bidirectional({text(4, True)}) -> Bidirectional({text(3)})",
    )
    yield Case(
        f"{name}_named",
        sequential(lambda: make(4, name="reader", **SEQ), lambda: make(4), name=name),
        "Input(5, 3) -> " + text(4, True)[:-1] + f', name = "reader") -> {text(4)}',
    )


def kinds():
    """The four recurrent layers."""
    plain = {"reset_after": False}
    for name, make, kind, more in [
        ("simple_rnn", L.SimpleRNN, "SimpleRNN", ""),
        ("gru", L.GRU, "GRU", ""),
        ("gru_plain", lambda units, **named: L.GRU(units, **plain, **named), "GRU", ", reset_after = false"),
        ("lstm", L.LSTM, "LSTM", ""),
    ]:

        def text(units, sequences=False, kind=kind, more=more):
            return f"{kind}({units}{more}{', return_sequences' if sequences else ''})"

        yield from recurrent(name, make, text)


class Own(keras.layers.Layer):
    """A cell of one's own."""

    def __init__(self, units, **named):
        super().__init__(**named)
        self.units = self.state_size = units

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")
        self.decay = self.add_weight(shape=(self.units,), name="decay")

    def call(self, x, states):
        h = self.decay * states[0] + keras.ops.tanh(x @ self.kernel)
        return h, [h]


class Subclass(keras.Model):
    """A model that calls its layers itself."""

    def __init__(self):
        super().__init__()
        self.reader = L.GRU(4)
        self.head = L.Dense(2)

    def call(self, x):
        return self.head(self.reader(x))


def functional():
    """Names of its own, and a second layer for the way back."""
    x = keras.Input((5, 3))
    y = L.LSTM(4, name="reader", **SEQ)(x)
    back = L.LSTM(3, go_backwards=True, name="out", **SEQ)
    y = L.Bidirectional(L.GRU(3, name="in", **SEQ), backward_layer=back)(y)
    return keras.Model(x, L.Dense(2)(L.GRU(4)(y)))


def nested():
    """A model in a model, and no names."""
    encoder = keras.Sequential([L.Input((5, 3)), L.GRU(4, **SEQ), L.Dense(3)], name="encoder")
    return keras.Sequential([L.Input((5, 3)), encoder, L.GRU(4), L.Dense(2)])


def fitted():
    """Trained, so that there is an optimizer."""
    made = sequential(lambda: L.LSTM(4, dropout=0.2), L.BatchNormalization, lambda: L.Dense(2))()
    made.compile("adam", "mse", metrics=["mae"])
    made.fit(np.zeros((4, 5, 3)), np.zeros((4, 2)), verbose=0)
    return made


def stateful():
    """The batch is a part of its shape."""
    return keras.Sequential([
        L.Input((5, 3), batch_size=3),
        L.LSTM(4, stateful=True, **SEQ),
        L.RNN([L.GRUCell(3), L.LSTMCell(2)], stateful=True),
    ])  # fmt: skip


def lazy():
    """Built by its first batch."""
    made = keras.Sequential([L.Embedding(9, 3, mask_zero=True), L.Bidirectional(L.LSTM(4)), L.Dense(2)])
    made(np.zeros((1, 5), "int32"))
    return made


def subclass():
    """Built by its first batch."""
    made = Subclass()
    made(np.zeros((1, 5, 3), "float32"))
    return made


def cases():
    """All of them."""
    cells = [("simple_rnn_cell", L.SimpleRNNCell, "SimpleRNNCell"), ("gru_cell", L.GRUCell, "GRUCell")]
    cells.append(("lstm_cell", L.LSTMCell, "LSTMCell"))
    for name, make, kind in cells:
        yield Case(
            name,
            sequential(lambda make=make: L.RNN(make(4), **SEQ), lambda make=make: L.RNN([make(4), make(4), make(2)])),
            f"Input(5, 3) -> RNN({kind}(4), return_sequences) -> RNN([{kind}(4), {kind}(4), {kind}(2)])",
        )
    yield from kinds()
    yield Case(
        "stacked_cells",
        sequential(
            lambda: L.RNN([L.LSTMCell(4), L.GRUCell(3), L.LSTMCell(4)], **SEQ),
            lambda: L.Bidirectional(L.RNN([L.GRUCell(3), L.SimpleRNNCell(2)], **SEQ)),
            lambda: L.RNN(L.StackedRNNCells([L.GRUCell(2), L.GRUCell(2)])),
        ),
        "Input(5, 3) -> RNN([LSTMCell(4), GRUCell(3), LSTMCell(4)], return_sequences)"
        " -> Bidirectional(RNN([GRUCell(3), SimpleRNNCell(2)], return_sequences)) -> RNN([GRUCell(2), GRUCell(2)])",
    )
    yield Case(
        "time_distributed",
        sequential(
            lambda: L.TimeDistributed(L.Dense(4)), lambda: L.GRU(3, **SEQ), lambda: L.TimeDistributed(L.Dense(4)),
            lambda: L.Dense(2), lambda: L.TimeDistributed(L.Dense(2)),
        ),
        "Input(5, 3) -> TimeDistributed(Dense(4)) -> GRU(3, return_sequences) -> TimeDistributed(Dense(4))"
        " -> Dense(2) -> TimeDistributed(Dense(2))",
    )  # fmt: skip
    yield Case(
        "normalized",
        sequential(
            L.BatchNormalization, lambda: L.LSTM(4, **SEQ), L.LayerNormalization, lambda: L.Dropout(0.5),
            lambda: L.SimpleRNN(3, recurrent_dropout=0.3), L.BatchNormalization, lambda: L.Dense(2),
        ),
        "Input(5, 3) -> BatchNormalization -> LSTM(4, return_sequences) -> LayerNormalization -> Dropout(0.5)"
        " -> SimpleRNN(3, recurrent_dropout = 0.3) -> BatchNormalization -> Dense(2)",
    )  # fmt: skip
    yield Case("lazy", lazy, "Embedding(9, 3, mask_zero) -> Bidirectional(LSTM(4)) -> Dense(2)", (3, 5), 9)
    yield Case(
        "functional",
        functional,
        'Input(5, 3) -> LSTM(4, return_sequences, name = "reader")'
        " -> Bidirectional(GRU(3, return_sequences), backward_layer = LSTM(3, go_backwards, return_sequences))"
        " -> GRU(4) -> Dense(2)",
    )
    yield Case("nested", nested, "Input(5, 3) -> GRU(4, return_sequences) -> Dense(3) -> GRU(4) -> Dense(2)")
    yield Case("subclass", subclass, "Input(5, 3) -> GRU(4) -> Dense(2)")
    yield Case("fitted", fitted, "Input(5, 3) -> LSTM(4, dropout = 0.2) -> BatchNormalization -> Dense(2)")
    yield Case(
        "with_optimizer",
        fitted,
        "Input(5, 3) -> LSTM(4, dropout = 0.2) -> BatchNormalization -> Dense(2)",
        optimizer=True,
    )
    yield Case(
        "stateful",
        stateful,
        "Input(5, 3) -> LSTM(4, return_sequences, stateful) -> RNN([GRUCell(3), LSTMCell(2)], stateful)",
    )
    yield Case(
        "own_cells",
        sequential(lambda: L.RNN(Own(4), **SEQ), lambda: L.RNN([Own(4), Own(3)])),
        "Input(5, 3) -> RNN(Own(4), return_sequences) -> RNN([Own(4), Own(3)])",
    )


def precision(floatx):
    """The type of the next model. The policy is kept apart once there is a layer."""
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(floatx)


def compute(case):
    """The file, the input and the output of a case."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    if case.ids:
        x = rng.integers(0, case.ids, case.shape, np.uint32)
    else:
        x = rng.uniform(-1, 1, case.shape).astype(np.float32)
    precision("float32")
    model = case.make()
    drawn = [draw_weight(rng, w.path, tuple(w.shape), 1.0) for w in model.weights]
    for weight, value in zip(model.weights, drawn, strict=True):
        weight.assign(value)
    variables = model.variables + (model.optimizer.variables if case.optimizer else [])
    # An optimizer's variables are single numbers, which `save_file` takes as arrays only.
    file = {v.path: np.asarray(v.numpy()) for v in variables}
    assert len(file) == len(variables), "two variables of one path"

    def output(model, floatx):
        for layer in model._flatten_layers():
            if getattr(layer, "stateful", False):
                for state in keras.tree.flatten(layer.states):
                    state.assign(keras.ops.zeros_like(state))
        return model(tf.constant(x.astype("int32" if case.ids else floatx)), training=False).numpy()

    single = output(model, "float32")
    precision("float64")
    double = case.make()
    for weight, value in zip(double.weights, drawn, strict=True):
        weight.assign(value.astype("float64"))
    y = output(double, "float64")
    assert y.dtype == np.float64 and np.max(np.abs(y)) > 1e-3
    assert error(single, y) < OUTPUT_TOLERANCE / 10, (case.name, error(single, y))
    return file, x, y.astype(np.float32)


HEAD = '''//! Made by tests/keras/paths.py. Do not edit.
//!
//! Files of real Keras, with the names that its variables have, are loaded, and the models predict what Keras does.

#[path = "../paths.rs"]
mod paths;

macro_rules! paths {
    ($name:ident, $($model:tt)+) => {
        #[test]
        fn $name() {
            paths::check(recurrent::rnn_model!($($model)+), stringify!($name));
        }
    };
}

recurrent::rnn_cell! {
    cell Own(units) {
        param kernel: [input, units] = glorot_uniform;
        param decay: [units] = glorot_uniform;
        state h: [units];
        next h = decay * h + tanh(x @ kernel);
        output h;
    }
}

'''


def main(chosen):
    """Writes all files, or only checks the chosen cases."""
    FOLDER.mkdir(exist_ok=True)
    tensors, lines, files = {}, [], {}
    keras.utils.clear_session()
    for case in cases():
        if chosen and case.name not in chosen:
            continue
        file, x, y = compute(case)
        assert case.name not in files
        files[case.name] = file
        tensors |= {f"{case.name}/in": x, f"{case.name}/out": y}
        lines.append(f"paths!({case.name}, {case.text});\n")
        print(case.name, list(file)[:3])
    if chosen:
        return
    for old in FOLDER.glob("*.safetensors"):
        old.unlink()
    for name, file in files.items():
        save_file(file, FOLDER / f"{name}.safetensors")
    save_file(tensors, FOLDER / "outputs.safetensors")
    RUST.write_text(HEAD + "".join(lines))
    size = sum(path.stat().st_size for path in FOLDER.iterdir())
    print(f"{len(lines)} models, {size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
