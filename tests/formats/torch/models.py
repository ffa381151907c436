"""State dicts of real PyTorch modules, with an input and what the module gives.

    python models.py

writes NAME.pt, NAME.safetensors and NAME.json beside this file; `cases.json` has the texts of the models that the state
dicts are loaded into. `rnn-formats/tests/torch.rs` reads them all.
"""

import collections
import json
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn

HERE = pathlib.Path(__file__).parent
TIME, BATCH = 5, 2


class Net(nn.Module):
    """Modules in a row. Recurrent ones give outputs and states; only outputs go on."""

    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)

    def forward(self, x):
        for module in self.children():
            if isinstance(module, nn.BatchNorm1d):
                x = module(x.transpose(1, 2)).transpose(1, 2)
            elif isinstance(module, nn.RNNCellBase):
                x = run_cell(module, x)
            else:
                x = module(x)
            if isinstance(x, tuple):
                x = x[0]
        return x


def run_cell(cell, x):
    state, all_steps = None, []
    for step in x.unbind(1):
        state = cell(step, state)
        all_steps.append(state[0] if isinstance(state, tuple) else state)
    return torch.stack(all_steps, 1)


def first(**arguments):
    return {"batch_first": True, **arguments}


CASES = {
    "lstm": (
        lambda: Net(rec=nn.LSTM(3, 4, **first()), lin=nn.Linear(4, 2)),
        "Input(_, 3) -> LSTM(4, return_sequences) -> Dense(2)",
    ),
    "gru": (
        lambda: Net(rec=nn.GRU(3, 4, **first()), lin=nn.Linear(4, 2)),
        "Input(_, 3) -> GRU(4, return_sequences) -> Dense(2)",
    ),
    "rnn": (
        lambda: Net(rec=nn.RNN(3, 4, **first()), lin=nn.Linear(4, 2)),
        "Input(_, 3) -> SimpleRNN(4, return_sequences) -> Dense(2)",
    ),
    "rnn_relu": (
        lambda: Net(rec=nn.RNN(3, 4, nonlinearity="relu", **first())),
        "Input(_, 3) -> SimpleRNN(4, activation = relu, return_sequences)",
    ),
    "stacked_lstm": (
        lambda: Net(rec=nn.LSTM(2, 3, num_layers=3, **first()), lin=nn.Linear(3, 1)),
        "Input(_, 2) -> LSTM(3, return_sequences) -> LSTM(3, return_sequences) -> LSTM(3, return_sequences) -> Dense(1)",
    ),
    "stacked_gru": (
        lambda: Net(a=nn.GRU(2, 3, num_layers=2, **first()), b=nn.GRU(3, 4, **first())),
        "Input(_, 2) -> GRU(3, return_sequences) -> GRU(3, return_sequences) -> GRU(4, return_sequences)",
    ),
    "both_lstm": (
        lambda: Net(both=nn.LSTM(3, 2, bidirectional=True, **first()), lin=nn.Linear(4, 1)),
        "Input(_, 3) -> Bidirectional(LSTM(2, return_sequences)) -> Dense(1)",
    ),
    "both_stacked": (
        lambda: Net(
            both=nn.GRU(3, 2, num_layers=2, bidirectional=True, **first()),
            more=nn.RNN(4, 3, bidirectional=True, **first()),
        ),
        "Input(_, 3) -> Bidirectional(GRU(2, return_sequences)) -> Bidirectional(GRU(2, return_sequences))"
        " -> Bidirectional(SimpleRNN(3, return_sequences))",
    ),
    "no_bias": (
        lambda: Net(
            a=nn.LSTM(3, 4, bias=False, **first()),
            b=nn.GRU(4, 3, bias=False, **first()),
            c=nn.Linear(3, 2, bias=False),
        ),
        "Input(_, 3) -> LSTM(4, use_bias = false, return_sequences) -> GRU(3, use_bias = false, return_sequences)"
        " -> Dense(2, use_bias = false)",
    ),
    "cells": (
        lambda: Net(a=nn.LSTMCell(3, 4), b=nn.GRUCell(4, 3), c=nn.RNNCell(3, 2)),
        "Input(_, 3) -> LSTM(4, return_sequences) -> GRU(3, return_sequences) -> SimpleRNN(2, return_sequences)",
    ),
    "words": (
        lambda: Net(
            words=nn.Embedding(7, 3),
            both=nn.LSTM(3, 4, bidirectional=True, **first()),
            norm=nn.LayerNorm(8),
            rec=nn.GRU(8, 3, **first()),
            batch=nn.BatchNorm1d(3),
            out=nn.Linear(3, 5),
        ),
        "Embedding(7, 3) -> Bidirectional(LSTM(4, return_sequences)) -> LayerNormalization(epsilon = 0.00001)"
        " -> GRU(3, return_sequences) -> BatchNormalization(epsilon = 0.00001) -> Dense(5)",
    ),
    "norms": (
        lambda: Net(
            a=nn.BatchNorm1d(3, affine=False),
            b=nn.LayerNorm(3, bias=False),
            c=nn.Linear(3, 4),
            d=nn.BatchNorm1d(4),
        ),
        "Input(_, 3) -> BatchNormalization(epsilon = 0.00001, center = false, scale = false)"
        " -> LayerNormalization(epsilon = 0.00001, center = false) -> Dense(4) -> BatchNormalization(epsilon = 0.00001)",
    ),
}


def make(seed, build):
    torch.manual_seed(seed)
    net = build()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if name.endswith("running_var"):
                value.copy_(torch.rand(value.shape, generator=generator) + 0.5)
            elif value.is_floating_point():
                value.copy_(torch.randn(value.shape, generator=generator) * 0.5)
            else:
                value.fill_(17)
    net.eval()
    if isinstance(next(net.children()), nn.Embedding):
        x = torch.randint(0, 7, (BATCH, TIME), generator=generator)
    else:
        features = next(iter(net.parameters())).shape[-1]
        x = torch.randn(BATCH, TIME, features, generator=generator)
    with torch.no_grad():
        return net, x, net(x)


def main():
    cases = {}
    for seed, (name, (build, text)) in enumerate(CASES.items()):
        net, x, y = make(seed, build)
        torch.save(net.state_dict(), HERE / f"{name}.pt")
        save_file(net.state_dict(), HERE / f"{name}.safetensors", metadata={"format": "pt", "made": name})
        cases[name] = {
            "text": text,
            "input": x.flatten().tolist(),
            "shape": list(x.shape),
            "output": y.double().flatten().tolist(),
        }
    (HERE / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    variants()


def variants():
    """Files in which the state dict of `lstm` is kept in other ways."""
    net, _, _ = make(0, CASES["lstm"][0])
    state = net.state_dict()
    for protocol in (3, 4, 5):
        torch.save(state, HERE / f"lstm.protocol{protocol}.pt", pickle_protocol=protocol)
    torch.save(state, HERE / "lstm.legacy.pt", _use_new_zipfile_serialization=False)
    optimizer = torch.optim.Adam(net.parameters())
    for p in net.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    net.load_state_dict(make(0, CASES["lstm"][0])[0].state_dict())
    checkpoint = {
        "epoch": 12,
        "loss": 0.25,
        "model_state_dict": net.state_dict(),
        "optimizer_state_dict": optimizer.state_dict(),
        "best": torch.tensor(0.125),
    }
    torch.save(checkpoint, HERE / "lstm.checkpoint.pt")
    parallel = collections.OrderedDict((f"module._orig_mod.{k}", v) for k, v in state.items())
    torch.save({"state_dict": parallel}, HERE / "lstm.parallel.pt")
    # Parameters rather than tensors; views of one storage, one of them with its axes exchanged; doubles and halves.
    parameters = {name: nn.Parameter(value.clone()) for name, value in state.items()}
    torch.save(parameters, HERE / "lstm.parameters.pt")
    views = dict(state)
    views["rec.weight_ih_l0"] = state["rec.weight_ih_l0"].t().contiguous().t()
    whole = torch.cat([state["rec.bias_ih_l0"], state["rec.bias_hh_l0"]])
    views["rec.bias_ih_l0"], views["rec.bias_hh_l0"] = whole[:16], whole[16:]
    views["lin.weight"] = state["lin.weight"].double()
    torch.save(views, HERE / "lstm.views.pt")
    for dtype in (torch.float16, torch.bfloat16, torch.float64):
        name = str(dtype).removeprefix("torch.")
        small = {k: v.to(dtype) for k, v in state.items()}
        torch.save(small, HERE / f"lstm.{name}.pt")
        save_file(small, HERE / f"lstm.{name}.safetensors")
    # What is refused.
    torch.save(net, HERE / "refused.whole.pt")
    torch.jit.save(torch.jit.script(nn.Linear(2, 1)), HERE / "refused.script.pt")
    unknown = nn.ModuleDict(
        {
            "projected": nn.LSTM(3, 4, proj_size=2),
            "conv": nn.Conv1d(2, 3, 2),
            "attention": nn.MultiheadAttention(4, 2),
            "slope": nn.PReLU(),
            "fine": nn.Linear(2, 2),
        }
    )
    unknown.register_buffer("window", torch.arange(4.0))
    torch.save(unknown.state_dict(), HERE / "refused.modules.pt")
    nan = {k: v.clone() for k, v in state.items()}
    nan["lin.bias"][1] = float("nan")
    torch.save(nan, HERE / "refused.nan.pt")
    gan = {"generator": state, "discriminator": state}
    torch.save(gan, HERE / "refused.two.pt")


if __name__ == "__main__":
    main()
