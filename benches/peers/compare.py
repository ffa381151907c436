"""Times this library and its peers in turns: see README.md beside this file.

For each case both sides answer in turns, several times; printed are the medians, in the unit of the
table, and the median of the ratios of neighbouring answers (below 1: this library is faster).
"""

import argparse
import statistics
import subprocess
import sys
import time

ROUNDS = 9
# How long a peer is timed for one answer, as in main.rs.
SECONDS = 0.06
# Threads of a peer that wait for work keep a core busy for a while.
PAUSE = 0.02


def nanoseconds(call):
    """As `nanoseconds` of main.rs."""
    start = time.perf_counter()
    call()
    once = max(time.perf_counter() - start, 1e-9)
    calls = max(int(1e-3 / once), 1)
    runs = []
    while time.perf_counter() - start < SECONDS or len(runs) < 3:
        run = time.perf_counter()
        for _ in range(calls):
            call()
        runs.append((time.perf_counter() - run) / calls * 1e9)
    return statistics.median(runs)


class Program:
    """A program that answers lines with nanoseconds."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def ask(self, *case):
        self.process.stdin.write(" ".join(map(str, case)) + "\n")
        answer = self.process.stdout.readline().strip()
        if not answer or answer == "unknown":
            sys.exit(f"{case}: {answer or 'the program has ended'}")
        return float(answer)


def onnxruntime_batch(layer, units, rows, steps, threads):
    """A layer as onnxruntime runs it, input and output bound once. As this library's, each call
    gives every step's output."""
    import numpy as np
    import onnxruntime as ort
    from onnx import TensorProto, checker, helper, numpy_helper

    gates = {"lstm": 4, "gru": 3}[layer]
    rng = np.random.default_rng(0)
    weight = lambda *shape: (rng.standard_normal(shape) / units**0.5).astype(np.float32)
    parts = {
        "w": weight(1, gates * units, units),
        "r": weight(1, gates * units, units),
        "b": weight(1, 2 * gates * units),
    }
    # Keras's GRU and ours: the reset gate is applied after the product.
    options = {"linear_before_reset": 1} if layer == "gru" else {}
    node = helper.make_node(
        layer.upper(), ["x", "w", "r", "b"], ["y"], hidden_size=units, **options
    )
    value = lambda name, shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
    graph = helper.make_graph(
        [node],
        layer,
        [value("x", [steps, rows, units])],
        [value("y", [steps, 1, rows, units])],
        [numpy_helper.from_array(v, k) for k, v in parts.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=9)
    checker.check_model(model)
    settings = ort.SessionOptions()
    settings.intra_op_num_threads = threads
    settings.inter_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    x = rng.uniform(-1, 1, (steps, rows, units)).astype(np.float32)
    binding.bind_ortvalue_input("x", ort.OrtValue.ortvalue_from_numpy(x))
    y = np.zeros((steps, 1, rows, units), np.float32)
    binding.bind_ortvalue_output("y", ort.OrtValue.ortvalue_from_numpy(y))
    return lambda: session.run_with_iobinding(binding)


def torch_training(name, threads):
    """A training step as PyTorch runs it, eagerly."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    words = name == "embedding-lstm128"
    units = 128 if words else 64
    rows = 32 if words else 64

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(1000, 64) if words else nn.Identity()
            layer = nn.GRU if name.startswith("gru") else nn.LSTM
            self.layer = layer(64 if words else 28, units, batch_first=True)
            self.dense = nn.Linear(units, 10)

        def forward(self, x):
            y, _ = self.layer(self.embed(x))
            return self.dense(y[:, -1])

    net = Net()
    x = torch.randint(0, 1000, (rows, 50)) if words else torch.rand(rows, 28, 28) * 2 - 1
    labels = torch.arange(rows) % 10
    optimizer = torch.optim.Adam(net.parameters(), eps=1e-7)
    loss = nn.CrossEntropyLoss()

    def step():
        torch.set_num_threads(threads)
        optimizer.zero_grad(set_to_none=True)
        loss(net(x), labels).backward()
        optimizer.step()

    return step


def compare(ours, case, peer, unit):
    """Prints one row. `peer` gives nanoseconds."""
    answers = []
    for _ in range(ROUNDS):
        time.sleep(PAUSE)
        a = ours.ask(*case)
        time.sleep(PAUSE)
        answers.append((a, peer()))
    a, b = (statistics.median(side) for side in zip(*answers))
    ratio = statistics.median(a / b for a, b in answers)
    name = " ".join(map(str, case))
    print(f"| {name} | {a / unit:.3g} | {b / unit:.3g} | {ratio:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", help="batch, train, stream; all that there is a peer for by default")
    parser.add_argument("--stream-peer", metavar="PROGRAM", action="append", default=[],
                        help="answers lines such as `stream lstm 16 32` with nanoseconds a step; the fastest counts")
    args = parser.parse_args()
    asked = args.what or ["batch", "train"] + ["stream"] * bool(args.stream_peer)
    ours = Program(["cargo", "bench", "--quiet", "--bench", "peers", "--", "serve"])

    if "stream" in asked:
        if not args.stream_peer:
            sys.exit("stream: name a program to compare with by --stream-peer")
        peers = [Program([p]) for p in args.stream_peer]
        print("\n| a stream step, ns | ours | peer | ratio |\n|---|--:|--:|--:|")
        for layer in ["lstm", "gru"]:
            for inputs, units in [(1, 8), (1, 16), (1, 32), (1, 64), (8, 8), (16, 16), (32, 32), (64, 64), (64, 128), (128, 128)]:
                case = ("stream", layer, inputs, units)
                compare(ours, case, lambda: min(p.ask(*case) for p in peers), 1)
    if "batch" in asked:
        print("\n| units, rows, steps, threads; ms | ours | onnxruntime | ratio |\n|---|--:|--:|--:|")
        for layer in ["lstm", "gru"]:
            for units in [64, 128, 256]:
                for rows, steps in [(1, 100), (16, 16), (64, 16), (64, 100)]:
                    for threads in [1, 2]:
                        case = ("batch", layer, units, rows, steps, threads)
                        call = onnxruntime_batch(*case[1:])
                        compare(ours, case, lambda: nanoseconds(call), 1e6)
    if "train" in asked:
        print("\n| a training step, threads; ms | ours | PyTorch | ratio |\n|---|--:|--:|--:|")
        for name in ["lstm64", "gru64", "embedding-lstm128"]:
            for threads in [1, 2]:
                call = torch_training(name, threads)
                compare(ours, ("train", name, threads), lambda: nanoseconds(call), 1e6)


if __name__ == "__main__":
    main()
