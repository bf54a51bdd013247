"""Faults on raw records do what their names say, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from faults import clock, fault_list, gain, mute, noise

DEVICES = [{"firstReceiver": 0, "receivers": 3}, {"firstReceiver": 3, "receivers": 5}]


@pytest.fixture
def records():
    return np.random.default_rng(4).normal(0, 1.5, (6, 2, 40, 8)).astype(np.float32)


def test_noise_has_the_variance_asked_for_in_openfwis_scale(records):
    silent = np.zeros((4, 2, 500, 8), np.float32)
    noisy = noise(silent, np.random.default_rng(1), 1e-3)
    scaled = np.sign(noisy) * np.log1p(np.abs(noisy)) / np.log1p(51)
    assert scaled.var() == pytest.approx(1e-3, rel=0.03)
    assert np.allclose(noise(records, np.random.default_rng(1), 0.0), records, rtol=1e-5, atol=1e-6)
    assert np.abs(noise(1000 * records, np.random.default_rng(1), 0.01)).max() <= 51 * (1 + 1e-5)


def test_muted_receivers_are_silent_in_all_shots(records):
    muted = mute(records, np.random.default_rng(2), 3)
    silent = (muted == 0).all((1, 2))
    assert (silent.sum(1) == 3).all() and len({tuple(row) for row in silent}) > 1
    assert np.array_equal(muted.transpose(0, 3, 1, 2)[~silent], records.transpose(0, 3, 1, 2)[~silent])


def test_gain_is_one_factor_per_device_within_its_bound(records):
    factor = gain(records, np.random.default_rng(3), 3.0, DEVICES) / records
    assert np.ptp(factor[..., :3], axis=(1, 2, 3)).max() < 1e-5 and np.ptp(factor[..., 3:], axis=(1, 2, 3)).max() < 1e-5
    decibels = 20 * np.log10(factor)
    assert np.abs(decibels).max() <= 3.001 and np.abs(factor[..., 0] - factor[..., 3]).max() > 0.01


def test_clock_shifts_whole_devices_and_leaves_silence(records):
    shifted = clock(records, np.random.default_rng(5), 4, DEVICES)
    lags = set()
    for before, after in zip(records, shifted):
        for part in (slice(0, 3), slice(3, 8)):
            fits = [late for late in range(-4, 5) if np.array_equal(after[..., part], delayed(before[..., part], late))]
            assert len(fits) == 1
            lags.update(fits)
    assert min(lags) < 0 < max(lags)


def delayed(traces, late):
    rows = np.arange(traces.shape[1]) - late
    inside = (rows >= 0) & (rows < traces.shape[1])
    return np.where(inside[None, :, None], traces[:, rows.clip(0, traces.shape[1] - 1)], 0)


def test_every_listed_fault_changes_records_but_not_their_shape(records):
    for name, fault in fault_list(DEVICES).items():
        if "12" in name:
            continue  # more receivers than these records have
        faulty = fault(records, np.random.default_rng(6))
        assert faulty.shape == records.shape and faulty.dtype == np.float32 and not np.array_equal(faulty, records), name
