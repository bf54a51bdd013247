"""Bytes per latent against fidelity, for networks of several latent sizes and the three encodings of the frame.

    python train/rate_distortion.py RUN/latent-256/ema.pt RUN/latent-512/ema.pt train/checkpoints/epic-base.pt RUN/latent-2048/ema.pt \\
        --data train/runs/data --data-seed 12 --shards DIR --seed 3001 -o docs/rate-distortion.json

Encoding 0 sends every latent value as a byte, encoding 1 as half a byte, encoding 2 entropy-codes the half bytes with tables from training
records. Every figure comes from the rounded network (the "qat" stage, whose scores are the engine's to four digits). Bytes are those of the
latent alone, without the frame around it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from data import ROOT, Shards
from entropy import bits_per_value, latent_tables
from evaluate import mean_of, shard_batches, table
from export import load_model
from model import Epic
from train import to_input

STATE_BYTES = 4  # what the entropy coder adds to each latent


@torch.no_grad()
def latents_of(model: Epic, shards: Shards, rows: np.ndarray) -> np.ndarray:
    """Int8 latents (records x devices, slots, channels)."""
    parts = [model.encode(to_input(shards.batch(part)[0], model.config, "cpu")) for part in np.array_split(rows, max(1, len(rows) // 50))]
    return (torch.cat(parts) * 127).round().to(torch.int8).flatten(0, 1).numpy()


@torch.no_grad()
def mean_ssim(model: Epic, shards: Path, seed: int, bits: int) -> float:
    rows = []
    for family, codes, truth in shard_batches(shards, seed, model.config):
        coarse = torch.full((len(codes), len(model.config["geometry"]["devices"])), bits == 4)
        maps = model(to_input(codes, model.config, "cpu"), None, coarse).clamp(-1, 1).numpy()
        rows.append((family, maps, truth))
    return mean_of(table(rows), "ssim")


def points(path: Path, options: argparse.Namespace) -> list[dict]:
    model, config, _ = load_model(path)
    training = Shards(options.data, [f"*.seed{seed}.*.npz" for seed in options.data_seed])
    held_out = Shards(options.shards, [f"*.seed{options.seed}.*.npz"])
    random = np.random.default_rng(1)
    tables = latent_tables(latents_of(model, training, random.permutation(len(training.index))[:1500]))
    bits = bits_per_value(latents_of(model, held_out, random.permutation(len(held_out.index))[:200]), tables)
    values = config["latent"]["slots"] * config["latent"]["channels"]
    fine, coarse = (mean_ssim(model, options.shards, options.seed, bits) for bits in (8, 4))
    return [
        {"model": config["name"], "values": values, "encoding": encoding, "bytes": round(size, 1), "ssim": round(ssim, 4)}
        for encoding, size, ssim in (
            ("8 bit", values, fine),
            ("4 bit", values / 2, coarse),
            ("entropy", values * bits / 8 + STATE_BYTES, coarse),
        )
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, default=ROOT / "train/runs/data", help="training shards, for the entropy tables")
    parser.add_argument("--data-seed", type=int, nargs="+", default=[12])
    parser.add_argument("--shards", type=Path, required=True, help="test shards")
    parser.add_argument("--seed", type=int, default=3001)
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    found = [point for path in options.checkpoints for point in points(path, options)]
    count = len(Shards(options.shards, [f"*.seed{options.seed}.*.npz"]).index)
    options.out.write_text(json.dumps({"seed": options.seed, "records": count, "points": found}, indent=1) + "\n")
    for point in found:
        print(f"{point['model']:16}{point['encoding']:>9}{point['bytes']:9.1f} bytes  SSIM {point['ssim']:.4f}")


if __name__ == "__main__":
    main()
