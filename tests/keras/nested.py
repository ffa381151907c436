"""The guide's NestedCell in Keras's loop.

Keras 3.15 refuses the guide's own `RNN(NestedCell(…))` with an IndexError: RNN takes the shape of a
structure for the shape of a sequence. Keras's loop itself takes structures.
"""

from language import SPECIAL, Layer, keras
from goldens import tf


class NestedCell(keras.layers.Layer):
    """The guide's cell, of which only the arithmetic is left here."""

    def __init__(self, *units):
        super().__init__()
        self.units = units

    def build(self, shapes):
        (_, i1), (_, i2, i3) = shapes
        u1, u2, u3 = self.units
        self.kernel_1 = self.add_weight(shape=(i1, u1), name="kernel_1")
        self.kernel_2_3 = self.add_weight(shape=(i2, i3, u2, u3), name="kernel_2_3")

    def call(self, inputs, states):
        output_1 = tf.matmul(inputs[0], self.kernel_1)
        output_2_3 = tf.einsum("bij,ijkl->bkl", inputs[1], self.kernel_2_3)
        return (output_1, output_2_3), (states[0] + output_1, states[1] + output_2_3)


class NestedRNN(keras.layers.Layer):
    """What RNN(NestedCell) would be, with zeros as initial states."""

    def __init__(self, cell, return_sequences=False, return_state=False):
        super().__init__()
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state

    def call(self, inputs, mask=None):
        batch = tf.shape(inputs[0])[0]
        u1, u2, u3 = self.cell.units
        start = (tf.zeros((batch, u1), self.dtype), tf.zeros((batch, u2, u3), self.dtype))
        last, outputs, states = keras.src.backend.rnn(
            lambda x, states: self.cell(x, states),
            tuple(inputs),
            start,
            input_length=inputs[0].shape[1],
            return_all_outputs=self.return_sequences,
        )
        found = outputs if self.return_sequences else last
        return (*found, *states) if self.return_state else found


def nested_cell(*units):
    """The record of a `NestedCell` that the Rust tests define."""
    return Layer("NestedCell", units, ())


def make(record):
    """`RNN(NestedCell(…), …)` in Keras."""
    return NestedRNN(NestedCell(*record.positional[0].positional), **dict(record.named))


SPECIAL["RNN", "NestedCell"] = make
