"""How long PyTorch takes for the batches of examples/measure.rs: compare.py asks both in turns, with the same lines.

    python3 torch_rnn.py cudnn|loop|compile [--tiny]

`cudnn` is nn.LSTM and nn.GRU. `loop` is for cells that cuDNN does not have: the product with the inputs for all steps at
once, then a Python loop over the steps; `compile` is the same with the step compiled by `torch.compile`. A run copies the
batch, and in training its target, into pinned memory and from there to the device, computes, and waits.
"""

import sys
import time

import torch
from torch import nn

WARM_UP = 5
ENOUGH = 0.25


class Cell(nn.Module):
    """A loop over the steps; `step` is one of them."""

    def __init__(self, units, gates, normal):
        super().__init__()
        self.units = units
        self.kernel = nn.Linear(units, gates * units, bias=not normal)
        self.recurrent = nn.Linear(units, gates * units, bias=not normal)
        self.advance = self.step

    def states(self, x):
        return torch.zeros(x.shape[0], self.units, device=x.device, dtype=x.dtype)

    def forward(self, x):
        h = self.states(x)
        c = h
        drop = self.mask(h)
        for a in self.kernel(x).unbind(1):
            h, c = self.advance(a, h, c, drop)
        return h

    def mask(self, h):
        return h


class LayerNormLstm(Cell):
    """The library's cell of that name."""

    def __init__(self, units):
        super().__init__(units, 4, True)
        # The second shift of the gates would do what the first does.
        self.norms = nn.ModuleList([nn.LayerNorm(4 * units, eps=1e-3), nn.LayerNorm(4 * units, eps=1e-3)])
        self.norm = nn.LayerNorm(units, eps=1e-3)

    def step(self, a, h, c, drop):
        gates = self.norms[0](a) + self.norms[1](self.recurrent(h))
        i, f, g, o = gates.chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(self.norm(c)), c


class RecurrentDropout(Cell):
    """Keras's LSTM(recurrent_dropout=0.2): one mask for all steps of a row."""

    def __init__(self, units):
        super().__init__(units, 4, False)

    def mask(self, h):
        return nn.functional.dropout(torch.ones_like(h), 0.2, self.training)

    def step(self, a, h, c, drop):
        i, f, g, o = (a + self.recurrent(h * drop)).chunk(4, 1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class ReluGru(Cell):
    """Keras's GRU(activation="relu")."""

    def __init__(self, units):
        super().__init__(units, 3, False)

    def step(self, a, h, c, drop):
        z, r, n = a.chunk(3, 1)
        hz, hr, hn = self.recurrent(h).chunk(3, 1)
        z = torch.sigmoid(z + hz)
        n = torch.relu(n + torch.sigmoid(r + hr) * hn)
        return z * h + (1 - z) * n, c


class Last(nn.Module):
    """The last output of a layer of PyTorch's own."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x)[0][:, -1]


CELLS = {"LayerNormLstm": LayerNormLstm, "LSTM-recurrent-dropout": RecurrentDropout, "GRU-relu": ReluGru}
TYPES = {"fp32": torch.float32, "tf32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class Measured:
    """A model on the device."""

    def __init__(self, peer, device, precision, cell, units):
        self.device = device
        self.dtype = TYPES[precision]
        self.tf32 = precision == "tf32"
        self.units = units
        if peer == "cudnn":
            self.model = Last(getattr(nn, {"LSTM": "LSTM", "GRU": "GRU"}[cell])(units, units, batch_first=True))
        else:
            self.model = CELLS[cell](units)
        self.model = self.model.to(device).to(self.dtype)
        if peer == "compile":
            self.model.advance = torch.compile(self.model.step)
        options = {"fused": True} if device == "cuda" else {}
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=1e-4, eps=1e-7, **options)
        self.shape = None

    def batch(self, rows, steps):
        """Inputs and targets, as a program has them, and the pinned memory through which they go."""
        if self.shape == (rows, steps):
            return
        self.shape = rows, steps
        self.x = torch.rand(rows, steps, self.units).sub(0.5).to(self.dtype)
        self.target = torch.full((rows, self.units), 0.25, dtype=self.dtype)
        self.pinned = {}
        if self.device == "cuda":
            self.pinned = {"x": self.x.clone().pin_memory(), "target": self.target.clone().pin_memory()}

    def upload(self, name):
        value = getattr(self, name)
        if self.device != "cuda":
            return value
        return self.pinned[name].copy_(value).cuda(non_blocking=True)

    def predict(self):
        self.model.eval()
        with torch.no_grad():
            self.model(self.upload("x"))

    def train(self):
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        y = self.model(self.upload("x"))
        nn.functional.mse_loss(y, self.upload("target")).backward()
        self.optimizer.step()

    def times(self, run, most):
        times = []
        start = time.perf_counter()
        while not times or (len(times) < most and time.perf_counter() - start < ENOUGH):
            at = time.perf_counter()
            run()
            if self.device == "cuda":
                torch.cuda.synchronize()
            times.append((time.perf_counter() - at) * 1e6)
        return sorted(times)

    def answer(self, rows, steps, what, most):
        torch.backends.cuda.matmul.allow_tf32 = self.tf32
        torch.backends.cudnn.allow_tf32 = self.tf32
        self.batch(rows, steps)
        run = {"inference": self.predict, "training": self.train}[what]
        self.times(run, min(WARM_UP, most))
        times = self.times(run, most)
        return times[len(times) // 2]


def main():
    peer, tiny = sys.argv[1], "--tiny" in sys.argv
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and not tiny:
        sys.exit("PyTorch has no GPU")
    # Models of all precisions of one cell, which compare.py asks for in turns.
    models, group = {}, None
    for line in sys.stdin:
        try:
            precision, cell, units, rows, steps, what, most = line.split()
            if group != (cell, units):
                models.clear()
                group = cell, units
                if device == "cuda":
                    torch.cuda.empty_cache()
            if precision not in models:
                models[precision] = Measured(peer, device, precision, cell, int(units))
            answer = f"{models[precision].answer(int(rows), int(steps), what, int(most)):.1f}"
        except Exception as error:  # whatever it is, the next line may do
            models.clear()
            answer = f"{type(error).__name__}: {error}".replace("\n", "; ")[:200]
        print(answer, flush=True)


main()
