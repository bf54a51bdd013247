"""OpenFWI's metrics on maps normalised to [-1, 1] (facts: test.py and pytorch_ssim.py of lanl/OpenFWI)."""

from __future__ import annotations

import torch
from torch import Tensor


def gaussian_band(n: int, size: int = 11, sigma: float = 1.5) -> Tensor:
    """The Gaussian blur of a zero-padded line as an n x n matrix; far faster on a CPU than a one-channel convolution."""
    x = torch.arange(size, dtype=torch.float32) - size // 2
    g = torch.exp(-(x**2) / (2 * sigma**2))
    offset = torch.arange(n)[None] - torch.arange(n)[:, None] + size // 2
    return torch.where((offset >= 0) & (offset < size), (g / g.sum())[offset.clamp(0, size - 1)], torch.zeros(()))


def ssim(a: Tensor, b: Tensor, reduce: bool = True) -> Tensor:
    """Mean SSIM of (B, H, W) maps in [-1, 1]: Gaussian 11 x 11, sigma 1.5, zero padding, C1 = 0.01^2, C2 = 0.03^2."""
    a, b = a / 2 + 0.5, b / 2 + 0.5
    rows, columns = (gaussian_band(n).to(a) for n in a.shape[-2:])
    blurred = rows @ torch.stack([a, b, a * a, b * b, a * b]) @ columns.T
    mu_a, mu_b, aa, bb, ab = blurred.unbind(0)
    c1, c2 = 0.01**2, 0.03**2
    covariance, variance_a, variance_b = ab - mu_a * mu_b, aa - mu_a**2, bb - mu_b**2
    value = ((2 * mu_a * mu_b + c1) * (2 * covariance + c2)) / ((mu_a**2 + mu_b**2 + c1) * (variance_a + variance_b + c2))
    value = value.mean((1, 2))
    return value.mean() if reduce else value


def score_by_family(predictions: Tensor, truth: Tensor, families: list[str]) -> dict[str, dict[str, float]]:
    """{family: {n, mae, rmse, ssim}} plus "mean", the plain mean over families."""
    similarity, result = ssim(predictions, truth, reduce=False), {}
    for family in sorted(set(families)):
        rows = torch.tensor([f == family for f in families])
        error = predictions[rows] - truth[rows]
        result[family] = {
            "n": int(rows.sum()),
            "mae": error.abs().mean().item(),
            "rmse": error.square().mean().sqrt().item(),
            "ssim": similarity[rows].mean().item(),
        }
    result["mean"] = {k: sum(f[k] for f in result.values()) / len(result) for k in ("mae", "rmse", "ssim")}
    return result
