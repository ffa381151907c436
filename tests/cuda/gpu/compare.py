"""Asks this library and PyTorch in turns how long they take, and writes down each answer at once.

    python3 compare.py MEASURE FOLDER SECONDS [--tiny]

MEASURE is the program of examples/measure.rs. FOLDER/times.csv gets lines `peer,precision,cell,units,rows,steps,what,
microseconds`, one for each answer; FOLDER/left-out.txt what was not measured, and why. It ends after SECONDS.
"""

import os
import select
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PRECISIONS = ["fp32", "tf32", "bf16", "fp16"]
LAYERS = ["LSTM", "GRU"]
LOOPS = ["LayerNormLstm", "LSTM-recurrent-dropout", "GRU-relu"]
ROUNDS = 3
# A peer that has failed is started again, but not for ever: that takes seconds.
STARTS = 6


class Peer:
    """A program that answers lines, and what it cannot do."""

    def __init__(self, name, command, log):
        self.name, self.command, self.log = name, command, log
        self.process = None
        self.starts = 0
        self.unable = set()

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def ask(self, line, seconds):
        """A number, or why there is none."""
        if self.process is None:
            self.starts += 1
            with open(self.log, "a") as log:
                self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
            self.rest = b""
        try:
            self.process.stdin.write((line + "\n").encode())
            self.process.stdin.flush()
            until = time.monotonic() + seconds
            while b"\n" not in self.rest:
                left = max(until - time.monotonic(), 0)
                if not select.select([self.process.stdout], [], [], left)[0]:
                    self.stop()
                    return f"no answer within {seconds:.0f} s"
                more = os.read(self.process.stdout.fileno(), 4096)
                if not more:
                    raise BrokenPipeError
                self.rest += more
        except OSError:
            self.stop()
            return "it has ended: see the log"
        answer, self.rest = self.rest.split(b"\n", 1)
        try:
            return float(answer)
        except ValueError:
            return answer.decode(errors="replace")


def groups(tiny):
    """What is measured: cell, units, and batches of (rows, steps); what matters most comes first, since time may run out."""
    if tiny:
        return [(cell, 8, [(2, 3)]) for cell in LAYERS + LOOPS[:1]]
    short = [(16, 100), (1, 100), (64, 100), (256, 100)]
    long = [(16, 1000), (1, 1000), (64, 1000)]
    sizes = lambda all: [(cell, units, short + long) for units in all for cell in LAYERS]
    loops = [(cell, 128, [(16, 100), (64, 100)]) for cell in LOOPS]
    return sizes([128, 64, 256]) + loops + sizes([512, 32, 1024])


def main():
    measure, folder, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    tiny = "--tiny" in sys.argv
    until = time.monotonic() + seconds
    option = ["--tiny"] if tiny else []
    torch = lambda how: [sys.executable, str(HERE / "torch_rnn.py"), how] + option
    peers = {"ours": Peer("ours", [measure], folder / "ours.log")}
    failed = set()

    def leave(what, why):
        with open(folder / "left-out.txt", "a") as file:
            file.write(f"{what}: {why}\n")

    # run.sh says so where it is missing.
    if subprocess.run([sys.executable, "-c", "import torch"], capture_output=True).returncode == 0:
        for how in ["cudnn", "loop", "compile"]:
            peers[how] = Peer(how, torch(how), folder / f"{how}.log")

    def asked(cell, last):
        """Who is asked for a cell, with which precisions."""
        others = [("cudnn", p) for p in PRECISIONS] if cell in LAYERS else [("loop", "fp32")]
        # Compiling takes long, and waits until all else is done.
        ours = [("ours", p) for p in PRECISIONS]
        return [(n, p) for n, p in ([("compile", "fp32")] if last else ours + others) if n in peers]

    def run(cell, units, rows, steps, last, times, end):
        for what in ["inference", "training"]:
            if cell == "LSTM-recurrent-dropout" and what == "inference":
                continue  # nothing is dropped there
            for _ in range(1 if tiny else ROUNDS):
                for name, precision in asked(cell, last):
                    case = f"{precision} {cell} {units} {rows} {steps} {what}"
                    if name not in peers:
                        continue
                    key, peer = (cell, units, precision), peers[name]
                    left = end - time.monotonic()
                    if key in peer.unable or (name, case) in failed:
                        continue
                    if peer.starts == STARTS and peer.process is None:
                        leave(f"{name}, from `{case}` on", f"it has failed {STARTS} times")
                        del peers[name]
                        continue
                    if left < 2:
                        return False
                    answer = peer.ask(f"{case} {1 if tiny else 9}", min(left, 150 if last else 60))
                    if isinstance(answer, float):
                        times.write(f"{name},{case.replace(' ', ',')},{answer}\n")
                        times.flush()
                    elif answer == "unknown":
                        peer.unable.add(key)
                    else:
                        # After some errors a device takes nothing more from a process.
                        peer.stop()
                        failed.add((name, case))
                        leave(f"{name}, {case}", answer)
        return True

    batches = [(cell, units, rows, steps) for cell, units, all in groups(tiny) for rows, steps in all]
    # On a CPU torch.compile wants a C++ compiler, and shows nothing.
    compiled = [] if tiny or "compile" not in peers else [(cell, 128, 16, 100) for cell in LOOPS]
    ends = [(False, batches, until - (min(75, 0.3 * seconds) if compiled else 0)), (True, compiled, until)]
    with open(folder / "times.csv", "a") as times:
        for last, cases, end in ends:
            for number, case in enumerate(cases):
                if not run(*case, last, times, end):
                    names = " ".join(str(word) for word in case)
                    leave(f"{len(cases) - number} of {len(cases)} batches, from `{names}` on", "the time was over")
                    break
    for peer in peers.values():
        peer.stop()


main()
