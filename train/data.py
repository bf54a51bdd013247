"""Training data: maps and records from `epic simulate`, packed into small shards of companded traces.

A shard is an .npz of 100 or so records of one family: `codes` int16 (N, T, shots, receivers), exactly what the engine's input
stage yields, `maps` uint16 (N, rows, columns) in units of 0.1 m/s, and the `boundary` of the modelling. Of epic-base's survey,
(125, 5, 70) and (70, 70), 1.4 MB of raw traces become 87.5 kB. The survey is that of `--model`.

    python train/data.py --seed 1 --rounds 14                              fresh maps of all ten families, resumable
    python train/data.py --seed 2 --rounds 6 --boundary openfwi --count 50    with the data sets' own boundary
    python train/data.py --seed 1002 --boundary openfwi --count 40            held out
    python train/data.py --model epic-line48 --seed 21 --rounds 20            another survey, into train/runs/data-epic-line48

Both boundaries belong into the training data: OpenFWI's sponge lets late waves of 0.1 to 5 % of a record through, and a
network that never met them loses 0.014 of SSIM on such records.
"""

from __future__ import annotations

import argparse
import json
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np

import integer
from config import MODELS, shard_folder, to_unit

ROOT = Path(__file__).resolve().parent.parent
FAMILIES = [
    "flatvel-a", "flatvel-b", "curvevel-a", "curvevel-b", "flatfault-a",
    "flatfault-b", "curvefault-a", "curvefault-b", "style-a", "style-b",
]  # fmt: skip


def simulate(config: dict, family: str, seed: int, start: int, count: int, out: Path, threads: int, boundary: str) -> None:
    """Records of a configuration's survey, by the physics module: `epic simulate` into a folder that is made."""
    out.mkdir(parents=True, exist_ok=True)
    survey = out / "survey.json"
    survey.write_text(json.dumps(config["geometry"]))
    command = ["node", str(ROOT / "dist/cli/main.js"), "simulate", "--family", family, "--seed", str(seed)]
    command += ["-n", str(count), "--start-index", str(start), "--boundary", boundary, "--survey", str(survey)]
    command += ["--region", "reached", "--threads", str(threads), "-o", str(out)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def pack(folder: Path, shard: Path, config: dict, boundary: str) -> int:
    """Packs every data*.npy / model*.npy pair of a folder into one shard; returns the number of records."""
    stage, shots = config["input"], config["geometry"]["shots"]
    codes, maps = [], []
    for data in sorted(folder.glob("data*.npy")):
        for record in np.load(data, mmap_mode="r"):
            code = integer.input_stage(record, stage["taps"], stage["decimation"], stage["gain"], stage["compand"], stage["step"])
            codes.append(code.reshape(len(code), shots, -1))
        maps.append(np.load(data.with_name(data.name.replace("data", "model")))[:, 0])
    temporary = shard.with_suffix(".tmp.npz")
    tenths = np.round(np.concatenate(maps) * 10).astype(np.uint16)
    np.savez(temporary, codes=np.stack(codes), maps=tenths, boundary=np.array(boundary))
    temporary.rename(shard)
    return len(codes)


def make_shard(out: Path, family: str, seed: int, start: int, count: int, threads: int, boundary: str, config: dict) -> Path:
    shard = out / f"{family}.seed{seed}.{start:06d}.{count}.npz"
    if not shard.exists():
        scratch = out / f"scratch-{family}-{seed}-{start}"
        try:
            simulate(config, family, seed, start, count, scratch, threads, boundary)
            pack(scratch, shard, config, boundary)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return shard


def mapped(path: Path) -> dict[str, np.ndarray]:
    """The arrays of an uncompressed .npz, mapped instead of read: several trainings share one copy in the page cache."""
    arrays = {}
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        for member in archive.infolist():
            file.seek(member.header_offset + 26)  # the local header's lengths of name and extra field
            name_length, extra_length = struct.unpack("<HH", file.read(4))
            file.seek(name_length + extra_length, 1)
            version = np.lib.format.read_magic(file)
            read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, fortran, dtype = read_header(file)
            order = "F" if fortran else "C"
            arrays[member.filename.removesuffix(".npy")] = np.memmap(path, dtype, "r", file.tell(), shape, order)
    return arrays


class Shards:
    """All shards of a folder, of the survey of `config` (default: epic-base); `refresh` picks up the ones that appeared since."""

    def __init__(self, folder: Path, patterns: list[str], config: dict | None = None):
        self.folder, self.patterns, self.seen = folder, patterns, set()
        config = config or MODELS["epic-base"]()
        geometry = config["geometry"]
        frames = -(-geometry["samples"] // config["input"]["decimation"])
        self.shapes = (frames, geometry["shots"], geometry["receivers"]), tuple(geometry["map"])
        self.config, self.boundaries = config, set()
        self.codes: list[np.ndarray] = []
        self.maps: list[np.ndarray] = []
        self.families: list[str] = []
        self.index = np.zeros((0, 2), np.int64)
        self.refresh()

    def refresh(self) -> int:
        for path in sorted(path for pattern in self.patterns for path in self.folder.glob(pattern)):
            if path.name in self.seen or ".tmp" in path.name:
                continue
            shard = mapped(path)
            codes, maps = shard["codes"], shard["maps"]
            self.boundaries |= {str(shard["boundary"])} if "boundary" in shard else set()
            if (codes.shape[1:], maps.shape[1:]) != self.shapes:
                got = f"codes {codes.shape[1:]} and maps {maps.shape[1:]}"
                raise ValueError(f"{path}: expected codes {self.shapes[0]} and maps {self.shapes[1]} of {self.config['name']}, got {got}")
            self.codes.append(codes)
            self.maps.append(maps)
            self.families.append(path.name.split(".")[0])
            rows = np.stack([np.full(len(self.maps[-1]), len(self.maps) - 1), np.arange(len(self.maps[-1]))], 1)
            self.index = np.concatenate([self.index, rows])
            self.seen.add(path.name)
        return len(self.index)

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Codes int16 (B, T, shots, receivers) and maps float32 (B, rows, columns) scaled to [-1, 1]."""
        codes = np.stack([self.codes[s][i] for s, i in self.index[rows]])
        maps = np.stack([self.maps[s][i] for s, i in self.index[rows]])
        return codes, to_unit(maps.astype(np.float32) / 10, self.config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="epic-base", choices=sorted(MODELS), help="whose survey and input stage")
    parser.add_argument("--seed", type=int, required=True, help="map seed; keep training, validation and test seeds apart")
    parser.add_argument("--rounds", type=int, default=1, help="rounds of --count maps of every family")
    parser.add_argument("--first-round", type=int, default=0)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--families", nargs="+", default=FAMILIES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--boundary", default="fast")
    parser.add_argument("--out", type=Path, help="default: train/runs/data, or data-NAME for another survey")
    options = parser.parse_args()
    config = MODELS[options.model]()
    options.out = options.out or shard_folder(config, ROOT)
    options.out.mkdir(parents=True, exist_ok=True)
    for r in range(options.first_round, options.first_round + options.rounds):
        for family in options.families:
            make_shard(
                options.out, family, options.seed, r * options.count, options.count, options.threads, options.boundary, config
            )
        print(json.dumps({"round": r, "maps": (r + 1) * options.count * len(options.families)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
