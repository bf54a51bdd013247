"""Turns a trained Epic model into integers, and runs those integers exactly as the engine does.

`quantise(model, config)` returns the tensors of both weight files and the config with its attention scales. What the norms and the
attentions of the central node leave for dense layers takes the form that `config["central"]["activations"]` names: "s16" (also where
it is absent), one step for all channels, or "u7", a step and a zero for each channel.
`IntegerEpic` is the whole network in the arithmetic of docs/numbers.md, on top of `integer.py`: its outputs are the test
vectors of the engine, bit for bit.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

import integer
from config import CODE_S16, CODE_TRACE, CODE_U7, clone, device_width
from model import Block, ConvNorm, Epic, QuantLinear, norm

U7_STEP = 4.0 / CODE_U7  # ClippedReLU.limit / 127
LATENT_STEP = 1.0 / CODE_U7
MARGIN = 1.25  # room above the calibrated peak of q, k and v
BYTE_MARGIN = 1.2  # room around the calibrated span of a channel of bytes
NORM_WIDTH = 2.0  # least span of a norm's channel, in standard deviations: calibration may have missed what a quiet one does
NORM_SHARE, ATTENDED_SHARE = 0.999, 0.9995  # quantiles that end a channel's span: rare peaks clip rather than coarsen all steps
SMALL_SUM = 258  # 127 · 258 < 2^15: four products of one sign, or two pairs of them, stay inside int16
MAX_INPUT = {"s16": CODE_S16, "u7": CODE_U7, "s8": CODE_U7, "trace": CODE_TRACE}


class Codes(NamedTuple):
    """What a dense layer reads: value = (code - zero) · step, per channel or with one step and zero for all."""

    kind: str
    step: float | np.ndarray
    zero: int | np.ndarray = 0


def is_bytes(central: dict) -> bool:
    return central.get("activations", "s16") == "u7"


def byte_codes(span, unit: float, least: float) -> tuple[Codes, dict[str, np.ndarray]]:
    """Codes 0..127 of channels whose values span [low, high] = `span`, and the scale and zero that make them.

    unit    value of one of what the kernel multiplies by the scale; steps are those of the float32 scale, so what is folded is exact
    least   no channel's 127 steps cover less
    Zero itself always has a code, so zeros are 0..127 and a layer's bias grows by no more than its inputs can.
    """
    low, high = (end.double().numpy() for end in span)
    width = np.maximum((high - low) * BYTE_MARGIN, least)
    middle = (low + high) / 2
    first, last = np.minimum(middle - width / 2, 0), np.maximum(middle + width / 2, 0)
    scale = (unit * CODE_U7 / (last - first)).astype(np.float32)
    step = unit / scale.astype(np.float64)
    zero = np.clip(np.rint(-first / step), 0, CODE_U7).astype(np.int32)
    return Codes("u7", step, zero), {"scale": scale, "zero": zero}


def largest_sums(codes: np.ndarray) -> np.ndarray:
    """Per row, the largest sum of weights of one sign at inputs 8j + 2h + (0, 1, 4, 5), h = 0, 1: docs/numbers.md, small sums."""
    rows = np.pad(codes.reshape(len(codes), -1).astype(np.int32), [(0, 0), (0, -codes[0].size % 8)])
    fours = rows.reshape(len(rows), -1, 2, 2, 2)  # row, j, half of the eight, h, one of two
    return np.maximum(np.maximum(fours, 0).sum((2, 4)), np.maximum(-fours, 0).sum((2, 4))).max((1, 2))


def round_rows(weight: np.ndarray, small_sum: bool) -> tuple[np.ndarray, np.ndarray]:
    """int8 codes and float32 scale per output channel (axis 0)."""
    flat = weight.reshape(len(weight), -1).astype(np.float32)
    # The same float32 scale as the straight-through rounding in training, so the codes are the ones it saw.
    scale = np.maximum(np.abs(flat).max(1), np.float32(1e-8)) / np.float32(CODE_U7)
    codes = np.rint(flat / scale[:, None])
    while small_sum and (large := largest_sums(codes) > SMALL_SUM).any():
        scale[large] *= np.float32(1.002)
        codes[large] = np.rint(flat[large] / scale[large, None])
    return codes.astype(np.int8).reshape(weight.shape), scale


def layer_tensors(name: str, weight, bias, step_in, step_out, source: str, zero=0, small_sum=False) -> dict[str, np.ndarray]:
    """int8 weights [out][...], int32 bias, f32 scale of one layer.

    step_in    value of one step of the input codes; an array (dense layers only) has one for every input channel
    zero       the input code that means 0, likewise
    step_out   value of one output code (array or number; 1 for f32 outputs)
    Raises OverflowError if the int32 accumulator could overflow for the largest inputs.
    """
    weight, bias = (t.detach().double().numpy() for t in (weight, bias))
    if np.ndim(step_in) > 0:
        weight, step_in = weight * step_in, 1.0
    codes, scale = round_rows(weight, small_sum)
    unit = scale.astype(np.float64) * step_in
    offsets = np.rint(bias / unit)
    if np.ndim(zero) > 0:
        offsets -= codes.astype(np.float64) @ zero
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


def norm_codes(name: str, layer: QuantLinear, central: dict, tensors: dict) -> Codes:
    """The codes of the norm in front of `layer`; adds what the file says of them."""
    if not is_bytes(central):
        return Codes("s16", 1.0 / central["qscale"])
    codes, parts = byte_codes(layer.span, 1.0, NORM_WIDTH)
    tensors.update({f"{name}.{part}": value for part, value in parts.items()})
    return codes


def attended_codes(name: str, block: Block, central: dict, tensors: dict) -> Codes:
    """The codes that a block's attention leaves; no step is finer than that of v, whose average it is."""
    step = attention_steps(block.attention.peaks)["v"]
    if not is_bytes(central):
        return Codes("s16", step)
    codes, parts = byte_codes(block.out.span, step / integer.PROBABILITY_ONE, step * CODE_U7)
    tensors.update({f"{name}.attention.{part}": value for part, value in parts.items()})
    return codes


def block_tensors(name: str, block: Block, central: dict, tensors: dict, context: Codes | None = None) -> dict[str, float]:
    """Adds one block's layers to `tensors`; returns the block's scoreScale and, of an s16 model, outScale."""
    d, step = central["width"], attention_steps(block.attention.peaks)
    per_channel = {key: np.full(d, value) for key, value in step.items()}

    def dense(part: str, codes: Codes, step_out) -> None:
        layer = getattr(block, part)
        form = (codes.kind, codes.zero, is_bytes(central))
        tensors.update(layer_tensors(f"{name}.{part}", layer.weight, layer.bias, codes.step, step_out, *form))

    if block.cross:
        dense("kv", context, np.concatenate([per_channel["k"], per_channel["v"]]))
        if name != "cross0":  # whose queries are the same for every record
            dense("q", norm_codes(f"{name}.norm", block.q, central, tensors), per_channel["q"])
    else:
        all_three = np.concatenate([per_channel["q"], per_channel["k"], per_channel["v"]])
        dense("qkv", norm_codes(f"{name}.norm", block.qkv, central, tensors), all_three)
    dense("out", attended_codes(name, block, central, tensors), 1.0)
    dense("up", norm_codes(f"{name}.mlp.norm", block.up, central, tensors), U7_STEP)
    dense("down", Codes("u7", U7_STEP), 1.0)
    scales = {"scoreScale": float(np.float32(step["q"] * step["k"] / np.sqrt(d // central["heads"])))}
    return scales if is_bytes(central) else scales | {"outScale": float(np.float32(1 / integer.PROBABILITY_ONE))}


def watch_span(layer: QuantLinear, share: float):
    """Keeps, per input channel, the lowest and highest of the batches' quantiles in `layer.span`; returns the hook's handle."""
    layer.span = None

    def watch(_, inputs) -> None:
        x = inputs[0].flatten(0, -2).float()
        low, high = torch.quantile(x, torch.tensor([1 - share, share]), dim=0)
        layer.span = (low, high) if layer.span is None else (layer.span[0].minimum(low), layer.span[1].maximum(high))

    return layer.register_forward_pre_hook(watch)


@torch.no_grad()
def calibrate(model: Epic, batches) -> None:
    """Records what quantise needs over batches of network inputs (B, T, shots, receivers): peaks of q, k and v, spans of dense layers' inputs."""
    hooks = []
    for block in [*model.central.fusion, *model.central.cross]:
        block.attention.peaks = {}
        inner = [block.q, block.kv, block.up] if block.cross else [block.qkv, block.up]
        hooks += [watch_span(block.out, ATTENDED_SHARE), *(watch_span(layer, NORM_SHARE) for layer in inner)]
    model.eval()
    for x in batches:
        model(x)
    for hook in hooks:
        hook.remove()


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
        central["attention"][f"fusion{i}"] = block_tensors(f"fusion{i}", block, central, tensors)
    context = norm_codes("context.norm", node.cross[0].kv, central, tensors)
    query = node.query()
    tensors["query.value"] = query.float().numpy()
    for i, block in enumerate(node.cross):
        central["attention"][f"cross{i}"] = block_tensors(f"cross{i}", block, central, tensors, context)
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
        form = self.byte_form(f"{name}.attention") if is_bytes(c) else (scales["outScale"], 0, "s16")
        return integer.attention_s16(q, k, v, c["heads"], scales["scoreScale"], *form)

    def normalise(self, x: np.ndarray, name: str) -> np.ndarray:
        """The norm `name`; the last, "image", feeds the decoder, whose halos are zeros, so it is s16 in every model."""
        c = self.config["central"]
        form = self.byte_form(name) if is_bytes(c) and name != "image" else (c["qscale"], 0, "s16")
        return integer.layer_norm(x, c["eps"], *form)

    def byte_form(self, name: str) -> tuple[np.ndarray, np.ndarray, str]:
        return self.central[f"{name}.scale"], self.central[f"{name}.zero"], "u7"

    def mlp(self, name: str, x: np.ndarray) -> np.ndarray:
        hidden = self.layer(self.central, f"{name}.up", self.normalise(x, f"{name}.mlp.norm"), "u7")
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
            q, k, v = np.split(self.layer(t, f"fusion{i}.qkv", self.normalise(x, f"fusion{i}.norm"), "s16"), 3, -1)
            attended = self.attend(f"fusion{i}", q, k, v)
            x = integer.add_f32(x, self.layer(t, f"fusion{i}.out", attended, "f32"))
            x = self.mlp(f"fusion{i}", x)
        return self.decode_grid(self.ask(self.normalise(x, "context.norm")))

    def ask(self, context: np.ndarray) -> np.ndarray:
        """Every position of the map asks the tokens: the context's codes [B, tokens, d] -> s16 [B, rows, columns, d]."""
        c, t = self.config["central"], self.central
        y = np.broadcast_to(t["query.value"], (len(context), *t["query.value"].shape))
        for i in range(c["crossBlocks"]):
            if i == 0:
                q = np.broadcast_to(t["cross0.q"], y.shape)
            else:
                q = self.layer(t, f"cross{i}.q", self.normalise(y, f"cross{i}.norm"), "s16")
            k, v = np.split(self.layer(t, f"cross{i}.kv", context, "s16"), 2, -1)
            attended = self.attend(f"cross{i}", q, k, v)
            y = integer.add_f32(y, self.layer(t, f"cross{i}.out", attended, "f32"))
            y = self.mlp(f"cross{i}", y)
        return self.normalise(y, "image").reshape(len(context), *c["grid"], -1)

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
        return integer.clamp_velocity(y, *geometry["velocityMps"])
