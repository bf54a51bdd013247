"""Model and survey configuration: the one place where sizes live on the training side.

A model is described by a plain dictionary that travels inside the weight files (`config` in their
metadata), so the runtime needs nothing else to rebuild the network.
"""

from __future__ import annotations

import copy
import math

CODE_S16 = 2047  # range of signed activations
CODE_U7 = 127  # range of activations after ReLU, of weights and of latents
CODE_TRACE = 16383  # range of companded traces
NIBBLE_STEP = 18  # latent codes per step of the 4-bit encoding


def low_pass_taps(count: int = 13, cutoff_hz: float = 50.0, dt_s: float = 1e-3) -> list[float]:
    """Hamming-windowed sinc, unit gain at 0 Hz: the anti-alias filter in front of the decimation by 8."""
    half = count // 2
    taps = []
    for n in range(-half, half + 1):
        x = 2 * cutoff_hz * dt_s * n
        sinc = 1.0 if n == 0 else math.sin(math.pi * x) / (math.pi * x)
        taps.append(sinc * (0.54 + 0.46 * math.cos(math.pi * n / (half + 1))))
    total = sum(taps)
    return [float(f"{tap / total:.8f}") for tap in taps]


def conv1d(name, cin, cout, kernel, stride, source, output):
    return {
        "name": name, "kind": "conv1d", "in": cin, "out": cout, "kernel": kernel,
        "stride": stride, "padding": kernel // 2, "input": source, "output": output,
    }


def conv2d(name, cin, cout, source, output, kind="conv2d"):
    return {"name": name, "kind": kind, "in": cin, "out": cout, "input": source, "output": output}


def epic_base() -> dict:
    """The shipped model: 5 devices of 14 receivers, 16 x 64 latent values each."""
    shots, receivers, width = 5, 14, 128
    return {
        "name": "epic-base",
        "format": 1,
        "geometry": {
            "shots": shots, "samples": 1000, "receivers": 70, "dtMs": 1, "dxM": 10,
            "map": [70, 70], "velocityMps": [1500, 4500],
            "devices": [{"firstReceiver": 14 * i, "receivers": receivers} for i in range(5)],
        },
        "latent": {"slots": 16, "channels": 64},
        "input": {"decimation": 8, "taps": low_pass_taps(), "gain": 1, "compand": 8, "step": 1638},
        "edge": {
            "layers": [
                conv1d("enc0", shots * receivers, 64, 9, 2, "s16", "u7"),
                conv1d("enc1", 64, 96, 5, 2, "u7", "u7"),
                conv1d("enc2", 96, 128, 5, 2, "u7", "u7"),
                conv1d("enc3", 128, 64, 1, 1, "u7", "s8"),
            ]
        },
        "central": {
            "width": width, "heads": 4, "mlp": 2 * width, "eps": 1e-5, "qscale": 180,
            "fusionBlocks": 4, "crossBlocks": 2, "grid": [9, 9],
            "attention": {},
            "decoder": [
                conv2d("dec0", width, 64, "s16", "u7", "convT2d"),
                conv2d("dec1", 64, 64, "u7", "u7"),
                conv2d("dec2", 64, 64, "u7", "u7"),
                conv2d("dec3", 64, 32, "u7", "u7", "convT2d"),
                conv2d("dec4", 32, 32, "u7", "u7"),
                conv2d("dec5", 32, 32, "u7", "u7"),
                conv2d("dec6", 32, 16, "u7", "u7", "convT2d"),
                conv2d("dec7", 16, 1, "u7", "f32"),
            ],
        },
    }


def epic_nano() -> dict:
    """For the smallest boards: 38 M multiply-accumulates in all, 512 latent values per device (16 x 32)."""
    config = epic_base()
    width, channels = 64, 32
    inputs = config["edge"]["layers"][0]["in"]
    config |= {"name": "epic-nano", "latent": {"slots": 16, "channels": channels}}
    config["edge"]["layers"] = [
        conv1d("enc0", inputs, 32, 9, 2, "s16", "u7"),
        conv1d("enc1", 32, 64, 5, 2, "u7", "u7"),
        conv1d("enc2", 64, 64, 5, 2, "u7", "u7"),
        conv1d("enc3", 64, channels, 1, 1, "u7", "s8"),
    ]
    config["central"] |= {"width": width, "mlp": 2 * width, "fusionBlocks": 3, "crossBlocks": 1}
    config["central"]["decoder"] = [
        conv2d("dec0", width, 32, "s16", "u7", "convT2d"),
        conv2d("dec1", 32, 32, "u7", "u7"),
        conv2d("dec2", 32, 16, "u7", "u7", "convT2d"),
        conv2d("dec3", 16, 16, "u7", "u7"),
        conv2d("dec4", 16, 8, "u7", "u7", "convT2d"),
        conv2d("dec5", 8, 1, "u7", "f32"),
    ]
    return config


def with_latent(channels: int) -> dict:
    """epic-base with another latent size: 16 slots of `channels` values per device. For the rate-distortion curve."""
    config = epic_base()
    config |= {"name": f"epic-base-{16 * channels}", "latent": {"slots": 16, "channels": channels}}
    config["edge"]["layers"][-1]["out"] = channels
    return config


MODELS = {
    "epic-base": epic_base,
    "epic-nano": epic_nano,
    "epic-base-256": lambda: with_latent(16),
    "epic-base-512": lambda: with_latent(32),
    "epic-base-2048": lambda: with_latent(128),
}


def mac_counts(config: dict) -> dict[str, float]:
    """Multiply-accumulates per record: {"encoder" (one device), "central", "decoder", "full"}."""
    geometry, central = config["geometry"], config["central"]
    rows, encoder = math.ceil(geometry["samples"] / config["input"]["decimation"]), 0
    for layer in config["edge"]["layers"]:
        rows = (rows + 2 * layer["padding"] - layer["kernel"]) // layer["stride"] + 1
        encoder += rows * layer["kernel"] * layer["in"] * layer["out"]
    tokens = len(geometry["devices"]) * config["latent"]["slots"]
    queries, d, mlp = central["grid"][0] * central["grid"][1], central["width"], central["mlp"]
    block = 4 * d * d + 2 * d * mlp
    fusion = tokens * config["latent"]["channels"] * d
    fusion += central["fusionBlocks"] * tokens * (block + 2 * tokens * d)
    cross = tokens * 2 * d * d * central["crossBlocks"]
    cross += central["crossBlocks"] * queries * (d * d + 2 * d * mlp + 2 * tokens * d)
    cross += max(0, central["crossBlocks"] - 1) * queries * d * d
    height, width = central["grid"]
    decoder = 0
    for layer in central["decoder"]:
        if layer["kind"] == "convT2d":
            height, width = 2 * height, 2 * width
            decoder += height * width * 4 * layer["in"] * layer["out"]
        else:
            area = height * width if layer["out"] > 1 else geometry["map"][0] * geometry["map"][1]
            decoder += area * 9 * layer["in"] * layer["out"]
    full = encoder * len(geometry["devices"]) + fusion + cross + decoder
    return {"encoder": encoder, "central": fusion + cross, "decoder": decoder, "full": full}


def clone(config: dict) -> dict:
    return copy.deepcopy(config)
