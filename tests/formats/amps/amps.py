"""Models of GuitarML, AIDA-X and Neural Amp Modeler, with an input and what the model gives.

    python amps.py

The JSON is written as their trainers write it: `CoreAudioML/networks.py` of Automated-GuitarAmpModelling (GuitarML),
`modelToKeras.py` of AIDA-X's fork of it, `nam/models/recurrent.py` of neural-amp-modeler. Numbers are computed by PyTorch;
those of NAM are computed a second time as NeuralAmpModelerCore's `NAM/lstm.cpp` does from the flat array, and compared.
`rtneural.py` writes the files of RTNeural. `rnn-formats/tests/amps.rs` reads them all.
"""

import json
import pathlib

import numpy as np
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
TIME = 24


class SimpleRNN(nn.Module):
    """The module of GuitarML's trainer."""

    def __init__(self, input_size=1, output_size=1, unit_type="LSTM", hidden_size=5, skip=1, bias_fl=True, num_layers=1):
        super().__init__()
        self.data = {
            "model": "SimpleRNN",
            "input_size": input_size,
            "skip": skip,
            "output_size": output_size,
            "unit_type": unit_type,
            "num_layers": num_layers,
            "hidden_size": hidden_size,
            "bias_fl": bias_fl,
        }
        self.skip = skip
        self.rec = getattr(nn, unit_type)(input_size, hidden_size, num_layers, batch_first=True)
        self.lin = nn.Linear(hidden_size, output_size, bias=bias_fl)

    def forward(self, x):
        y = self.lin(self.rec(x)[0])
        return y + x[:, :, : self.skip] if self.skip else y


def seeded(seed, build):
    torch.manual_seed(seed)
    net = build()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(torch.randn(p.shape) * 0.4)
    return net


def signal(seed, features):
    generator = torch.Generator().manual_seed(100 + seed)
    return torch.randn(1, TIME, features, generator=generator) * 0.7


def write(name, data):
    (HERE / name).write_text(json.dumps(data) + "\n")


def case(x, y):
    return {
        "input": x.flatten().tolist(),
        "shape": list(x.shape),
        "output": y.detach().double().flatten().tolist(),
    }


GUITARML = {
    "guitarml_lstm": {},
    "guitarml_gru": {"unit_type": "GRU", "skip": 0, "num_layers": 2, "hidden_size": 4},
    "guitarml_rnn": {"unit_type": "RNN", "bias_fl": False},
    "guitarml_knob": {"input_size": 2},
    "guitarml_stereo": {"input_size": 2, "output_size": 2, "skip": 2},
}


def guitarml(cases):
    for seed, (name, arguments) in enumerate(GUITARML.items()):
        net = seeded(seed, lambda: SimpleRNN(**arguments))
        state = {k: v.tolist() for k, v in net.state_dict().items()}
        write(f"{name}.json", {"model_data": net.data, "state_dict": state})
        x = signal(seed, net.data["input_size"])
        cases[name] = case(x, net(x))
    # The state dict alone, as RTNeural's `torch_helpers.h` takes it.
    net = seeded(0, SimpleRNN)
    write("state_dict.json", {k: v.tolist() for k, v in net.state_dict().items()})


def keras_form(net):
    """The layers that AIDA-X writes: Keras's shapes and gates."""
    hidden, outputs = net.data["hidden_size"], net.data["output_size"]
    rec, kind = net.rec, net.data["unit_type"]

    def gates(value):
        parts = np.split(value.detach().numpy(), {"LSTM": 4, "GRU": 3}[kind])
        return np.concatenate([parts[g] for g in ([0, 1, 2, 3] if kind == "LSTM" else [1, 0, 2])])

    biases = [gates(rec.bias_ih_l0), gates(rec.bias_hh_l0)]
    bias = biases[0] + biases[1] if kind == "LSTM" else np.stack(biases)
    weights = [gates(rec.weight_ih_l0).T, gates(rec.weight_hh_l0).T, bias]
    dense = [net.lin.weight.detach().numpy().T, net.lin.bias.detach().numpy()]
    return [
        {"type": kind.lower(), "activation": "", "shape": [None, None, hidden], "weights": [w.tolist() for w in weights]},
        {"type": "dense", "activation": "", "shape": [None, None, outputs], "weights": [w.tolist() for w in dense]},
    ]


AIDAX = {
    "aidax_lstm": ({}, {"in_skip": 1, "in_gain": 0, "out_gain": 0}),
    "aidax_gains": ({"unit_type": "GRU"}, {"in_skip": 1, "in_gain": -3.5, "out_gain": 2.25}),
    "aidax_knobs": ({"input_size": 3}, {"in_skip": 1, "in_gain": 4.5}),
    "aidax_plain": ({"skip": 0}, {"out_gain": -6}),
}


def aidax(cases):
    for seed, (name, (arguments, around)) in enumerate(AIDAX.items()):
        net = seeded(10 + seed, lambda: SimpleRNN(**{"skip": 0, **arguments}))
        inputs = net.data["input_size"]
        x = signal(10 + seed, inputs)
        # rt-neural-generic.cpp, `applyModel`: the gains go to the signal, not to the knobs.
        scaled = x.clone()
        scaled[:, :, 0] *= 10 ** (around.get("in_gain", 0) / 20)
        y = net(scaled)
        if around.get("in_skip"):
            y = y + scaled[:, :, :1]
        y = y * 10 ** (around.get("out_gain", 0) / 20)
        cases[name] = case(x, y)
        data = {"in_shape": [None, None, inputs], **around, "layers": keras_form(net)}
        data["metadata"] = {"name": name, "samplerate": "48000", "esr": 0.25}
        data["input_batch"], data["output_batch"] = x.flatten().tolist(), y.flatten().tolist()
        write(f"{name}.json", data)


class Nam(nn.Module):
    """`nam.models.recurrent.LSTM`: start states are parameters."""

    def __init__(self, inputs, hidden, layers):
        super().__init__()
        self.core = nn.LSTM(inputs, hidden, num_layers=layers, batch_first=True)
        self.head = nn.Linear(hidden, 1)
        self.h = nn.Parameter(torch.zeros(layers, 1, hidden))
        self.c = nn.Parameter(torch.zeros(layers, 1, hidden))

    def forward(self, x):
        return self.head(self.core(x, (self.h, self.c))[0])

    def flat(self):
        """`_export_weights` and `_export_cell_weights`."""
        parts = []
        for k in range(self.core.num_layers):
            get = lambda name: getattr(self.core, f"{name}_l{k}").detach().numpy()
            parts.append(np.concatenate([get("weight_ih"), get("weight_hh")], axis=1).flatten())
            parts.append(get("bias_ih") + get("bias_hh"))
            parts.append(self.h[k].detach().numpy().flatten())
            parts.append(self.c[k].detach().numpy().flatten())
        parts += [self.head.weight.detach().numpy().flatten(), self.head.bias.detach().numpy()]
        return np.concatenate(parts)


def nam_core(weights, inputs, hidden, layers, x):
    """`nam::lstm::LSTM` in NumPy: the constructor takes the numbers in turn, `process` goes step by step."""
    at = 0

    def take(*shape):
        nonlocal at
        n = int(np.prod(shape))
        at += n
        return weights[at - n : at].astype(np.float64).reshape(shape)

    cells = []
    for layer in range(layers):
        n = inputs if layer == 0 else hidden
        cells.append([take(4 * hidden, n + hidden), take(4 * hidden), take(hidden), take(hidden)])
    head, bias = take(hidden), take(1)
    assert at == len(weights)
    sigmoid = lambda v: 1 / (1 + np.exp(-v))
    out = []
    for value in x:
        for cell in cells:
            w, b, h, c = cell
            i, f, g, o = np.split(w @ np.concatenate([value, h]) + b, 4)
            cell[3] = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            cell[2] = value = sigmoid(o) * np.tanh(cell[3])
        out.append(head @ value + bias[0])
    return np.array(out)


NAM = {"nam_one": (1, 4, 1), "nam_two": (1, 3, 2)}


def nam(cases):
    for seed, (name, (inputs, hidden, layers)) in enumerate(NAM.items()):
        net = seeded(20 + seed, lambda: Nam(inputs, hidden, layers))
        x = signal(20 + seed, inputs)
        y = net(x)
        again = nam_core(net.flat(), inputs, hidden, layers, x[0].double().numpy())
        assert np.abs(again - y.detach().double().numpy().flatten()).max() < 1e-6
        cases[name] = case(x, y)
        data = {
            "version": "0.5.4",
            "metadata": {"name": name, "modeled_by": "amps.py", "loudness": -20.5, "date": {"year": 2026, "month": 11}},
            "architecture": "LSTM",
            "config": {"input_size": inputs, "hidden_size": hidden, "num_layers": layers},
            "weights": net.flat().tolist(),
            "sample_rate": 48000,
        }
        write(f"{name}.nam", data)
    wavenet = {"version": "0.5.4", "architecture": "WaveNet", "config": {"layers": []}, "weights": [0.5]}
    write("refused_wavenet.nam", wavenet)


if __name__ == "__main__":
    cases = {}
    guitarml(cases)
    aidax(cases)
    nam(cases)
    write("cases.json", cases)
