"""RTNeural's JSON of real Keras models, with an input and what the model gives.

    python rtneural.py

`layer_type`, `layer_activation` and the dictionaries are those of RTNeural's `python/model_utils.py`, in which
`layer.output_shape` is `layer.output.shape` for Keras 3.
"""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from keras import layers

HERE = pathlib.Path(__file__).parent
TIME = 12


def layer_type(layer):
    kinds = {
        layers.TimeDistributed: "time-distributed-dense",
        layers.GRU: "gru",
        layers.LSTM: "lstm",
        layers.Dense: "dense",
        layers.Conv1D: "conv1d",
        layers.PReLU: "prelu",
        layers.BatchNormalization: "batchnorm",
        layers.Activation: "activation",
    }
    return next((kind for layer_class, kind in kinds.items() if isinstance(layer, layer_class)), "unknown")


def layer_activation(layer):
    if isinstance(layer, layers.TimeDistributed):
        return layer_activation(layer.layer)
    known = ["tanh", "relu", "sigmoid", "softmax", "elu"]
    function = getattr(layer, "activation", None)
    return next((name for name in known if function == getattr(keras.activations, name)), "")


def exported(model):
    all_layers = []
    for layer in model.layers:
        data = {"type": layer_type(layer), "activation": layer_activation(layer), "shape": list(layer.output.shape)}
        if data["type"] == "conv1d":
            data |= {"kernel_size": layer.kernel_size, "dilation": layer.dilation_rate, "groups": layer.groups}
        if data["type"] == "batchnorm":
            data["epsilon"] = layer.epsilon
        data["weights"] = [w.tolist() for w in layer.get_weights()]
        all_layers.append(data)
    return {"in_shape": list(model.input_shape), "layers": all_layers}


SEQUENCE = {"return_sequences": True}

MODELS = {
    "rtneural_gru": (1, [layers.GRU(5, **SEQUENCE), layers.Dense(4, "tanh"), layers.Dense(1)]),
    "rtneural_lstm": (
        2,
        [
            layers.TimeDistributed(layers.Dense(4, "relu")),
            layers.LSTM(4, **SEQUENCE),
            layers.LSTM(3, **SEQUENCE),
            layers.Dense(2, "softmax"),
        ],
    ),
    "rtneural_more": (
        3,
        [
            layers.Dense(4, use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("elu"),
            layers.GRU(3, use_bias=False, **SEQUENCE),
            layers.BatchNormalization(center=False, scale=False, epsilon=0.01),
            layers.Dense(1, "sigmoid"),
        ],
    ),
}


def make(seed, features, parts):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([keras.Input((None, features)), *parts])
    rng = np.random.default_rng(seed)
    for v in model.variables:
        if "seed" in v.path:
            continue
        value = rng.normal(0, 0.5, v.shape)
        v.assign(np.abs(value) + 0.5 if "variance" in v.path else value)
    return model, rng.normal(0, 1, (1, TIME, features)).astype(np.float32)


def main():
    cases = {}
    for seed, (name, (features, parts)) in enumerate(MODELS.items()):
        model, x = make(seed, features, parts)
        y = model.predict(x, verbose=0)
        (HERE / f"{name}.json").write_text(json.dumps(exported(model)) + "\n")
        cases[name] = {"input": x.flatten().tolist(), "shape": x.shape, "output": y.flatten().tolist()}
    (HERE / "rtneural.cases.json").write_text(json.dumps(cases) + "\n")
    refused = [layers.Conv1D(3, 2), layers.PReLU(shared_axes=[1]), layers.LayerNormalization(), layers.Dense(1)]
    model, _ = make(9, 2, refused)
    (HERE / "refused_layers.json").write_text(json.dumps(exported(model)) + "\n")


if __name__ == "__main__":
    main()
