"""Random combinations of what SimpleRNN, both GRUs and LSTM can be told, computed by real Keras.

    python grid.py    writes grid/KIND.safetensors and ../grid/tests/KIND_*.rs

60 models of each kind, drawn from a fixed seed; what varies is in `draw`. Nothing is left out but
what Keras refuses or where Keras contradicts itself:

- Bidirectional(go_backwards) without a backward layer of its own: refused.
- RNN([one cell]) with a mask: raises.
- Bidirectional of two stacks of unlike depths with initial_state: raises.
- unroll with zero_output_for_mask (which Bidirectional sets) going backwards with a mask: the unrolled
  loop of Keras applies the mask unreversed, the rolled one does not. Not unrolled here.

Found in Keras's source and by running it:

- Bidirectional returns the forward layer's states, then the backward layer's: (y, h, c, h', c'), and
  with merge_mode=None (y, y', h, c, h', c'). y' is flipped back to the order of time if it is a
  sequence. The initial states come in the same order.
- Bidirectional sets zero_output_for_mask of both layers to return_sequences.
- A stack's states come cell by cell.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from graph import Chain, Graph, In, Let, Out, states_of
from graph_goldens import Refused, golden, write_rust
from language import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Embedding,
    GRUCell,
    LSTMCell,
    Masking,
    SimpleRNN,
    SimpleRNNCell,
)

HERE = Path(__file__).parent
FOLDER = HERE / "grid"

COUNT = 60
SEED = 20250

# Every activation of Keras that keeps the width and needs no argument beyond x.
ACTIVATIONS = (
    "linear relu relu6 leaky_relu elu selu gelu silu softplus softsign tanh sigmoid hard_sigmoid "
    "hard_tanh hard_silu exponential mish log_sigmoid softmax"
).split()

KINDS = {
    "simple_rnn": (SimpleRNN, SimpleRNNCell, {}),
    "gru": (GRU, GRUCell, {}),
    "gru_plain": (GRU, GRUCell, {"reset_after": False}),
    "lstm": (LSTM, LSTMCell, {}),
}
MASKS = ["none", "masking", "input", "embedding"]
PATTERNS = ["right", "left", "holes", "all", "full"]
MERGES = ["sum", "mul", "concat", "ave", None]


class Deck:
    """Draws every value about equally often: shuffled copies of the list, one after the other."""

    def __init__(self, rng):
        self.rng = rng
        self.decks = {}

    def draw(self, name, values):
        deck = self.decks.setdefault(name, [])
        if not deck:
            deck.extend(values[i] for i in self.rng.permutation(len(values)))
        return deck.pop()

    def chance(self, name, one_in=2):
        return self.draw(name, [True] + [False] * (one_in - 1))


def options(deck, kind, cell):
    """Keyword arguments of a layer or cell, with its units."""
    kinds = {"simple_rnn": SimpleRNN, "gru": GRU, "gru_plain": GRU, "lstm": LSTM}
    found = dict(KINDS[kind][2])
    if deck.draw("activation given", [True, True, False]):
        found["activation"] = deck.draw("activation", ACTIVATIONS)
    if kinds[kind] is not SimpleRNN and deck.chance("recurrent_activation given"):
        found["recurrent_activation"] = deck.draw("recurrent_activation", ACTIVATIONS)
    if deck.chance("no bias", 4):
        found["use_bias"] = False
    if kind == "lstm" and deck.chance("no forget bias", 4):
        found["unit_forget_bias"] = False
    return deck.draw("units", [1, 2, 3, 4, 5, 7, 8, 9]), found


def draw(deck, kind):
    """One combination: the graph, and what its inputs need to be drawn."""
    layer, cell, fixed = KINDS[kind]
    mask = deck.draw("mask", MASKS)
    masked = mask != "none"
    pattern = deck.draw("pattern", PATTERNS) if masked else "full"
    batch = deck.draw("batch", [1, 2, 3, 4])
    if pattern == "all":
        batch = max(batch, 2)
    steps = deck.draw("steps", [1, 2, 3, 4, 5, 6, 7])
    if pattern not in ("all", "full"):
        steps = max(steps, 3)
    features = deck.draw("features", [1, 2, 3, 5, 6])
    direction = deck.draw("direction", ["forward", "backwards", "both", "both, own"])
    merge = deck.draw("merge", MERGES) if direction.startswith("both") else None
    form = deck.draw("form", ["layer", "layer", "layer", "cell", "stack"])
    sequences, state = deck.chance("return_sequences"), deck.chance("return_state")
    start = deck.chance("initial_state", 3)
    zero = form != "layer" and deck.chance("zero_output_for_mask")
    unroll = deck.chance("unroll", 4)
    turned_and_zeroed = direction.startswith("both") and sequences or direction == "backwards" and zero
    if masked and unroll and turned_and_zeroed:
        unroll = False

    flags = {}
    if sequences:
        flags["return_sequences"] = True
    if state:
        flags["return_state"] = True
    if unroll:
        flags["unroll"] = True

    # Bidirectional splits a list of initial states, one entry a cell, in the middle: equal depths.
    depth = deck.draw("stack depth", [1, 2])

    def recurrent(units, named, backwards):
        turned = {"go_backwards": True} if backwards else {}
        if form == "layer":
            return layer(units, **named, **flags, **turned)
        inner = cell(units, **named)
        if form == "stack":
            others = [SimpleRNNCell, GRUCell, LSTMCell]
            more = [deck.draw("stacked", others)(deck.draw("stacked units", [2, 3, 4]))
                    for _ in range(depth)]  # fmt: skip
            inner = (inner, *more)
        zeros = {"zero_output_for_mask": True} if zero else {}
        return RNN(inner, **zeros, **flags, **turned)

    units, named = options(deck, kind, cell)
    if direction.startswith("both"):
        more = {"merge_mode": merge} if merge != "concat" or deck.chance("say concat") else {}
        first = recurrent(units, named, False)
        if direction == "both, own":
            own_units, own = options(deck, kind, cell)
            if merge not in ("concat", None):  # widths must agree
                own_units = units
            second = recurrent(own_units, own, True)
            if form == "stack" and merge not in ("concat", None):
                # The same last cell.
                cells = second.positional[0][:-1] + first.positional[0][-1:]
                second = RNN(cells, **dict(second.named))
            more["backward_layer"] = second
        make = lambda **given: Bidirectional(first, **more, **given)  # noqa: E731
    else:
        plain = recurrent(units, named, direction == "backwards")
        make = lambda **given: type(plain)(  # noqa: E731
            plain.kind, plain.positional, (*plain.named, *given.items())
        )

    # The graph.
    open_axis = None if unroll else deck.draw("time axis", [None, "open", "fixed"])
    length = steps if unroll or open_axis == "fixed" else None
    axis = length or ("time" if mask == "input" else None)
    statements = []
    value = deck.draw("mask value", [0.0, -1.0, 0.5]) if mask == "masking" else 0.0
    layers = []
    if mask == "embedding":
        statements.append(In("x", "ids", (length,) if length else ()))
        layers.append(Embedding(7, features, mask_zero=True))
    else:
        statements.append(In("x", "floats", (axis, features)))
    given = {}
    if mask == "masking":
        layers.append(Masking(value))
    if mask == "input":
        statements.append(In("m", "mask", (axis,)))
        given["mask"] = "m"
    shapes = []
    if start:
        shapes = state_sizes(make())
        names = tuple(f"s{i}" for i in range(len(shapes)))
        statements += [In(name, "floats", (size,)) for name, size in zip(names, shapes, strict=True)]
        given["initial_state"] = names
    record = make(**given)
    layers.append(record)
    ys = 2 if direction.startswith("both") and merge is None else 1
    hs = len(state_sizes(make())) if state else 0
    names = [f"y{i}" for i in range(ys)] + [f"h{i}" for i in range(hs)]
    if len(names) == 1:
        statements.append(Out(names[0], Chain(("x",), tuple(layers))))
    else:
        targets = [f"out{i}" for i in range(ys)] + [f"state{i}" for i in range(hs)]
        statements.append(Let(tuple(targets), Chain(("x",), tuple(layers))))
        statements += [Out(name, Chain((target,))) for name, target in zip(names, targets, strict=True)]
    return Graph(tuple(statements)), {
        "mask": mask,
        "pattern": pattern,
        "value": value,
        "batch": batch,
        "steps": steps,
        "features": features,
        "shapes": shapes,
    }


def state_sizes(record):
    """The widths of all states, flat, in Keras's order."""
    if record.kind == "Bidirectional":
        first = record.positional[0]
        return state_sizes(first) + state_sizes(dict(record.named).get("backward_layer") or first)
    cells = record.positional[0] if record.kind == "RNN" else record
    cells = cells if isinstance(cells, tuple) else (cells,)
    found = [part.positional[0] for part in cells for _ in range(2 if "LSTM" in part.kind else 1)]
    assert len(found) == len([1 for part in states_of(record) for _ in np.atleast_1d(part)])
    return found


def draw_mask(rng, pattern, batch, steps):
    """Which steps are real."""
    real = np.ones((batch, steps), bool)
    for row in range(batch):
        padding = rng.integers(1, steps) if steps > 1 else 0
        if pattern == "right":
            real[row, steps - padding :] = False
        elif pattern == "left":
            real[row, :padding] = False
        elif pattern in ("holes", "all"):
            real[row] = rng.random(steps) < 0.6
            if not real[row].any():
                real[row, rng.integers(steps)] = True
    if pattern == "all":
        real[rng.integers(batch)] = False
    return real


def draw_inputs(rng, info):
    """The inputs by name."""
    batch, steps = info["batch"], info["steps"]
    real = draw_mask(rng, info["pattern"], batch, steps)
    found = {}
    if info["mask"] == "embedding":
        ids = rng.integers(1, 7, (batch, steps), np.uint32)
        found["x"] = np.where(real, ids, np.uint32(0))
    else:
        x = rng.uniform(-1, 1, (batch, steps, info["features"])).astype(np.float32)
        if info["mask"] == "masking":
            x = np.where(real[..., None], x, np.float32(info["value"]))
        found["x"] = x
    if info["mask"] == "input":
        found["m"] = real
    for index, size in enumerate(info["shapes"]):
        found[f"s{index}"] = rng.uniform(-1, 1, (batch, size)).astype(np.float32)
    return found


def make(kind, index, deck):
    """(name, graph, tensors) of one combination, with weights small enough for float32."""
    name = f"{kind}_{index:03}"
    graph, info = draw(deck, kind)
    for attempt in range(12):
        # Other numbers; and as unbounded activations feed on themselves, smaller weights.
        rng = np.random.default_rng([SEED, list(KINDS).index(kind), index, attempt])
        inputs = draw_inputs(rng, info)
        try:
            return name, graph, golden(name, graph, [inputs], rng, 0.7 ** (attempt // 2), check_weights=False)
        except Refused as reason:
            print(f"{name}: again, {reason}")
    raise Refused(f"{name}: {graph}")


def main():
    """Writes everything."""
    FOLDER.mkdir(exist_ok=True)
    for number, kind in enumerate(KINDS):
        lines = []
        deck, tensors = Deck(np.random.default_rng([SEED, number])), {}
        for index in range(COUNT):
            name, graph, found = make(kind, index, deck)
            tensors |= found
            lines.append(f'grid!({name}, "{kind}", {graph});')
        path = FOLDER / f"{kind}.safetensors"
        save_file(tensors, path)
        write_rust("grid.py", kind, lines)
        print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
