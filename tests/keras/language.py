"""The project's model language, as far as the goldens need it.

A model is a tuple of `Layer` records. `text` renders it as `rnn_model!` reads it, `build` makes the
same model in Keras, and both come from the same record, so that they cannot drift apart.
"""

import inspect
from dataclasses import dataclass

import keras


@dataclass(frozen=True)
class Layer:
    """One layer: Keras's class name, and the arguments as the model text has them."""

    kind: str
    positional: tuple
    named: tuple  # pairs, in the order written

    def __str__(self):
        arguments = [literal(value) for value in self.positional]
        for name, value in self.named:
            # A flag alone means true.
            arguments.append(name if value is True else f"{name} = {literal(value)}")
        return f"{self.kind}({', '.join(arguments)})" if arguments else self.kind

    def in_keras(self):
        """The Keras layer with these arguments, automatically named."""
        return getattr(keras.layers, self.kind)(*self.positional, **dict(self.named))


def literal(value):
    """An argument's value in model text: strings bare, `None` (any length) as `_`."""
    if value is None:
        return "_"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def layer(kind):
    """A constructor of `Layer` records that mistypes no argument of the Keras class `kind`."""

    def make(*positional, **named):
        if kind != "Input":
            inspect.signature(getattr(keras.layers, kind)).bind(*positional, **named)
        return Layer(kind, positional, tuple(named.items()))

    return make


Input = layer("Input")
Embedding = layer("Embedding")
SimpleRNN = layer("SimpleRNN")
GRU = layer("GRU")
LSTM = layer("LSTM")
Dense = layer("Dense")
BatchNormalization = layer("BatchNormalization")
Dropout = layer("Dropout")
Activation = layer("Activation")
Flatten = layer("Flatten")


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
