"""The project's model language, as far as the goldens need it.

A model is a tuple of `Layer` records (graphs: `graph.py`). `text` renders it as `rnn_model!` reads
it, `build` makes the same model in Keras, and both come from the same record, so that they cannot
drift apart.
"""

import inspect
import os
from dataclasses import dataclass

# Before Keras is imported, which reads them.
os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0")

import keras


# Given to a layer's call in Keras, and among its arguments in model text: names of values.
AT_THE_CALL = ("mask", "initial_state")
# Keras's word for "do not merge" is None, which in model text is an open axis.
NOTHING = {"merge_mode": "none"}
# Their one argument is a shape: several arguments in model text.
SPREAD = ("Reshape", "Permute")
# What Keras takes from the layer inside and leaves out: an error in model text, so not in it.
WITHOUT_EFFECT = {"TimeDistributed": ("activity_regularizer",)}
# Records that are made otherwise than by a class of Keras: {(kind, kind of the first argument)}.
SPECIAL = {}


@dataclass(frozen=True)
class Layer:
    """One layer, cell or regulariser: Keras's class name, and the arguments as the text has them."""

    kind: str
    positional: tuple
    named: tuple  # pairs, in the order written

    def __str__(self):
        positional = self.positional
        if self.kind in SPREAD:
            (positional,) = positional
        idle = WITHOUT_EFFECT.get(self.kind, ())
        positional = [part.without(idle) if isinstance(part, Layer) else part for part in positional]
        arguments = [literal(value) for value in positional]
        for name, value in self.named:
            if value is None and name in NOTHING:
                value = NOTHING[name]
            # A flag alone means true.
            arguments.append(name if value is True else f"{name} = {literal(value)}")
        return f"{self.kind}({', '.join(arguments)})" if arguments else self.kind

    def without(self, names):
        """The same without these arguments."""
        named = tuple(pair for pair in self.named if pair[0] not in names)
        return Layer(self.kind, self.positional, named)

    def in_keras(self):
        """The Keras object with these arguments, automatically named."""
        if self.positional and isinstance(self.positional[0], Layer):
            make = SPECIAL.get((self.kind, self.positional[0].kind))
            if make is not None:
                return make(self)
        named = {name: in_keras(value) for name, value in self.named if name not in AT_THE_CALL}
        return keras_class(self.kind)(*map(in_keras, self.positional), **named)

    def at_the_call(self, name):
        """The names of values given for a call argument: a name, a tuple of names, or None."""
        assert name in AT_THE_CALL
        return dict(self.named).get(name)


def keras_class(kind):
    """The Keras class of a layer, a cell or a regulariser."""
    return getattr(keras.layers, kind, None) or getattr(keras.regularizers, kind)


def in_keras(value):
    """An argument's value for Keras."""
    if isinstance(value, Layer):
        return value.in_keras()
    return [in_keras(part) for part in value] if isinstance(value, tuple) else value


def literal(value):
    """An argument's value in model text: strings bare, `None` (any length) as `_`."""
    if value is None:
        return "_"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(literal, value))}]"
    return str(value)


def layer(kind):
    """A constructor of `Layer` records that mistypes no argument of the Keras class `kind`."""

    def make(*positional, **named):
        if kind != "Input":
            own = {name: value for name, value in named.items() if name not in AT_THE_CALL}
            inspect.signature(keras_class(kind)).bind(*positional, **own)
        return Layer(kind, positional, tuple(named.items()))

    return make


Input = layer("Input")
Embedding = layer("Embedding")
Masking = layer("Masking")
SimpleRNN = layer("SimpleRNN")
GRU = layer("GRU")
LSTM = layer("LSTM")
SimpleRNNCell = layer("SimpleRNNCell")
GRUCell = layer("GRUCell")
LSTMCell = layer("LSTMCell")
RNN = layer("RNN")
Bidirectional = layer("Bidirectional")
TimeDistributed = layer("TimeDistributed")
Dense = layer("Dense")
BatchNormalization = layer("BatchNormalization")
LayerNormalization = layer("LayerNormalization")
Dropout = layer("Dropout")
SpatialDropout1D = layer("SpatialDropout1D")
GaussianNoise = layer("GaussianNoise")
GaussianDropout = layer("GaussianDropout")
AlphaDropout = layer("AlphaDropout")
ActivityRegularization = layer("ActivityRegularization")
GlobalMaxPooling1D = layer("GlobalMaxPooling1D")
GlobalAveragePooling1D = layer("GlobalAveragePooling1D")
Activation = layer("Activation")
Flatten = layer("Flatten")
Reshape = layer("Reshape")
Permute = layer("Permute")
RepeatVector = layer("RepeatVector")
Add = layer("Add")
Subtract = layer("Subtract")
Multiply = layer("Multiply")
Average = layer("Average")
Maximum = layer("Maximum")
Minimum = layer("Minimum")
Concatenate = layer("Concatenate")
l1 = layer("l1")
l2 = layer("l2")
l1_l2 = layer("l1_l2")


def text(model):
    """The model as `rnn_model!` reads it."""
    return " -> ".join(str(part) for part in model)


def build(model):
    """The model in Keras, in the current `floatx`, with names counted from zero."""
    keras.utils.clear_session()
    layers = list(model)
    if layers[0].kind == "Input":
        inputs = keras.Input(shape=layers.pop(0).positional)
    else:  # an Embedding in front: ids [batch, time]
        inputs = keras.Input(shape=(None,), dtype="int32")
    value = inputs
    for part in layers:
        value = part.in_keras()(value)
    return keras.Model(inputs, value)


def weight_names(built):
    """`lstm/kernel` and so on, in the order of `built.weights`: layer and variable.

    Keras itself puts the cell in between (`lstm/lstm_cell/kernel`).
    """
    return [
        f"{part.name}/{weight.name}"
        for part in built.layers
        for weight in part.weights
        if "seed_generator" not in weight.path
    ]
