"""Layers and graphs that the grid does not have, computed by real Keras.

    python layers.py [NAME...]    writes grid/layers.safetensors and ../grid/tests/layers_*.rs, or only checks
"""

import sys
import zlib
from dataclasses import dataclass

import numpy as np
from safetensors.numpy import save_file

from goldens import HERE
from graph import Graph, In, Let, Out, Shared, chain
from graph_goldens import golden, write_rust
from language import (
    GRU,
    LSTM,
    RNN,
    Activation,
    ActivityRegularization,
    Add,
    AlphaDropout,
    Average,
    BatchNormalization,
    Bidirectional,
    Concatenate,
    Dense,
    Dropout,
    Embedding,
    Flatten,
    GaussianDropout,
    GaussianNoise,
    GlobalAveragePooling1D,
    GlobalMaxPooling1D,
    GRUCell,
    LayerNormalization,
    LSTMCell,
    Masking,
    Maximum,
    Minimum,
    Multiply,
    Permute,
    RepeatVector,
    Reshape,
    SimpleRNN,
    SpatialDropout1D,
    Subtract,
    TimeDistributed,
    l1,
    l1_l2,
    l2,
)
from nested import nested_cell

FILE = HERE / "grid" / "layers.safetensors"
VOCABULARY = 9
SEQ = {"return_sequences": True}


@dataclass(frozen=True)
class Case:
    """A graph; how often it is called in a row; whether training has no random masks."""

    name: str
    graph: Graph
    batch: int = 3
    steps: int = 5
    calls: int = 1
    trains: bool = True
    padded: tuple = ("x", "z")  # inputs with padding, where the graph has Masking or mask_zero


def seq(name="x", features=3, steps=None):
    return In(name, "floats", (steps, features))


def vec(name="x", features=3):
    return In(name, "floats", (features,))


def graph(*statements):
    return Graph(statements)


def line(name, inputs, *layers, **options):
    """A case of one chain from x to y."""
    return Case(name, graph(inputs, Out("y", chain("x", *layers))), **options)


IDS = In("x", "ids")


def merges():
    """Two or three inputs, side by side and masked."""
    both = seq("x", 3, "time"), seq("z", 3, "time")
    for layer in (Add, Multiply, Average, Maximum, Minimum, Subtract, Concatenate):
        name = layer().kind.lower()
        two = Out("y", chain(("x", "z"), layer()))
        yield Case(f"{name}_sequences", graph(*both, two))
        yield Case(f"{name}_vectors", graph(vec("x"), vec("z"), two))
        if name != "subtract":
            three = Out("y", chain(("x", "z", "w"), layer(), Dense(2)))
            yield Case(f"{name}_three", graph(vec("x"), vec("z"), vec("w"), three))
        masked = Let(("a",), chain("x", Masking(0.0))), Let(("b",), chain("z", Masking(0.0)))
        yield Case(f"{name}_of_masked", graph(
            *both, *masked, Out("y", chain(("a", "b"), layer(), LSTM(4))),
            Out("m", chain(("b", "a"), layer())),
        ))  # fmt: skip
        yield Case(f"{name}_half_masked", graph(
            *both, masked[0], Out("y", chain(("a", "z"), layer(), GRU(4, **SEQ))),
        ), padded=("x",))  # fmt: skip
    yield Case("concatenate_widths", graph(
        seq("x", 2, "time"), seq("z", 5, "time"), Out("y", chain(("x", "z", "x"), Concatenate())),
    ))  # fmt: skip
    yield Case("add_to_itself", graph(seq(), Out("y", chain(("x", "x"), Add(), GRU(3)))))


def shapes():
    """What changes shapes."""
    yield line("repeat_vector", vec(features=3), RepeatVector(4))
    yield line("repeat_vector_lstm", seq(), LSTM(3), RepeatVector(4), GRU(4, **SEQ), Dense(2))
    yield line("time_distributed", seq(), TimeDistributed(Dense(4, activation="tanh")))
    yield line("time_distributed_between", seq(), LSTM(4, **SEQ), TimeDistributed(Dense(3)), GRU(2))
    yield line("time_distributed_activation", seq(), TimeDistributed(Activation("softmax")))
    yield line("reshape_vector", vec(features=6), Reshape((2, 3)), LSTM(4))
    yield line("reshape_sequence", seq(steps=4), Reshape((6, 2)), GRU(4))
    yield line("reshape_flat", seq(steps=4), Reshape((12,)), Dense(2))
    yield line("permute", seq(steps=4), Permute((2, 1)))
    yield line("permute_lstm", seq(steps=4), Permute((2, 1)), LSTM(2, **SEQ), Permute((2, 1)))
    yield line("permute_nothing", seq(steps=4), Permute((1, 2)), LSTM(2))
    for name, options in {
        "default": {},
        "no_center": {"center": False},
        "no_scale": {"scale": False},
        "neither": {"center": False, "scale": False},
        "epsilon": {"epsilon": 0.1},
        "rms": {"rms_scaling": True},
    }.items():
        yield line(f"layer_normalization_{name}", vec(features=7), LayerNormalization(**options))
        yield line(f"layer_normalization_{name}_sequence", seq(features=5), LayerNormalization(**options))
    yield line("layer_normalization_between", seq(), LSTM(5, **SEQ), LayerNormalization(), LSTM(4), Dense(2))


def masks():
    """Who hands masks on, and who does not."""
    masking, embedding = Masking(0.0), Embedding(VOCABULARY, 4, mask_zero=True)
    on = {
        "alone": (),
        "dense": (Dense(4, activation="tanh"),),
        "activation": (Activation("sigmoid"),),
        "time_distributed": (TimeDistributed(Dense(4)),),
        "dropout_of_nothing": (Dropout(0.0),),
        "batch_normalization": (BatchNormalization(),),
        "layer_normalization": (LayerNormalization(),),
        "lstm": (LSTM(4, **SEQ),),
        "gru": (GRU(4, **SEQ),),
        "simple_rnn": (SimpleRNN(4, **SEQ),),
        "bidirectional": (Bidirectional(LSTM(3, **SEQ)),),
        "stack": (Dense(4), LSTM(4, **SEQ), BatchNormalization(), Dense(3)),
        "backwards": (LSTM(4, go_backwards=True, **SEQ),),  # Keras does not turn the mask around
    }
    for name, layers in on.items():
        yield line(f"masking_{name}", seq(), masking, *layers)
        yield line(f"masking_{name}_lstm", seq(), masking, *layers, LSTM(3))
        yield line(f"mask_zero_{name}_gru", IDS, embedding, *layers, GRU(3, **SEQ))
    yield line("masking_other_value", seq(), Masking(-1.0), GRU(4), padded=())
    yield line("masking_twice", seq(), masking, Masking(0.5), LSTM(4))
    yield line("masking_reshape", seq(steps=4), masking, Reshape((4, 3)), LSTM(4), steps=4)
    yield line("masking_permute", seq(steps=4), masking, Permute((2, 1)), LSTM(4), steps=4)
    yield line("masking_repeat_vector", seq(), masking, LSTM(4), RepeatVector(3), GRU(2, **SEQ))
    yield line("mask_zero_alone", IDS, embedding)
    yield line("mask_zero_flatten", In("x", "ids", (5,)), embedding, Flatten(), Dense(2))
    yield line("mask_zero_dense", IDS, embedding, LSTM(4), Dense(2))
    yield Case("mask_given_over_masking", graph(
        seq("x", 3, "time"), In("m", "mask", ("time",)),
        Out("y", chain("x", masking, LSTM(4, mask="m", **SEQ))),
    ))  # fmt: skip
    yield Case("mask_given_twice", graph(
        seq("x", 3, "time"), In("m", "mask", ("time",)), Let(("a",), chain("x", LSTM(4, mask="m", **SEQ))),
        Out("y", chain("a", GRU(3))), Out("z", chain("x", GRU(3, **SEQ))),
    ))  # fmt: skip


def encoder_decoder(layer, states, *first):
    """The guide's, small."""
    names = ("h", "c")[:states]
    return graph(
        In("source", "ids"),
        In("target", "ids"),
        Let(("_", *names), chain("source", *first, layer(5, return_state=True))),
        Out("logits", chain("target", Embedding(VOCABULARY, 4), layer(5, initial_state=names), Dense(3))),
    )


def graphs():
    """Several values, shared layers, states from elsewhere."""
    yield Case("residual", graph(
        seq(), Let(("a",), chain("x", Dense(4))), Let(("b",), chain("a", LSTM(4, **SEQ))),
        Let(("c",), chain(("a", "b"), Add())), Let(("d",), chain("c", LSTM(4, **SEQ))),
        Out("y", chain(("c", "d"), Add(), Dense(2))),
    ))  # fmt: skip
    yield Case("encoder_decoder_lstm", encoder_decoder(LSTM, 2, Embedding(VOCABULARY, 3)))
    yield Case("encoder_decoder_gru", encoder_decoder(GRU, 1, Embedding(VOCABULARY, 3)))
    yield Case("encoder_decoder_masked", encoder_decoder(LSTM, 2, Embedding(VOCABULARY, 3, mask_zero=True)),
               padded=("source",))  # fmt: skip
    yield Case("states_from_dense", graph(
        seq(), vec("z", 2), Let(("h",), chain("z", Dense(4, activation="tanh"))),
        Out("y", chain("x", GRU(4, initial_state="h", **SEQ))),
    ))  # fmt: skip
    yield Case("state_as_output", graph(
        seq(), Let(("_", "h", "c"), chain("x", LSTM(3, return_state=True, **SEQ))),
        Out("cell", chain("c")), Out("sum", chain(("h", "c"), Add(), Dense(2))),
    ))  # fmt: skip
    yield Case("shared_lstm", graph(
        seq("x", 3), seq("z", 3), Shared("shared", LSTM(4)),
        Let(("a",), chain("x", "shared")), Let(("b",), chain("z", "shared")),
        Out("y", chain(("a", "b"), Concatenate(), Dense(2))),
    ))  # fmt: skip
    yield Case("shared_embedding_and_dense", graph(
        In("x", "ids"), In("z", "ids"), Shared("words", Embedding(VOCABULARY, 4)), Shared("middle", GRU(3)),
        Shared("last", Dense(2)), Out("y", chain("x", "words", "middle", "last")),
        Out("w", chain("z", "words", GRU(3), "last")),
    ))  # fmt: skip
    yield Case("shared_batch_normalization", graph(
        vec("x", 4), vec("z", 4), Shared("norm", BatchNormalization()),
        Out("y", chain("x", "norm", Dense(2))), Out("w", chain("z", "norm")),
    ), batch=16)  # fmt: skip
    yield Case("two_outputs", graph(
        seq(), Let(("a",), chain("x", LSTM(4, **SEQ))),
        Out("every", chain("a", Dense(2))), Out("last", chain("a", GRU(3), Dense(1))),
    ))  # fmt: skip
    yield Case("copy_of_an_input", graph(seq(), Out("copy", chain("x")), Out("y", chain("x", GRU(3)))))
    yield line("two_bidirectional", seq(steps=5),
               Bidirectional(LSTM(4, **SEQ)), Bidirectional(LSTM(3)), Dense(2))  # fmt: skip
    yield line("frozen_between", seq(), Dense(4), LSTM(4, trainable=False, **SEQ), Dense(2, trainable=False))
    yield line("frozen_batch_normalization", seq(), Dense(4), BatchNormalization(trainable=False), GRU(3))
    nested = In("a", "floats", ("time", 4)), In("b", "floats", ("time", 3, 2))
    for name, flags in {"last": {}, "sequences": SEQ}.items():
        rnn = RNN(nested_cell(2, 3, 4), return_state=True, **flags)
        yield Case(f"nested_cell_{name}", graph(
            *nested, Let(("o1", "o2", "t1", "t2"), chain(("a", "b"), rnn)),
            Out("y1", chain("o1")), Out("y2", chain("o2")), Out("s1", chain("t1")), Out("s2", chain("t2")),
        ))  # fmt: skip


def stateful():
    """Called three times in a row."""
    for name, layers in {
        "simple_rnn": (SimpleRNN(4, stateful=True),),
        "gru": (GRU(4, stateful=True, **SEQ),),
        "lstm": (LSTM(4, stateful=True),),
        "lstm_backwards": (LSTM(4, stateful=True, go_backwards=True),),
        "two": (LSTM(4, stateful=True, **SEQ), GRU(3, stateful=True)),
        "one_of_two": (LSTM(4, **SEQ), GRU(3, stateful=True)),
        "masked": (Masking(0.0), LSTM(4, stateful=True, **SEQ)),
        "bidirectional": (Bidirectional(LSTM(3, stateful=True)),),
        "stack": (RNN((LSTMCell(4), GRUCell(3)), stateful=True, **SEQ),),
        "cell": (RNN(LSTMCell(4), stateful=True),),
    }.items():
        yield line(f"stateful_{name}", seq(), *layers, calls=3)
    yield Case("stateful_states", graph(
        seq(), Let(("a", "b", "d"), chain("x", LSTM(3, stateful=True, return_state=True))),
        Out("y", chain("a")), Out("h", chain("b")), Out("c", chain("d")),
    ), calls=2)  # fmt: skip


def regularisers():
    """Of weights and of outputs."""
    weights = {"kernel_regularizer": l2(0.25), "bias_regularizer": l1_l2(l1=0.5, l2=0.25)}
    yield line("regularizers_dense", vec(), Dense(4, **weights))
    for layer in (SimpleRNN, GRU, LSTM):
        yield line(f"regularizers_{layer(1).kind.lower()}", seq(),
                   layer(4, recurrent_regularizer=l1(0.125), **weights))  # fmt: skip
    yield line("regularizers_cell", seq(), RNN(LSTMCell(4, recurrent_regularizer=l2(0.5), **weights)))
    yield line("regularizers_bidirectional", seq(), Bidirectional(GRU(3, **weights)))
    yield line("regularizers_time_distributed", seq(), TimeDistributed(Dense(3, **weights)))
    yield line("regularizers_batch_normalization", seq(),
               BatchNormalization(gamma_regularizer=l2(0.5), beta_regularizer=l1(0.5)))  # fmt: skip
    yield line("regularizers_embedding", IDS,
               Embedding(VOCABULARY, 3, embeddings_regularizer=l2(0.5)), GRU(2))  # fmt: skip
    activity = {"activity_regularizer": l1_l2(l1=0.25, l2=0.5)}
    yield line("activity_dense", vec(), Dense(4, **activity), Dense(2))
    yield line("activity_lstm", seq(), LSTM(4, **activity))
    yield line("activity_gru_sequences", seq(), GRU(4, **SEQ, **activity), Dense(2))
    yield line("activity_rnn", seq(), RNN(LSTMCell(3), **activity))
    yield line("activity_masked", seq(), Masking(0.0), LSTM(4, **SEQ, **activity), Dense(2))
    yield line("activity_bidirectional", seq(), Bidirectional(LSTM(3, **SEQ, **activity)))
    # Each direction adds the cost of its own output and states, before they are merged.
    yield Case("activity_bidirectional_states", graph(
        seq(), Let(("a", "_", "_"), chain("x", Bidirectional(
            GRU(3, **SEQ, return_state=True, **activity), merge_mode="sum"))),
        Out("y", chain("a", Dense(2))),
    ))  # fmt: skip
    yield line("activity_backward_layer", seq(), Bidirectional(
        GRU(3, **activity), backward_layer=GRU(3, go_backwards=True), merge_mode="mul"))  # fmt: skip
    yield line("activity_embedding", IDS, Embedding(VOCABULARY, 3, **activity), GRU(2))
    # Keras leaves the regulariser of a wrapped layer out: it calls the inside of it. Model text may
    # not have it there.
    yield line("activity_time_distributed", seq(), TimeDistributed(Dense(3, **activity)))
    yield Case("activity_states", graph(
        seq(), Let(("a", "_", "_"), chain("x", LSTM(3, return_state=True, **activity))),
        Out("y", chain("a", Dense(2))),
    ))  # fmt: skip
    yield Case("activity_shared", graph(
        vec("x"), vec("z"), Shared("shared", Dense(2, **activity)),
        Out("y", chain("x", "shared")), Out("w", chain("z", "shared")),
    ))  # fmt: skip


def noise():
    """Random in training: compared in inference."""
    for name, layers in {
        "spatial_dropout": (SpatialDropout1D(0.5), GRU(3)),
        "gaussian_noise": (GaussianNoise(0.5), Dense(3)),
        "dropout_masked": (Masking(0.0), Dropout(0.5), LSTM(3)),
        "lstm_dropout": (LSTM(4, dropout=0.5, recurrent_dropout=0.25),),
        "gru_dropout": (GRU(4, dropout=0.5, recurrent_dropout=0.25, **SEQ),),
        "simple_rnn_dropout": (SimpleRNN(4, dropout=0.5, recurrent_dropout=0.25),),
        "bidirectional_dropout": (Bidirectional(LSTM(3, recurrent_dropout=0.5)),),
        "stack_dropout": (RNN((LSTMCell(3, dropout=0.5), GRUCell(2, recurrent_dropout=0.5))),),
        "gaussian_dropout": (GaussianDropout(0.5), Dense(3)),
        "alpha_dropout": (AlphaDropout(0.5), GRU(3)),
    }.items():
        yield line(f"inference_{name}", seq(), *layers, trains=False)


def costs():
    """Layers that add what they read to the loss."""
    yield line("activity_regularization", vec(), Dense(4), ActivityRegularization(0.25, 0.5), Dense(2))
    yield line("activity_regularization_masked", seq(), Masking(0.0), GRU(4, **SEQ),
               ActivityRegularization(l2=0.5), LSTM(3))  # fmt: skip
    # What the layer reads is read elsewhere, too, and an input costs as well.
    yield Case("activity_regularization_between", graph(
        seq(), Let(("a",), chain("x", ActivityRegularization(l1=0.25), Dense(4))),
        Let(("b",), chain("a", ActivityRegularization(l1=0.5))), Out("y", chain(("a", "b"), Add(), LSTM(3))),
    ))  # fmt: skip


def poolings():
    """All steps as one. Keras takes the maximum over padded steps, too, so that it is not masked here."""
    keep = {"keepdims": True}
    yield line("max_pooling", seq(), GlobalMaxPooling1D())
    yield line("max_pooling_below_zero", seq(), Dense(5), Activation("log_sigmoid"), GlobalMaxPooling1D(), Dense(2))
    yield line("max_pooling_lstm", seq(), LSTM(4, **SEQ), GlobalMaxPooling1D(), Dense(2))
    yield line("max_pooling_keepdims", seq(), GRU(4, **SEQ), GlobalMaxPooling1D(**keep), LSTM(3, **SEQ))
    yield line("average_pooling", seq(), GlobalAveragePooling1D())
    yield line("average_pooling_lstm", seq(), LSTM(4, **SEQ), GlobalAveragePooling1D(), Dense(2))
    yield line("average_pooling_keepdims", seq(), Dense(4), GlobalAveragePooling1D(**keep), GRU(3))
    masking, embedding = Masking(0.0), Embedding(VOCABULARY, 4, mask_zero=True)
    yield line("average_pooling_masked", seq(), masking, GRU(4, **SEQ), GlobalAveragePooling1D(), Dense(2))
    yield line("average_pooling_mask_zero", IDS, embedding, GlobalAveragePooling1D(), Dense(2))
    yield line("average_pooling_masked_keepdims", seq(), masking, GlobalAveragePooling1D(**keep), LSTM(3))
    yield Case("average_pooling_mask_given", graph(
        seq("x", 3, "time"), In("m", "mask", ("time",)),
        Out("y", chain("x", LSTM(4, **SEQ), GlobalAveragePooling1D(mask="m"))),
    ))  # fmt: skip


def zeros():
    """Zeros instead of the last output at padded steps: the recurrent layers hand the argument on to `RNN`."""
    for name, layer in (("simple_rnn", SimpleRNN), ("gru", GRU), ("lstm", LSTM)):
        first, last = layer(4, zero_output_for_mask=True, **SEQ), layer(3, zero_output_for_mask=True)
        yield line(f"zero_output_{name}", seq(), Masking(0.0), first, last)
        turned = layer(4, go_backwards=True, zero_output_for_mask=True, **SEQ)
        yield line(f"zero_output_{name}_backwards", seq(), Masking(0.0), turned)


def cases():
    """All of them."""
    found = [*merges(), *shapes(), *masks(), *graphs(), *stateful(), *regularisers(), *noise(), *costs(), *poolings()]
    found += zeros()
    assert len({case.name for case in found}) == len(found)
    return found


def draw_inputs(rng, case):
    """The inputs of one call; every row of a padded one has another number of holes."""
    text, found = str(case.graph), {}
    for part in case.graph.inputs:
        lengths = [case.steps if isinstance(size, str | None) else size for size in part.sizes]
        steps = lengths[0] if lengths else case.steps
        real = rng.random((case.batch, steps)) < 0.6
        real[0, 0] = True
        padded = part.name in case.padded and ("mask_zero" in text or "Masking" in text)
        if part.kind == "mask":
            found[part.name] = real
        elif part.kind == "ids":
            ids = rng.integers(1, VOCABULARY, (case.batch, steps), np.uint32)
            found[part.name] = np.where(real, ids, np.uint32(0)) if padded else ids
        else:
            x = rng.uniform(-1, 1, (case.batch, *lengths)).astype(np.float32)
            if padded and len(lengths) > 1:
                x = np.where(real[..., None], x, np.float32(0))
            elif "Masking(-1.0)" in text:
                x = np.where(real[..., None], x, np.float32(-1))
            found[part.name] = x
    return found


def main(chosen):
    """Writes the file, or only checks the chosen cases."""
    tensors, lines = {}, []
    for case in cases():
        if chosen and case.name not in chosen:
            continue
        rng = np.random.default_rng(zlib.crc32(case.name.encode()))
        calls = [draw_inputs(rng, case) for _ in range(case.calls)]
        try:
            tensors |= golden(case.name, case.graph, calls, rng, trains=case.trains, check_weights=False)
        except Exception:
            print(f"{case.name}: {case.graph}")
            raise
        lines.append(f'grid!({case.name}, "layers", {case.graph});')
    if chosen:
        return
    save_file(tensors, FILE)
    write_rust("layers.py", "layers", lines)
    print(f"{len(lines)} cases, {FILE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
