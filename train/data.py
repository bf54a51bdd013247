"""Training data: maps and records from `epic simulate`, packed into small shards of companded traces.

A shard is an .npz of 100 or so records of one family: `codes` int16 (N, 125, 5, 70), exactly what the engine's input
stage yields, and `maps` uint16 (N, 70, 70) in units of 0.1 m/s. 1.4 MB of raw traces become 87.5 kB.

    python train/data.py --seed 1 --rounds 14                              fresh maps of all ten families, resumable
    python train/data.py --seed 2 --rounds 6 --boundary openfwi --count 50    with the data sets' own boundary
    python train/data.py --seed 1002 --boundary openfwi --count 40            held out

Both boundaries belong into the training data: OpenFWI's sponge lets late waves of 0.1 to 5 % of a record through, and a
network that never met them loses 0.014 of SSIM on such records.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import integer
from config import MODELS

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = [
    "flatvel-a", "flatvel-b", "curvevel-a", "curvevel-b", "flatfault-a",
    "flatfault-b", "curvefault-a", "curvefault-b", "style-a", "style-b",
]  # fmt: skip


def simulate(family: str, seed: int, start: int, count: int, out: Path, threads: int, boundary: str) -> None:
    command = ["node", str(ROOT / "dist/cli/main.js"), "simulate", "--family", family, "--seed", str(seed)]
    command += ["-n", str(count), "--start-index", str(start), "--boundary", boundary]
    command += ["--region", "reached", "--threads", str(threads), "-o", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def pack(folder: Path, shard: Path, config: dict) -> int:
    """Packs every data*.npy / model*.npy pair of a folder into one shard; returns the number of records."""
    stage, shots = config["input"], config["geometry"]["shots"]
    codes, maps = [], []
    for data in sorted(folder.glob("data*.npy")):
        for record in np.load(data, mmap_mode="r"):
            code = integer.input_stage(record, stage["taps"], stage["decimation"], stage["gain"], stage["compand"], stage["step"])
            codes.append(code.reshape(len(code), shots, -1))
        maps.append(np.load(data.with_name(data.name.replace("data", "model")))[:, 0])
    temporary = shard.with_suffix(".tmp.npz")
    np.savez(temporary, codes=np.stack(codes), maps=np.round(np.concatenate(maps) * 10).astype(np.uint16))
    temporary.rename(shard)
    return len(codes)


def make_shard(out: Path, family: str, seed: int, start: int, count: int, threads: int, boundary: str, config: dict) -> Path:
    shard = out / f"{family}.seed{seed}.{start:06d}.{count}.npz"
    if not shard.exists():
        scratch = out / f"scratch-{family}-{seed}-{start}"
        try:
            simulate(family, seed, start, count, scratch, threads, boundary)
            pack(scratch, shard, config)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return shard


class Shards:
    """All shards of a folder in memory; `refresh` picks up the ones that appeared since."""

    def __init__(self, folder: Path, patterns: list[str]):
        self.folder, self.patterns, self.seen = folder, patterns, set()
        self.codes: list[np.ndarray] = []
        self.maps: list[np.ndarray] = []
        self.families: list[str] = []
        self.index = np.zeros((0, 2), np.int64)
        self.refresh()

    def refresh(self) -> int:
        for path in sorted(path for pattern in self.patterns for path in self.folder.glob(pattern)):
            if path.name in self.seen or ".tmp" in path.name:
                continue
            with np.load(path) as shard:
                self.codes.append(shard["codes"])
                self.maps.append(shard["maps"])
            self.families.append(path.name.split(".")[0])
            rows = np.stack([np.full(len(self.maps[-1]), len(self.maps) - 1), np.arange(len(self.maps[-1]))], 1)
            self.index = np.concatenate([self.index, rows])
            self.seen.add(path.name)
        return len(self.index)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Codes int16 (B, 125, 5, 70) and maps float32 (B, 70, 70) scaled to [-1, 1]."""
        codes = np.stack([self.codes[s][i] for s, i in self.index[rows]])
        maps = np.stack([self.maps[s][i] for s, i in self.index[rows]])
        return codes, (maps.astype(np.float32) - 30000) / 15000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, required=True, help="map seed; keep training, validation and test seeds apart")
    parser.add_argument("--rounds", type=int, default=1, help="rounds of --count maps of every family")
    parser.add_argument("--first-round", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--families", nargs="+", default=FAMILIES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--boundary", default="fast")
    parser.add_argument("--out", type=Path, default=ROOT / "train/runs/data")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    config = MODELS["epic-base"]()
    for r in range(options.first_round, options.first_round + options.rounds):
        for family in options.families:
            make_shard(
                options.out, family, options.seed, r * options.count, options.count, options.threads, options.boundary, config
            )
        print(json.dumps({"round": r, "maps": (r + 1) * options.count * len(options.families)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
