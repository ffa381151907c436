"""The tests of LSTM, GRU and RNN that the ONNX package generates. Their weights are inputs of the graph; they become initialisers."""
import numpy as np
import onnx
from onnx.backend.test.case.node import collect_testcases

from pack import Pack, constant, sequence, states

WEIGHTS = {"W", "R", "B", "P", "sequence_lens", "initial_h", "initial_c"}


def main():
    pack = Pack()
    seen = set()
    for case in collect_testcases(None):
        model = case.model
        node = model.graph.node[0]
        if len(model.graph.node) != 1 or node.op_type not in ("LSTM", "GRU", "RNN") or case.name in seen:
            continue
        seen.add(case.name)
        given, expected = case.data_sets[0]
        graph = onnx.GraphProto()
        graph.CopyFrom(model.graph)
        values = dict(zip([i.name for i in graph.input], given, strict=True))
        for value in list(graph.input):
            if value.name in WEIGHTS:
                graph.input.remove(value)
                graph.initializer.append(constant(value.name, values[value.name]))
        model.graph.CopyFrom(graph)
        layout = next((a.i for a in node.attribute if a.name == "layout"), 0)
        outputs = {}
        for value, array in zip(graph.output, expected, strict=True):
            if value.name == "Y":
                outputs["y"] = sequence(np.asarray(array), layout)
            else:
                outputs |= states(value.name.lower(), np.asarray(array), layout)
        pack.add(case.name, model, {"x": sequence(values["X"], layout)}, outputs)
    pack.save("node_tests.safetensors.z")


if __name__ == "__main__":
    main()
