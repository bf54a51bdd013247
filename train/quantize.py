"""Turns a trained Epic model into integers, and runs those integers exactly as the engine does.

`quantise(model, config)` returns the tensors of both weight files and the config with its attention scales.
`IntegerEpic` is the whole network in the arithmetic of docs/numbers.md, on top of `integer.py`: its outputs are the test
vectors of the engine, bit for bit.
"""

from __future__ import annotations

import numpy as np
import torch

import integer
from config import CODE_S16, CODE_TRACE, CODE_U7, clone, device_width
from model import Block, ConvNorm, Epic, norm

U7_STEP = 4.0 / CODE_U7  # ClippedReLU.limit / 127
LATENT_STEP = 1.0 / CODE_U7
MARGIN = 1.25  # room above the calibrated peak of q, k and v
MAX_INPUT = {"s16": CODE_S16, "u7": CODE_U7, "s8": CODE_U7, "trace": CODE_TRACE}


def layer_tensors(name: str, weight, bias, step_in: float, step_out, source: str) -> dict[str, np.ndarray]:
    """int8 weights [out][...], int32 bias, f32 scale of one layer.

    step_in   value of one input code; step_out value of one output code (array or number; 1 for f32 outputs)
    Raises OverflowError if the int32 accumulator could overflow for the largest inputs.
    """
    weight, bias = (t.detach().double().numpy() for t in (weight, bias))
    flat = weight.reshape(len(weight), -1)
    # The same float32 scale as the straight-through rounding in training, so the codes are the ones it saw.
    scale = np.maximum(np.abs(flat).max(1).astype(np.float32), np.float32(1e-8)) / np.float32(CODE_U7)
    codes = np.rint(weight.astype(np.float32) / scale.reshape(-1, *[1] * (weight.ndim - 1))).astype(np.int8)
    unit = scale.astype(np.float64) * step_in
    offsets = np.rint(bias / unit)
    worst = np.abs(codes.reshape(len(codes), -1).astype(np.float64)).sum(1) * MAX_INPUT[source] + np.abs(offsets)
    if worst.max() >= 2**31:
        raise OverflowError(f"{name}: accumulator may reach {worst.max():.3g}, beyond int32")
    return {
        f"{name}.weight": codes,
        f"{name}.bias": offsets.astype(np.int32),
        f"{name}.scale": (unit / step_out).astype(np.float32),
    }


def conv_tensors(layer: dict, module: ConvNorm, step_in: float, step_out, source: str, gain=1.0, shift=0.0) -> dict:
    """A convolution with its norm folded, weights in the engine's order; `gain`, `shift` map its output to m/s."""
    weight, bias = module.folded()
    tensors = layer_tensors(layer["name"], weight, bias + shift / gain, step_in, np.asarray(step_out) / gain, source)
    codes, name = tensors[f"{layer['name']}.weight"], f"{layer['name']}.weight"
    if layer["kind"] == "conv1d":
        tensors[name] = np.ascontiguousarray(codes.transpose(0, 2, 1))
    elif layer["kind"] == "conv2d":
        tensors[name] = np.ascontiguousarray(codes.transpose(0, 2, 3, 1))
    else:
        tensors[name] = transposed_phases(codes)
    return tensors


def transposed_phases(codes: np.ndarray) -> np.ndarray:
    """[out][in][4][4] of ConvTranspose2d k4 s2 p1 -> [phase][out][2][2][in].

    Output 2y+py takes padded input rows y+py and y+py+1, that is input rows y+py-1 and y+py, through kernel rows
    3-py and 1-py; columns alike.
    """
    phases = []
    for py in range(2):
        for px in range(2):
            rows, columns = [3 - py, 1 - py], [3 - px, 1 - px]
            phases.append(codes[:, :, rows][:, :, :, columns].transpose(0, 2, 3, 1))
    return np.ascontiguousarray(np.stack(phases))


def attention_steps(peaks: dict[str, float]) -> dict[str, float]:
    return {name: peaks[name] * MARGIN / CODE_S16 for name in ("q", "k", "v")}


def block_tensors(name: str, block: Block, central: dict, tensors: dict, first: bool) -> dict[str, float]:
    """Adds one block's layers to `tensors`; returns the block's scoreScale and outScale."""
    d, unit = central["width"], 1.0 / central["qscale"]
    step = attention_steps(block.attention.peaks)
    per_channel = {key: np.full(d, value) for key, value in step.items()}
    if block.cross:
        keys = np.concatenate([per_channel["k"], per_channel["v"]])
        tensors |= layer_tensors(f"{name}.kv", block.kv.weight, block.kv.bias, unit, keys, "s16")
        if not first:
            tensors |= layer_tensors(f"{name}.q", block.q.weight, block.q.bias, unit, per_channel["q"], "s16")
    else:
        all_three = np.concatenate([per_channel["q"], per_channel["k"], per_channel["v"]])
        tensors |= layer_tensors(f"{name}.qkv", block.qkv.weight, block.qkv.bias, unit, all_three, "s16")
    tensors |= layer_tensors(f"{name}.out", block.out.weight, block.out.bias, step["v"], 1.0, "s16")
    tensors |= layer_tensors(f"{name}.up", block.up.weight, block.up.bias, unit, U7_STEP, "s16")
    tensors |= layer_tensors(f"{name}.down", block.down.weight, block.down.bias, U7_STEP, 1.0, "u7")
    head = d // central["heads"]
    return {
        "scoreScale": float(np.float32(step["q"] * step["k"] / np.sqrt(head))),
        "outScale": float(np.float32(1 / integer.PROBABILITY_ONE)),
    }


@torch.no_grad()
def calibrate(model: Epic, batches) -> None:
    """Records the peaks of q, k and v of every block over batches of network inputs (B, T, shots, receivers)."""
    blocks = [*model.central.fusion, *model.central.cross]
    for block in blocks:
        block.attention.peaks = {}
    model.eval()
    for x in batches:
        model(x)


@torch.no_grad()
def quantise(model: Epic, config: dict) -> tuple[dict, dict, dict]:
    """A calibrated model -> (edge tensors, central tensors, config with attention scales)."""
    config, node = clone(config), model.central
    central, edge, tensors = config["central"], {}, {}
    step = 1.0 / (4 * config["input"]["step"])
    for layer, module in zip(config["edge"]["layers"], model.encoder.layers):
        out = U7_STEP if layer["output"] == "u7" else LATENT_STEP
        edge |= conv_tensors(layer, module, step, out, "trace" if layer["input"] == "s16" else "u7")
        step = out
    tensors |= layer_tensors("tokens", node.tokens.weight, node.tokens.bias, LATENT_STEP, 1.0, "s8")
    tensors["tokens.position"] = node.token_position().float().numpy()
    for i, block in enumerate(node.fusion):
        central["attention"][f"fusion{i}"] = block_tensors(f"fusion{i}", block, central, tensors, False)
    query = node.query()
    tensors["query.value"] = query.float().numpy()
    for i, block in enumerate(node.cross):
        central["attention"][f"cross{i}"] = block_tensors(f"cross{i}", block, central, tensors, i == 0)
    q_step = attention_steps(node.cross[0].attention.peaks)["q"]
    q = node.cross[0].q(norm(query)).double().numpy()
    tensors["cross0.q"] = np.clip(np.rint(q / q_step), -CODE_S16, CODE_S16).astype(np.int16)
    low, high = config["geometry"]["velocityMps"]
    step, source = 1.0 / central["qscale"], "s16"
    for layer, module in zip(central["decoder"], node.decoder):
        if layer["output"] == "f32":
            tensors |= conv_tensors(layer, module, step, 1.0, source, (high - low) / 2, (high + low) / 2)
        else:
            tensors |= conv_tensors(layer, module, step, U7_STEP, source)
        step, source = U7_STEP, "u7"
    return edge, tensors, config


class IntegerEpic:
    """The quantised network in NumPy; every intermediate has the engine's bits."""

    def __init__(self, edge: dict, central: dict, config: dict):
        self.edge, self.central, self.config = edge, central, config

    def layer(self, tensors: dict, name: str, rows: np.ndarray, kind: str) -> np.ndarray:
        return integer.igemm(rows, tensors[f"{name}.weight"], tensors[f"{name}.bias"], tensors[f"{name}.scale"], kind)

    def input_codes(self, traces: np.ndarray) -> np.ndarray:
        """Traces f32 [..., shots, samples, receivers] of one device -> int16 [..., T, shots*width]."""
        s = self.config["input"]
        return integer.input_stage(self.fill_up(traces), s["taps"], s["decimation"], s["gain"], s["compand"], s["step"])

    def fill_up(self, x: np.ndarray) -> np.ndarray:
        """Silence behind a device's receivers (the last axis), up to the largest device's: docs/numbers.md, input stage."""
        missing = device_width(self.config) - x.shape[-1]
        return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, missing)])

    def encode_codes(self, x: np.ndarray) -> np.ndarray:
        """Input codes [..., T, shots*width] -> latent int8 [..., slots, channels]."""
        for layer in self.config["edge"]["layers"]:
            rows = integer.conv1d_rows(x, layer["kernel"], layer["stride"], layer["padding"])
            x = self.layer(self.edge, layer["name"], rows, layer["output"])
        return x.astype(np.int8)

    def encode_line(self, codes: np.ndarray) -> np.ndarray:
        """Input codes of the whole line [B, T, shots, receivers] -> latents int8 [B, devices, slots, channels]."""
        parts = []
        for block in self.config["geometry"]["devices"]:
            first, count = block["firstReceiver"], block["receivers"]
            x = self.fill_up(codes[..., first : first + count])
            parts.append(self.encode_codes(x.reshape(*x.shape[:-2], -1)))
        return np.stack(parts, 1)

    def attend(self, name: str, q, k, v) -> np.ndarray:
        c = self.config["central"]
        scales = c["attention"][name]
        return integer.attention_s16(q, k, v, c["heads"], scales["scoreScale"], scales["outScale"])

    def normalise(self, x: np.ndarray) -> np.ndarray:
        return integer.layer_norm_s16(x, self.config["central"]["eps"], self.config["central"]["qscale"])

    def mlp(self, name: str, x: np.ndarray) -> np.ndarray:
        hidden = self.layer(self.central, f"{name}.up", self.normalise(x), "u7")
        return integer.add_f32(x, self.layer(self.central, f"{name}.down", hidden, "f32"))

    def decode(self, latents: np.ndarray, present=None) -> np.ndarray:
        """Latents int8 [B, devices, slots, channels] -> velocities f32 [B, rows, columns] in m/s.

        present   booleans per device (the same for the batch); absent devices leave no tokens.
        """
        c, t = self.config["central"], self.central
        devices = np.arange(latents.shape[1]) if present is None else np.flatnonzero(present)
        position = t["tokens.position"].reshape(latents.shape[1], latents.shape[2], -1)[devices]
        x = self.layer(t, "tokens", latents[:, devices], "f32")
        x = integer.add_f32(x, position).reshape(len(latents), -1, c["width"])
        for i in range(c["fusionBlocks"]):
            q, k, v = np.split(self.layer(t, f"fusion{i}.qkv", self.normalise(x), "s16"), 3, -1)
            attended = self.attend(f"fusion{i}", q, k, v)
            x = integer.add_f32(x, self.layer(t, f"fusion{i}.out", attended, "f32"))
            x = self.mlp(f"fusion{i}", x)
        return self.decode_grid(self.ask(self.normalise(x)))

    def ask(self, context: np.ndarray) -> np.ndarray:
        """Every position of the map asks the tokens: context s16 [B, tokens, d] -> s16 [B, rows, columns, d]."""
        c, t = self.config["central"], self.central
        y = np.broadcast_to(t["query.value"], (len(context), *t["query.value"].shape))
        for i in range(c["crossBlocks"]):
            if i == 0:
                q = np.broadcast_to(t["cross0.q"], y.shape)
            else:
                q = self.layer(t, f"cross{i}.q", self.normalise(y), "s16")
            k, v = np.split(self.layer(t, f"cross{i}.kv", context, "s16"), 2, -1)
            attended = self.attend(f"cross{i}", q, k, v)
            y = integer.add_f32(y, self.layer(t, f"cross{i}.out", attended, "f32"))
            y = self.mlp(f"cross{i}", y)
        return self.normalise(y).reshape(len(context), *c["grid"], -1)

    def decode_grid(self, y: np.ndarray) -> np.ndarray:
        t, geometry = self.central, self.config["geometry"]
        for layer in self.config["central"]["decoder"]:
            name = layer["name"]
            if layer["kind"] == "convT2d":
                weights = [t[f"{name}.{part}"] for part in ("weight", "bias", "scale")]
                y = integer.conv_transpose2d(y, *weights, layer["output"])
            else:
                y = self.layer(t, name, integer.conv2d_rows(y), layer["output"])
        height, width = geometry["map"]
        top, left = (y.shape[1] - height) // 2, (y.shape[2] - width) // 2
        y = y[:, top : top + height, left : left + width]
        return integer.velocity_f32(y, *geometry["velocityMps"])
