"""Writes test/vectors/metrics.json: MAE, RMSE and SSIM of seeded maps, computed as OpenFWI does.

The window is applied as a plain two-dimensional sum over a zero-padded map, which is
`torch.nn.functional.conv2d(x, window, padding=5)` of OpenFWI's pytorch_ssim.py, in float64.

    python train/metric_vectors.py
"""
import json
from pathlib import Path

import numpy as np

WINDOW, SIGMA = 11, 1.5
C1, C2 = 0.01**2, 0.03**2


def window() -> np.ndarray:
    line = np.exp(-((np.arange(WINDOW) - WINDOW // 2) ** 2) / (2 * SIGMA**2))
    line /= line.sum()
    return np.outer(line, line)


def blur(image: np.ndarray) -> np.ndarray:
    padded = np.pad(image, WINDOW // 2)
    patches = np.lib.stride_tricks.sliding_window_view(padded, (WINDOW, WINDOW))
    return np.einsum("hwij,ij->hw", patches, window())


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    mu1, mu2 = blur(a), blur(b)
    s1, s2, s12 = blur(a * a) - mu1**2, blur(b * b) - mu2**2, blur(a * b) - mu1 * mu2
    score = ((2 * mu1 * mu2 + C1) * (2 * s12 + C2)) / ((mu1**2 + mu2**2 + C1) * (s1 + s2 + C2))
    return float(score.mean())


def case(name: str, a: np.ndarray, b: np.ndarray) -> dict:
    na, nb = (a - 3000) / 1500, (b - 3000) / 1500
    return {
        "name": name,
        "height": a.shape[0],
        "width": a.shape[1],
        "a": a.astype(int).ravel().tolist(),
        "b": b.astype(int).ravel().tolist(),
        "mae": float(np.abs(na - nb).mean()),
        "rmse": float(np.sqrt(((na - nb) ** 2).mean())),
        "ssim": ssim(na / 2 + 0.5, nb / 2 + 0.5),
    }


def main() -> None:
    rng = np.random.default_rng(20260309)
    layers = np.repeat(np.sort(rng.integers(1500, 4500, 6)), [12, 9, 15, 11, 13, 10]).astype(float)
    layered = np.tile(layers[:, None], (1, 70))
    shifted = np.roll(layered, 2, axis=0) + np.round(rng.normal(0, 40, layered.shape))
    noise = rng.integers(1500, 4500, (13, 17)).astype(float)
    cases = [
        case("layered map against a shifted, noisy copy", layered, shifted),
        case("noise against noise, smaller than two windows", noise, noise[::-1, ::-1]),
        case("constant maps apart by one unit", np.full((5, 4), 1800.0), np.full((5, 4), 3300.0)),
    ]
    path = Path(__file__).parent.parent / "test" / "vectors" / "metrics.json"
    path.write_text(json.dumps({"made_by": "train/metric_vectors.py", "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
