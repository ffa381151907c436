"""Models with inputs and outputs, many in one file of safetensors, which is compressed (zlib).

`NAME/onnx` has the bytes of a model, `NAME/beside/FILE` those of a file beside it. `NAME/in/INPUT` and `NAME/out/OUTPUT` are
arrays as the imported model takes and gives them: `[rows, steps, features]`, ids and masks `[rows, steps]`, vectors `[rows,
features]`.

`pip install -r requirements.txt`, then `python node_tests.py`, `grid.py`, `operators.py`, `pytorch.py`: each writes one file.
"""
import os
import zlib

import numpy as np
import onnx
from safetensors.numpy import save

HERE = os.path.dirname(os.path.abspath(__file__))


class Pack:
    def __init__(self):
        self.arrays = {}

    def add(self, name, model, inputs, outputs, beside=None):
        data = model if isinstance(model, bytes) else model.SerializeToString()
        assert f"{name}/onnx" not in self.arrays, name
        self.arrays[f"{name}/onnx"] = np.frombuffer(data, np.uint8)
        for file, content in (beside or {}).items():
            self.arrays[f"{name}/beside/{file}"] = np.frombuffer(content, np.uint8)
        for kind, arrays in (("in", inputs), ("out", outputs)):
            for key, value in arrays.items():
                self.arrays[f"{name}/{kind}/{key}"] = np.ascontiguousarray(value, np.float32)

    def save(self, file):
        path = os.path.join(HERE, file)
        with open(path, "wb") as to:
            to.write(zlib.compress(save(self.arrays), 9))
        print(file, sum(key.endswith("/onnx") for key in self.arrays), "models,", os.path.getsize(path), "bytes")


def sequence(x, layout=0):
    """`[steps, (directions,) rows, features]` as `[rows, steps, features]`."""
    if layout == 0:
        x = np.moveaxis(x, -2, 0)
    return x.reshape(x.shape[0], x.shape[1], -1)


def states(name, x, layout=0):
    """`[directions, rows, units]`: one vector for each direction."""
    if layout == 1:
        x = np.swapaxes(x, 0, 1)
    if x.shape[0] == 1:
        return {name: x[0]}
    return {f"{name}_{k}": part for k, part in enumerate(x)}


def mask(lengths, steps):
    return np.arange(steps)[None, :] < np.asarray(lengths)[:, None]


def constant(name, value):
    return onnx.numpy_helper.from_array(np.ascontiguousarray(value), name)
