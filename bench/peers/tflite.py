"""Writes the network as .tflite, by TensorFlow's own converter: float32, and int8 with calibrated activations.

    python bench/peers/tflite.py weights/epic-base calibration.npz --out DIR

calibration.npz holds x (N, devices, channels, T) companded traces, latents (N, tokens, channels) and answers (N, queries, width).
Four parts as train/onnx_export.py makes them, in the layout TensorFlow wants (channels last), so that no transposition is
measured: encoder (1, T, channels) -> (slots, channels), central, decoder, and full (devices, T, channels) -> map. A value
clipped to [0, 4] is computed as relu6 of 1.5 times it, which the converter fuses into the layer; the next layer's weights undo it.
Inputs and results stay float32: LiteRT.js takes no int8 ones. Needs numpy and tensorflow.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

TRAIN = Path(__file__).resolve().parents[2] / "train"
sys.path.insert(0, str(TRAIN))
import safetensors_io  # noqa: E402

F32 = np.float32
LIFT = 6 / 4  # relu6(LIFT * x) / LIFT is min(max(x, 0), 4)


class Network:
    """The dequantised layers of both halves as TensorFlow functions; steps as in train/onnx_export.py."""

    def __init__(self, folder: Path):
        edge, _ = safetensors_io.load(folder / "edge.safetensors")
        central, metadata = safetensors_io.load(folder / "central.safetensors")
        self.t = {**edge, **central}
        self.config = json.loads(metadata["config"])
        self.central = self.config["central"]
        geometry = self.config["geometry"]
        self.devices, self.map = len(geometry["devices"]), geometry["map"]
        self.slots, self.channels = self.config["latent"]["slots"], self.config["latent"]["channels"]
        first = self.config["edge"]["layers"][0]
        self.inputs = first["in"]
        self.frames = -(-geometry["samples"] // self.config["input"]["decimation"])
        self.tokens = self.devices * self.slots
        self.queries = self.central["grid"][0] * self.central["grid"][1]
        self.steps = {
            "trace": 1.0 / (4 * self.config["input"]["step"]),
            "u7": 4.0 / 127 * LIFT,
            "s8": 1.0 / 127,
            "s16": 1.0 / self.central["qscale"],
            "f32": 1.0,
        }

    def layer(self, name: str, step_in: float, step_out: float):
        """Real weights, output channels first, and biases: stored codes times their steps."""
        codes, bias, scale = (self.t[f"{name}.{part}"] for part in ("weight", "bias", "scale"))
        unit = scale.astype(np.float64) * step_out
        channel = 1 if codes.ndim == 5 else 0
        shape = [-1 if axis == channel else 1 for axis in range(codes.ndim)]
        return (codes * unit.reshape(shape) / step_in).astype(F32), (bias * unit).astype(F32)

    def layer_behind(self, name: str, source: str, scale: float, per_unit: float, step_out: float):
        """As `layer`, behind the norm or attention `source`: as onnx_export's, steps and zeros of its channels are taken out."""
        if f"{source}.scale" not in self.t:
            return self.layer(name, 1.0 / (scale * per_unit), step_out)
        codes, bias, rows = (self.t[f"{name}.{part}"].astype(np.float64) for part in ("weight", "bias", "scale"))
        scales, zeros = (self.t[f"{source}.{part}"].astype(np.float64) for part in ("scale", "zero"))
        unit = rows * step_out
        return (codes * scales * per_unit * unit[:, None]).astype(F32), ((bias + codes @ zeros) * unit).astype(F32)

    def encode(self, x):
        source = "trace"
        for layer in self.config["edge"]["layers"]:
            w, b = self.layer(layer["name"], self.steps[source], self.steps[layer["output"]])
            x = tf.nn.conv1d(self.pad(x, layer), w.transpose(1, 2, 0), layer["stride"], "VALID") + b
            x = tf.nn.relu6(x) if layer["output"] == "u7" else tf.clip_by_value(x, -1.0, 1.0)
            source = layer["output"]
        return tf.reshape(x, [-1, self.channels])

    @staticmethod
    def pad(x, layer):
        return x if layer["padding"] == 0 else tf.pad(x, [[0, 0], [layer["padding"]] * 2, [0, 0]])

    @staticmethod
    def dense(x, layer, rows=slice(None)):
        w, b = layer
        return tf.matmul(x, w[rows].T) + b[rows]

    def normalise(self, x):
        mean = tf.reduce_mean(x, -1, keepdims=True)
        variance = tf.reduce_mean(tf.math.squared_difference(x, mean), -1, keepdims=True)
        return (x - mean) * tf.math.rsqrt(variance + self.central["eps"])

    def decode_tokens(self, x):
        c, t = self.central, self.t
        x = self.dense(x, self.layer("tokens", self.steps["s8"], 1.0)) + t["tokens.position"].astype(F32)
        for i in range(c["fusionBlocks"]):
            name, normal = f"fusion{i}", self.normalise(x)
            q, k, v = (self.project(normal, name, "qkv", f"{name}.norm", part, 3) for part in range(3))
            x = self.finish_block(x, name, self.attend(q, k, v, self.tokens))
        context = self.normalise(x)
        y = tf.constant(t["query.value"].astype(F32))
        for i in range(c["crossBlocks"]):
            name = f"cross{i}"
            if i == 0:
                q = tf.constant(t["cross0.q"] * F32(self.query_step(name)))
            else:
                q = self.project(self.normalise(y), name, "q", f"{name}.norm", 0, 1)
            k, v = (self.project(context, name, "kv", "context.norm", part, 2) for part in range(2))
            y = self.finish_block(y, name, self.attend(q, k, v, self.queries))
        return self.normalise(y)

    def query_step(self, block):
        return float(np.sqrt(self.central["attention"][block]["scoreScale"]))

    def project(self, x, block, layer, norm, index, count):
        is_value = count > 1 and index == count - 1
        step = 2.0**-8 if is_value else self.query_step(block)
        width = self.central["width"]
        layer = self.layer_behind(f"{block}.{layer}", norm, self.central["qscale"], 1.0, step)
        return self.dense(x, layer, slice(index * width, (index + 1) * width))

    def attend(self, q, k, v, queries):
        heads, width = self.central["heads"], self.central["width"]
        split = lambda x, rows: tf.transpose(tf.reshape(x, [rows, heads, width // heads]), [1, 0, 2])
        scores = tf.matmul(split(q, queries), split(k, self.tokens), transpose_b=True)
        x = tf.matmul(tf.nn.softmax(scores), split(v, self.tokens))
        return tf.reshape(tf.transpose(x, [1, 0, 2]), [queries, width])

    def finish_block(self, x, block, attended):
        out_scale = self.central["attention"][block].get("outScale")
        x = x + self.dense(attended, self.layer_behind(f"{block}.out", f"{block}.attention", out_scale, 16383 * 2.0**8, 1.0))
        up = self.layer_behind(f"{block}.up", f"{block}.mlp.norm", self.central["qscale"], 1.0, self.steps["u7"])
        hidden = tf.nn.relu6(self.dense(self.normalise(x), up))
        return x + self.dense(hidden, self.layer(f"{block}.down", self.steps["u7"], 1.0))

    def draw(self, x):
        height, width = self.central["grid"]
        x = tf.reshape(x, [1, height, width, self.central["width"]])
        source = "s16"
        for layer in self.central["decoder"]:
            w, b = self.layer(layer["name"], self.steps[source], self.steps[layer["output"]])
            if layer["kind"] == "convT2d":
                height, width = 2 * height, 2 * width
                shape = [1, height, width, layer["out"]]
                x = tf.nn.conv2d_transpose(x, join_phases(w), shape, 2, "SAME") + b
            else:
                x = tf.nn.conv2d(x, w.transpose(1, 2, 3, 0), 1, "SAME") + b
            if layer["output"] == "u7":
                x = tf.nn.relu6(x)
            source = layer["output"]
        rows, columns = self.map
        top, left = (height - rows) // 2, (width - columns) // 2
        x = x[:, top : top + rows, left : left + columns, :]
        return tf.clip_by_value(x, *map(float, self.config["geometry"]["velocityMps"]))

    def parts(self):
        """Function and input shape of each part."""
        whole = lambda x: self.draw(self.decode_tokens(self.encode(x)))
        return {
            "encoder": (self.encode, (1, self.frames, self.inputs)),
            "central": (self.decode_tokens, (self.tokens, self.channels)),
            "decoder": (self.draw, (self.queries, self.central["width"])),
            "full": (whole, (self.devices, self.frames, self.inputs)),
        }


def join_phases(w: np.ndarray) -> np.ndarray:
    """[phase][out][2][2][in] -> [4][4][out][in]; the phases as quantize.transposed_phases has them."""
    _, out, _, _, inputs = w.shape
    whole = np.zeros((4, 4, out, inputs), w.dtype)
    for py in range(2):
        for px in range(2):
            for y, row in enumerate((3 - py, 1 - py)):
                for x, column in enumerate((3 - px, 1 - px)):
                    whole[row, column] = w[2 * py + px][:, y, x]
    return whole


def samples(part: str, calibration) -> list[np.ndarray]:
    """Inputs of a part, one record after another."""
    if part == "central":
        return list(calibration["latents"])
    if part == "decoder":
        return list(calibration["answers"])
    records = [x.transpose(0, 2, 1) for x in calibration["x"]]
    return records if part == "full" else [device[None] for record in records for device in record]


def convert(function, shape, inputs: list[np.ndarray] | None) -> bytes:
    """Float32 without inputs, else int8 wherever TensorFlow Lite has an int8 form of the operation."""
    signature = tf.function(function, input_signature=[tf.TensorSpec(shape, tf.float32)]).get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([signature])
    if inputs is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([x.astype(F32)] for x in inputs)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8, tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("calibration", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    network, calibration = Network(options.model), np.load(options.calibration)
    options.out.mkdir(parents=True, exist_ok=True)
    for part, (function, shape) in network.parts().items():
        for form, inputs in (("fp32", None), ("int8", samples(part, calibration))):
            path = options.out / f"{part}.{form}.tflite"
            path.write_bytes(convert(function, shape, inputs))
            print(f"{path}  {path.stat().st_size} bytes")
    print(f"tensorflow {tf.__version__}")


if __name__ == "__main__":
    main()
