"""Scores the shipped integer network on OpenFWI-layout files, in NumPy alone.

    python train/evaluate.py --weights weights/epic-base DIR        DIR holds data*.npy and model*.npy

The same figures as `npx epic eval DIR`, from the other implementation of the arithmetic.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

import safetensors_io
from metrics import score_by_family
from quantize import IntegerEpic

BATCH = 25


def load_network(folder: Path) -> IntegerEpic:
    edge, _ = safetensors_io.load(folder / "edge.safetensors")
    central, metadata = safetensors_io.load(folder / "central.safetensors")
    return IntegerEpic(edge, central, json.loads(metadata["config"]))


def infer(network: IntegerEpic, records: np.ndarray, present=None) -> np.ndarray:
    """Records f32 (N, shots, samples, receivers) -> velocities f32 (N, rows, columns) in m/s."""
    shots, maps = records.shape[1], []
    for start in range(0, len(records), BATCH):
        codes = network.input_codes(np.asarray(records[start : start + BATCH]))
        line = codes.reshape(*codes.shape[:-1], shots, -1)
        maps.append(network.decode(network.encode_line(line), present))
    return np.concatenate(maps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, default=Path(__file__).resolve().parent.parent / "weights/epic-base")
    options = parser.parse_args()
    network, predictions, truths = load_network(options.weights), [], []
    for data in sorted(options.folder.glob("data*.npy")):
        predictions.append(infer(network, np.load(data, mmap_mode="r")))
        truths.append(np.load(data.with_name(data.name.replace("data", "model")))[:, 0])
    prediction, truth = (torch.from_numpy((np.concatenate(part) - 3000) / 1500) for part in (predictions, truths))
    print(json.dumps(score_by_family(prediction, truth, [options.folder.name] * len(truth))[options.folder.name]))


if __name__ == "__main__":
    main()
