"""The training side's own tests: arithmetic against PyTorch, quantisation against the trained form, shipped files."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import integer
import quantize
import safetensors_io
from config import MODELS, epic_base, mac_counts
from data import mapped
from evaluate import load_network
from export import central_for, file_texts, training_record
from metrics import gaussian_band, ssim
from model import Epic, to_nibbles
from grow import grow, match_layers
from muon import orthogonalise
from augment import coarse_devices, disturb, drop_devices, mirror, shift_time, to_amplitude, to_codes

torch.set_num_threads(1)  # tiny tensors: a second thread only waits, and waits long on a busy machine

ROOT = Path(__file__).resolve().parent.parent
VECTORS = sorted((ROOT / "test/vectors/model").glob("*.safetensors"))


def small_config() -> dict:
    """epic-base without its inserted layers, and with fewer channels."""
    config = epic_base()
    edge, decoder = config["edge"]["layers"], config["central"]["decoder"]
    del decoder[5], decoder[2]
    for layer, (cin, cout) in zip(edge, [(70, 16), (16, 16), (16, 24), (24, 64)]):
        layer["in"], layer["out"] = cin, cout
    config["central"] |= {"width": 32, "heads": 4, "mlp": 64, "fusionBlocks": 1, "crossBlocks": 2}
    for layer, (cin, cout) in zip(decoder, [(32, 16), (16, 16), (16, 8), (8, 8), (8, 8), (8, 1)]):
        layer["in"], layer["out"] = cin, cout
    return config


@pytest.fixture(scope="module")
def small():
    torch.manual_seed(3)
    config = small_config()
    model = Epic(config)
    codes = np.random.default_rng(3).integers(-6000, 6000, (4, 125, 5, 70)).astype(np.int16)
    x = torch.from_numpy(codes).float() / (4 * config["input"]["step"])
    model.train()
    for _ in range(20):
        model(x)  # norm statistics
    model.eval()
    model.set_stage("qat")
    quantize.calibrate(model, [x])
    edge, central, config = quantize.quantise(model, config)
    return model, x, codes, quantize.IntegerEpic(edge, central, config)


def in_form(small, activations: str | None) -> quantize.IntegerEpic:
    """The small network with its central node in one of its two forms; None: a configuration from before there were two."""
    config = small_config()
    del config["central"]["activations"]
    if activations:
        config["central"]["activations"] = activations
    return quantize.IntegerEpic(*quantize.quantise(small[0], config))


def test_integer_encoder_follows_the_trained_one(small):
    model, x, codes, network = small
    with torch.no_grad():
        expected = model.encode(x).numpy() * 127
    difference = np.abs(expected - network.encode_line(codes))
    assert difference.max() <= 3 and (difference > 0.5).mean() < 0.03


@pytest.mark.parametrize("activations", [None, "s16", "u7"])
def test_integer_centre_follows_the_trained_one(small, activations):
    model, x, codes, _ = small
    network = in_form(small, activations)
    latents = network.encode_line(codes)
    for present in ([1, 1, 1, 1, 1], [1, 0, 1, 1, 0]):
        flags = np.array(present, bool)
        with torch.no_grad():
            mask = torch.from_numpy(flags)[None].expand(len(x), -1)
            expected = model.central(torch.from_numpy(latents).float() / 127, mask).clamp(-1, 1).numpy() * 1500 + 3000
        got = network.decode(latents, flags)
        # Codes flip by one step here and there, and an untrained network has little signal above a step.
        assert np.abs(expected - got).mean() < 0.3 * expected.std()
        assert np.corrcoef(got.ravel(), expected.ravel())[0, 1] > 0.95


def test_the_two_forms_of_the_central_node(small):
    wide, byte = in_form(small, "s16"), in_form(small, "u7")
    norms = {"fusion0.norm", "fusion0.mlp.norm", "context.norm", "cross0.mlp.norm", "cross1.norm", "cross1.mlp.norm"}
    attentions = {"fusion0.attention", "cross0.attention", "cross1.attention"}
    added = {f"{name}.{part}" for name in norms | attentions for part in ("scale", "zero")}
    assert set(byte.central) - set(wide.central) == added and set(wide.central) <= set(byte.central)
    for name in added:
        tensor = byte.central[name]
        assert tensor.shape == (32,) and tensor.dtype == (np.float32 if name.endswith("scale") else np.int32)
        assert tensor.min() >= 0 and tensor.max() <= (math.inf if name.endswith("scale") else 127)
    for block in ("fusion0", "cross0", "cross1"):
        assert set(byte.config["central"]["attention"][block]) == {"scoreScale"}
        assert set(wide.config["central"]["attention"][block]) == {"scoreScale", "outScale"}
    for name in ("tokens.weight", "dec0.weight", "cross0.q"):
        assert np.array_equal(byte.central[name], wide.central[name])
    old = in_form(small, None)
    assert all(np.array_equal(wide.central[name], old.central[name]) for name in wide.central)


def sums_of_four(rows: np.ndarray):
    """The sums of docs/numbers.md, one by one."""
    for row in rows.astype(int):
        for start in range(0, len(row), 8):
            for h in (0, 2):
                four = [row[start + at] for at in (h, h + 1, h + 4, h + 5) if start + at < len(row)]
                yield sum(w for w in four if w > 0), -sum(w for w in four if w < 0)


def test_small_sums_by_larger_scales_and_without_clipping():
    weight = np.random.default_rng(6).normal(size=(6, 28)) * 0.1
    weight[0] = 0.5  # four of them: 508 at the usual scale
    weight[1, [8, 9, 12, 13]] = -0.5
    weight[2] = [0.5, 0.5] * 2 + [0] * 4 + [0] * 20  # two in each four: 254
    codes, scale = quantize.round_rows(weight, small_sum=True)
    usual, usual_scale = quantize.round_rows(weight, small_sum=False)
    assert max(max(sums) for sums in sums_of_four(codes)) <= 258 < max(max(sums) for sums in sums_of_four(usual))
    assert list(quantize.largest_sums(codes)) == [max(max(s) for s in sums_of_four(row[None])) for row in codes]
    assert np.abs(codes * scale[:, None] - weight).max() <= 0.5001 * scale.max()
    grown = scale > usual_scale
    assert list(np.flatnonzero(grown)) == [0, 1] and scale[0] < 2 * usual_scale[0]
    assert np.array_equal(codes[~grown], usual[~grown])


def test_layers_of_byte_models_have_small_sums(small):
    network = in_form(small, "u7")
    names = [name for name in network.central if name.endswith(("qkv.weight", "kv.weight", ".q.weight", ".up.weight", ".out.weight", ".down.weight"))]
    assert len(names) == 4 + 4 + 5
    for name in names:
        assert quantize.largest_sums(network.central[name]).max() <= quantize.SMALL_SUM, name


def test_values_come_back_from_byte_codes():
    low, high = torch.tensor([-3.0, -0.1, 2.0, -9.0, 0.0]), torch.tensor([2.0, 0.1, 5.0, -7.0, 0.0])
    codes, parts = quantize.byte_codes((low, high), 0.25, 2.0)
    assert parts["zero"].dtype == np.int32 and parts["zero"].min() >= 0 and parts["zero"].max() <= 127
    x = np.linspace(low.numpy(), high.numpy(), 101).astype(np.float32)  # all within the span, which has room around it
    got = integer.rint_clamp(x * np.float32(4) * parts["scale"], 0, 127, parts["zero"])
    assert np.abs((got - codes.zero) * codes.step - x).max() <= 0.501 * codes.step.max()
    assert (np.abs((got - codes.zero) * codes.step - x) <= 0.501 * codes.step).all()
    assert codes.step[1] == pytest.approx(2.0 / 127) and codes.step[4] == pytest.approx(2.0 / 127)  # the least width


def test_steps_and_zeros_of_channels_are_folded_exactly():
    random = np.random.default_rng(8)
    weight, bias = (torch.from_numpy(random.normal(size=shape)) for shape in ((10, 16), 10))
    step, zero = random.uniform(0.01, 0.1, 16), random.integers(0, 128, 16)
    t = quantize.layer_tensors("x", weight, bias, step, 0.5, "u7", zero, True)
    q = random.integers(0, 128, (40, 16))
    got = integer.igemm(q, t["x.weight"], t["x.bias"], t["x.scale"], "f32") * 0.5
    unit = t["x.scale"][:, None].astype(np.float64) * 0.5
    rounded = t["x.weight"] * unit / step
    expected = ((q - zero) * step) @ rounded.T + bias.numpy()
    assert np.abs(got - expected).max() <= 0.51 * unit.max()  # the bias's own rounding
    assert (np.abs(rounded - weight.numpy()) * step <= 0.501 * unit).all()


def test_codes_saturate_around_their_zero():
    x = np.array([-np.inf, -3e38, -2.5, -0.5, 0.5, 1.5, 3e38, np.inf], np.float32)
    assert integer.rint_clamp(x, 0, 127, 40).tolist() == [0, 0, 38, 40, 40, 42, 127, 127]
    assert integer.rint_clamp(x, -2047, 2047, -2047).tolist() == [-2047, -2047, -2047, -2047, -2047, -2045, 2047, 2047]


def test_norm_and_attention_keep_each_channel_its_scale_and_zero():
    random = np.random.default_rng(9)
    x = random.normal(size=(5, 16)).astype(np.float32)
    scale, zero = random.uniform(5, 40, 16).astype(np.float32), random.integers(0, 128, 16)
    normal = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    got = integer.layer_norm(x, 1e-5, scale, zero, "u7")
    assert np.abs(got - np.clip(normal * scale + zero, 0, 127)).max() < 0.6
    q, k, v = (random.integers(-2047, 2048, (rows, 16)).astype(np.int16) for rows in (5, 8, 8))
    wide = integer.attention_s16(q, k, v, 2, 1e-6, 1 / 16383, 0)
    got = integer.attention_s16(q, k, v, 2, 1e-6, scale / 16383 / 100, zero, "u7")
    assert np.abs(got - np.clip(wide * (scale / 100) + zero, 0, 127)).max() < 0.8


def test_transposed_convolution_equals_pytorch():
    random = np.random.default_rng(0)
    x, w = random.integers(-50, 50, (2, 5, 7, 8)), random.integers(-127, 128, (8, 6, 4, 4))
    expected = F.conv_transpose2d(
        torch.from_numpy(x.transpose(0, 3, 1, 2)).double(), torch.from_numpy(w).double(), stride=2, padding=1
    ).numpy().transpose(0, 2, 3, 1)
    phases = quantize.transposed_phases(np.ascontiguousarray(w.transpose(1, 0, 2, 3)))
    ones, zeros = np.ones(6, np.float32), np.zeros(6, np.int32)
    assert np.array_equal(integer.conv_transpose2d(x, phases, zeros, ones, "f32"), expected.astype(np.float32))


def test_convolutions_equal_pytorch():
    random = np.random.default_rng(1)
    x, w = random.integers(-50, 50, (2, 33, 6)), random.integers(-127, 128, (5, 6, 9))
    expected = F.conv1d(torch.from_numpy(x.transpose(0, 2, 1)).double(), torch.from_numpy(w).double(), stride=2, padding=4)
    rows = integer.conv1d_rows(x, 9, 2, 4)
    got = integer.igemm(rows, w.transpose(0, 2, 1), np.zeros(5, np.int32), np.ones(5, np.float32), "f32")
    assert np.array_equal(got, expected.numpy().transpose(0, 2, 1).astype(np.float32))


def test_accumulators_that_could_overflow_are_refused():
    weight, bias = torch.ones(1, 200000), torch.zeros(1)
    with pytest.raises(OverflowError, match="beyond int32"):
        quantize.layer_tensors("wide", weight, bias, 1e-3, 1.0, "trace")


def test_ssim_is_the_windowed_formula():
    random = np.random.default_rng(5)
    a, b = random.uniform(-1, 1, (2, 1, 20, 20))
    g = np.exp(-((np.arange(11) - 5) ** 2) / (2 * 1.5**2))
    window = np.outer(g / g.sum(), g / g.sum())

    def blur(z):
        padded = np.pad(z, 5)
        return np.array([[(padded[i : i + 11, j : j + 11] * window).sum() for j in range(20)] for i in range(20)])

    p, q = a[0] / 2 + 0.5, b[0] / 2 + 0.5
    mp, mq = blur(p), blur(q)
    vp, vq, c = blur(p * p) - mp**2, blur(q * q) - mq**2, blur(p * q) - mp * mq
    expected = ((2 * mp * mq + 1e-4) * (2 * c + 9e-4) / ((mp**2 + mq**2 + 1e-4) * (vp + vq + 9e-4))).mean()
    assert ssim(torch.from_numpy(a), torch.from_numpy(b)).item() == pytest.approx(expected, abs=1e-6)
    assert gaussian_band(20).sum(1)[10].item() == pytest.approx(1, abs=1e-6)


BUDGETS = {"epic-nano": (512, 40e6, 0.3e6), "epic-large": (1024, 1.5e9, 8e6)}  # latent values per device, multiply-accumulates, parameters


@pytest.mark.parametrize("name", MODELS)
def test_models_keep_their_budgets(name):
    config = MODELS[name]()
    assert config["name"] == name
    values = config["latent"]["slots"] * config["latent"]["channels"]
    latent, macs, parameters = BUDGETS.get(name, (1024, 250e6, 1.5e6))
    size = name.removeprefix("epic-base-")  # the rate-distortion curve names its sizes
    assert values == int(size) if size.isdigit() else values <= latent
    assert mac_counts(config)["full"] <= macs
    assert Epic(config).parameter_count() <= parameters


@pytest.mark.parametrize("name", MODELS)
def test_every_model_runs(name):
    config = MODELS[name]()
    geometry = config["geometry"]
    rows = math.ceil(geometry["samples"] / config["input"]["decimation"])
    x = torch.zeros(2, rows, geometry["shots"], geometry["receivers"])
    assert Epic(config)(x).shape == (2, *geometry["map"])


@pytest.mark.parametrize("name", MODELS)
def test_input_taps_are_symmetric_with_unit_gain(name):
    taps = MODELS[name]()["input"]["taps"]
    assert sum(taps) == pytest.approx(1, abs=1e-6) and taps == taps[::-1]


def test_dropped_devices_leave_at_least_two():
    torch.manual_seed(0)
    present = drop_devices(4000, 5, 0.5, "cpu")
    count = present.sum(1)
    assert count.min() >= 2 and 0.45 < (count < 5).float().mean() < 0.55
    assert drop_devices(4, 5, 0.0, "cpu") is None


def test_mirror_swaps_sides_of_the_chosen_only():
    codes = np.arange(2 * 3 * 5 * 4).reshape(2, 3, 5, 4).astype(np.int16)
    maps = np.arange(2 * 2 * 4).reshape(2, 2, 4).astype(np.float32)
    mirrored, mirrored_maps = mirror(codes, maps, np.array([True, False]))
    assert np.array_equal(mirrored[0, 1, 0], codes[0, 1, 4, ::-1])  # shot 0 is the old shot 4, receivers reversed
    assert np.array_equal(mirrored_maps[0], maps[0, :, ::-1])
    assert np.array_equal(mirrored[1], codes[1]) and np.array_equal(mirrored_maps[1], maps[1])


def test_coarse_devices_choose_their_share():
    torch.manual_seed(0)
    coarse = coarse_devices(4000, 5, 0.4, "cpu")
    records = coarse.any(1).float().mean()
    assert 0.35 < records < 0.42 and coarse.all(1).float().mean() > 0.18
    assert coarse_devices(4, 5, 0.0, "cpu") is None


def test_nibbles_are_those_of_the_frame():
    codes = torch.arange(-127, 128).float()
    steps = torch.round(to_nibbles(codes / 127) * 127)
    assert torch.equal(steps, 18 * torch.round(codes / 18).clamp(-7, 7))


def companded(small) -> tuple[torch.Tensor, dict]:
    return torch.from_numpy(small[2]).float(), epic_base()


def test_amplitudes_come_back_from_codes(small):
    codes, config = companded(small)
    assert torch.equal(to_codes(to_amplitude(codes, config["input"]), config["input"]), codes)


def test_shift_time_delays_a_pulse_by_fractions_of_a_sample():
    t = torch.arange(125.0)
    pulse = lambda delay: torch.exp(-(((t - 60 - delay) / 4) ** 2)).view(1, 125, 1, 1)  # noqa: E731
    for delay in (-0.375, 0.0, 0.25):
        assert (shift_time(pulse(0), torch.tensor(delay).view(1, 1, 1, 1)) - pulse(delay)).abs().max() < 1e-4


def test_disturb_leaves_the_others_alone_and_stays_in_range(small):
    codes, config = companded(small)
    torch.manual_seed(4)
    assert disturb(codes, config, 0.0) is codes
    many = codes.repeat(50, 1, 1, 1)
    disturbed = disturb(many, config, 0.3)
    changed = (disturbed != many).flatten(1).any(1).float().mean()
    assert 0.15 < changed < 0.4
    assert disturbed.abs().max() <= 16383 and torch.equal(disturbed, disturbed.round())


def test_a_grown_network_starts_as_the_small_one(small):
    model, x, _, _ = small
    config = small_config()
    config["central"] |= {"fusionBlocks": 3, "crossBlocks": 4}
    edge, decoder = config["edge"]["layers"], config["central"]["decoder"]
    decoder.insert(2, decoder[1] | {"name": "inserted"})
    edge.insert(2, edge[1] | {"name": "inserted", "stride": 1})
    assert match_layers(model.config["edge"]["layers"], edge) == [0, 1, None, 2, 3]
    large = grow(model, config)
    large.eval()
    large.set_stage("qat")
    assert large.parameter_count() > model.parameter_count()
    with torch.no_grad():
        assert (large(x) - model(x)).abs().max() < 1e-5


def test_a_wider_network_starts_as_the_small_one(small):
    model, x, _, _ = small
    torch.manual_seed(5)
    config = small_config()
    config["central"] |= {"width": 64, "heads": 8, "mlp": 128, "fusionBlocks": 2}
    for layer, (cin, cout) in zip(config["central"]["decoder"], [(64, 32), (32, 32), (32, 16), (16, 16), (16, 8), (8, 1)]):
        layer["in"], layer["out"] = cin, cout
    large = grow(model, config).eval()
    model.set_stage("float")
    with torch.no_grad():
        assert (large(x) - model(x)).abs().max() < 1e-5
    model.set_stage("qat")
    weight = large.central.decoder[1].conv.weight
    assert torch.equal(weight[16:, :16] > 0, weight[:16, :16] > 0) and not torch.equal(weight[:, 16:], weight[:, :16])


def test_a_central_node_for_encoders_in_the_field(small, tmp_path):
    model, _, _, network = small
    table = {"latent.table": np.arange(4, dtype=np.uint16)}
    edge_bytes, _ = file_texts(network.config, network.edge | table, network.central)
    (tmp_path / "edge.safetensors").write_bytes(edge_bytes)
    kept, central_bytes = central_for(tmp_path / "edge.safetensors", network.config, network.edge, network.central)
    (tmp_path / "central.safetensors").write_bytes(central_bytes)
    tensors, metadata = safetensors_io.load(tmp_path / "central.safetensors")
    assert kept == edge_bytes and metadata["edge_sha256"] == hashlib.sha256(edge_bytes).hexdigest()
    assert np.array_equal(tensors["latent.table"], table["latent.table"])
    other = network.edge | {"enc1.weight": network.edge["enc1.weight"][::-1]}
    with pytest.raises(ValueError, match="enc1.weight differs"):
        central_for(tmp_path / "edge.safetensors", network.config, other, network.central)


def test_an_export_keeps_the_account_of_the_training(small, tmp_path):
    model, _, _, network = small
    config = network.config | {"training": {"commit": "old", "steps": 7, "dataSeed": [11]}}
    (tmp_path / "central.safetensors").write_bytes(file_texts(config, network.edge, network.central)[1])
    options = argparse.Namespace(training=tmp_path / "central.safetensors", data_seed=[14], test_seed=2)
    assert training_record(options, "new", 9, None, model, config) == {"commit": "new", "steps": 7, "dataSeed": [11]}
    shards = argparse.Namespace(index=np.zeros((3, 2)), boundaries={"fast"})
    options.training = None
    record = training_record(options, "new", 9, shards, model, config)
    assert record["steps"] == 9 and record["maps"] == 3 and record["dataSeed"] == [14] and record["boundary"] == "fast"


def test_growth_refuses_a_network_without_room_for_the_old_layers():
    layers = epic_base()["edge"]["layers"]
    with pytest.raises(ValueError, match="enc2 has no place"):
        match_layers(layers, layers[:2] + layers[3:])


def test_orthogonalise_flattens_the_spectrum():
    torch.manual_seed(1)
    for shape in ((12, 40), (40, 12)):
        values = torch.linalg.svdvals(orthogonalise(torch.randn(shape)))
        assert 0.6 < values.min() and values.max() < 1.3


def test_exp_and_log2_are_close_to_the_real_ones():
    x = np.linspace(-29, 0, 10001).astype(np.float32)
    assert np.abs(integer.exp_f32(x) / np.exp(x.astype(np.float64)) - 1).max() < 3e-7
    a = np.geomspace(1, 1e4, 10001).astype(np.float32)
    assert np.abs(integer.log2_f32(a) - np.log2(a.astype(np.float64))).max() < 5e-6


def test_mapped_arrays_are_those_of_the_file(tmp_path):
    path = tmp_path / "one.npz"
    codes = np.random.default_rng(2).integers(-99, 99, (3, 4, 5)).astype(np.int16)
    np.savez(path, codes=codes, maps=np.arange(6, dtype=np.uint16).reshape(2, 3), boundary=np.array("fast"))
    arrays = mapped(path)
    assert np.array_equal(arrays["codes"], codes) and arrays["maps"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert str(arrays["boundary"]) == "fast"


def test_safetensors_round_trip(tmp_path):
    tensors = {"a": np.arange(5, dtype=np.int8), "b": np.full((2, 3), math.pi, np.float32), "c": np.array([7], np.int32)}
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_io.dump(tensors, {"k": "v"}))
    loaded, metadata = safetensors_io.load(path)
    assert metadata["k"] == "v" and len(metadata["content_sha256"]) == 64
    assert all(np.array_equal(loaded[n], tensors[n]) for n in tensors)


@pytest.mark.parametrize("vectors", VECTORS, ids=lambda path: path.stem)
def test_shipped_weights_give_the_golden_vectors(vectors):
    network = load_network(ROOT / "weights" / vectors.stem)
    tensors, metadata = safetensors_io.load(vectors)
    traces = tensors["traces"].astype(np.float32) * np.float32(float(metadata["traceStep"]))
    for i, block in enumerate(network.config["geometry"]["devices"]):
        part = traces[..., block["firstReceiver"] : block["firstReceiver"] + block["receivers"]]
        assert np.array_equal(network.encode_codes(network.input_codes(part)), tensors["latents"][i])
    for name, present in json.loads(metadata["subsets"]).items():
        got = network.decode(tensors["latents"][None], np.array(present, bool))[0]
        assert np.array_equal(got, tensors[f"map.{name}"])
