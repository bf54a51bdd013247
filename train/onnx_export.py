"""Writes a shipped model as ONNX: for other runtimes, and for racing them on the same network.

    python train/onnx_export.py weights/epic-base --out build/onnx
    python train/onnx_export.py weights/epic-base --out build/onnx --calibrate records.npy
    python train/onnx_export.py weights/epic-base --out build/onnx --check records.npy velocity.npy

Reads the two .safetensors files alone, so any trained model will do; needs numpy and onnx, and onnxruntime to calibrate or
check. Parts: `encoder` (one device), `central` (latents to map tokens), `decoder` (tokens to map), `full` (all of it).

    X.fp32.onnx   the dequantised weights in float32, activations clipped as in training
    X.int8.onnx   QDQ: u8 activations per tensor, s8 weights per channel, s32 biases (with --calibrate)

The s8 weights are the engine's own, but for the layers behind norms and attentions of a model whose activations there are "u7":
those weights hold a step for each input channel, which QDQ has not, so the steps are taken out and the rows rounded again.

Encoder and full take companded traces by default: input `x` (devices, shots * receivers, T) float32, what the engine's input
stage gives its first convolution, in units of 4 * step codes. `--input traces` puts the input stage into the graph:
(shots, samples, receivers) as recorded. `--ops peers` keeps to the operators that small converters know (Conv, ConvTranspose,
Gemm, MatMul, Add, Relu, Softmax, Reshape, Transpose, Slice, LayerNormalization and Q/DQ): float graphs then lack the clips
above 4 and of the result, so use it for speed. In int8 graphs saturation clips, so there it costs the last clip alone.

The first convolution stays float in int8 graphs: companded traces have 15 bits, and 8 of them cost more than all the rest
(`--first u8` quantises it all the same). So do the products of attention (`--attention u8`): 8 bits hold no probability below
1/255. Both are for speed.

Records for --calibrate come from `npx epic simulate`, velocities for --check from `npx epic infer records.npy -o DIR`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import integer
import safetensors_io

F32 = np.float32
RELU_LIMIT = 4.0  # ClippedReLU.limit
PARTS = ("encoder", "central", "decoder", "full")
VALUE_STEP = 2.0**-8  # real value of one code of v; the layer behind attention undoes it


class Weights:
    """The layers of both halves in real numbers: value = code * step."""

    def __init__(self, folder: Path):
        edge, _ = safetensors_io.load(folder / "edge.safetensors")
        central, metadata = safetensors_io.load(folder / "central.safetensors")
        self.tensors = {**edge, **central}
        self.config = json.loads(metadata["config"])
        geometry, stage = self.config["geometry"], self.config["input"]
        self.shots, self.samples, self.receivers = (geometry[k] for k in ("shots", "samples", "receivers"))
        self.devices = len(geometry["devices"])
        self.width = self.config["edge"]["layers"][0]["in"] // self.shots
        self.frames = -(-self.samples // stage["decimation"])
        self.steps = {
            "trace": 1.0 / (4 * stage["step"]),
            "u7": RELU_LIMIT / integer.U7_MAX,
            "s8": 1.0 / integer.S8_MAX,
            "s16": 1.0 / self.config["central"]["qscale"],
            "f32": 1.0,
        }

    def layer(self, name: str, step_in: float, step_out: float | np.ndarray):
        """int8 weights as stored, the real value of one code per output channel, real biases."""
        codes, bias, scale = (self.tensors[f"{name}.{part}"] for part in ("weight", "bias", "scale"))
        unit = scale.astype(np.float64) * step_out
        return codes, unit / step_in, bias * unit

    def layer_behind(self, name: str, source: str, scale: float, per_unit: float, step_out: float | np.ndarray):
        """As `layer`, of a dense layer that reads, in real numbers, what the norm or attention `source` leaves.

        scale      of its codes, where the file has none for each channel; per_unit: what is multiplied by it, of a real 1
        Where it has, the codes returned are not whole: each has its input's step taken out.
        """
        if f"{source}.scale" not in self.tensors:
            return self.layer(name, 1.0 / (scale * per_unit), step_out)
        codes, unit, bias = self.layer(name, 1.0, step_out)
        scales, zeros = (self.tensors[f"{source}.{part}"].astype(np.float64) for part in ("scale", "zero"))
        return codes * scales * per_unit, unit, bias + unit * (codes.astype(np.float64) @ zeros)


class Graph:
    """Builds one ONNX graph. With `ranges`, every quantisable tensor passes through Q and DQ."""

    def __init__(self, name: str, peers: bool, ranges: dict[str, tuple[float, float]] | None):
        self.name, self.peers, self.ranges = name, peers, ranges
        self.nodes, self.initializers, self.inputs = [], [], []
        self.probes: dict[str, str] = {}  # tensors whose range is to be calibrated, by key
        self.constants: dict[str, str] = {}

    def constant(self, value: np.ndarray, name: str) -> str:
        if name not in self.constants:
            self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
            self.constants[name] = name
        return name

    def op(self, kind: str, inputs: list[str], **attributes) -> str:
        out = f"{kind.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [out], name=out, **attributes))
        return out

    def input(self, name: str, shape: tuple[int, ...]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def reshape(self, x: str, *shape: int) -> str:
        return self.op("Reshape", [x, self.constant(np.array(shape, np.int64), "shape_" + "_".join(map(str, shape)))])

    def act(self, x: str, key: str, fixed: tuple[float, float] | None = None) -> str:
        """A tensor that is quantised to u8: over `fixed`, or over its calibrated range."""
        if self.ranges is None:
            if fixed is None:
                self.probes[key] = x
            return x
        low, high = fixed if fixed else self.ranges[key]
        low, high = min(low, 0.0), max(high, 0.0)
        step = F32((high - low) / 255 or 1e-3)
        scale = self.constant(step, f"{key}_step")
        zero = self.constant(np.uint8(round(-low / float(step))), f"{key}_zero")
        return self.op("DequantizeLinear", [self.op("QuantizeLinear", [x, scale, zero]), scale, zero])

    def fixed_act(self, value: np.ndarray, key: str, quantised: bool) -> str:
        """A constant where an activation would be: stored as u8 if activations of its kind are."""
        if self.ranges is None or not quantised:
            return self.constant(value, key)
        low, high = min(float(value.min()), 0.0), max(float(value.max()), 0.0)
        step = F32((high - low) / 255 or 1e-3)
        zero = round(-low / float(step))
        codes = np.clip(np.rint(value / step) + zero, 0, 255).astype(np.uint8)
        parameters = [self.constant(step, f"{key}_step"), self.constant(np.uint8(zero), f"{key}_zero")]
        return self.op("DequantizeLinear", [self.constant(codes, key), *parameters])

    def activation_step(self, key: str, fixed: tuple[float, float] | None) -> float:
        low, high = fixed if fixed else self.ranges[key]
        return float(F32((max(high, 0.0) - min(low, 0.0)) / 255 or 1e-3))

    def weights(self, name: str, codes: np.ndarray, unit: np.ndarray, bias: np.ndarray, axis: int, step_in) -> tuple[str, str]:
        """Names of the weight and bias of a layer; `axis` counts output channels. step_in: None keeps them float."""
        shape = [1] * codes.ndim
        shape[axis] = -1
        if self.ranges is None or step_in is None:
            real = (codes * unit.reshape(shape)).astype(F32)
            return self.constant(real, f"{name}_w"), self.constant(bias.astype(F32), f"{name}_b")
        if codes.dtype != np.int8:
            peak = np.abs(codes).max(1 - axis, keepdims=True) / integer.S8_MAX
            codes, unit = np.rint(codes / peak).astype(np.int8), unit * peak.reshape(-1)
        scale = self.constant(unit.astype(F32), f"{name}_w_step")
        zero = self.constant(np.zeros(len(unit), np.int8), f"{name}_w_zero")
        w = self.op("DequantizeLinear", [self.constant(codes, f"{name}_w"), scale, zero], axis=axis)
        bias_step = (unit * step_in).astype(F32)
        bias_codes = np.clip(np.rint(bias / bias_step), -(2**31), 2**31 - 1).astype(np.int32)
        scale = self.constant(bias_step, f"{name}_b_step")
        zero = self.constant(np.zeros(len(unit), np.int32), f"{name}_b_zero")
        return w, self.op("DequantizeLinear", [self.constant(bias_codes, f"{name}_b"), scale, zero], axis=0)

    def dense(self, x: str, name: str, layer, key: str, fixed=None) -> str:
        """Rows of x, whose tensor is the activation `key`, through a layer (codes [out, in], unit, bias)."""
        codes, unit, bias = layer
        step = None if self.ranges is None else self.activation_step(key, fixed)
        return self.op("Gemm", [x, *self.weights(name, codes.T, unit, bias, 1, step)])

    def sum(self, x: str, key: str) -> str:
        """A dense layer's result that goes on in float. Small converters know int8 layers with int8 results alone."""
        return self.act(x, key) if self.peers or self.ranges is None else x

    def relu(self, x: str) -> str:
        """min(max(x, 0), 4). In QDQ graphs the quantisation behind it ends at 4."""
        if self.ranges is not None or self.peers:
            return self.op("Relu", [x])
        return self.clip(x, 0.0, RELU_LIMIT)

    def clip(self, x: str, low: float, high: float) -> str:
        return self.op("Clip", [x, self.constant(F32(low), f"at_{low}"), self.constant(F32(high), f"at_{high}")])

    def normalise(self, x: str, width: int, eps: float) -> str:
        ones, zeros = self.constant(np.ones(width, F32), "ones"), self.constant(np.zeros(width, F32), "zeros")
        return self.op("LayerNormalization", [x, ones, zeros], axis=-1, epsilon=eps)

    def model(self, output: str, shape: tuple[int, ...], config: dict) -> onnx.ModelProto:
        out = helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self.nodes, self.name, self.inputs, [out], self.initializers)
        model = helper.make_model(graph, producer_name="epic-wasm", opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        helper.set_model_props(model, {"epic.model": config["name"], "epic.geometry": json.dumps(config["geometry"])})
        onnx.checker.check_model(model, full_check=True)
        return model


RELU = (0.0, RELU_LIMIT)
LATENT = (-1.0, 1.0 + 1.0 / 127)  # u8 with zero at 127 or 128: the engine's steps of 1/127


class Builder:
    def __init__(self, weights: Weights, first_u8: bool = False, attention_u8: bool = False):
        self.w, self.first_u8, self.attention_u8 = weights, first_u8, attention_u8
        self.central = weights.config["central"]
        self.tokens = weights.devices * weights.config["latent"]["slots"]
        self.queries = self.central["grid"][0] * self.central["grid"][1]

    def build(self, part: str, traces: bool, peers: bool, ranges=None) -> tuple[Graph, onnx.ModelProto]:
        g, w, latent = Graph(part, peers, ranges), self.w, self.w.config["latent"]
        if part in ("encoder", "full"):
            batch = w.devices if part == "full" else 1
            x = self.front(g, batch) if traces else g.input("x", (batch, w.shots * w.width, w.frames))
            x = self.encode(g, x)
            shape = (batch, latent["slots"], latent["channels"])
        if part == "central":
            x = g.input("x", (self.tokens, latent["channels"]))
            x = g.act(x, "latents", LATENT)
        if part == "full":
            x = g.act(g.reshape(x, self.tokens, latent["channels"]), "latents", LATENT)
        if part in ("central", "full"):
            x, shape = self.decode_tokens(g, x), (self.queries, self.central["width"])
        if part == "decoder":
            x = g.input("x", (self.queries, self.central["width"]))
        if part in ("decoder", "full"):
            x, shape = self.draw(g, x), (1, 1, *w.config["geometry"]["map"])
        return g, g.model(x, shape, w.config)

    def front(self, g: Graph, batch: int) -> str:
        """The input stage: low-pass, decimation, companding; float, without the rounding of the codes."""
        w, stage = self.w, self.w.config["input"]
        taps, decimation = np.array(stage["taps"], F32), stage["decimation"]
        half = len(taps) // 2
        after = max(0, decimation * (w.frames - 1) + len(taps) - half - w.samples)
        receivers = w.receivers if batch > 1 else w.width
        x = g.op("Transpose", [g.input("traces", (w.shots, w.samples, receivers))], perm=[0, 2, 1])
        x = g.reshape(x, w.shots * receivers, 1, w.samples)
        kernel = g.constant(taps.reshape(1, 1, -1), "taps")
        y = g.op("Conv", [x, kernel], kernel_shape=[len(taps)], strides=[decimation], pads=[half, after])
        gain = g.constant(F32(stage["gain"] * stage["compand"]), "gain")
        a = g.op("Add", [g.op("Mul", [g.op("Abs", [y]), gain]), g.constant(F32(1), "one")])
        # log2(a) * step codes of 1 / (4 step) each: log(a) / (4 ln 2), and at most 16383 codes.
        size = g.op("Mul", [g.op("Log", [a]), g.constant(F32(0.25 / np.log(2)), "quarter_log2")])
        largest = g.constant(F32(integer.TRACE_MAX * w.steps["trace"]), "largest")
        x = g.op("Mul", [g.op("Min", [size, largest]), g.op("Sign", [y])])
        if batch == 1:
            return g.reshape(x, 1, w.shots * w.width, w.frames)
        return self.split_devices(g, g.reshape(x, w.shots, receivers, w.frames))

    def split_devices(self, g: Graph, x: str) -> str:
        """(shots, receivers, T) -> (devices, shots * width, T); a smaller device is filled up with zeros."""
        w, parts = self.w, []
        axis = g.constant(np.array([1], np.int64), "axis_receivers")
        for block in w.config["geometry"]["devices"]:
            first, count = block["firstReceiver"], block["receivers"]
            ends = [g.constant(np.array([at], np.int64), f"receiver_{at}") for at in (first, first + count)]
            part = g.op("Slice", [x, *ends, axis])
            if count < w.width:
                pads = np.array([0, 0, 0, 0, w.width - count, 0], np.int64)
                part = g.op("Pad", [part, g.constant(pads, f"fill_{w.width - count}")])
            parts.append(g.reshape(part, 1, w.shots * w.width, w.frames))
        return g.op("Concat", parts, axis=0)

    def encode(self, g: Graph, x: str) -> str:
        """Companded traces (devices, channels, T) -> latents (devices, slots, channels)."""
        largest = integer.TRACE_MAX * self.w.steps["trace"]
        source, key, fixed = "trace", "traces", (-largest, largest)
        if self.first_u8:
            x = g.act(x, key, fixed)
        for layer in self.w.config["edge"]["layers"]:
            name, last = layer["name"], layer["output"] != "u7"
            codes, unit, bias = self.w.layer(name, self.w.steps[source], self.w.steps[layer["output"]])
            is_float = g.ranges is None or (source == "trace" and not self.first_u8)
            step = None if is_float else g.activation_step(key, fixed)
            names = g.weights(name, codes.transpose(0, 2, 1), unit, bias, 0, step)
            k, p = layer["kernel"], layer["padding"]
            x = g.op("Conv", [x, *names], kernel_shape=[k], strides=[layer["stride"]], pads=[p, p])
            source, key, fixed = layer["output"], f"{name}_out", LATENT if last else RELU
            if not last:
                x = g.relu(x)
            elif g.ranges is None and not g.peers:
                x = g.clip(x, -1.0, 1.0)
            x = g.act(x, "latents" if last else key, fixed)
        return g.op("Transpose", [x], perm=[0, 2, 1])

    def decode_tokens(self, g: Graph, latents: str) -> str:
        """Latents (tokens, channels) -> normalised answers of the map's positions (queries, width)."""
        w, c, t = self.w, self.central, self.w.tensors
        x = g.sum(g.dense(latents, "tokens", w.layer("tokens", w.steps["s8"], 1.0), "latents", LATENT), "tokens_sum")
        x = g.op("Add", [x, g.constant(t["tokens.position"].astype(F32), "position")])
        for i in range(c["fusionBlocks"]):
            name = f"fusion{i}"
            normal = self.normal(g, x, f"{name}_in")
            q, k, v = (self.project(g, normal, name, "qkv", f"{name}.norm", i, 3, f"{name}_in") for i in range(3))
            x = self.finish_block(g, x, name, self.attend(g, name, q, k, v, self.tokens))
        context = self.normal(g, x, "context")
        y = g.constant(t["query.value"].astype(F32), "query")
        for i in range(c["crossBlocks"]):
            name = f"cross{i}"
            if i == 0:
                q = (t["cross0.q"] * self.query_step(name)).astype(F32)
            else:
                q = self.project(g, self.normal(g, y, f"{name}_in"), name, "q", f"{name}.norm", 0, 1, f"{name}_in")
            k, v = (self.project(g, context, name, "kv", "context.norm", part, 2, "context") for part in range(2))
            y = self.finish_block(g, y, name, self.attend(g, name, q, k, v, self.queries))
        return g.normalise(y, c["width"], c["eps"])

    def normal(self, g: Graph, x: str, key: str) -> str:
        return g.act(g.normalise(x, self.central["width"], self.central["eps"]), key)

    def query_step(self, block: str) -> float:
        """Real value of a code of q and of k: their products are the scores."""
        return float(np.sqrt(self.central["attention"][block]["scoreScale"]))

    def project(self, g: Graph, x: str, block: str, layer: str, norm: str, index: int, count: int, key: str) -> str:
        """One of q, k and v: a third, half or all of a layer's outputs. The last of several is v."""
        is_value = count > 1 and index == count - 1
        step = VALUE_STEP if is_value else self.query_step(block)
        codes, unit, bias = self.w.layer_behind(f"{block}.{layer}", norm, self.central["qscale"], 1.0, step)
        rows = slice(index * self.central["width"], (index + 1) * self.central["width"])
        x = g.dense(x, f"{block}_{layer}{index}", (codes[rows], unit[rows], bias[rows]), key)
        return x if self.attention_u8 else g.sum(x, f"{block}_{layer}{index}_sum")

    def attend(self, g: Graph, block: str, q: str | np.ndarray, k: str, v: str, queries: int) -> str:
        """q as an array: questions that are the same for every record, a constant of the graph."""
        c = self.central
        heads, head = c["heads"], c["width"] // c["heads"]

        def split(x: str, rows: int, perm: list[int], key: str) -> str:
            if self.attention_u8:
                x = g.act(x, f"{block}_{key}")
            x = g.op("Transpose", [g.reshape(x, rows, heads, head)], perm=perm)
            return g.act(x, f"{block}_{key}") if self.attention_u8 else x

        if isinstance(q, np.ndarray):
            q = g.fixed_act(q.reshape(queries, heads, head).transpose(1, 0, 2), f"{block}_q", self.attention_u8)
        else:
            q = split(q, queries, [1, 0, 2], "q")
        scores = g.op("MatMul", [q, split(k, self.tokens, [1, 2, 0], "k")])
        if self.attention_u8:
            scores = g.sum(scores, f"{block}_scores")
        p = g.op("Softmax", [scores], axis=-1)
        if self.attention_u8:
            # Small converters know one scale of probabilities, 1/256.
            p = g.act(p, f"{block}_p", (0.0, 255 / 256) if g.peers else None)
        x = g.op("MatMul", [p, split(v, self.tokens, [1, 0, 2], "v")])
        x = g.reshape(g.op("Transpose", [x], perm=[1, 0, 2]), queries, c["width"])
        return g.act(x, f"{block}_attended")

    def finish_block(self, g: Graph, x: str, block: str, attended: str) -> str:
        w, steps = self.w, self.w.steps
        # The kernel scales sums of codes of v times probabilities of 16383.
        out_scale, per_unit = self.central["attention"][block].get("outScale"), integer.PROBABILITY_ONE / VALUE_STEP
        out = w.layer_behind(f"{block}.out", f"{block}.attention", out_scale, per_unit, 1.0)
        answer = g.sum(g.dense(attended, f"{block}_out", out, f"{block}_attended"), f"{block}_out_sum")
        x = g.op("Add", [x, answer])
        normal = self.normal(g, x, f"{block}_mlp")
        up = w.layer_behind(f"{block}.up", f"{block}.mlp.norm", self.central["qscale"], 1.0, steps["u7"])
        hidden = g.act(g.relu(g.dense(normal, f"{block}_up", up, f"{block}_mlp")), f"{block}_hidden", RELU)
        down = w.layer(f"{block}.down", steps["u7"], 1.0)
        change = g.sum(g.dense(hidden, f"{block}_down", down, f"{block}_hidden", RELU), f"{block}_down_sum")
        return g.op("Add", [x, change])

    def draw(self, g: Graph, x: str) -> str:
        """Normalised answers (queries, width) -> the map (1, 1, rows, columns), m/s."""
        w, c, geometry = self.w, self.central, self.w.config["geometry"]
        height, width = c["grid"]
        x = g.op("Transpose", [g.act(x, "answers")], perm=[1, 0])
        x = g.act(g.reshape(x, 1, c["width"], height, width), "answers")
        source, key, fixed = "s16", "answers", None
        for layer in c["decoder"]:
            name, last = layer["name"], layer["output"] == "f32"
            codes, unit, bias = w.layer(name, w.steps[source], w.steps[layer["output"]])
            # One channel in m/s needs more than 8 bits: the last layer stays float.
            step = None if g.ranges is None or last else g.activation_step(key, fixed)
            if layer["kind"] == "convT2d":
                names = g.weights(name, join_phases(codes), unit, bias, 1, step)
                x = g.op("ConvTranspose", [x, *names], kernel_shape=[4, 4], strides=[2, 2], pads=[1, 1, 1, 1])
                height, width = 2 * height, 2 * width
            else:
                names = g.weights(name, codes.transpose(0, 3, 1, 2), unit, bias, 0, step)
                x = g.op("Conv", [x, *names], kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
            source, key, fixed = layer["output"], f"{name}_out", RELU
            if not last:
                x = g.act(g.relu(x), key, RELU)
        rows, columns = geometry["map"]
        top, left = (height - rows) // 2, (width - columns) // 2
        ends = [np.array(at, np.int64) for at in ([top, left], [top + rows, left + columns], [2, 3])]
        x = g.op("Slice", [x, *(g.constant(at, f"crop{i}") for i, at in enumerate(ends))])
        return x if g.peers else g.clip(x, *map(float, geometry["velocityMps"]))


def join_phases(codes: np.ndarray) -> np.ndarray:
    """[phase][out][2][2][in] -> [in][out][4][4], the inverse of quantize.transposed_phases."""
    _, out, _, _, inputs = codes.shape
    whole = np.zeros((out, inputs, 4, 4), codes.dtype)
    for py in range(2):
        for px in range(2):
            part = codes[2 * py + px].transpose(0, 3, 1, 2)
            for y, row in enumerate((3 - py, 1 - py)):
                for x, column in enumerate((3 - px, 1 - px)):
                    whole[:, :, row, column] = part[:, :, y, x]
    return whole.transpose(1, 0, 2, 3)


def companded(weights: Weights, record: np.ndarray) -> np.ndarray:
    """A record (shots, samples, receivers) -> the graphs' input (devices, shots * width, T), as the engine computes it."""
    stage, parts = weights.config["input"], []
    for block in weights.config["geometry"]["devices"]:
        first, count = block["firstReceiver"], block["receivers"]
        own = np.pad(record[..., first : first + count], [(0, 0), (0, 0), (0, weights.width - count)])
        codes = integer.input_stage(own, stage["taps"], stage["decimation"], stage["gain"], stage["compand"], stage["step"])
        parts.append(codes.T * F32(weights.steps["trace"]))
    return np.stack(parts)


def session(model: onnx.ModelProto):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def load_records(path: Path, weights: Weights) -> np.ndarray:
    records = np.load(path, mmap_mode="r")
    expected = (weights.shots, weights.samples, weights.receivers)
    if records.ndim != 4 or records.shape[1:] != expected:
        raise SystemExit(f"{path}: expected records of shape (N, {', '.join(map(str, expected))}), got {records.shape}")
    return records


def calibrate(builder: Builder, records: np.ndarray) -> dict[str, tuple[float, float]]:
    """Smallest and largest value of every tensor to be quantised, over the records."""
    graph, model = builder.build("full", traces=False, peers=False)
    keys, names = zip(*graph.probes.items())
    known = {value.name for value in model.graph.output}
    model.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in dict.fromkeys(names) if name not in known)
    run, ranges = session(model), {}
    for record in records:
        values = run.run(list(names), {"x": companded(builder.w, np.asarray(record, F32))})
        for key, value in zip(keys, values):
            low, high = ranges.get(key, (0.0, 0.0))
            ranges[key] = (min(low, float(value.min())), max(high, float(value.max())))
    return ranges


def compare(model: onnx.ModelProto, weights: Weights, records: np.ndarray, velocities: np.ndarray) -> dict[str, float]:
    """Differences in m/s between a full graph and the engine's maps of the same records."""
    run = session(model)
    name = run.get_inputs()[0].name
    differences = []
    for record, velocity in zip(records, velocities):
        record = np.asarray(record, F32)
        feed = record if name == "traces" else companded(weights, record)
        differences.append(np.abs(run.run(None, {name: feed})[0].reshape(velocity.shape) - velocity))
    every = np.stack(differences)
    return {"records": len(every), "maxMps": float(every.max()), "meanMps": float(every.mean()), "rmsMps": float(np.sqrt((every**2).mean()))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder with edge.safetensors and central.safetensors")
    parser.add_argument("--out", type=Path, required=True, help="folder for the .onnx files")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--input", choices=("companded", "traces"), default="companded")
    parser.add_argument("--ops", choices=("onnx", "peers"), default="onnx")
    parser.add_argument("--calibrate", type=Path, metavar="RECORDS", help="write int8 graphs too, with ranges from these records")
    parser.add_argument("--first", choices=("float", "u8"), default="float", help="the first convolution in int8 graphs")
    parser.add_argument("--attention", choices=("float", "u8"), default="float", help="the products of attention in int8 graphs")
    parser.add_argument("--check", type=Path, nargs=2, metavar=("RECORDS", "VELOCITY"), help="compare full graphs with the engine's maps")
    options = parser.parse_args()
    weights = Weights(options.model)
    builder = Builder(weights, options.first == "u8", options.attention == "u8")
    forms = {"fp32": None}
    if options.calibrate:
        forms["int8"] = calibrate(builder, load_records(options.calibrate, weights))
    options.out.mkdir(parents=True, exist_ok=True)
    for part in options.parts:
        for form, ranges in forms.items():
            _, model = builder.build(part, options.input == "traces", options.ops == "peers", ranges)
            path = options.out / f"{part}.{form}.onnx"
            path.write_bytes(model.SerializeToString())
            line = f"{path}  {path.stat().st_size} bytes"
            if options.check and part == "full":
                records, velocities = load_records(options.check[0], weights), np.load(options.check[1])
                line += f"  {json.dumps(compare(model, weights, records, velocities))}"
            print(line)


if __name__ == "__main__":
    main()
