"""Tables of the latents' entropy coder: what a decoder demands of them, and that they pay."""

from __future__ import annotations

import numpy as np

from entropy import CLASSES, SYMBOLS, TOTAL, bits_per_value, contexts_of, frequency_rows, latent_tables, symbols_of


def test_symbols_follow_the_protocol():
    codes = np.array([0, 9, -9, 27, -27, 8, 10, 127, -127, 117], np.int8)
    assert symbols_of(codes).tolist() == [7, 7, 7, 9, 5, 7, 8, 14, 0, 13]  # ties (9, 27, 117) to even


def test_contexts_count_slot_channel_and_class():
    steps = np.array([[[-7, 0]], [[-4, -1]], [[0, 3]], [[4, 7]]]).reshape(1, 4, 2)
    # Slot 0 follows a zero (class 2); then classes of -7, 0, -4, -1, 0, 3.
    assert contexts_of(steps + 7).ravel().tolist() == [2, 7, 10, 17, 20, 26, 32, 38]


def test_rows_sum_and_hold_every_symbol():
    counts = np.zeros((3, SYMBOLS))
    counts[0, 3], counts[1] = 1e6, 10
    rows = frequency_rows(counts)
    assert rows.dtype == np.uint16 and (rows.sum(1) == TOTAL).all() and rows.min() >= 1
    assert rows[0, 3] == TOTAL - SYMBOLS + 1


def test_tables_learn_place_and_neighbour():
    random = np.random.default_rng(4)
    centre = random.integers(-90, 90, (1, 6, 8))
    walk = random.normal(0, 25, (2000, 6, 8)).cumsum(1)
    latents = np.clip(centre + walk, -127, 127).astype(np.int8)
    train, test = latents[:1000], latents[1000:]
    tensors = latent_tables(train, tables=16)
    frequencies, contexts = tensors["latent.frequencies"], tensors["latent.contexts"]
    assert frequencies.shape == (16, SYMBOLS) and (frequencies.sum(1) == TOTAL).all() and frequencies.min() >= 1
    assert contexts.shape == (6, 8, CLASSES) and contexts.dtype == np.uint8 and contexts.max() < 16
    counts = np.bincount(symbols_of(train).ravel(), minlength=SYMBOLS)
    alone = -np.log2(frequency_rows(counts[None])[0] / TOTAL)[symbols_of(test)].mean()
    assert bits_per_value(test, tensors) < alone - 0.3
    assert abs(bits_per_value(test, tensors) - bits_per_value(train, tensors)) < 0.1


def test_more_tables_than_contexts_is_no_fault():
    latents = np.random.default_rng(1).integers(-127, 128, (20, 2, 3)).astype(np.int8)
    tensors = latent_tables(latents, tables=64)
    assert len(tensors["latent.frequencies"]) == 2 * 3 * CLASSES
