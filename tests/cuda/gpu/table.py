"""Puts all results of run.sh together: FOLDER/NAME.md, and a plot, FOLDER/NAME.svg. Parts that are missing are left out.

    python3 table.py FOLDER NAME
"""

import csv
import math
import re
import statistics
import sys
from pathlib import Path

PRECISIONS = ["fp32", "tf32", "bf16", "fp16"]
GATES = {"LSTM": 4, "GRU": 3}
# Cycles from the sums of a step to its state: the special functions of a cell one after the other. An estimate.
EPILOGUE = 275
# Bytes of weights that a multiprocessor holds, in shared memory and registers. An estimate.
ON_CHIP = 350e3


def rows(path, columns):
    if not path.exists():
        return []
    return [row for row in csv.reader(path.open()) if len(row) == columns]


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


class Results:
    def __init__(self, folder):
        self.constants = {r[0]: number(r[1]) for r in rows(folder / "constants.csv", 3)}
        self.units_of = {r[0]: r[2] for r in rows(folder / "constants.csv", 3)}
        answers = {}
        for *key, value in rows(folder / "times.csv", 8):
            if number(value):
                answers.setdefault(tuple(key), []).append(number(value))
        # Of answers in turns the middle one.
        self.times = {key: statistics.median(values) for key, values in answers.items()}
        self.clock = None
        machine = folder / "machine.txt"
        self.machine = machine.read_text().strip().splitlines() if machine.exists() else []
        for line in self.machine:
            # name, driver, clocks of the multiprocessors: now, at most
            words = [w.strip() for w in line.split(",")]
            if len(words) == 8 and words[3].endswith("MHz"):
                self.clock = number(words[3].split()[0])

    def cases(self, what):
        seen = {}
        for _, _, cell, units, batch, steps, kind in self.times:
            if kind == what:
                seen[cell, int(units), int(batch), int(steps)] = None
        order = lambda case: (case[0] not in GATES, case[0], case[3], case[1], case[2])
        return sorted(seen, key=order)

    def time(self, peer, precision, case, what):
        return self.times.get((peer, precision, *map(str, case), what))

    def floor(self, case, what):
        """Microseconds that no way of computing it in float32 could go below; None if a constant is missing."""
        cell, units, batch, steps = case
        c = self.constants
        names = ["float32 FMA", "memory", "upload", "bar.sync of 256 threads", "multiprocessors"]
        if cell not in GATES or not self.clock or any(not c.get(name) for name in names):
            return None
        weights = 2 * GATES[cell] * units * units
        training = what == "training"
        # The gradients of the inputs and of the weights are two more products of the same size.
        flops = 2 * weights * batch * steps * (3 if training else 1)
        upload = 4 * batch * units * (steps + training)
        # Weights and inputs are read once; a training writes and reads the gates and states of all steps.
        moved = 4 * (weights * (7 if training else 1) + batch * steps * units * (1 + 2 * (GATES[cell] + 1) * training))
        recurrent = 4 * weights / 2
        barrier = c["bar.sync of 256 threads"]
        if recurrent > ON_CHIP:
            clusters = [c.get(f"barrier of a cluster of {n}") for n in (8, 16) if recurrent <= n * ON_CHIP]
            barrier = next((b for b in clusters if b), None) or c.get("barrier of 32 blocks through L2")
            if not barrier:
                return None
        step = barrier / 1e3 + EPILOGUE / self.clock
        bound = max(flops / (c["float32 FMA"] * 1e6), moved / (c["memory"] * 1e3), steps * step * (2 if training else 1))
        return upload / (c["upload"] * 1e3) + bound


FLOOR = f"""The floor is the time that no float32 way could go below, from the constants above: the upload of the batch, and the
longest of

- the products, `2 · 2 · G · H² · B · T` operations (G gates, H units, B rows, T steps; times 3 in training), at the measured
  rate of FMAs;
- memory: weights and inputs once, in training the update's seven passes over the weights, and G + 1 values of each unit, row
  and step written and read, at the measured rate of copies;
- T steps one after the other (2 T in training), each a barrier and an epilogue of {EPILOGUE} cycles (an estimate) at the highest
  clock: `bar.sync` where 4 · G · H² bytes of recurrent weights fit into a multiprocessor ({ON_CHIP / 1e3:.0f} KB, an estimate), the barrier of
  a cluster where they fit into one of 8 or 16, and that of 32 blocks through L2 otherwise."""


def markdown(folder, name, results, plot):
    left = folder / "left-out.txt"
    lines = [f"# {name}", ""] + [f"- {line}" for line in results.machine if line.strip()]
    lines += ["", "Written by `tests/cuda/gpu/run.sh` (`cargo xtask gpu`).", ""]
    if left.exists():
        lines += ["## What is missing or failed", ""] + [f"- {l}" for l in left.read_text().splitlines()] + [""]

    tests = rows(folder / "tests.csv", 6)
    if tests:
        passed, failed = (sum(int(t[i]) for t in tests) for i in (2, 3))
        lines += ["## Tests", "", f"{passed} passed, {failed} failed, in {len(tests)} programs.", ""]
        lines += ["| package | program | passed | failed | s | |", "|---|---|--:|--:|--:|---|"]
        lines += [f"| {' | '.join(t)} |" for t in sorted(tests)] + [""]
    checks = rows(folder / "sanitizer.csv", 3)
    if checks:
        lines += ["## compute-sanitizer", "", "| tool | test | |", "|---|---|---|"]
        lines += [f"| {' | '.join(c)} |" for c in sorted(checks)] + [""]
    if results.constants:
        lines += ["## Constants", "", "Measured by `barriers.cu`.", "", "| | |", "|---|--:|"]
        lines += [f"| {key} | {value:g} {results.units_of[key]} |" for key, value in results.constants.items() if value] + [""]

    lines += ["## Times", ""]
    lines += ["Microseconds for a batch: copied to the device from memory that is not pinned, computed, waited for. Each number is"]
    lines += ["the middle one of answers that this library and PyTorch have given in turns, an answer the median of up to nine"]
    lines += ["runs. Inputs are as wide as the layer. Training is forward, the mean squared error of the last output, backward and"]
    lines += ["Adam. Ratios are this library's time over PyTorch's: below 1 this library is faster. In bf16 and fp16 PyTorch's weights,"]
    lines += ["inputs and Adam are in that type; this library's are in float32, and only the operands of products are rounded.", ""]
    if plot:
        lines += [f"![times of a step]({plot})", ""]
    if any(results.floor(case, what) for what in ("inference", "training") for case in results.cases(what)):
        lines += [FLOOR, ""]
    count = 0
    for what in ["inference", "training"]:
        for ours in PRECISIONS:
            cases = [c for c in results.cases(what) if results.time("ours", ours, c, what)]
            if not cases:
                continue
            count += len(cases)
            peers = [("cudnn", p, f"to cuDNN {p}") for p in PRECISIONS] + [("loop", "fp32", "to its loop"), ("compile", "fp32", "to `torch.compile`")]
            peers = [p for p in peers if any(results.time(p[0], p[1], c, what) for c in cases)]
            lines += [f"### {what}, this library in {ours}", ""]
            heads = ["cell", "units", "rows", "steps", "µs", "µs a step", "fraction of the floor"] + [p[2] for p in peers]
            lines += ["| " + " | ".join(heads) + " |", "|---" + "|--:" * (len(heads) - 1) + "|"]
            for case in cases:
                time = results.time("ours", ours, case, what)
                floor = results.floor(case, what) if ours == "fp32" else None
                ratios = [results.time(p[0], p[1], case, what) for p in peers]
                words = [str(w) for w in case] + [f"{time:.0f}", f"{time / case[3]:.2f}", f"{floor / time:.2f}" if floor else ""]
                words += [f"{time / r:.2f}" if r else "" for r in ratios]
                lines += ["| " + " | ".join(words) + " |"]
            lines += [""]
    return "\n".join(lines), count


COLOURS = {"ours": "#c0392b", "cudnn": "#2c3e50", "floor": "#7f8c8d"}
DASHES = {"fp32": "", "tf32": "8 3", "bf16": "4 3", "fp16": "1 3"}


def svg(results):
    """Microseconds of a step over units, for 16 rows and 100 steps (or what there is): a panel a cell and what is done."""
    everything = results.cases("inference")
    batches = {c[2:] for c in everything if c[0] in GATES}
    if not batches:
        return None
    batch = (16, 100) if (16, 100) in batches else sorted(batches)[0]
    panels = []
    for what in ["inference", "training"]:
        for cell in GATES:
            curves = {}
            for case in results.cases(what):
                if case[0] != cell or case[2:] != batch:
                    continue
                for peer in ["ours", "cudnn"]:
                    for precision in PRECISIONS:
                        time = results.time(peer, precision, case, what)
                        if time:
                            curves.setdefault((peer, precision), []).append((case[1], time / batch[1]))
                floor = results.floor(case, what)
                if floor:
                    curves.setdefault(("floor", "fp32"), []).append((case[1], floor / batch[1]))
            if curves:
                panels.append((f"{cell}, {what}", curves))
    points = [p for _, curves in panels for curve in curves.values() for p in curve]
    if not points:
        return None
    x0, x1 = (f(math.log2(p[0]) for p in points) for f in (min, max))
    y0, y1 = math.floor(min(math.log10(p[1]) for p in points)), math.ceil(max(math.log10(p[1]) for p in points))
    y1 = max(y1, y0 + 1)
    wide, high, margin = 360, 260, 50
    parts = []
    for i, (title, curves) in enumerate(panels):
        left, top = margin + (i % 2) * (wide + margin), 40 + (i // 2) * (high + 60)
        x = lambda u: left + wide * ((math.log2(u) - x0) / (x1 - x0) if x1 > x0 else 0.5)
        y = lambda t: top + high * (1 - (math.log10(t) - y0) / (y1 - y0))
        parts.append(f'<text x="{left}" y="{top - 8}" font-weight="bold">{title}</text>')
        parts.append(f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="none" stroke="#999"/>')
        for power in range(y0, y1 + 1):
            at = y(10**power)
            parts.append(f'<path d="M{left} {at:.1f}h{wide}" stroke="#ddd"/><text x="{left - 5}" y="{at + 4:.1f}" text-anchor="end">{10**power:g}</text>')
        for units in sorted({p[0] for curve in curves.values() for p in curve}):
            parts.append(f'<text x="{x(units):.1f}" y="{top + high + 15}" text-anchor="middle">{units}</text>')
        for (peer, precision), curve in curves.items():
            path = "L".join(f"{x(u):.1f} {y(t):.1f}" for u, t in sorted(curve))
            style = f'stroke="{COLOURS[peer]}" stroke-dasharray="{DASHES[precision]}"'
            parts.append(f'<path d="M{path}" fill="none" stroke-width="2" {style}/>')
            parts += [f'<circle cx="{x(u):.1f}" cy="{y(t):.1f}" r="2.5" fill="{COLOURS[peer]}"/>' for u, t in curve]
    names = {"ours": "this library", "cudnn": "PyTorch (cuDNN)", "floor": "floor"}
    bottom = 40 + (len(panels) + 1) // 2 * (high + 60)
    for i, key in enumerate(sorted({key for _, curves in panels for key in curves})):
        left, top = margin + i % 4 * 200, bottom + i // 4 * 20
        style = f'stroke="{COLOURS[key[0]]}" stroke-dasharray="{DASHES[key[1]]}"'
        parts.append(f'<path d="M{left} {top - 4}h30" stroke-width="2" {style}/><text x="{left + 36}" y="{top}">{names[key[0]]}, {key[1]}</text>')
    head = f"Microseconds of a step over units; {batch[0]} rows, {batch[1]} steps"
    size = f'width="{2 * (wide + margin) + 20}" height="{bottom + 60}"'
    body = "\n".join([f'<text x="{margin}" y="16">{head}</text>'] + parts)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">\n<rect width="100%" height="100%" fill="white"/>\n{body}\n</svg>\n'


def main():
    folder, name = Path(sys.argv[1]), sys.argv[2]
    file = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    results = Results(folder)
    plot = None
    try:
        text = svg(results)
        if text:
            plot = f"{file}.svg"
            (folder / plot).write_text(text)
    except Exception as error:  # a table without a plot is still a table
        print(f"no plot: {type(error).__name__}: {error}")
    text, count = markdown(folder, name, results, plot)
    (folder / f"{file}.md").write_text(text)
    print(f"{folder / file}.md: {count} times of this library")
    if not count:
        sys.exit("there is no time of this library")


main()
