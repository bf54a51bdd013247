"""Model and survey configuration: the one place where sizes live on the training side.

A model is described by a plain dictionary that travels inside the weight files (`config` in their
metadata), so the runtime needs nothing else to rebuild the network.

    python train/config.py epic-line48 > survey.json       what `epic simulate --survey survey.json` takes; sizes on stderr
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
from pathlib import Path

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
            "width": width, "heads": 4, "mlp": 2 * width, "eps": 1e-5, "qscale": 180, "activations": "u7",
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


def epic_large() -> dict:
    """epic-base's end devices, to the last bit, with a central node twice as wide and half as deep again."""
    config = epic_base()
    width, (c0, c1, c2) = 256, (128, 64, 32)
    config["name"] = "epic-large"
    config["central"] |= {"width": width, "heads": 8, "mlp": 2 * width, "fusionBlocks": 6, "crossBlocks": 3}
    config["central"]["decoder"] = [
        conv2d("dec0", width, c0, "s16", "u7", "convT2d"),
        conv2d("dec1", c0, c0, "u7", "u7"),
        conv2d("dec2", c0, c0, "u7", "u7"),
        conv2d("dec3", c0, c1, "u7", "u7", "convT2d"),
        conv2d("dec4", c1, c1, "u7", "u7"),
        conv2d("dec5", c1, c1, "u7", "u7"),
        conv2d("dec6", c1, c2, "u7", "u7", "convT2d"),
        conv2d("dec7", c2, 1, "u7", "f32"),
    ]
    return config


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


def epic_line48() -> dict:
    """Another survey: 3 shots into 48 receivers, four devices with blocks of their own sizes, a map of 48 x 48 cells of 8 m.

    A worked example (docs/train-your-own.md) and a test: nothing but its configuration tells it from epic-base.
    """
    shots, blocks, width = 3, (10, 14, 11, 13), 96
    firsts = [sum(blocks[:i]) for i in range(len(blocks))]
    return {
        "name": "epic-line48",
        "format": 1,
        "geometry": {
            "shots": shots, "samples": 500, "receivers": sum(blocks), "dtMs": 1, "dxM": 8, "peakHz": 20,
            "map": [48, 48], "velocityMps": [1500, 4500],
            "devices": [{"firstReceiver": first, "receivers": count} for first, count in zip(firsts, blocks)],
        },
        "latent": {"slots": 16, "channels": 32},
        "input": {"decimation": 8, "taps": low_pass_taps(), "gain": 1, "compand": 8, "step": 1638},
        "edge": {
            "layers": [
                conv1d("enc0", shots * max(blocks), 48, 9, 2, "s16", "u7"),
                conv1d("enc1", 48, 64, 5, 2, "u7", "u7"),
                conv1d("enc2", 64, 32, 1, 1, "u7", "s8"),
            ]
        },
        "central": {
            "width": width, "heads": 4, "mlp": 2 * width, "eps": 1e-5, "qscale": 180, "activations": "u7",
            "fusionBlocks": 2, "crossBlocks": 1, "grid": [6, 6],
            "attention": {},
            "decoder": [
                conv2d("dec0", width, 48, "s16", "u7", "convT2d"),
                conv2d("dec1", 48, 48, "u7", "u7"),
                conv2d("dec2", 48, 24, "u7", "u7", "convT2d"),
                conv2d("dec3", 24, 24, "u7", "u7"),
                conv2d("dec4", 24, 16, "u7", "u7", "convT2d"),
                conv2d("dec5", 16, 1, "u7", "f32"),
            ],
        },
    }


MODELS = {
    "epic-base": epic_base,
    "epic-large": epic_large,
    "epic-nano": epic_nano,
    "epic-line48": epic_line48,
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


def device_width(config: dict) -> int:
    """Receivers of the largest device: every device's input has as many, silent ones behind its own (docs/numbers.md)."""
    return max(block["receivers"] for block in config["geometry"]["devices"])


def shard_folder(config: dict, root: Path) -> Path:
    """Where shards lie unless told otherwise: one folder for all models of epic-base's survey and input, one for each other."""
    base = epic_base()
    same = all(config[part] == base[part] for part in ("geometry", "input"))
    return root / "train/runs" / ("data" if same else f"data-{config['name']}")


def spread(count: int, columns: int) -> list[int]:
    """`count` columns from the first to the last, halves rounded down: src/physics/survey.ts."""
    step = (columns - 1) / (count - 1) if count > 1 else 0
    first = 0 if count > 1 else (columns - 1) / 2
    return [math.ceil(first + i * step - 0.5) for i in range(count)]


def looks_alike_mirrored(geometry: dict) -> bool:
    """Whether sources and receivers stand where their mirror images do, within a cell."""
    columns = geometry["map"][1]
    for places, count in (("sourceColumns", "shots"), ("receiverColumns", "receivers")):
        stand = geometry.get(places) or spread(geometry[count], columns)
        if any(abs(a + b - (columns - 1)) > 1 for a, b in zip(stand, reversed(stand))):
            return False
    return True


def to_unit(velocity, config: dict):
    """m/s -> the network's range: [-1, 1] from the model's lowest velocity to its highest. Arrays or tensors."""
    low, high = config["geometry"]["velocityMps"]
    return (velocity - (high + low) / 2) / ((high - low) / 2)


def openfwi_scale(maps, config: dict):
    """Maps in the network's range -> the scale of OpenFWI's metrics, 1 = 1500 m/s, whatever the range of the model."""
    low, high = config["geometry"]["velocityMps"]
    if (low, high) == (1500, 4500):
        return maps
    return (maps * ((high - low) / 2) + ((high + low) / 2 - 3000)) / 1500


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=sorted(MODELS))
    config = MODELS[parser.parse_args().model]()
    geometry, latent = config["geometry"], config["latent"]
    raw = 4 * geometry["shots"] * geometry["samples"] * geometry["receivers"]
    blocks = [block["receivers"] for block in geometry["devices"]]
    millions = {part: round(count / 1e6, 2) for part, count in mac_counts(config).items()}
    print(json.dumps(config, indent=1))
    print(f"devices of {blocks} receivers; {raw} bytes of traces, {len(blocks)} x {latent['slots'] * latent['channels']} of latents", file=sys.stderr)
    print(f"million multiply-accumulates: {json.dumps(millions)}", file=sys.stderr)


if __name__ == "__main__":
    main()
