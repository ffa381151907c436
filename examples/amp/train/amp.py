"""Makes the amplifier of this example: the sound, the model and what the model gives.

    python train/amp.py

- `audio/guitar.wav`: one second of plucked strings by Karplus and Strong, 16-bit, mono, 44.1 kHz.
- `models/amp.json`: `LSTM(16) -> Dense(1)` with a skip, trained on the amplifier below, written as GuitarML's trainer
  (Automated-GuitarAmpModelling, `CoreAudioML/networks.py`) writes its models.
- `audio/reference.wav`: that model by PyTorch on the sound, as 32-bit floats. The example's tests compare with it.

The amplifier is computed here, so nobody needs one: a coupling capacitor, a stage that clips on one side more than on the
other, a treble that is lost between stages, a second stage, and a supply that sags as long as the sound is loud.
"""

import json
import pathlib
import struct

import numpy as np
import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent.parent
RATE = 44_100
UNITS = 16
EPOCHS = 1600
WARM_UP = 256
LENGTH = 1536


def onepole(x, rate):
    """What follows `x` and takes over `rate` of the difference at each sample."""
    out, y = np.empty(len(x)), 0.0
    for t, value in enumerate(x.tolist()):
        y += rate * (value - y)
        out[t] = y
    return out


def lowpass(x, hertz):
    return onepole(x, 1 - np.exp(-2 * np.pi * hertz / RATE))


def highpass(x, hertz):
    return x - lowpass(x, hertz)


def write_wav(path, samples):
    """16-bit integers, or 32-bit floats, mono."""
    kind, size = {"int16": (1, 2), "float32": (3, 4)}[samples.dtype.name]
    data = samples.astype(samples.dtype.newbyteorder("<")).tobytes()
    form = struct.pack("<HHIIHH", kind, 1, RATE, RATE * size, size, 8 * size)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    if kind == 3:
        body += b"fact" + struct.pack("<II", 4, len(samples))
    body += b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)


def plucked(frequency, seconds, rng, loss=0.996, pick=0.2):
    """A string: noise that runs round a loop and is averaged with its neighbour each time."""
    period = RATE / frequency
    # The averaging delays by half a sample; what is left of the period is an allpass.
    whole = int(period - 0.5)
    part = period - 0.5 - whole
    allpass = (1 - part) / (1 + part)
    noise = rng.uniform(-1, 1, whole)
    noise -= np.roll(noise, max(1, int(pick * whole)))
    ring = onepole(noise, 0.6).tolist()
    out = np.zeros(int(seconds * RATE) + 1)
    x1 = y1 = last = 0.0
    for t in range(len(out)):
        k = t % whole
        value = ring[k]
        out[t] = value
        mean = loss * 0.5 * (value + last)
        last = value
        passed = allpass * (mean - y1) + x1
        x1, y1 = mean, passed
        ring[k] = passed
    return out / np.abs(out).max()


def strummed(notes, seconds, rng):
    """`notes`: when each begins, its frequency and how hard it is plucked."""
    out = np.zeros(int(seconds * RATE))
    for start, frequency, level in notes:
        at = int(start * RATE)
        note = plucked(frequency, seconds - start, rng)
        out[at:] += level * note[: len(out) - at]
    # The last 20 ms fade, so that no click ends the file.
    fade = np.ones(len(out))
    fade[-882:] = np.linspace(1, 0, 882) ** 2
    return out * fade


def amplifier(x):
    """What the model learns. `x` is -1 to 1."""
    x = highpass(x, 90)
    loud = onepole(np.abs(x), 0.0015)
    first = 9.0 / (1 + 2.2 * loud) * x + 0.35 - 0.9 * loud
    first = np.where(first > 0, np.tanh(first), np.tanh(0.55 * first) / 0.55)
    level = highpass(lowpass(first, 5200), 30)
    return 0.5 * np.tanh(1.6 * level)


class SimpleRNN(nn.Module):
    """The module of GuitarML's trainer."""

    def __init__(self):
        super().__init__()
        self.rec = nn.LSTM(1, UNITS, batch_first=True)
        self.lin = nn.Linear(UNITS, 1)

    def forward(self, x, state=None):
        y, state = self.rec(x, state)
        return self.lin(y) + x, state

    def data(self):
        return {
            "model": "SimpleRNN",
            "input_size": 1,
            "skip": 1,
            "output_size": 1,
            "unit_type": "LSTM",
            "num_layers": 1,
            "hidden_size": UNITS,
            "bias_fl": True,
        }


def training_set(rng):
    """Strings at all levels, in windows of one batch."""
    rows = []
    for _ in range(48):
        frequency = 82.4 * 2 ** (rng.integers(0, 30) / 12)
        chord = [(0.0, frequency, 1.0)]
        if rng.random() < 0.6:
            chord.append((rng.uniform(0, 0.05), frequency * 1.5, 0.8))
        if rng.random() < 0.3:
            chord.append((rng.uniform(0, 0.05), frequency * 2, 0.7))
        chord.append((rng.uniform(0.2, 0.35), frequency * 2 ** (rng.integers(-5, 8) / 12), 0.9))
        x = strummed(chord, 0.5, rng)
        x = x / np.abs(x).max() * rng.uniform(0.05, 0.9)
        rows.append((x, amplifier(x)))
    x = torch.tensor(np.stack([x for x, _ in rows]), dtype=torch.float32)
    y = torch.tensor(np.stack([y for _, y in rows]), dtype=torch.float32)
    return x.unsqueeze(-1), y.unsqueeze(-1)


def train(rng):
    torch.manual_seed(13)
    net = SimpleRNN()
    x, y = training_set(rng)
    adam = torch.optim.Adam(net.parameters(), lr=8e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, EPOCHS, 1e-4)
    for epoch in range(EPOCHS):
        # Each row goes on from a place of its own; the first samples only fill the states.
        starts = rng.integers(0, x.shape[1] - LENGTH - WARM_UP, len(x))
        at = torch.tensor(starts).unsqueeze(1) + torch.arange(LENGTH + WARM_UP).unsqueeze(0)
        rows = torch.arange(len(x)).unsqueeze(1)
        with torch.no_grad():
            state = net(x[rows, at[:, :WARM_UP]])[1]
        found = net(x[rows, at[:, WARM_UP:]], state)[0]
        expected = y[rows, at[:, WARM_UP:]]
        loss = ((found - expected) ** 2).mean() / (expected**2).mean()
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        schedule.step()
        if epoch % 100 == 0 or epoch + 1 == EPOCHS:
            print(f"epoch {epoch}: error to signal {loss.item():.4f}", flush=True)
    return net


def main():
    rng = np.random.default_rng(7)
    torch.set_num_threads(1)
    chord = [(0.0, 110.0, 0.9), (0.012, 164.81, 0.8), (0.024, 220.0, 0.7)]
    run = [(0.42, 261.63, 0.8), (0.56, 293.66, 0.8), (0.70, 329.63, 0.9)]
    sound = strummed(chord + run, 1.0, rng)
    sound = np.round(sound / np.abs(sound).max() * 0.6 * 32767).astype(np.int16)
    write_wav(FOLDER / "audio/guitar.wav", sound)

    net = train(rng)
    state = {name: value.tolist() for name, value in net.state_dict().items()}
    model = {"model_data": net.data(), "state_dict": state}
    (FOLDER / "models/amp.json").write_text(json.dumps(model) + "\n")

    x = sound.astype(np.float32) / 32768
    with torch.no_grad():
        y = net(torch.from_numpy(x).reshape(1, -1, 1))[0].flatten().numpy()
    write_wav(FOLDER / "audio/reference.wav", y)
    target = amplifier(x.astype(np.float64))
    ratio = ((y - target) ** 2).sum() / (target**2).sum()
    print(f"error to signal on guitar.wav: {ratio:.4f}; loudest sample {np.abs(y).max():.3f}")


if __name__ == "__main__":
    main()
