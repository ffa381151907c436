"""The models that the goldens cover.

Names are test names; `also` lists other model texts that must give the same numbers with the same
weights (another spelling, an open length, unrolled), which need no data of their own.
"""

from dataclasses import dataclass

from language import (
    GRU,
    LSTM,
    Activation,
    BatchNormalization,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    Input,
    SimpleRNN,
)

ACTIVATIONS = (
    "linear relu relu6 leaky_relu elu selu gelu silu softplus softsign tanh sigmoid "
    "hard_sigmoid hard_tanh exponential softmax log_softmax"
).split()

# (activation, recurrent_activation)
PAIRS = [
    ("tanh", "hard_sigmoid"),
    ("relu", "hard_sigmoid"),
    ("sigmoid", "tanh"),
    ("linear", "relu6"),
    ("hard_tanh", "linear"),
    ("elu", "softsign"),
    ("selu", "hard_tanh"),
    ("softplus", "silu"),
    ("gelu", "elu"),
    ("leaky_relu", "gelu"),
    ("tanh", "softmax"),
    ("softmax", "relu"),
]

# (units, features, steps, batch, options): every size with an odd tail somewhere, few floats.
SIZES = [
    (1, 1, 7, 1, {}),
    (1, 5, 2, 16, {"return_sequences": True}),
    (7, 9, 7, 3, {}),
    (8, 1, 33, 1, {}),
    (8, 9, 1, 5, {}),
    (17, 1, 33, 3, {"return_sequences": True}),
    (32, 5, 2, 16, {}),
    (40, 9, 7, 5, {}),
]


@dataclass(frozen=True)
class Case:
    """One golden: a model, and the sizes that its text leaves open."""

    name: str
    model: tuple
    batch: int = 3
    steps: int = 5  # where the model text does not say
    spread: float = 1.0  # of the inputs
    also: tuple = ()  # (suffix, model)

    @property
    def trains(self):
        """Whether training mode can be compared: not with random masks."""
        return not any(part.kind == "Dropout" and part.positional != (0.0,) for part in self.model)


def variants():
    """The four recurrent layers as (prefix, constructor)."""

    def plain_gru(*positional, **named):
        return GRU(*positional, reset_after=False, **named)

    return [("simple_rnn", SimpleRNN), ("gru", GRU), ("gru_plain", plain_gru), ("lstm", LSTM)]


def options(prefix, rnn):
    """The default and every option of one recurrent layer."""
    small = Input(5, 3)
    same = [
        ("any_length", (Input(None, 3), rnn(4))),
        ("named_units", (small, rnn(units=4))),
        ("flags", (small, rnn(4, return_sequences=False, go_backwards=False, use_bias=True))),
        ("initializers", (small, rnn(
            4,
            kernel_initializer="he_normal",
            recurrent_initializer="glorot_uniform",
            bias_initializer="ones",
        ))),
        ("unrolled", (small, rnn(4, unroll=True))),
        ("looped", (small, rnn(4, unroll=False))),
    ]  # fmt: skip
    if prefix == "lstm":
        same.append(("no_forget_bias", (small, rnn(4, unit_forget_bias=False))))
    yield Case(f"{prefix}_default", (small, rnn(4)), also=tuple(same))
    for name, flags in [
        ("sequences", {"return_sequences": True}),
        ("backwards", {"go_backwards": True}),
        ("backwards_sequences", {"go_backwards": True, "return_sequences": True}),
        ("no_bias", {"use_bias": False}),
        ("no_bias_sequences", {"use_bias": False, "return_sequences": True}),
    ]:
        unrolled = (small, rnn(4, unroll=True, **flags))
        yield Case(f"{prefix}_{name}", (small, rnn(4, **flags)), also=(("unrolled", unrolled),))


def sizes(prefix, rnn):
    """A recurrent layer of many sizes."""
    for units, features, steps, batch, flags in SIZES:
        name = f"{prefix}_{units}_units_{features}_features_{steps}_steps_{batch}_rows"
        yield Case(name, (Input(steps, features), rnn(units, **flags)), batch)


def activations(prefix, rnn):
    """A recurrent layer with every activation, alone and in pairs."""
    if prefix != "gru_plain":  # the pairs do for the second GRU
        for activation in ACTIVATIONS:
            # A loop through exp soon overflows.
            steps = 2 if activation == "exponential" else 4
            model = (Input(steps, 3), rnn(5, activation=activation, return_sequences=True))
            yield Case(f"{prefix}_{activation}", model)
    for activation, inner in PAIRS if prefix != "simple_rnn" else ():
        model = (Input(4, 3), rnn(5, activation=activation, recurrent_activation=inner))
        yield Case(f"{prefix}_{activation}_{inner}", model)


def stateless():
    """Dense, Activation, BatchNormalization and Flatten, on vectors and on sequences."""
    for activation in ACTIVATIONS:
        # Wide enough to meet both ends of relu6 and hard_sigmoid.
        yield Case(f"activation_{activation}_vector", (Input(9), Activation(activation)), spread=4.0)
        model = (Input(None, 5), Activation(activation))
        yield Case(f"activation_{activation}_sequence", model, spread=4.0)
        yield Case(f"dense_{activation}_vector", (Input(6), Dense(5, activation=activation)), 5, spread=3.0)
        model = (Input(3, 4), Dense(7, activation=activation))
        yield Case(f"dense_{activation}_sequence", model, spread=3.0)
    for units, features, batch in [(1, 1, 1), (1, 9, 3), (8, 5, 16), (17, 1, 5), (33, 17, 1), (40, 33, 3)]:
        yield Case(
            f"dense_{units}_units_{features}_features_{batch}_rows", (Input(features), Dense(units)), batch
        )
    yield Case("dense_no_bias", (Input(6), Dense(5, use_bias=False)))
    yield Case("dense_named", (Input(6), Dense(units=5, activation="relu", use_bias=True)))
    yield Case(
        "dense_stack", (Input(6), Dense(7, activation="relu"), Dense(5, activation="tanh"), Dense(3)), 5
    )
    yield Case("batch_normalization_vector", (Input(6), BatchNormalization()), 5)
    yield Case("batch_normalization_17_features", (Input(17), BatchNormalization()), 16)
    yield Case("batch_normalization_sequence", (Input(4, 5), BatchNormalization()), 3)
    yield Case("batch_normalization_any_length", (Input(None, 3), BatchNormalization()), 2, 7)
    yield Case("dense_batch_normalization_activation", (
        Input(6), Dense(7, use_bias=False), BatchNormalization(), Activation("relu"), Dense(3),
    ), 16)  # fmt: skip
    yield Case("flatten_vector", (Input(6), Flatten()))
    yield Case("flatten_sequence", (Input(4, 3), Flatten()))
    yield Case("flatten_dense", (Input(4, 3), Flatten(), Dense(5)))


# In what follows, batches of 16 and wide inputs before BatchNormalization: the gradient through few
# rows or little variance is ill-conditioned.
def stacks():
    """Several layers, with each of the recurrent ones."""
    seq = {"return_sequences": True}
    yield Case("embedding", (Embedding(12, 3),), steps=6)
    yield Case("embedding_dense", (Embedding(12, 3), Dense(4, activation="tanh")), steps=6)
    for prefix, rnn in variants():
        yield Case(f"embedding_{prefix}_dense", (Embedding(20, 4), rnn(5), Dense(3)), steps=6)
        yield Case(f"two_{prefix}", (Input(5, 3), rnn(4, **seq), rnn(6)))
        yield Case(f"three_{prefix}", (Input(5, 3), rnn(4, **seq), rnn(3, **seq), rnn(5, **seq)))
        yield Case(
            f"{prefix}_batch_normalization_dense",
            (Input(4, 4), rnn(6), BatchNormalization(), Dense(3)),
            16,
            spread=3.0,
        )
        yield Case(f"{prefix}_dense_softmax", (Input(4, 3), rnn(5, **seq), Dense(4, activation="softmax")))


def models():
    """Other mixtures, and the models that the project shows."""
    seq = {"return_sequences": True}
    yield Case("batch_normalization_between_lstm", (
        Input(4, 3), BatchNormalization(), LSTM(5, **seq), BatchNormalization(), LSTM(4),
        BatchNormalization(), Dense(3),
    ), 16)  # fmt: skip
    yield Case("lstm_flatten_dense", (Input(4, 3), LSTM(5, **seq), Flatten(), Dense(2)))
    yield Case("lstm_activation", (Input(4, 3), LSTM(5, **seq), Activation("softmax"), GRU(3)))
    yield Case(
        "mixed", (Input(None, 3), SimpleRNN(5, **seq), GRU(4, go_backwards=True, **seq), LSTM(6), Dense(2))
    )
    yield Case("dense_lstm_dense", (Input(6, 3), Dense(5, activation="gelu"), LSTM(4, **seq), Dense(2)))
    yield Case("dropout", (Input(6), Dropout(0.5), Dense(3)))
    yield Case("dropout_lstm", (Input(4, 3), Dropout(0.25), LSTM(5, **seq), Dropout(0.5), LSTM(4)))
    yield Case("dropout_of_nothing", (Input(4, 3), LSTM(5), Dropout(0.0), Dense(3)))
    yield Case("guide_text", (Embedding(40, 16), LSTM(24), Dense(10)), 4, 6)
    yield Case("guide_text_gru", (
        Embedding(40, 8), GRU(16, **seq), SimpleRNN(12), Dense(10),
    ), 4, 6)  # fmt: skip
    yield Case("digits", (Input(8, 8), LSTM(64), BatchNormalization(), Dense(10)), 16)
    yield Case("digits_gru", (Input(8, 8), GRU(24), BatchNormalization(), Dense(10)), 16)
    yield Case("digits_simple", (Input(8, 8), SimpleRNN(24), BatchNormalization(), Dense(10)), 16)


def groups():
    """Every case, by the test program that it goes into: few enough for rustc to need little memory."""
    found = {}
    for prefix, rnn in variants():
        found[prefix] = [*options(prefix, rnn), *sizes(prefix, rnn)]
        found[f"{prefix}_activations"] = [*activations(prefix, rnn)]
    found |= {"stateless": [*stateless()], "stacks": [*stacks()], "models": [*models()]}
    names = [case.name for some in found.values() for case in some]
    assert len(set(names)) == len(names)
    return found
