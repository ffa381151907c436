"""Models of PyTorch by both of its exporters, with fixed and with open axes.

What the newer exporter says of each node (where in the program it comes from) is left out: it is ten times the rest.
"""
import inspect
import os
import tempfile
import warnings

import numpy as np
import onnx
import torch
from torch import nn

from pack import Pack, mask, states

warnings.filterwarnings("ignore")
STEPS, ROWS, INPUT, UNITS = 5, 2, 3, 4


class Sequence(nn.Module):
    """A recurrent layer over all steps, and a projection."""

    def __init__(self, kind, **options):
        super().__init__()
        self.rnn = getattr(nn, kind)(INPUT, UNITS, **options)
        ways = 2 if options.get("bidirectional") else 1
        self.head = nn.Linear(ways * UNITS, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class Last(Sequence):
    """The last step."""

    def forward(self, x):
        y = self.rnn(x)[0]
        return self.head(y[:, -1] if self.rnn.batch_first else y[-1])


class LastAfter(Sequence):
    """The last step of what comes after."""

    def forward(self, x):
        return torch.tanh(self.head(self.rnn(x)[0]))[:, -1, :]


class LastState(Sequence):
    """The last state of the last layer, in both directions."""

    def forward(self, x):
        h = self.rnn(x)[1]
        h = h[0] if isinstance(h, tuple) else h
        if self.rnn.bidirectional:
            return self.head(torch.cat([h[-2], h[-1]], 1))
        return self.head(h[-1])


class SumOfWays(nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.rnn = getattr(nn, kind)(INPUT, UNITS, batch_first=True, bidirectional=True)

    def forward(self, x):
        y = self.rnn(x)[0]
        return y[..., :UNITS] + y[..., UNITS:]


class Stateful(Sequence):
    """States in and out."""

    def forward(self, x, *start):
        y, end = self.rnn(x, start if len(start) > 1 else start[0])
        return self.head(y), *(end if isinstance(end, tuple) else (end,))


class Learnt(nn.Module):
    """States that start at numbers which were trained."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(INPUT, UNITS, batch_first=True)
        self.h = nn.Parameter(torch.randn(1, 1, UNITS))
        self.c = nn.Parameter(torch.randn(1, 1, UNITS))

    def forward(self, x):
        rows = x.shape[0]
        return self.rnn(x, (self.h.expand(-1, rows, -1).contiguous(), self.c.expand(-1, rows, -1).contiguous()))[0]


class Tagger(nn.Module):
    """Ids, an embedding, both directions, normalisations, a projection."""

    def __init__(self, kind):
        super().__init__()
        self.words = nn.Embedding(11, INPUT)
        self.before = nn.LayerNorm(INPUT)
        self.rnn = getattr(nn, kind)(INPUT, UNITS, batch_first=True, bidirectional=True, num_layers=2, dropout=0.1)
        self.after = nn.LayerNorm(2 * UNITS)
        self.head = nn.Linear(2 * UNITS, 3)

    def forward(self, ids):
        y = self.rnn(self.before(self.words(ids)))[0]
        return torch.softmax(self.head(self.after(y)), -1)


class Amplifier(nn.Module):
    """Samples in and out, with the input added to the output."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(1, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 1)

    def forward(self, x):
        return self.head(self.rnn(x)[0]) + x


class Samples(Amplifier):
    """Samples `[rows, steps]`."""

    def forward(self, x):
        return self.head(self.rnn(x.unsqueeze(-1))[0]).squeeze(-1)


class Mixed(nn.Module):
    """A perceptron around a recurrent layer, with activations, a batch normalisation and a residual."""

    def __init__(self):
        super().__init__()
        self.before = nn.Sequential(nn.Linear(INPUT, UNITS), nn.LeakyReLU(0.1), nn.Dropout(0.2))
        self.rnn = nn.GRU(UNITS, UNITS, batch_first=True, bias=False)
        self.norm = nn.BatchNorm1d(UNITS)
        self.after = nn.Sequential(nn.Linear(UNITS, 3), nn.ReLU(), nn.Linear(3, 2), nn.Sigmoid())

    def forward(self, x):
        z = self.before(x)
        y = self.rnn(z)[0] + z
        y = self.norm(y.transpose(1, 2)).transpose(1, 2)
        return self.after(y * 0.5 + 0.1)


class Pooled(Sequence):
    """The mean of all steps beside the largest of each feature."""

    def forward(self, x):
        y = self.rnn(x)[0]
        return torch.cat([y.mean(1), torch.amax(y, 1)], 1)


class TwoInputs(nn.Module):
    """A sequence and a vector."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(INPUT, UNITS, batch_first=True)
        self.side = nn.Linear(2, UNITS)
        self.head = nn.Linear(2 * UNITS, 2)

    def forward(self, x, side):
        return self.head(torch.cat([self.rnn(x)[0][:, -1], torch.relu(self.side(side))], -1))


class EncoderDecoder(nn.Module):
    """States of one layer start another."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.LSTM(INPUT, UNITS, batch_first=True)
        self.decoder = nn.LSTM(2, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 2)

    def forward(self, x, target):
        return self.head(self.decoder(target, self.encoder(x)[1])[0])


class Unbatched(nn.Module):
    """Steps of one row, without an axis of rows."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(INPUT, UNITS)
        self.head = nn.Linear(UNITS, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0])


class Flat(nn.Module):
    """All steps in one vector."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(INPUT, UNITS, batch_first=True)
        self.head = nn.Linear(STEPS * UNITS, 2)

    def forward(self, x):
        return self.head(self.rnn(x)[0].flatten(1))


class Packed(nn.Module):
    """Rows of different lengths, the longest first."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(INPUT, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 2)

    def forward(self, x, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
        return self.head(nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)[0])


class Classifier(nn.Module):
    """GELUs around a recurrent layer, and logarithms of shares."""

    def __init__(self):
        super().__init__()
        self.before = nn.Linear(INPUT, UNITS)
        self.rnn = nn.GRU(UNITS, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 3)

    def forward(self, x):
        z = nn.functional.gelu(self.before(x))
        y = nn.functional.gelu(self.rnn(z)[0][:, -1])
        return torch.log_softmax(self.head(nn.functional.hardsigmoid(y)), -1)


class Exports:
    def __init__(self):
        self.pack = Pack()
        self.refused = []

    def add(self, name, model, inputs, outputs, axes=None, external=False, opset=None, exporters=("dynamo", "script")):
        """`inputs` are arrays by name; `axes` says which axes of each are open."""
        torch.manual_seed(len(name) + sum(map(ord, name)))
        for parameter in model.parameters():
            parameter.data = torch.randn_like(parameter) * 0.4
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.running_mean = torch.randn_like(module.running_mean) * 0.3
                module.running_var = torch.rand_like(module.running_var) + 0.5
        model.eval()
        arguments = tuple(inputs.values())
        with torch.no_grad():
            found = model(*arguments)
        found = found if isinstance(found, tuple) else (found,)
        for exporter in exporters:
            for fixed in (False, True) if axes else (True,):
                key = f"{name}_{exporter}_{'fixed' if fixed else 'open'}"
                try:
                    self.export(key, model, inputs, outputs, found, None if fixed else axes, exporter, external, opset)
                except Exception as e:
                    self.refused.append(f"{key}: {type(e).__name__} {str(e).strip().splitlines()[0][:140]}")

    def export(self, key, model, inputs, outputs, found, axes, exporter, external, opset):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.onnx")
            names = {"input_names": list(inputs), "output_names": outputs}
            if exporter in ("dynamo", "raw"):
                shapes = None
                if axes:
                    symbols = {}
                    for open_axes in axes.values():
                        for symbol in open_axes.values():
                            symbols.setdefault(symbol, torch.export.Dim.AUTO)
                    shapes = tuple({a: symbols[s] for a, s in axes[n].items()} for n in inputs)
                    if any(p.kind == p.VAR_POSITIONAL for p in inspect.signature(model.forward).parameters.values()):
                        shapes = (shapes[0], tuple(shapes[1:]))
                torch.onnx.export(
                    model, tuple(inputs.values()), path, dynamo=True, dynamic_shapes=shapes, external_data=external,
                    verbose=False, opset_version=opset, optimize=exporter == "dynamo", **names,
                )
            else:
                torch.onnx.export(
                    model, tuple(inputs.values()), path, dynamo=False, dynamic_axes=axes, opset_version=opset, **names
                )
            loaded = onnx.load(path, load_external_data=False)
            del loaded.metadata_props[:]
            del loaded.graph.metadata_props[:]
            del loaded.graph.value_info[:]
            for node in loaded.graph.node:
                del node.metadata_props[:]
                node.doc_string = ""
            for value in [*loaded.graph.input, *loaded.graph.output]:
                del value.metadata_props[:]
            beside = {}
            for file in os.listdir(folder):
                if file != "model.onnx":
                    with open(os.path.join(folder, file), "rb") as data:
                        beside[file] = data.read()
        ins, outs = {}, {}
        rows_first = getattr(getattr(model, "rnn", None), "batch_first", True)
        for name, value in inputs.items():
            ins |= self.arrays(name, value.numpy(), rows_first, inputs)
        for name, value in zip(outputs, found, strict=True):
            outs |= self.arrays(name, value.detach().numpy(), rows_first, inputs)
        self.pack.add(key, loaded, ins, outs, beside)

    @staticmethod
    def arrays(name, value, rows_first, inputs):
        if name[0] in "hc":
            return states(name, value)
        if name == "lengths":
            return {name: mask(value, STEPS)}
        if name == "samples" or (name == "y" and "samples" in inputs):
            return {name: value[..., None]}
        if name in ("x", "y") and value.ndim == 2 and "alone" in inputs:
            return {name: value[None]}
        if name == "alone" or (name == "y" and "alone" in inputs):
            return {name: value[None]}
        if not rows_first and value.ndim == 3:
            return {name: np.swapaxes(value, 0, 1)}
        return {name: value}


def main():
    torch.manual_seed(1)
    e = Exports()
    x = {"x": torch.randn(ROWS, STEPS, INPUT)}
    steps_first = {"x": torch.randn(STEPS, ROWS, INPUT)}
    open_x = {"x": {0: "rows", 1: "steps"}}
    for kind in ("LSTM", "GRU", "RNN"):
        low = kind.lower()
        e.add(f"{low}", Sequence(kind, batch_first=True), x, ["y"], open_x)
        e.add(f"{low}_two", Sequence(kind, batch_first=True, num_layers=2), x, ["y"], open_x)
        e.add(f"{low}_both", Sequence(kind, batch_first=True, bidirectional=True), x, ["y"], open_x)
        e.add(f"{low}_steps_first", Sequence(kind), steps_first, ["y"], {"x": {0: "steps", 1: "rows"}})
        e.add(f"{low}_last", Last(kind, batch_first=True), x, ["y"], open_x)
        e.add(f"{low}_last_state", LastState(kind, batch_first=True, bidirectional=True), x, ["y"], open_x)
        e.add(f"{low}_last_state_two", LastState(kind, batch_first=True, num_layers=2), x, ["y"], open_x)
        e.add(f"{low}_tagger", Tagger(kind), {"ids": torch.randint(0, 11, (ROWS, STEPS))}, ["y"], {"ids": {0: "rows", 1: "steps"}})
        for layers in (1, 2):
            start = {k: torch.randn(layers, ROWS, UNITS) for k in (("h", "c") if kind == "LSTM" else ("h",))}
            e.add(
                f"{low}_states_{layers}", Stateful(kind, batch_first=True, num_layers=layers), x | start,
                ["y"] + [f"{k}n" for k in start], open_x | {k: {1: "rows"} for k in start},
            )
    e.add("rnn_relu", Sequence("RNN", batch_first=True, nonlinearity="relu", bidirectional=True), x, ["y"], open_x)
    e.add("last_after", LastAfter("LSTM", batch_first=True), x, ["y"], open_x)
    e.add("last_both", Last("GRU", batch_first=True, bidirectional=True), x, ["y"], open_x)
    e.add("sum_of_ways", SumOfWays("LSTM"), x, ["y"], open_x)
    e.add("learnt", Learnt(), x, ["y"], open_x)
    e.add("amplifier", Amplifier(), {"x": torch.randn(ROWS, STEPS, 1)}, ["y"], open_x)
    e.add("samples", Samples(), {"samples": torch.randn(ROWS, STEPS)}, ["y"], {"samples": {0: "rows", 1: "steps"}})
    e.add("mixed", Mixed(), x, ["y"], open_x)
    e.add("pooled", Pooled("GRU", batch_first=True), x, ["y"], open_x)
    e.add("two_inputs", TwoInputs(), x | {"side": torch.randn(ROWS, 2)}, ["y"], open_x | {"side": {0: "rows"}})
    e.add(
        "encoder_decoder", EncoderDecoder(), x | {"target": torch.randn(ROWS, 3, 2)}, ["y"],
        open_x | {"target": {0: "rows", 1: "target_steps"}},
    )
    e.add("unbatched", Unbatched(), {"alone": torch.randn(STEPS, INPUT)}, ["y"], {"alone": {0: "steps"}})
    e.add("flat", Flat(), x, ["y"], {"x": {0: "rows"}})
    e.add("external", Sequence("LSTM", batch_first=True), x, ["y"], open_x, external=True, exporters=("dynamo",))
    e.add("old_norm", Tagger("GRU"), {"ids": torch.randint(0, 11, (ROWS, STEPS))}, ["y"], {"ids": {0: "rows", 1: "steps"}}, opset=12, exporters=("script",))
    for opset in (18, 20):
        e.add(f"classifier_{opset}", Classifier(), x, ["y"], open_x, opset=opset)
    # Without the exporter's optimizer gates are put in order by the graph.
    for kind in ("LSTM", "GRU"):
        both = Sequence(kind, batch_first=True, bidirectional=True, num_layers=2)
        e.add(f"{kind.lower()}_deep", both, x, ["y"], open_x, exporters=("raw",))
    e.add("learnt_plain", Learnt(), x, ["y"], open_x, exporters=("raw",))
    e.add("mixed_plain", Mixed(), x, ["y"], open_x, exporters=("raw",))
    # The newer exporter takes no packed sequences; the older one writes rows that PyTorch has to sort with `TopK`.
    e.add("packed", Packed(), x | {"lengths": torch.tensor([STEPS, 3])}, ["y"], open_x | {"lengths": {0: "rows"}}, exporters=("script",))
    assert not e.refused, e.refused
    e.pack.save("pytorch.safetensors.z")


if __name__ == "__main__":
    main()
