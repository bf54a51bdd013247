"""Frequency tables of the latents' static entropy coder: encoding 2 of docs/protocol.md.

A value is the 4-bit step of an int8 latent code. Its slot, its channel and the class of the step one slot earlier in
the same channel are its context; contexts of like statistics share one of a few tables (k-means on code length).

    python train/entropy.py --latents latents.npy --from weights/epic-base --out build/epic-base-entropy

writes a copy of a model with the tables of int8 latents (N, slots, channels) in both halves: another model id.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np

import safetensors_io

STEP, NIBBLE_MAX = 18, 7  # src/protocol/nibble.ts
SYMBOLS, TOTAL = 2 * NIBBLE_MAX + 1, 4096
CLASS_BOUNDS = (-3, 0, 1, 4)  # classes of a nibble: up to -4, to -1, 0, to 3, above
CLASSES = len(CLASS_BOUNDS) + 1
TABLES = 64  # 0.03 bit per value from what 256 give, at 1.9 kB instead of 7.7


def symbols_of(latents: np.ndarray) -> np.ndarray:
    """Int8 codes -> symbols 0..14: clamp(round(q / 18), -7, 7) + 7, ties to even."""
    return np.clip(np.rint(latents / STEP), -NIBBLE_MAX, NIBBLE_MAX).astype(np.int64) + NIBBLE_MAX


def contexts_of(symbols: np.ndarray) -> np.ndarray:
    """Symbols (N, slots, channels) -> context numbers, row-major over (slot, channel, class)."""
    _, slots, channels = symbols.shape
    before = np.zeros_like(symbols)
    before[:, 1:] = symbols[:, :-1] - NIBBLE_MAX  # slot 0: as after a zero
    place = np.arange(slots * channels).reshape(slots, channels)
    return place * CLASSES + np.digitize(before, CLASS_BOUNDS)


def frequency_rows(counts: np.ndarray) -> np.ndarray:
    """Counts (rows, 15) -> uint16 rows that sum to 4096, every entry at least 1; half a count for what never came."""
    share = (counts + 0.5) / (counts.sum(1, keepdims=True) + 0.5 * SYMBOLS)
    rows = np.maximum(1, np.rint(share * TOTAL)).astype(np.int64)
    for row in rows:
        row[row.argmax()] += TOTAL - row.sum()  # a largest entry bears what rounding left over
    return rows.astype(np.uint16)


def latent_tables(latents: np.ndarray, tables: int = TABLES, rounds: int = 30) -> dict[str, np.ndarray]:
    """Int8 latents (N, slots, channels) -> the tensors `latent.frequencies` (tables, 15), `latent.contexts` (slots, channels, 5)."""
    symbols = symbols_of(latents)
    _, slots, channels = symbols.shape
    contexts = slots * channels * CLASSES
    flat = (contexts_of(symbols) * SYMBOLS + symbols).ravel()
    counts = np.bincount(flat, minlength=contexts * SYMBOLS).reshape(contexts, SYMBOLS).astype(np.float64)
    # A context hardly ever seen leans on all classes of its place.
    place = counts.reshape(slots * channels, CLASSES, SYMBOLS).sum(1, keepdims=True)
    prior = place / np.maximum(place.sum(-1, keepdims=True), 1)
    counts = (counts.reshape(-1, CLASSES, SYMBOLS) + 4 * prior).reshape(contexts, SYMBOLS)
    tables = min(tables, contexts)
    mean = (counts @ np.arange(SYMBOLS)) / np.maximum(counts.sum(1), 1e-9)
    rows = frequency_rows(counts[np.argsort(mean, kind="stable")[np.linspace(0, contexts - 1, tables).astype(int)]])
    for _ in range(rounds):
        nearest = bits_under(counts, rows).argmin(1)
        sums = np.stack([counts[nearest == k].sum(0) for k in range(tables)])
        rows = frequency_rows(sums)
    nearest = bits_under(counts, rows).argmin(1)
    return {
        "latent.frequencies": rows,
        "latent.contexts": nearest.astype(np.uint8).reshape(slots, channels, CLASSES),
    }


def bits_under(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Bits that each context's values cost under each table: (contexts, tables)."""
    return -(counts @ np.log2(rows / TOTAL).T)


def bits_per_value(latents: np.ndarray, tensors: dict[str, np.ndarray]) -> float:
    """Mean code length of int8 latents (N, slots, channels) under tables, without the coder's 4 bytes a latent."""
    symbols = symbols_of(latents)
    table = tensors["latent.contexts"].ravel()[contexts_of(symbols)]
    return float(-np.log2(tensors["latent.frequencies"][table, symbols] / TOTAL).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latents", type=Path, required=True, help=".npy int8 (N, slots, channels)")
    parser.add_argument("--from", dest="start", type=Path, required=True, help="model folder")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    latents = np.load(options.latents)
    tensors = latent_tables(latents)
    options.out.mkdir(parents=True, exist_ok=True)
    edge, edge_metadata = safetensors_io.load(options.start / "edge.safetensors")
    central, central_metadata = safetensors_io.load(options.start / "central.safetensors")
    edge_bytes = safetensors_io.dump(edge | tensors, edge_metadata)
    digest = hashlib.sha256(edge_bytes).hexdigest()
    (options.out / "edge.safetensors").write_bytes(edge_bytes)
    central_bytes = safetensors_io.dump(central | tensors, central_metadata | {"edge_sha256": digest})
    (options.out / "central.safetensors").write_bytes(central_bytes)
    print(f"{bits_per_value(latents, tensors):.3f} bits per value, model id {digest[:16]}")


if __name__ == "__main__":
    main()
