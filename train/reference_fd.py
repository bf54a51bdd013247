"""OpenFWI's acoustic modeller in float64 NumPy: the reference for the physics module.

    python3 train/reference_fd.py vectors [DIR]             golden vectors (test/vectors/physics)
    python3 train/reference_fd.py record MAPS.npy OUT.npy   records of (N,1,70,70), (N,70,70) or (70,70)

Scheme: constant density, second order in time, fourth in space, 120 padding cells with a sponge on
all four sides, arrays shifted in a circle at the outer edge. Routine a2d_mod_abc24 of KAUST's CSIM
lab (FD2.8), used by LANL to make OpenFWI (arXiv:2111.02926).
"""

import json
import sys
from pathlib import Path

import numpy as np

SPACING_M = 10.0
SAMPLE_S = 0.001
SAMPLES = 1000
PEAK_HZ = 15.0
PAD = 120
SOURCE_COLUMNS = (0, 17, 34, 52, 69)
DEPTH_ROW = 1  # sources and receivers

# What a vector keeps of a record of (5, 1000, 70).
KEPT_SAMPLES = range(0, 999, 3)
KEPT_RECEIVERS = range(0, 70, 7)


def ricker(peak_hz=PEAK_HZ, sample_s=SAMPLE_S):
    """The source pulse, peak 1 in the middle of 2.2 periods (147 samples at 15 Hz and 1 ms)."""
    half = int(np.floor(2.2 / (peak_hz * sample_s) / 2))
    b = (np.pi * peak_hz * sample_s * np.arange(-half, half + 1)) ** 2
    return (1 - 2 * b) * np.exp(-b)


def sponge(velocity):
    """Damping * dt on the padded grid. In the corners the profile of the left and right side holds."""
    rows, columns = velocity.shape
    thickness_m = (PAD - 1) * SPACING_M
    kappa0 = 3 * velocity.min() * np.log(1e7) / (2 * thickness_m)
    profile = kappa0 * (np.arange(PAD) * SPACING_M / thickness_m) ** 2
    outwards = profile[::-1]
    damping = np.zeros((rows + 2 * PAD, columns + 2 * PAD))
    damping[:PAD, :] = outwards[:, None]
    damping[PAD + rows :, :] = profile[:, None]
    damping[:, :PAD] = outwards[None, :]
    damping[:, PAD + columns :] = profile[None, :]
    return damping * SAMPLE_S


def laplacian(p):
    """dx^2 times the Laplacian of (S, rows, columns), wrapped round at the edges."""

    def neighbours(distance):
        return sum(np.roll(p, shift, axis) for axis in (1, 2) for shift in (distance, -distance))

    return -5 * p + 4 / 3 * neighbours(1) - 1 / 12 * neighbours(2)


def record(velocity, samples=SAMPLES):
    """velocity (rows, columns), m/s -> pressure (shots, samples, columns), float64."""
    velocity = np.asarray(velocity, np.float64)
    rows, columns = velocity.shape
    padded = np.pad(velocity, PAD, mode="edge")
    alpha = (padded * SAMPLE_S / SPACING_M) ** 2
    kappa = sponge(velocity)
    pulse = ricker()
    shots = np.arange(len(SOURCE_COLUMNS))
    source_columns = PAD + np.array(SOURCE_COLUMNS)
    source_row = PAD + DEPTH_ROW
    gain = (padded[source_row, source_columns] * SAMPLE_S) ** 2

    before = np.zeros((len(shots), *padded.shape))
    now = np.zeros_like(before)
    traces = np.zeros((len(shots), samples, columns))
    for step in range(samples):
        after = (2 - kappa) * now - (1 - kappa) * before + alpha * laplacian(now)
        if step < len(pulse):
            after[shots, source_row, source_columns] += gain * pulse[step]
        traces[:, step] = after[:, source_row, PAD : PAD + columns]
        before, now = now, after
    return traces


def vector_maps():
    """Maps of the golden vectors, (70, 70) m/s, whole numbers so that float32 holds them exactly."""
    row, column = np.mgrid[0:70, 0:70].astype(np.float64)
    faulted = row + np.where(column > 20 + 0.45 * row, 9, 0)
    maps = {
        "homogeneous": np.full((70, 70), 3000.0),
        "layered": np.select([row < 11, row < 25, row < 42], [1612, 2240, 3105], 4387.0),
        "faulted": np.select([faulted < 19, faulted < 34, faulted < 52], [2950, 1530, 3620], 4480.0),
        "smooth": 1900 + 26 * row + 260 * np.sin(column / 9) * np.cos(row / 13) + 90 * np.sin(row * column / 310),
    }
    return {name: np.rint(values).astype(np.float32) for name, values in maps.items()}


def write_vectors(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, velocity in vector_maps().items():
        kept = record(velocity)[:, list(KEPT_SAMPLES)][:, :, list(KEPT_RECEIVERS)]
        np.save(folder / f"{name}.map.npy", velocity)
        np.save(folder / f"{name}.record.npy", np.ascontiguousarray(kept, np.float32))
        print(f"{name}: rms {np.sqrt(np.mean(kept**2)):.4f}")
    index = {
        "made by": "python3 train/reference_fd.py vectors",
        "maps": list(vector_maps()),
        "samples": list(KEPT_SAMPLES),
        "receivers": list(KEPT_RECEIVERS),
    }
    (folder / "index.json").write_text(json.dumps(index) + "\n")


def write_records(maps_path, out_path):
    maps = np.load(maps_path).reshape(-1, 70, 70)
    np.save(out_path, np.stack([record(velocity) for velocity in maps]).astype(np.float32))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["vectors", *rest]:
            default = Path(__file__).parent.parent / "test/vectors/physics"
            write_vectors(Path(rest[0]) if rest else default)
        case ["record", maps_path, out_path]:
            write_records(maps_path, out_path)
        case _:
            sys.exit(__doc__)
