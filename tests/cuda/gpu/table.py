"""Puts what measure.rs and torch_rnn.py printed side by side, as Markdown.

    python3 table.py ours.csv torch.csv > results.md
"""

import csv
import sys
from pathlib import Path


def rows(path):
    path = Path(path)
    return list(csv.reader(path.open())) if path.exists() else []


ours = {tuple(r[:5]): float(r[5]) for r in rows(sys.argv[1]) if len(r) == 6}
torch = {tuple(r[:6]): float(r[6]) for r in rows(sys.argv[2]) if len(r) == 7}
precisions = ["fp32", "tf32", "bf16", "fp16"]

print("Microseconds for a batch: copied to the device, computed, waited for; the median. Ratios below 1: this library is faster.")
print("All numbers of this library are exact float32.\n")
for what in ["inference", "training"]:
    print(f"## {what}\n")
    print("| cell | units | rows | steps | µs | µs a step | " + " | ".join(f"to {p}" for p in precisions) + " |")
    print("|---|--:|--:|--:|--:|--:|" + "--:|" * len(precisions))
    for (cell, units, batch, steps, kind), time in ours.items():
        if kind != what:
            continue
        ratios = [torch.get((p, cell, units, batch, steps, kind)) for p in precisions]
        cells = [f"{time / t:.2f}" if t else "" for t in ratios]
        print(f"| {cell} | {units} | {batch} | {steps} | {time:.0f} | {time / int(steps):.2f} | " + " | ".join(cells) + " |")
    print()
