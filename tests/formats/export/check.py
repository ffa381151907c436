"""Files that `recurrent convert` writes, in the libraries that they are for.

    cargo build -p rnn-cli
    python check.py ../../../target/debug/recurrent keras
    python check.py ../../../target/debug/recurrent onnx
    python check.py ../../../target/debug/recurrent torch
    python check.py ../../../target/debug/recurrent rtneural PROGRAM    # of rtneural.cpp

Each fixture of the folders beside this one is converted, and given random arrays. Its outputs have to be those of the
float64 interpreter (`recurrent run`) within 1e-5 of the largest. A fixture that the format cannot hold is printed with the
reason; anything else that fails makes the exit status 1.
"""
import json
import os
import subprocess
import sys
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.filterwarnings("ignore")

import numpy as np

HERE = Path(__file__).parent
FIXTURES = HERE.parent
WORK = Path(tempfile.mkdtemp())
TOOL, LIBRARY = sys.argv[1:3]
ENDINGS = {"keras": "keras", "onnx": "onnx", "torch": "safetensors", "rtneural": "json"}
TOLERANCE = 1e-5


def tool(*arguments):
    done = subprocess.run([TOOL, "--json", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def fixtures():
    """Names, files, and the layers of files that have none."""
    with zipfile.ZipFile(FIXTURES / "keras/keras.zip") as archive:
        for name in archive.namelist():
            if name.endswith(".keras") and not name.startswith("refused"):
                path = WORK / name
                path.write_bytes(archive.read(name))
                yield f"keras/{name}", path, []
    for path in sorted((FIXTURES / "amps").iterdir()):
        data = path.suffix in (".json", ".nam") and not path.name.endswith("cases.json")
        if data and not path.name.startswith(("refused", "state_dict")):
            yield f"amps/{path.name}", path, []
    for name, case in json.loads((FIXTURES / "torch/cases.json").read_text()).items():
        yield f"torch/{name}.pt", FIXTURES / f"torch/{name}.pt", ["--layers", case["text"]]
    # A file of safetensors: eight bytes with the length of a header of JSON, then bytes.
    pack = zlib.decompress((FIXTURES / "onnx/pytorch.safetensors.z").read_bytes())
    length = int.from_bytes(pack[:8], "little")
    header = json.loads(pack[8 : 8 + length])
    for key, entry in header.items():
        name, *rest = key.split("/")
        begin, end = entry.get("data_offsets", (0, 0))
        if rest and rest[0] in ("onnx", "beside"):
            folder = WORK / name
            folder.mkdir(exist_ok=True)
            file = "model.onnx" if rest[0] == "onnx" else "/".join(rest[1:])
            (folder / file).write_bytes(pack[8 + length + begin : 8 + length + end])
    for name in sorted({key.split("/")[0] for key in header if "/" in key}):
        if (WORK / name / "model.onnx").exists():
            yield f"onnx/{name}", WORK / name / "model.onnx", []


def arrays(said, random):
    """An array for each input, `[2, time, features]`."""
    inputs = [layer for layer in said["layers"] if layer["class"] == "InputLayer"]
    vocabulary = [t["shape"][0] for t in said["tensors"] if t["name"].endswith("/embeddings")]
    text = said["text"]
    for layer in inputs:
        axes = [None if n == "None" else int(n) for n in layer["output_shape"].strip("()").split(", ")]
        shape = [2, *(7 if n is None else n for n in axes[1:])]
        first = text.split(" -> ")[1:2]
        chain = text.startswith("Embedding") or text.startswith("Input") and first and first[0].startswith("Embedding")
        ids = chain or f"input {layer['name']}: ids" in text
        mask = f"input {layer['name']}: mask" in text
        if len(axes) == 2 and (ids or mask):
            yield random.integers(0, min(vocabulary) if ids else 2, shape)
        else:
            x = random.normal(size=shape).astype(np.float32)
            # Some steps are what a layer for masks leaves out.
            x[:, -1:] = -1.0 if "Masking(-1)" in text else x[:, -1:]
            yield x


def of_keras(path, inputs):
    import keras

    model = keras.models.load_model(path)
    inputs = [x.astype(str(t.dtype)) for x, t in zip(inputs, model.inputs, strict=True)]
    found = model(inputs if len(inputs) > 1 else inputs[0])
    return [np.array(y) for y in (found if isinstance(found, (list, tuple)) else [found])]


def of_onnx(path, inputs):
    import onnx
    import onnxruntime

    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    kinds = {"tensor(int64)": np.int64, "tensor(float)": np.float32}
    given = {i.name: x.astype(kinds[i.type]) for i, x in zip(session.get_inputs(), inputs, strict=True)}
    return session.run(None, given)


def of_torch(path, inputs, said, text):
    """The modules that the notes say, in a row."""
    import torch
    from safetensors.torch import load_file
    from torch import nn

    lines = said["notes_of_output"][1:]
    words = ("of both directions", "which reads", "padded")
    plain = all(" = nn." in line and not any(word in line for word in words) for line in lines)
    if "let " in text or not plain:
        raise NotImplementedError("not modules in a row")
    net = nn.Module()
    steps = []
    for line in lines:
        name, made = line.split(" = ", 1)
        made, _, then = made.partition("), ")
        setattr(net, name, eval(made.removesuffix(")") + ")", {"nn": nn}))
        steps.append((getattr(net, name), then))
    net.load_state_dict(load_file(path), strict=False)
    net.eval()
    functions = {
        "": lambda x: x,
        "and its last step": lambda x: x[:, -1],
        # The backward direction reads the first step last.
        "and the last state of each direction": lambda x: torch.cat([x[:, -1, : x.shape[2] // 2], x[:, 0, x.shape[2] // 2 :]], -1),
        "then elu": nn.functional.elu,
        "then relu": torch.relu,
        "then sigmoid": torch.sigmoid,
        "then softmax": lambda x: torch.softmax(x, -1),
        "then tanh": torch.tanh,
    }
    x = torch.tensor(inputs[0])
    with torch.no_grad():
        for module, then in steps:
            if isinstance(module, nn.BatchNorm1d):
                x = module(x.transpose(1, 2)).transpose(1, 2) if x.ndim == 3 else module(x)
            else:
                x = module(x)
                x = x[0] if isinstance(x, tuple) else x
            x = functions[then](x)
    return [x.numpy()]


def of_rtneural(path, inputs):
    rows = []
    for row in inputs[0]:
        lines = "".join(" ".join(map(repr, map(float, np.atleast_1d(step)))) + "\n" for step in (row if row.ndim == 2 else [row]))
        done = subprocess.run([sys.argv[3], path], input=lines, capture_output=True, text=True, check=True)
        rows.append([[float(v) for v in line.split()] for line in done.stdout.splitlines()])
    return [np.array(rows)]


def main():
    random = np.random.default_rng(1)
    worst, checked, refused, failed = 0.0, 0, 0, 0
    for name, path, layers in fixtures():
        said = tool("inspect", path, *layers)
        if "error" in said:
            print(f"{name}: not read: {said['error'].splitlines()[-1]}")
            failed += 1
            continue
        target = WORK / f"{name.replace('/', '_')}.{ENDINGS[LIBRARY]}"
        extra = ["--names", "pytorch"] if LIBRARY == "torch" else []
        written = tool("convert", path, target, "--force", *layers, *extra)
        if "error" in written:
            print(f"{name}: refused: {written['error'].splitlines()[1]}")
            refused += 1
            continue
        inputs = list(arrays(said, random))
        if "stateful" in said["text"]:
            inputs = [x[:1] for x in inputs]
        files = []
        for number, x in enumerate(inputs):
            files.append(WORK / f"input_{number}.npy")
            np.save(files[-1], x)
        answer = tool("run", path, *files, *layers, "--force", "--output", WORK / "expected.npy")
        if "error" in answer:
            print(f"{name}: not run: {answer['error']}")
            failed += 1
            continue
        expected = [np.load(output["file"]) for output in answer["outputs"]]
        try:
            match LIBRARY:
                case "keras":
                    found = of_keras(target, inputs)
                case "onnx":
                    found = of_onnx(target, inputs)
                case "torch":
                    found = of_torch(target, inputs, written, said["text"])
                case "rtneural":
                    found = of_rtneural(target, inputs)
        except NotImplementedError as e:
            print(f"{name}: not compared: {e}")
            continue
        except Exception as e:
            print(f"{name}: {type(e).__name__}: {str(e)[:300]}")
            failed += 1
            continue
        far = 0.0
        for a, b in zip(found, expected, strict=True):
            if LIBRARY == "rtneural" and a.ndim == 3 and b.ndim == 2:
                a = a[:, -1]
            if a.shape != b.shape:
                print(f"{name}: expected {b.shape}, found {a.shape}")
                far = np.inf
                break
            far = max(far, float(np.abs(a - b).max() / np.abs(b).max()))
        print(f"{name}: {far:.1e}")
        checked, worst = checked + 1, max(worst, far)
        failed += far > TOLERANCE
    print(f"{LIBRARY}: {checked} models, {refused} that the format cannot hold, {failed} failed; the largest difference is {worst:.1e}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
