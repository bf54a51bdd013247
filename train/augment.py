"""What training does to a batch of records: mirror images, lost devices, disturbed traces, coarse latents.

Everything works on companded codes (docs/numbers.md), because that is what shards hold; disturbances of the field are applied
to amplitudes, which the codes give back to 0.05 %.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def mirror(codes: np.ndarray, maps: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Swaps left and right of the chosen samples: map columns, receivers, and the order of the shots.

    For surveys that look alike mirrored (config.py). Devices take their blocks of the line afterwards, so these may differ in size.
    The middle shot of OpenFWI's line stands at column 34 of 0..69, so its mirror image stands at 35: a record of a survey
    that differs by 10 m in one shot, which the first arrivals show. True physics, not an approximation.
    """
    codes, maps = codes.copy(), maps.copy()
    codes[chosen] = codes[chosen][:, :, ::-1, ::-1]
    maps[chosen] = maps[chosen][:, :, ::-1]
    return codes, maps


def drop_devices(batch: int, devices: int, share: float, device: str) -> Tensor | None:
    """For `share` of the samples one to three devices are absent (one is most likely); the others see all.

    At least two devices stay; of two, one. A device that is alone is never absent.
    """
    most = min(3, max(devices - 2, devices // 2))
    if share <= 0 or most == 0:
        return None
    shares = [part / sum((0.6, 0.25, 0.15)[:most]) for part in (0.6, 0.25, 0.15)[:most]]
    count = torch.multinomial(torch.tensor([1 - share, *(share * part for part in shares)]), batch, replacement=True)
    order = torch.rand(batch, devices).argsort(1)
    return (order >= count[:, None]).to(device)


def coarse_devices(batch: int, devices: int, share: float, device: str) -> Tensor | None:
    """(B, devices) bool: whose latents go through 4 bits. All devices of half the chosen samples, some of the other half."""
    if share <= 0:
        return None
    chosen = torch.rand(batch, 1) < share
    some = torch.rand(batch, devices) < torch.where(torch.rand(batch, 1) < 0.5, 1.0, 0.5)
    return (chosen & some).to(device)


def to_amplitude(codes: Tensor, stage: dict) -> Tensor:
    """Companded codes -> low-passed pressure, times the stage's gain."""
    return torch.sign(codes) * (torch.exp2(codes.abs() / stage["step"]) - 1) / stage["compand"]


def to_codes(amplitude: Tensor, stage: dict) -> Tensor:
    codes = (torch.log2(amplitude.abs() * stage["compand"] + 1) * stage["step"]).clamp(max=16383).round()
    return torch.sign(amplitude) * codes


def shift_time(amplitude: Tensor, samples: Tensor) -> Tensor:
    """Delays (B, T, shots, receivers) by a fraction of a sample per (B, 1, 1, receivers), as a phase ramp; zeros come in."""
    length = amplitude.shape[1]
    padded = torch.cat([amplitude, amplitude.flip(1)], 1)  # even continuation: no step at the end of the record
    turns = torch.fft.rfftfreq(2 * length, device=amplitude.device)[None, :, None, None] * samples
    spectrum = torch.fft.rfft(padded, dim=1) * torch.polar(torch.ones_like(turns), -2 * torch.pi * turns)
    return torch.fft.irfft(spectrum, 2 * length, dim=1)[:, :length]


def disturb(codes: Tensor, config: dict, share: float) -> Tensor:
    """Field faults for `share` of the samples of float codes (B, T, shots, receivers), each fault in about half of those:

    noise   white below the low-pass, standard deviation 0.001 to 0.2 (a record's own is about 1.5)
    gain    each device's amplifier off by up to 2 dB, each receiver's coupling by up to 0.5 dB
    clock   each device late or early by up to 3 ms
    mute    up to a twelfth of the receivers dead, one at least
    """
    chosen = (torch.rand(len(codes)) < share).nonzero()[:, 0]
    if len(chosen) == 0:
        return codes
    stage, geometry = config["input"], config["geometry"]
    x = to_amplitude(codes[chosen], stage)
    b, receivers = len(x), x.shape[-1]
    device_of = torch.cat([torch.full((d["receivers"],), i) for i, d in enumerate(geometry["devices"])])

    def some(*shape: int) -> Tensor:  # a fault in half of the samples
        return (torch.rand(b, *[1] * len(shape)) < 0.5).float()

    def per_device(scale: float) -> Tensor:
        return ((2 * torch.rand(b, len(geometry["devices"])) - 1) * scale)[:, device_of].view(b, 1, 1, receivers)

    decibels = per_device(2.0) + 0.5 * (2 * torch.rand(b, 1, 1, receivers) - 1)
    x = x * 10 ** (some(1, 1, 1) * decibels / 20).to(x)
    late = some(1, 1, 1) * per_device(3.0) / (stage["decimation"] * geometry["dtMs"])
    x = shift_time(x, late.to(x))
    deviation = some(1, 1, 1) * 10 ** (torch.rand(b, 1, 1, 1) * 2.3 - 3)
    x = x + deviation.to(x) * torch.randn(x.shape).to(x)
    dead = torch.rand(b, receivers).argsort(1) < some(1) * torch.randint(1, 1 + max(1, round(receivers / 12)), (b, 1))
    x = x.masked_fill(dead.to(x.device)[:, None, None, :], 0.0)
    codes = codes.clone()
    codes[chosen] = to_codes(x, stage)
    return codes
