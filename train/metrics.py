"""OpenFWI's metrics on maps normalised to [-1, 1] (facts: test.py and pytorch_ssim.py of lanl/OpenFWI)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def gaussian_window(size: int = 11, sigma: float = 1.5) -> Tensor:
    x = torch.arange(size, dtype=torch.float32) - size // 2
    g = torch.exp(-(x**2) / (2 * sigma**2))
    return g / g.sum()


def ssim(a: Tensor, b: Tensor, reduce: bool = True) -> Tensor:
    """Mean SSIM of (B, H, W) maps in [-1, 1]: Gaussian 11 x 11, sigma 1.5, zero padding, C1 = 0.01^2, C2 = 0.03^2."""
    a, b = a / 2 + 0.5, b / 2 + 0.5
    stack = torch.stack([a, b, a * a, b * b, a * b], 1).flatten(0, 1)[:, None]
    g = gaussian_window().to(stack)
    blurred = F.conv2d(F.conv2d(stack, g.view(1, 1, -1, 1), padding=(5, 0)), g.view(1, 1, 1, -1), padding=(0, 5))
    mu_a, mu_b, aa, bb, ab = blurred[:, 0].unflatten(0, (-1, 5)).unbind(1)
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
