"""What PyTorch (cuDNN) takes for the batches of examples/measure.rs: the same lines, `cell,units,rows,steps,what,microseconds`,
with the precision in front. A run copies the batch from pinned memory, computes, and waits.

    python3 torch_rnn.py [--tiny]
"""

import sys
import time

import torch


def median(run, runs):
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - start) * 1e6)
    return sorted(times)[len(times) // 2]


def measure(kind, precision, units, rows, steps, runs):
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(precision, torch.float32)
    model = getattr(torch.nn, kind)(units, units, batch_first=True).cuda().to(dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)
    x = torch.rand(rows, steps, units).sub(0.5).to(dtype).pin_memory()
    target = torch.full((rows, units), 0.25, dtype=dtype, device="cuda")

    def predict():
        with torch.no_grad():
            model(x.cuda(non_blocking=True))

    def train():
        optimizer.zero_grad(set_to_none=True)
        y, _ = model(x.cuda(non_blocking=True))
        torch.nn.functional.mse_loss(y[:, -1], target).backward()
        optimizer.step()

    for what, run in ("inference", predict), ("training", train):
        print(f"{precision},{kind},{units},{rows},{steps},{what},{median(run, runs):.1f}", flush=True)


def main():
    tiny = "--tiny" in sys.argv
    sizes = [8] if tiny else [32, 64, 128, 256, 512, 1024]
    for precision in ["fp32", "tf32", "bf16", "fp16"]:
        for units in sizes:
            for kind in ["LSTM", "GRU"]:
                for rows in [2] if tiny else [1, 16, 64, 256]:
                    measure(kind, precision, units, rows, 3 if tiny else 100, 1 if tiny else 9)
                if not tiny and units in (64, 256):
                    measure(kind, precision, units, 16, 1000, 5)


main()
