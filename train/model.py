"""The EPIC network (arXiv:2603.09032) in PyTorch, in the form that the int8 engine runs.

Every block is written so that quantisation is a matter of rounding, not of rewriting: activations
are clipped ReLUs with a learned range, latents are clipped to [-1, 1], layer norms carry no
parameters, batch norms fold into the convolution before them. `set_stage("qat")` freezes and folds
the norms and rounds weights and activations with a straight-through gradient; docs/numbers.md has
the arithmetic that the engine then does exactly.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from config import CODE_S16, CODE_U7, NIBBLE_STEP, device_width


def round_ste(x: Tensor) -> Tensor:
    """Rounds half to even; the gradient passes straight through."""
    return x + (torch.round(x) - x).detach()


def quantise_weight(weight: Tensor) -> Tensor:
    """int8 rounding, symmetric, one scale per output channel (dimension 0)."""
    scale = weight.detach().abs().flatten(1).amax(1).clamp_min(1e-8) / CODE_U7
    scale = scale.view(-1, *[1] * (weight.dim() - 1))
    return round_ste(weight / scale) * scale


def to_nibbles(latents: Tensor) -> Tensor:
    """Latents in [-1, 1] as the 4-bit encoding carries them: multiples of 18/127, at most 7 of them."""
    codes = round_ste(latents * CODE_U7)  # whole before they are halved between two steps, so that ties are ties
    return round_ste(codes / NIBBLE_STEP).clamp(-7, 7) * (NIBBLE_STEP / CODE_U7)


class ClippedReLU(nn.Module):
    """min(max(x, 0), 4); 128 levels when quantised (u7). The layer before it learns what fits the range."""

    limit = 4.0
    scale = limit / CODE_U7

    def __init__(self):
        super().__init__()
        self.quantised = False

    def forward(self, x: Tensor) -> Tensor:
        y = F.hardtanh(x, 0.0, self.limit)
        return round_ste(y / self.scale) * self.scale if self.quantised else y


class QuantLinear(nn.Linear):
    """A dense layer whose weights are rounded to int8 in the "qat" stage."""

    quantised = False
    span: tuple[Tensor, Tensor] | None = None  # lowest and highest input per channel, once quantize.calibrate has seen some

    def forward(self, x: Tensor) -> Tensor:
        weight = quantise_weight(self.weight) if self.quantised else self.weight
        return F.linear(x, weight, self.bias)

    def folded(self) -> tuple[Tensor, Tensor]:
        return self.weight, self.bias


class ConvNorm(nn.Module):
    """Convolution, batch norm (optional), clipped ReLU or none. `kind`: conv1d, conv2d, convT2d."""

    def __init__(self, layer: dict, norm: bool, relu: bool):
        super().__init__()
        self.kind, cin, cout = layer["kind"], layer["in"], layer["out"]
        if self.kind == "conv1d":
            self.conv = nn.Conv1d(cin, cout, layer["kernel"], layer["stride"], layer["padding"], bias=not norm)
        elif self.kind == "conv2d":
            self.conv = nn.Conv2d(cin, cout, 3, padding=1, bias=not norm)
        else:
            self.conv = nn.ConvTranspose2d(cin, cout, 4, stride=2, padding=1, bias=not norm)
        make_norm = nn.BatchNorm1d if self.kind == "conv1d" else nn.BatchNorm2d
        self.norm = make_norm(cout, momentum=0.05) if norm else None
        self.act = ClippedReLU() if relu else None
        self.quantised = False

    def folded(self) -> tuple[Tensor, Tensor]:
        """Weights [out, in, ...] and bias [out] with the batch norm's running statistics folded in."""
        weight = self.conv.weight
        if self.kind == "convT2d":
            weight = weight.transpose(0, 1)
        if self.norm is None:
            return weight, self.conv.bias
        gain = self.norm.weight / torch.sqrt(self.norm.running_var + self.norm.eps)
        return weight * gain.view(-1, *[1] * (weight.dim() - 1)), self.norm.bias - self.norm.running_mean * gain

    def forward(self, x: Tensor) -> Tensor:
        if self.quantised:
            weight, bias = self.folded()
            x = self.convolve(x, quantise_weight(weight), bias)
        else:
            x = self.conv(x)
            if self.norm is not None:
                x = self.norm(x)
        return x if self.act is None else self.act(x)

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        if self.kind == "conv1d":
            return F.conv1d(x, weight, bias, self.conv.stride, self.conv.padding)
        if self.kind == "conv2d":
            return F.conv2d(x, weight, bias, padding=1)
        return F.conv_transpose2d(x, weight.transpose(0, 1), bias, stride=2, padding=1)


class DeviceEncoder(nn.Module):
    """Traces of one device -> its latent. Input (B, shots*receivers, T), companded; output (B, slots, channels) in [-1, 1]."""

    def __init__(self, config: dict):
        super().__init__()
        layers = config["edge"]["layers"]
        self.layers = nn.ModuleList(ConvNorm(layer, norm=True, relu=layer["output"] == "u7") for layer in layers)
        nn.init.constant_(self.layers[-1].norm.weight, 0.4)
        self.quantised = False

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        x = x.clamp(-1, 1)
        if self.quantised:
            x = round_ste(x * CODE_U7) / CODE_U7
        return x.transpose(1, 2)


class Attention(nn.Module):
    """Multi-head attention on projected queries (B, Q, d), keys and values (B, T, d); `absent` (B, T) masks tokens."""

    def __init__(self, heads: int):
        super().__init__()
        self.heads = heads
        self.peaks: dict[str, float] | None = None

    def forward(self, q: Tensor, k: Tensor, v: Tensor, absent: Tensor | None) -> Tensor:
        if self.peaks is not None:  # calibration of the 12-bit scales
            for name, x in (("q", q), ("k", k), ("v", v)):
                self.peaks[name] = max(self.peaks.get(name, 0.0), x.abs().max().item())
        q, k, v = (x.unflatten(-1, (self.heads, -1)).transpose(1, 2) for x in (q, k, v))
        scores = (q @ k.transpose(2, 3)) * q.shape[-1] ** -0.5
        if absent is not None:
            scores = scores.masked_fill(absent[:, None, None, :], -1e4)
        return (scores.softmax(-1).to(v.dtype) @ v).transpose(1, 2).flatten(2)


def norm(x: Tensor) -> Tensor:
    """Layer norm without parameters: the linear layer behind it holds them."""
    return F.layer_norm(x, x.shape[-1:], eps=1e-5)


class Block(nn.Module):
    """Pre-norm attention and MLP. Self-attention if `cross` is false; otherwise keys come from a context."""

    def __init__(self, central: dict, cross: bool, constant_query: bool = False):
        super().__init__()
        d = central["width"]
        self.cross, self.constant_query = cross, constant_query
        if cross:
            self.q, self.kv = QuantLinear(d, d), QuantLinear(d, 2 * d)
        else:
            self.qkv = QuantLinear(d, 3 * d)
        self.attention = Attention(central["heads"])
        self.out, self.up, self.down = QuantLinear(d, d), QuantLinear(d, central["mlp"]), QuantLinear(central["mlp"], d)
        self.act = ClippedReLU()
        for layer in (self.out, self.down):  # a quiet residual start
            nn.init.normal_(layer.weight, std=0.02)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, context: Tensor | None = None, absent: Tensor | None = None) -> Tensor:
        if self.cross:
            q = self.q(norm(x))
            k, v = self.kv(context).chunk(2, -1)
        else:
            q, k, v = self.qkv(norm(x)).chunk(3, -1)
        x = x + self.out(self.attention(q, k, v, absent))
        return x + self.down(self.act(self.up(norm(x))))


class Positions(nn.Module):
    """Learned table plus an MLP of Fourier features of true coordinates: (n, 2) in [-1, 1] -> (n, d)."""

    def __init__(self, coordinates: Tensor, d: int, octaves: int = 4):
        super().__init__()
        angles = coordinates[:, None, :] * (torch.pi / 2) * 2.0 ** torch.arange(octaves)[None, :, None]
        self.register_buffer("features", torch.cat([angles.sin(), angles.cos()], 1).flatten(1))
        self.mlp = nn.Sequential(nn.Linear(self.features.shape[1], d), nn.ReLU(), nn.Linear(d, d))
        self.table = nn.Parameter(0.02 * torch.randn(len(coordinates), d))

    def forward(self) -> Tensor:
        return self.mlp(self.features) + self.table


def grid_coordinates(rows: Tensor, columns: Tensor) -> Tensor:
    return torch.stack(torch.meshgrid(rows, columns, indexing="ij"), -1).flatten(0, 1)


def device_centres(geometry: dict) -> Tensor:
    """Middle of each device's receivers along the line, -1 at its first column and 1 at its last."""
    columns = geometry.get("receiverColumns")
    half = ((geometry["map"][1] if columns else geometry["receivers"]) - 1) / 2
    middles = []
    for block in geometry["devices"]:
        first, count = block["firstReceiver"], block["receivers"]
        middles.append(sum(columns[first : first + count]) / count if columns else first + (count - 1) / 2)
    return torch.tensor([middle / half - 1 for middle in middles])


class CentralNode(nn.Module):
    """Latents of all devices -> velocity map. Input (B, devices, slots, channels), output (B, rows, columns) in [-1, 1]."""

    def __init__(self, config: dict):
        super().__init__()
        central, geometry = config["central"], config["geometry"]
        self.map, self.slots = geometry["map"], config["latent"]["slots"]
        self.grid, d = central["grid"], central["width"]
        times = torch.linspace(-1, 1, self.slots)
        self.tokens = QuantLinear(config["latent"]["channels"], d)
        self.token_position = Positions(grid_coordinates(device_centres(geometry), times), d)
        rows, columns = ((torch.arange(n) + 0.5) / n * 2 - 1 for n in self.grid)
        self.query = Positions(grid_coordinates(rows, columns), d)
        self.fusion = nn.ModuleList(Block(central, cross=False) for _ in range(central["fusionBlocks"]))
        self.cross = nn.ModuleList(Block(central, cross=True) for _ in range(central["crossBlocks"]))
        layers = central["decoder"]
        self.decoder = nn.ModuleList(
            ConvNorm(layer, norm=layer["output"] == "u7", relu=layer["output"] == "u7") for layer in layers
        )

    def forward(self, latents: Tensor, present: Tensor | None = None) -> Tensor:
        batch = latents.shape[0]
        absent = None if present is None else ~present.repeat_interleave(self.slots, 1)
        x = self.tokens(latents.flatten(1, 2)) + self.token_position()
        for block in self.fusion:
            x = block(x, absent=absent)
        context = norm(x)
        y = self.query()[None]
        for block in self.cross:
            y = block(y, context, absent)
        return self.decode(norm(y.expand(batch, -1, -1)))

    def decode(self, y: Tensor) -> Tensor:
        y = y.transpose(1, 2).unflatten(2, tuple(self.grid))
        for layer in self.decoder[:-1]:
            y = layer(y)
        with torch.autocast(y.device.type, enabled=False):  # bfloat16 would print its grid on flat layers
            y = self.decoder[-1](y.float())
        top, left = ((a - b) // 2 for a, b in zip(y.shape[-2:], self.map))
        return y[:, 0, top : top + self.map[0], left : left + self.map[1]]


class Epic(nn.Module):
    """One shared device encoder and one central node."""

    def __init__(self, config: dict):
        super().__init__()
        self.config = config
        self.encoder = DeviceEncoder(config)
        self.central = CentralNode(config)

    def encode(self, traces: Tensor, coarse: Tensor | None = None) -> Tensor:
        """(B, T, shots, receivers) companded traces of the whole line -> (B, devices, slots, channels).

        A device with fewer receivers than the largest has silence in place of the rest, as in the engine.
        `coarse` (B, devices): whose latents take the 4-bit form of the frame (encoding 1).
        """
        blocks, width = self.config["geometry"]["devices"], device_width(self.config)
        parts = [traces[..., b["firstReceiver"] : b["firstReceiver"] + b["receivers"]] for b in blocks]
        parts = [part if part.shape[-1] == width else F.pad(part, (0, width - part.shape[-1])) for part in parts]
        x = torch.stack(parts, 1).flatten(3).flatten(0, 1).transpose(1, 2)  # (B*D, shots*receivers, T)
        latents = self.encoder(x).unflatten(0, (-1, len(blocks)))
        return latents if coarse is None else torch.where(coarse[:, :, None, None], to_nibbles(latents), latents)

    def forward(self, traces: Tensor, present: Tensor | None = None, coarse: Tensor | None = None) -> Tensor:
        return self.central(self.encode(traces, coarse), present)

    def set_stage(self, stage: str) -> None:
        """"float": batch norms learn; "qat": norms are frozen and folded, everything is rounded."""
        for module in self.modules():
            if hasattr(module, "quantised"):
                module.quantised = stage == "qat"

    def parameter_count(self) -> int:
        """Parameters that ship: norms folded, position MLPs evaluated into tables."""
        count = 0
        for module in self.modules():
            if isinstance(module, (ConvNorm, QuantLinear)):
                weight, bias = module.folded()
                count += weight.numel() + bias.numel()
            if isinstance(module, Positions):
                count += module.table.numel()
        return count


def load_trained(path: Path) -> tuple[Epic, int]:
    """The network of a checkpoint of train.py, with its configuration, and the steps it was trained for."""
    state = torch.load(path, map_location="cpu", weights_only=False)
    model = Epic(state["config"])
    model.load_state_dict(state["model"])
    return model, state["step"]
