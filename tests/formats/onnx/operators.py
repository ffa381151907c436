"""The operators around recurrent layers one by one, in old and new versions and with weights of all types, against onnxruntime."""
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

from pack import Pack, constant

ROWS, STEPS, WIDTH = 2, 3, 4


class Operators:
    def __init__(self):
        self.pack = Pack()
        self.rng = np.random.default_rng(5)

    def numbers(self, *shape):
        return self.rng.standard_normal(shape).astype(np.float32)

    def add(self, name, nodes, weights=(), *, x=None, opset=17, y=None, more=None, shape=None):
        """`nodes` are `(operator, inputs, outputs, attributes)`; they read `x` and give `y`."""
        x = self.numbers(ROWS, STEPS, WIDTH) if x is None else x
        given = {"x": x} | (more or {})

        def info(key, value):
            kind = helper.np_dtype_to_tensor_dtype(value.dtype)
            return helper.make_tensor_value_info(key, kind, shape if key == "x" and shape else value.shape)

        graph = helper.make_graph(
            [helper.make_node(op, i, o, **a) for op, i, o, a in nodes],
            "g",
            [info(k, v) for k, v in given.items()],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [w if isinstance(w, TensorProto) else constant(*w) for w in weights],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        found = onnxruntime.InferenceSession(model.SerializeToString(), options).run(None, given)[0]
        found = y(found) if y else found
        self.pack.add(name, model, given, {"y": found})

    def one(self, name, op, inputs=(), weights=(), **kwargs):
        attributes = kwargs.pop("attributes", {})
        self.add(name, [(op, ["x", *inputs], ["y"], attributes)], weights, **kwargs)

    def all(self):
        n = self.numbers
        longs = lambda name, *values: (name, np.array(values, np.int64))
        floats = lambda name, *values: (name, np.array(values, np.float32))
        for op in ("Tanh", "Sigmoid", "Relu", "Softplus", "Softsign", "Exp", "HardSwish", "Mish", "Selu", "Elu", "LeakyRelu", "Neg"):
            self.one(f"plain_{op}", op, opset=18)
        self.one("elu_alpha", "Elu", attributes={"alpha": 0.4})
        self.one("leaky_relu_alpha", "LeakyRelu", attributes={"alpha": 0.3})
        self.one("hard_sigmoid", "HardSigmoid", attributes={"alpha": 1 / 6})
        self.one("gelu", "Gelu", opset=20)
        self.one("clip_relu6", "Clip", ["low", "high"], [("low", np.float32(0)), ("high", np.float32(6))])
        self.one("clip_relu", "Clip", ["low"], [("low", np.float32(0))])
        self.one("clip_old", "Clip", attributes={"min": -1.0, "max": 1.0}, opset=6)
        self.one("prelu", "PRelu", ["s"], [floats("s", 0.2)])
        self.one("softmax", "Softmax", attributes={"axis": -1})
        self.one("softmax_old", "Softmax", attributes={"axis": 2}, opset=11)
        for op in ("Add", "Sub", "Mul", "Div"):
            self.one(f"constant_{op}", op, ["c"], [("c", n(WIDTH) + 3)])
            self.one(f"number_{op}", op, ["c"], [floats("c", 1.5)])
            self.add(f"values_{op}", [("Tanh", ["x"], ["t"], {}), (op, ["x", "t"], ["y"], {})] if op != "Div" else [("Div", ["x", "c"], ["y"], {})], [floats("c", 0.5)])
        self.add("constant_first", [("Sub", ["c", "x"], ["y"], {})], [("c", n(WIDTH))])
        self.add("scale_and_shift", [("Mul", ["c", "x"], ["t"], {}), ("Add", ["d", "t"], ["y"], {})], [("c", n(1, 1, WIDTH)), ("d", n(WIDTH))])
        for op in ("Max", "Min", "Mean", "Sum"):
            self.add(f"several_{op}", [("Tanh", ["x"], ["a"], {}), ("Neg", ["x"], ["b"], {}), (op, ["x", "a", "b"], ["y"], {})])
        self.one("square", "Pow", ["two"], [floats("two", 2)])
        self.one("matmul", "MatMul", ["w"], [("w", n(WIDTH, 3))])
        vector = n(ROWS, WIDTH)
        gemm = {"alpha": 0.5, "beta": 2.0}
        self.one("gemm", "Gemm", ["w", "b"], [("w", n(WIDTH, 3)), ("b", n(3))], x=vector, attributes=gemm)
        self.one("gemm_turned", "Gemm", ["w", "b"], [("w", n(3, WIDTH)), ("b", n(1, 3))], x=vector, attributes=gemm | {"transB": 1})
        self.one("gemm_alone", "Gemm", ["w"], [("w", n(WIDTH, 3))], x=vector)
        stats = [("s", n(WIDTH)), ("b", n(WIDTH)), ("m", n(WIDTH)), ("v", np.abs(n(WIDTH)) + 0.1)]
        self.one("batch_norm", "BatchNormalization", ["s", "b", "m", "v"], stats, x=vector, attributes={"epsilon": 1e-3})
        self.one("layer_norm", "LayerNormalization", ["s", "b"], stats[:2], attributes={"epsilon": 1e-4})
        self.one("layer_norm_alone", "LayerNormalization", ["s"], stats[:1], attributes={"axis": 2})
        # Moves.
        self.one("first_step", "Gather", ["i"], [("i", np.int64(0))], attributes={"axis": 1})
        self.one("last_step", "Gather", ["i"], [("i", np.int64(-1))], attributes={"axis": 1})
        self.one("last_step_of_three", "Gather", ["i"], [("i", np.int64(STEPS - 1))], attributes={"axis": 1})
        self.one("features", "Gather", ["i"], [longs("i", 3, 0, 0, -2)], attributes={"axis": 2})
        self.one("slice", "Slice", ["f", "t", "a", "s"], [longs("f", 3), longs("t", 0), longs("a", -1), longs("s", -2)])
        self.one("slice_old", "Slice", attributes={"starts": [1], "ends": [3], "axes": [2]}, opset=9)
        self.one("turned_steps", "Slice", ["f", "t", "a", "s"], [longs("f", -1), longs("t", -(2**63)), longs("a", 1), longs("s", -1)])
        self.one("turned_open_steps", "Slice", ["f", "t", "a", "s"], [longs("f", -1), longs("t", -(2**63)), longs("a", 1), longs("s", -1)], shape=("b", "t", WIDTH))
        halves = [("Split", ["x"], ["a", "b"], {"axis": -1}), ("Concat", ["b", "a"], ["y"], {"axis": 2})]
        self.add("split", halves, opset=13)
        self.add("split_old", [("Split", ["x"], ["a", "b"], {"axis": 2, "split": [1, 3]}), ("Mul", ["a", "b"], ["y"], {})], opset=11)
        self.add("split_new", [("Split", ["x", "s"], ["a", "b"], {"axis": 2}), ("Concat", ["b", "a", "b"], ["y"], {"axis": 2})], [longs("s", 3, 1)])
        self.add(
            "turned_features",
            [
                ("Reshape", ["x", "s"], ["a"], {}),
                ("Transpose", ["a"], ["b"], {"perm": [0, 1, 3, 2]}),
                ("Reshape", ["b", "t"], ["y"], {}),
            ],
            [longs("s", 0, 0, 2, 2), longs("t", ROWS, STEPS, -1)],
        )
        self.add(
            "rows_and_steps_in_one",
            [
                ("Reshape", ["x", "s"], ["a"], {}),
                ("MatMul", ["a", "w"], ["b"], {}),
                ("Shape", ["x"], ["n"], {}),
                ("Slice", ["n", "from", "to"], ["two"], {}),
                ("Concat", ["two", "five"], ["t"], {"axis": 0}),
                ("Reshape", ["b", "t"], ["y"], {}),
            ],
            [longs("s", -1, WIDTH), ("w", n(WIDTH, 5)), longs("from", 0), longs("to", 2), longs("five", 5)],
            shape=("b", "t", WIDTH),
        )
        self.add("squeeze_old", [("Unsqueeze", ["x"], ["a"], {"axes": [1, 4]}), ("Squeeze", ["a"], ["y"], {"axes": [1, -1]})], opset=11)
        self.add("squeeze_all", [("Unsqueeze", ["x", "s"], ["a"], {}), ("Squeeze", ["a"], ["y"], {})], [longs("s", 0, 2)])
        self.one("flatten", "Flatten")
        self.one("dropout", "Dropout")
        self.add("mean", [("ReduceMean", ["x"], ["y"], {"axes": [1], "keepdims": 0})])
        self.add("largest", [("ReduceMax", ["x"], ["a"], {"axes": [1]}), ("Squeeze", ["a", "s"], ["y"], {})], [longs("s", 1)])
        self.add("pool", [("Transpose", ["x"], ["a"], {"perm": [0, 2, 1]}), ("GlobalAveragePool", ["a"], ["y"], {})], y=lambda v: v[..., 0])
        ids = self.rng.integers(0, 5, (ROWS, STEPS))
        self.add("embedding", [("Gather", ["w", "x"], ["y"], {})], [("w", n(5, 3))], x=ids)
        self.add("narrow_ids", [("Cast", ["x"], ["i"], {"to": TensorProto.INT64}), ("Gather", ["w", "i"], ["y"], {})], [("w", n(5, 3))], x=ids.astype(np.int32))
        self.add("side_by_side", [("Concat", ["x", "z"], ["y"], {"axis": 1})], x=vector, more={"z": n(ROWS, 2)})
        # Weights of other types, as fields and as bytes.
        for kind in ("DOUBLE", "FLOAT16", "BFLOAT16", "INT8", "UINT8", "INT32", "INT64", "FLOAT8E4M3FN", "FLOAT8E5M2", "INT4", "UINT4"):
            values = [1, 2, 3, 0] if kind[0] in "IU" else [0.5, 1.5, -2.0, 0.25]
            if kind.startswith("U") or not kind.startswith("INT"):
                values = [abs(v) for v in values] if kind.startswith("U") else values
            number = getattr(TensorProto, kind)
            fields = helper.make_tensor("w", number, [WIDTH], values)
            cast = [("Cast", ["w"], ["c"], {"to": TensorProto.FLOAT}), ("Mul", ["x", "c"], ["y"], {})]
            self.add(f"fields_{kind}", cast, [fields], opset=21)
            raw = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(fields), "w")
            assert raw.raw_data
            self.add(f"bytes_{kind}", cast, [raw], opset=21)
        floats_field = helper.make_tensor("w", TensorProto.FLOAT, [WIDTH], [1.0, 2.0, 3.0, 4.0])
        self.add("fields_FLOAT", [("Mul", ["x", "w"], ["y"], {})], [floats_field])
        self.one("hard_sigmoid_usual", "HardSigmoid")
        self.one("hard_sigmoid_alpha", "HardSigmoid", attributes={"alpha": 0.45})
        self.one("log_softmax", "LogSoftmax", attributes={"axis": -1})
        self.one("log_softmax_old", "LogSoftmax", attributes={"axis": 2}, opset=11)
        # A GELU in parts, in the orders of several exporters.
        numbers = [floats("root", 2**0.5), floats("inverse", 0.5**0.5), floats("one", 1), floats("half", 0.5)]
        error = [("Div", ["x", "root"], ["a"], {}), ("Erf", ["a"], ["b"], {}), ("Add", ["b", "one"], ["c"], {})]
        other = [("Mul", ["inverse", "x"], ["a"], {}), ("Erf", ["a"], ["b"], {}), ("Add", ["one", "b"], ["c"], {})]
        orders = {
            "sum_first": [*error, ("Mul", ["x", "c"], ["d"], {}), ("Mul", ["d", "half"], ["y"], {})],
            "half_first": [("Mul", ["half", "x"], ["d"], {}), *other, ("Mul", ["d", "c"], ["y"], {})],
            "half_of_sum": [*other, ("Mul", ["c", "half"], ["d"], {}), ("Mul", ["x", "d"], ["y"], {})],
        }
        for order, nodes in orders.items():
            used = {i for _, ins, _, _ in nodes for i in ins}
            self.add(f"gelu_{order}", nodes, [(name, values) for name, values in numbers if name in used])


def main():
    operators = Operators()
    operators.all()
    operators.pack.save("operators.safetensors.z")


if __name__ == "__main__":
    main()
