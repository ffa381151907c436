"""Models of real Keras 3 and of Keras 2 (`tf_keras`), saved in every form, with an input and the output for it.

    python models.py keras      # Keras 3
    python models.py tf_keras   # Keras 2

NAME.safetensors has `input.0`, … and `output.0`, … of NAME.keras, and of NAME.h5 and NAME.weights.h5 where there are any.
The files of a run are put as they are into `keras.zip` or `tf_keras.zip`: HDF5 leaves much room between small tensors.
"""
import os
import sys
import tempfile
import zipfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from safetensors.numpy import save_file

OLD = sys.argv[1] == "tf_keras"
if OLD:
    import tf_keras as keras
    from tf_keras import layers as L
else:
    import keras
    from keras import layers as L

HERE = Path(__file__).parent
MADE = Path(tempfile.mkdtemp())
MODELS = {}


def model(*forms):
    def add(build):
        MODELS[build.__name__] = (build, forms)
        return build

    return add


def chain(*layers):
    return keras.Sequential(list(layers))


def sequence(features=3, steps=None, name=None):
    return keras.Input((steps, features), name=name)


def ids(name=None):
    return keras.Input((None,), dtype="int32", name=name)


@model(".h5", ".weights.h5")
def simple_rnn():
    return chain(sequence(), L.SimpleRNN(4, activation="relu"), L.Dense(2))


@model(".h5", ".weights.h5")
def gru():
    return chain(sequence(), L.GRU(4, return_sequences=True), L.Dense(2, activation="sigmoid"))


@model()
def gru_reset_before():
    return chain(sequence(), L.GRU(4, reset_after=False, use_bias=True), L.Dense(1))


@model(".h5", ".weights.h5")
def lstm():
    return chain(sequence(1), L.LSTM(4, return_sequences=True), L.Dense(1))


@model()
def no_bias():
    return chain(sequence(steps=6), L.LSTM(3, use_bias=False, unroll=True, return_sequences=True),
                 L.GRU(3, use_bias=False, go_backwards=True), L.Dense(2, use_bias=False))


@model(".weights.h5")
def stacked():
    return chain(sequence(), L.LSTM(4, return_sequences=True, recurrent_activation="sigmoid" if OLD else "hard_sigmoid", name="second"),
                 L.LSTM(3, return_sequences=True, activation="softsign"), L.Dropout(0.5), L.LSTM(2), L.Dense(2, name="head"))


def both(mode):
    def build():
        return chain(sequence(), L.Bidirectional(L.LSTM(3, return_sequences=True), merge_mode=mode), L.Dense(2))

    build.__name__ = f"bidirectional_{mode}"
    return build


for mode in ["concat", "sum", "mul", "ave"]:
    model(*([".h5", ".weights.h5"] if mode == "concat" else []))(both(mode))


@model()
def bidirectional_none():
    x = sequence()
    f, b = L.Bidirectional(L.GRU(3, name="inside"), merge_mode=None)(x)
    return keras.Model(x, L.Subtract()([f, b]))


@model(".h5", ".weights.h5")
def bidirectional_own():
    own = L.GRU(3, go_backwards=True, return_sequences=True)
    return chain(sequence(), L.Bidirectional(L.LSTM(3, return_sequences=True), backward_layer=own), L.LSTM(2))


@model(".h5", ".weights.h5")
def cells():
    stack = [L.LSTMCell(4), L.GRUCell(3, reset_after=False), L.LSTMCell(2), L.SimpleRNNCell(3)]
    return chain(sequence(), L.RNN(stack, return_sequences=True), L.RNN(L.GRUCell(4)), L.Dense(1))


@model()
def cells_both_ways():
    stack = L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True)
    return chain(sequence(), L.Bidirectional(stack), L.Bidirectional(L.RNN(L.LSTMCell(2))))


@model(".h5", ".weights.h5")
def embedding():
    return chain(ids(), L.Embedding(12, 4, mask_zero=True), L.LSTM(3, return_sequences=True), L.GRU(3), L.Dense(2, activation="softmax"))


@model()
def masking():
    return chain(sequence(2), L.Masking(-1.0), L.SimpleRNN(4, return_sequences=True), L.LayerNormalization(),
                 L.Bidirectional(L.LSTM(3)))


@model(".h5", ".weights.h5")
def normalised():
    return chain(sequence(), L.BatchNormalization(), L.LayerNormalization(epsilon=0.01, center=False),
                 L.LSTM(4, return_sequences=True), L.BatchNormalization(scale=False), L.LayerNormalization(),
                 L.TimeDistributed(L.Dense(3, activation="elu")), L.GlobalAveragePooling1D())


@model()
def training():
    return chain(sequence(), L.GaussianNoise(0.1), L.SpatialDropout1D(0.25),
                 L.GRU(3, return_sequences=True, dropout=0.1, recurrent_dropout=0.2, kernel_regularizer="l2", seed=5,
                       recurrent_regularizer=keras.regularizers.OrthogonalRegularizer(),
                       bias_constraint="non_neg", kernel_constraint=keras.constraints.MaxNorm(3, axis=[0, 1]),
                       recurrent_initializer="glorot_normal", bias_initializer=keras.initializers.Constant(0.25)),
                 L.ActivityRegularization(0.01), L.GaussianDropout(0.1), L.AlphaDropout(0.1), L.Dense(
                     2, activity_regularizer=keras.regularizers.L1L2(0.01, 0.02),
                     kernel_initializer=keras.initializers.VarianceScaling(2.0, "fan_out", "uniform"), trainable=False))


@model(".h5", ".weights.h5")
def spatial():
    """`SpatialDropout1D` in a graph: Keras 3 does not say whether it is trained, which it says of other layers."""
    words = ids("words")
    y = L.SpatialDropout1D(0.3)(L.Embedding(9, 4, mask_zero=True)(words))
    y = L.SpatialDropout1D(0.2, name="again")(L.Bidirectional(L.LSTM(3, return_sequences=True))(y))
    return keras.Model(words, L.Dense(2, activation="log_softmax")(L.GRU(3)(y)))


@model()
def shapes():
    return chain(sequence(4, steps=6), L.Permute((2, 1)), L.Reshape((-1, 3)), L.SimpleRNN(4), L.RepeatVector(3),
                 L.GRU(2, return_sequences=True), L.GlobalMaxPooling1D(), L.Reshape((2, 1)), L.Flatten(), L.Dense(3))


@model()
def activations():
    x = sequence()
    y = L.LSTM(4)(x)
    ways = [L.Dense(3, activation=name)(y) for name in
            ["relu", "relu6", "selu", "gelu", "silu", "softplus", "mish", "hard_silu", "exponential", "leaky_relu"]]
    ways += [L.LeakyReLU(0.1)(y), L.ELU(0.5)(y), L.ReLU()(y), L.Softmax()(y), L.ReLU(6.0)(y), L.Activation("tanh")(y)]
    return keras.Model(x, L.Concatenate()(ways))


@model(".h5", ".weights.h5")
def two_inputs():
    words, speaker = ids("words"), keras.Input((3,), name="speaker")
    text = L.GRU(4, name="reader")(L.Embedding(9, 3, name="words_in")(words))
    voice = L.Dense(4, activation="relu")(speaker)
    both = L.Concatenate()([text, voice])
    return keras.Model([words, speaker], [L.Dense(2, name="mood")(both), L.Add(name="sum")([text, voice])])


@model(".h5")
def shared():
    left, right = sequence(name="left"), sequence(name="right")
    reader = L.LSTM(4, name="reader")
    return keras.Model([left, right], L.Dense(2)(L.Subtract()([reader(left), reader(right)])))


@model(".h5")
def states():
    source, target = ids("source"), sequence(2, name="target")
    e = L.Embedding(8, 3, mask_zero=True)(source)
    _, h, c = L.LSTM(4, return_state=True)(e)
    y = L.LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    z = L.GRU(4)(y, initial_state=h)
    return keras.Model([source, target], [L.Dense(3)(y), z])


@model()
def state_in_and_out():
    x, h, c = sequence(1, name="x"), keras.Input((3,), name="h"), keras.Input((3,), name="c")
    y, *state = L.LSTM(3, return_sequences=True, return_state=True)(x, initial_state=[h, c])
    return keras.Model([x, h, c], [L.Dense(1)(y), *state])


@model(".h5")
def states_of_stacks():
    """States of both directions and of several cells."""
    x, h = sequence(name="x"), keras.Input((3,), name="h")
    y, *state = L.Bidirectional(L.GRU(3, return_sequences=True, return_state=True))(x, initial_state=[h, h])
    z, *rest = L.Bidirectional(L.GRU(3, return_state=True))(y, initial_state=state)
    w = L.RNN([L.GRUCell(4), L.GRUCell(3)], return_state=True)(y)
    return keras.Model([x, h], [z, *rest, *w])


@model()
def masked_models():
    """A mask goes into a model in the model, and out of it."""
    inner_x = sequence(3)
    inner = keras.Model(inner_x, L.LSTM(3, return_sequences=True)(L.Dropout(0.5)(inner_x)), name="inner")
    words = ids("words")
    e = L.Embedding(8, 3, mask_zero=True)(words)
    y = chain(sequence(3), L.Dense(4), L.GRU(3, return_sequences=True))(inner(e))
    return keras.Model(words, [L.GRU(2)(y), L.GlobalAveragePooling1D()(y)])


@model()
def masked_states():
    """Keras 3 forgets the mask in a layer with an initial state, and hands it on."""
    words, h = ids("words"), keras.Input((4,), name="h")
    y = L.GRU(4, return_sequences=True)(L.Embedding(8, 3, mask_zero=True)(words), initial_state=h)
    return keras.Model([words, h], [y, L.GRU(3)(y)])


@model()
def masks():
    words, extra = ids("words"), sequence(2, name="extra")
    e = L.Embedding(8, 3, mask_zero=True)(words)
    m = L.Masking()(extra)
    y = L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum")(e)
    z = L.LSTM(3, return_sequences=True)(m)
    a = L.Add()([y, z])
    j = L.Concatenate()([e, m])
    return keras.Model([words, extra], [L.GRU(2)(a), L.GRU(2)(j), L.GlobalAveragePooling1D()(y), L.GlobalMaxPooling1D()(y),
                                        L.TimeDistributed(L.Dense(2))(z)])


@model()
def given_mask():
    x, valid = sequence(name="x"), keras.Input((None,), dtype="bool", name="valid")
    y = L.LSTM(3, return_sequences=True)(x, mask=valid)
    return keras.Model([x, valid], [L.GRU(2)(y), y])


@model(".h5", ".weights.h5")
def nested():
    inner_x = sequence(4)
    inner = keras.Model(inner_x, L.LSTM(3, name="dense")(L.BatchNormalization(name="norm")(inner_x)), name="inner")
    head = chain(keras.Input((3,)), L.Dense(4, activation="relu"), L.BatchNormalization(), L.Dense(2))
    x, y = sequence(name="x"), sequence(name="y")
    before = L.Dense(4, name="dense")
    a, b = inner(before(x)), inner(before(y))
    return keras.Model([x, y], head(L.Maximum()([a, b])))


@model()
def stateful():
    x = keras.Input(batch_shape=(2, 5, 3))
    return keras.Model(x, L.Dense(1)(L.GRU(4, stateful=True, return_sequences=True)(x)))


@model()
def operators():
    """Python's operators become layers of Keras."""
    x = sequence()
    y = L.GRU(3)(x)
    z = L.LSTM(3)(x)
    return keras.Model(x, y + z * L.Dense(3)(y) - z)


@model()
def half():
    inner = L.GRU(4, dtype="mixed_bfloat16") if not OLD else L.GRU(4)
    return chain(sequence(), inner, L.Dense(2, dtype="float32"))


@model(".weights.h5")
def refused():
    """Everything in it that is not here is named."""
    hard = "hard_sigmoid" if OLD else "hard_shrink"
    return chain(sequence(4, steps=6), L.Conv1D(4, 2, name="conv"), L.LSTM(3, activation=hard, return_sequences=True),
                 L.UpSampling1D(2))


@model(".weights.h5")
def alone():
    """Weights whose parameters show in shapes and names only."""
    return chain(ids(), L.Embedding(9, 4), L.Bidirectional(L.GRU(3, return_sequences=True)), L.LayerNormalization(center=False),
                 L.RNN([L.LSTMCell(3), L.GRUCell(2)], return_sequences=True), L.Bidirectional(L.RNN(L.LSTMCell(2), return_sequences=True)),
                 L.BatchNormalization(scale=False, center=False), L.TimeDistributed(L.Dense(3)), L.LSTM(2, dropout=0.1, name="last"))


@model(".h5", ".weights.h5")
def hard_gates():
    """Keras 2 has another hard sigmoid, which was the default of its gates for long."""
    def lstm(n, **more):
        return L.LSTM(n, recurrent_activation="hard_sigmoid", **more)

    def gru(n, **more):
        return L.GRU(n, recurrent_activation="hard_sigmoid", **more)

    stack = [L.GRUCell(3, recurrent_activation="hard_sigmoid"), L.LSTMCell(2), L.LSTMCell(4, recurrent_activation="hard_sigmoid")]
    return chain(sequence(), lstm(4, return_sequences=True), gru(3, reset_after=False, return_sequences=True),
                 gru(3, return_sequences=True, use_bias=False), L.Bidirectional(lstm(2, return_sequences=True)),
                 L.RNN(stack), L.Dense(2))


# What Keras 2 has no word for.
NEW = {"masked_models", "operators", "half", "activations", "training", "given_mask"}


def number(name, shape, kind):
    """The same numbers for every run."""
    draw = np.random.default_rng([ord(c) for c in name] + list(shape))
    return draw.standard_normal(shape) if kind == "float" else draw.integers(0, 8, shape)


def spread(built):
    """Weights that are neither zeros nor ones, so that a wrong order shows."""
    for i, variable in enumerate(built.weights):
        draw = np.random.default_rng([i, *variable.shape])
        values = draw.standard_normal(tuple(variable.shape)) * 0.4
        name = getattr(variable, "path", variable.name)
        if "seed" in name:
            continue
        variable.assign(np.abs(values) + 0.5 if "variance" in name else values)


def batch(name, tensor, index):
    shape = [2 if i == 0 else n or 5 for i, n in enumerate(tensor.shape)]
    kind = str(getattr(tensor.dtype, "name", tensor.dtype))
    if "int" in kind:
        x = number(f"{name}{index}", shape, "int")
        x[0, -2:] = 0
        return x.astype("int32")
    x = number(f"{name}{index}", shape, "float").astype("float32")
    if kind == "bool":
        x = x > 0
        x[:, 0] = True
        return x
    if name in ("masking", "masks") and len(shape) == 3:
        x[1, 3:] = -1 if name == "masking" else 0
    return x


def save(name, build, forms):
    keras.utils.set_random_seed(7)
    keras.backend.clear_session()
    built = build()
    spread(built)
    at = str(MADE / name)
    inputs = [batch(name, t, i) for i, t in enumerate(built.inputs)]
    numbers = built(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = list(numbers) if isinstance(numbers, (list, tuple)) else [numbers]
    if name == "stateful":
        for layer in built.layers:
            if getattr(layer, "stateful", False):
                layer.reset_states() if OLD else layer.reset_state()
    if name in ("lstm", "shared"):
        # An optimizer that has seen a step, which is left out.
        built.compile("adam", "mse")
        targets = [np.asarray(o) for o in outputs]
        built.fit(inputs if len(inputs) > 1 else inputs[0], targets[0], verbose=0)
        spread(built)
        outputs = [built(inputs if len(inputs) > 1 else inputs[0], training=False)]
    arrays = {f"input.{i}": x.astype("float32") for i, x in enumerate(inputs)}
    arrays |= {f"output.{i}": np.asarray(y, dtype="float32") for i, y in enumerate(outputs)}
    save_file({k: np.ascontiguousarray(v) for k, v in arrays.items()}, at + ".safetensors")
    # Keras 2 has its own `.keras`, of which some will do.
    if not OLD or ".h5" not in forms or name in ("nested", "lstm", "cells", "states"):
        built.save(at + ".keras")
    if ".h5" in forms:
        built.save(at + ".h5")
    if ".weights.h5" in forms:
        if OLD and name not in ("nested", "lstm", "cells", "embedding", "alone", "bidirectional_own"):
            return
        if OLD:
            built.save_weights(at + "_weights.h5", save_format="h5")
        else:
            built.save_weights(at + ".weights.h5")


def main():
    for name, (build, forms) in MODELS.items():
        if OLD and (name in NEW or not forms):
            continue
        save(name, build, forms)
    with zipfile.ZipFile(HERE / f"{sys.argv[1]}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(MADE.iterdir()):
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    main()
