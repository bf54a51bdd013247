"""Faults of the field, put on raw records so that every network meets the same ones.

Records are f32 (N, shots, samples, receivers), pressure as the modeller gives it (standard deviation about 1.5). Noise and dead receivers
are OpenFWI's own switches (`--std`, `--missing` of its test.py); amplifier and clock faults are those of separate boards.
"""

from __future__ import annotations

import numpy as np

# Largest log-amplitude of a record: log1p of the direct wave's peak beside the source, which every record holds.
# OpenFWI scales by the data set's extremes, -26 to 51 (FlatVel-A); one symmetric range serves all families here.
LOG_PEAK = np.log1p(51.0)


def noise(records: np.ndarray, random: np.random.Generator, variance: float) -> np.ndarray:
    """OpenFWI's `--std`: sqrt(variance) N(0, 1) on log-scaled data normalised to [-1, 1], clipped to that range."""
    scaled = np.sign(records) * np.log1p(np.abs(records)) / LOG_PEAK
    scaled = np.clip(scaled + np.sqrt(variance) * random.standard_normal(records.shape, dtype=np.float32), -1, 1)
    return (np.sign(scaled) * np.expm1(np.abs(scaled) * LOG_PEAK)).astype(np.float32)


def mute(records: np.ndarray, random: np.random.Generator, count: int) -> np.ndarray:
    """OpenFWI's `--missing`: `count` receivers of each record silent, chosen anew for each."""
    muted = records.copy()
    for record in muted:
        record[..., random.permutation(record.shape[-1])[:count]] = 0
    return muted


def gain(records: np.ndarray, random: np.random.Generator, decibels: float, devices: list[dict]) -> np.ndarray:
    """Each device's amplifier off by a uniform error of up to +-`decibels`."""
    wrong = records.copy()
    for record in wrong:
        for block, error in zip(devices, random.uniform(-decibels, decibels, len(devices))):
            record[..., receivers_of(block)] *= np.float32(10 ** (error / 20))
    return wrong


def clock(records: np.ndarray, random: np.random.Generator, samples: int, devices: list[dict]) -> np.ndarray:
    """Each device early or late by a whole number of samples of up to +-`samples`; what was not recorded is silent."""
    wrong = records.copy()
    for record in wrong:
        for block, late in zip(devices, random.integers(-samples, samples + 1, len(devices))):
            part = record[..., receivers_of(block)]
            shifted = np.roll(part, late, axis=1)
            silent = slice(0, late) if late > 0 else slice(late, None) if late < 0 else slice(0, 0)
            shifted[:, silent] = 0
            record[..., receivers_of(block)] = shifted
    return wrong


def receivers_of(block: dict) -> slice:
    return slice(block["firstReceiver"], block["firstReceiver"] + block["receivers"])


def fault_list(devices: list[dict]) -> dict:
    """Name -> function of records and a random generator: what the table of faults holds."""
    return {
        "noise 0.0001": lambda r, g: noise(r, g, 1e-4),
        "noise 0.001": lambda r, g: noise(r, g, 1e-3),
        "noise 0.01": lambda r, g: noise(r, g, 1e-2),
        "2 receivers mute": lambda r, g: mute(r, g, 2),
        "6 receivers mute": lambda r, g: mute(r, g, 6),
        "12 receivers mute": lambda r, g: mute(r, g, 12),
        "gain 1 dB": lambda r, g: gain(r, g, 1.0, devices),
        "gain 3 dB": lambda r, g: gain(r, g, 3.0, devices),
        "clock 1 ms": lambda r, g: clock(r, g, 1, devices),
        "clock 4 ms": lambda r, g: clock(r, g, 4, devices),
    }
