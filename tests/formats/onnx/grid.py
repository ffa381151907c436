"""LSTM, GRU and RNN with every attribute, against onnxruntime.

onnxruntime refuses `layout = 1`: such models are run with `layout = 0` and transposed.
"""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from pack import Pack, constant, mask, sequence, states

STEPS, ROWS, INPUT, UNITS = 4, 3, 2, 2
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
DIRECTIONS = ["forward", "reverse", "bidirectional"]
USUAL = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
# Names, alphas, betas.
ACTIVATIONS = [
    ("Relu", [], []),
    ("Tanh", [], []),
    ("Sigmoid", [], []),
    ("Affine", [0.7], [0.1]),
    ("LeakyRelu", [0.2], []),
    ("ThresholdedRelu", [0.3], []),
    ("ScaledTanh", [1.2], [0.8]),
    ("HardSigmoid", [0.3], [0.4]),
    ("Elu", [0.6], []),
    ("Softsign", [], []),
    ("Softplus", [], []),
]


def session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model.SerializeToString(), options)


class Grid:
    def __init__(self):
        self.pack = Pack()
        self.rng = np.random.default_rng(13)
        self.refused = []

    def numbers(self, *shape, scale=0.7):
        return (self.rng.standard_normal(shape) * scale).astype(np.float32)

    def add(
        self, name, op, direction="forward", *, layout=0, bias=True, lengths=None, start=None, peephole=False,
        outputs="y h c", **attributes,
    ):
        d, g = 2 if direction == "bidirectional" else 1, GATES[op]
        weights = {
            "W": self.numbers(d, g * UNITS, INPUT),
            "R": self.numbers(d, g * UNITS, UNITS),
        }
        if bias:
            weights["B"] = self.numbers(d, 2 * g * UNITS)
        if peephole:
            weights["P"] = self.numbers(d, 3 * UNITS)
        given = {"X": self.numbers(STEPS, ROWS, INPUT, scale=1.0)}
        named = ["h", "c"] if op == "LSTM" else ["h"]
        if lengths is not None:
            given["sequence_lens"] = np.array(lengths, np.int32)
        for state in named:
            if start == "given":
                given[f"initial_{state}"] = self.numbers(d, ROWS, UNITS)
            elif start == "constant":
                weights[f"initial_{state}"] = np.repeat(self.numbers(d, 1, UNITS), ROWS, 1)
        order = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
        order = order if op == "LSTM" else order[:6]
        inputs = [n if n in weights or n in given else "" for n in order]
        while not inputs[-1]:
            inputs.pop()
        results = {"y": "Y", "h": "Y_h", "c": "Y_c"}
        wanted = [k for k in outputs.split() if k in ["y"] + named]
        outs = [results[k] if k in wanted else "" for k in ["y"] + named]

        def model(layout):
            def axes(value):
                return np.swapaxes(value, 0, 1) if layout == 1 and value.ndim == 3 else value

            def info(key, value):
                kind = TensorProto.INT32 if value.dtype == np.int32 else TensorProto.FLOAT
                value = axes(value)
                # Rows and steps are open.
                names = {STEPS: "steps", ROWS: "rows"}
                shape = [names.get(n, n) for n in value.shape]
                return helper.make_tensor_value_info(key, kind, shape)

            extra = {"layout": 1} if layout == 1 else {}
            node = helper.make_node(op, inputs, outs, hidden_size=UNITS, direction=direction, **extra, **attributes)
            graph = helper.make_graph(
                [node],
                "g",
                [info(k, v) for k, v in given.items()],
                [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outs if o],
                [constant(k, axes(v) if k.startswith("initial") else v) for k, v in weights.items()],
            )
            return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)

        try:
            found = session(model(0)).run(None, given)
        except Exception as e:
            self.refused.append(f"{name}: {str(e)[:160]}")
            return
        arrays = {}
        for key, value in zip(wanted, found, strict=True):
            arrays |= {"y": sequence(value)} if key == "y" else states(results[key].lower(), value)
        ins = {"x": sequence(given["X"])}
        if lengths is not None:
            ins["sequence_lens"] = mask(lengths, STEPS)
        for state in named:
            if start == "given":
                ins |= states(f"initial_{state}", given[f"initial_{state}"])
        self.pack.add(name, model(layout), ins, arrays)

    def all(self):
        for op in GATES:
            n = 2 * len(USUAL[op])
            for direction in DIRECTIONS:
                at = f"{op}_{direction}"
                of = {"op": op, "direction": direction}
                self.add(f"{at}_plain", **of)
                self.add(f"{at}_y", **of, outputs="y")
                self.add(f"{at}_h", **of, outputs="h")
                self.add(f"{at}_no_bias", **of, bias=False)
                self.add(f"{at}_layout", **of, layout=1)
                self.add(f"{at}_layout_given", **of, layout=1, start="given", lengths=[4, 1, 2])
                self.add(f"{at}_lengths", **of, lengths=[2, 4, 1])
                self.add(f"{at}_lengths_h", **of, lengths=[2, 4, 1], outputs="h c")
                self.add(f"{at}_lengths_given", **of, lengths=[3, 1, 4], start="given")
                self.add(f"{at}_given", **of, start="given")
                self.add(f"{at}_given_y", **of, start="given", outputs="y")
                self.add(f"{at}_constant", **of, start="constant")
                self.add(f"{at}_clip", **of, clip=0.4)
                d = 2 if direction == "bidirectional" else 1
                mixed = [ACTIVATIONS[k % len(ACTIVATIONS)] for k in range(3, 3 + d * len(USUAL[op]))]
                many = {
                    "activations": [a for a, _, _ in mixed],
                    "activation_alpha": [v for _, alpha, _ in mixed for v in alpha],
                    "activation_beta": [v for _, _, beta in mixed for v in beta],
                }
                self.add(f"{at}_mixed", **of, **many)
                self.add(f"{at}_mixed_all", **of, **many, clip=0.5, lengths=[4, 2, 3], start="given")
                if op == "LSTM":
                    self.add(f"{at}_peephole", **of, peephole=True)
                    self.add(f"{at}_coupled", **of, input_forget=1)
                    self.add(f"{at}_peephole_all", **of, peephole=True, input_forget=1, clip=0.6, start="given", layout=1)
                    self.add(f"{at}_peephole_lengths", **of, peephole=True, clip=0.6, lengths=[1, 2, 4], bias=False)
                if op == "GRU":
                    self.add(f"{at}_after", **of, linear_before_reset=1)
                    self.add(f"{at}_after_clip", **of, linear_before_reset=1, clip=0.4)
                    self.add(f"{at}_after_no_bias", **of, linear_before_reset=1, bias=False, clip=0.3)
                    self.add(f"{at}_after_lengths", **of, linear_before_reset=1, lengths=[1, 4, 2], start="given")
            for name, alpha, beta in ACTIVATIONS:
                usual = USUAL[op]
                for place in range(len(usual)):
                    chosen = [name if k == place else a for k, a in enumerate(usual)]
                    extra = {"activation_alpha": alpha} if alpha else {}
                    extra |= {"activation_beta": beta} if beta else {}
                    if chosen != usual:
                        self.add(f"{op}_act{place}_{name}", op, activations=chosen, outputs="y", **extra)
            # Alphas and betas that are left out. onnxruntime has no defaults for two, and 0 in place of the standard's 1 for
            # `ThresholdedRelu`.
            for name, alpha, _ in ACTIVATIONS:
                if alpha and name not in ("Affine", "ScaledTanh", "ThresholdedRelu"):
                    self.add(f"{op}_usual_{name}", op, activations=USUAL[op][:-1] + [name], outputs="y")


def main():
    grid = Grid()
    grid.all()
    print("\n".join(grid.refused))
    grid.pack.save("grid.safetensors.z")


if __name__ == "__main__":
    main()
