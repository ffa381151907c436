"""Graphs of the model language: named inputs, values with names, several outputs.

`text` renders a `Graph` as `rnn_model!` reads it; `Network` is the same graph in Keras, called on
tensors one layer after the other (eagerly, which is how Keras itself runs a functional model).
"""

from dataclasses import dataclass

from language import Layer, keras, literal

# Keras 3.15 fills a layer's `mask` from its input only if that is its one tensor argument. So a
# recurrent layer after Masking or Embedding(mask_zero) silently forgets the mask as soon as it gets
# an initial_state, though it still hands the mask on. This is nowhere documented; the goldens give
# Keras the same mask explicitly, which it then does respect.
FORGETS_MASK_WITH_STATES = False


@dataclass(frozen=True)
class In:
    """An input: `kind` is floats, ids or mask; `sizes` holds numbers, None and names of axes."""

    name: str
    kind: str
    sizes: tuple = ()

    def __str__(self):
        if self.kind == "floats":
            return f"input {self.name}: {literal(self.sizes)};"
        sizes = literal(self.sizes) if self.sizes else ""
        return f"input {self.name}: {self.kind}{sizes};"


@dataclass(frozen=True)
class Shared:
    """`layer name = Layer;`: used in chains by its name."""

    name: str
    layer: Layer

    def __str__(self):
        return f"layer {self.name} = {self.layer};"


@dataclass(frozen=True)
class Chain:
    """Values, and the layers that they go through; a layer may be the name of a shared one."""

    sources: tuple
    layers: tuple = ()

    def __str__(self):
        sources = ", ".join(self.sources)
        start = f"({sources})" if len(self.sources) > 1 else sources
        return " -> ".join([start, *map(str, self.layers)])


@dataclass(frozen=True)
class Let:
    """`let (a, b) = chain;`: a target `_` is dropped."""

    targets: tuple
    chain: Chain

    def __str__(self):
        targets = ", ".join(self.targets)
        return f"let {f'({targets})' if len(self.targets) > 1 else targets} = {self.chain};"


@dataclass(frozen=True)
class Out:
    """`output name = chain;`"""

    name: str
    chain: Chain

    def __str__(self):
        return f"output {self.name} = {self.chain};"


@dataclass(frozen=True)
class Graph:
    """Statements in the order written."""

    statements: tuple

    @property
    def inputs(self):
        """The inputs in order."""
        return [part for part in self.statements if isinstance(part, In)]

    def __str__(self):
        return "{ " + " ".join(map(str, self.statements)) + " }"


def chain(source, *layers):
    """A `Chain` from one name or several."""
    return Chain((source,) if isinstance(source, str) else tuple(source), layers)


def states_of(layer):
    """How many states the layer has; nested, one list a cell, for a stack of cells."""
    if layer.kind == "Bidirectional":
        both = [layer.positional[0], dict(layer.named).get("backward_layer") or layer.positional[0]]
        return [count for part in both for count in states_of(part)]
    if layer.kind == "RNN":
        cell = layer.positional[0]
        if isinstance(cell, tuple):
            return [[1] * (2 if part.kind == "LSTMCell" else 1) for part in cell]
        return [1] * (2 if cell.kind == "LSTMCell" else 1)
    return [1] * (2 if layer.kind == "LSTM" else 1)


class Network:
    """A graph in Keras, in the current `floatx`, with layers named as Keras names them."""

    def __init__(self, graph):
        keras.utils.clear_session()
        self.graph = graph
        self.layers = []  # in the order of the text
        self.shared = {}
        self.chains = {}
        for index, part in enumerate(graph.statements):
            if isinstance(part, Shared):
                self.shared[part.name] = self.make(part.layer)
            elif isinstance(part, (Let, Out)):
                self.chains[index] = [
                    self.shared[layer] if isinstance(layer, str) else self.make(layer)
                    for layer in part.chain.layers
                ]

    def make(self, record):
        found = (record, record.in_keras())
        self.layers.append(found[1])
        return found

    def __call__(self, inputs, training):
        """The outputs by name, from the inputs by name."""
        values, outputs = dict(inputs), {}
        self.activity = []
        for index, part in enumerate(self.graph.statements):
            if not isinstance(part, (Let, Out)):
                continue
            found = [values[name] for name in part.chain.sources]
            for record, layer in self.chains[index]:
                found = self.call(record, layer, found, values, training)
            if isinstance(part, Out):
                (outputs[part.name],) = found
            else:
                for name, value in zip(part.targets, found, strict=True):
                    values[name] = value
        return outputs

    def call(self, record, layer, inputs, values, training):
        """The outputs and states of one layer, flat."""
        given = {}
        mask, start = record.at_the_call("mask"), record.at_the_call("initial_state")
        if start is not None:
            names = [start] if isinstance(start, str) else list(start)
            states = keras.tree.pack_sequence_as(states_of(record), [values[name] for name in names])
            given["initial_state"] = states
            if not FORGETS_MASK_WITH_STATES:
                given["mask"] = keras.src.backend.get_keras_mask(inputs[0])
        if mask is not None:
            given["mask"] = values[mask]
        if layer._call_has_training_arg:
            given["training"] = training
        argument = inputs if len(inputs) > 1 else inputs[0]
        results = keras.tree.flatten(layer(argument, **given))
        # A shared layer is called twice, and each call from outside clears the losses before it.
        self.activity += [loss for own in layer._flatten_layers() for loss in own._losses]
        return results

    def weights(self):
        """The weights in the order of the text, as (name, variable).

        Names are Keras's paths. Layer.weights of Keras would list trainable ones first.
        """
        return [
            (weight.path, weight)
            for layer in self.layers
            for weight in layer.weights
            if "seed_generator" not in weight.path
        ]
