"""Surveys other than OpenFWI's: everything follows from the configuration."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import integer
import quantize
from augment import disturb, drop_devices
from config import MODELS, epic_base, epic_line48, looks_alike_mirrored, openfwi_scale, shard_folder, spread, to_unit
from data import Shards
from export import device_subsets
from model import Epic, device_centres

torch.set_num_threads(1)

FRAMES, SHOTS, RECEIVERS = 63, 3, 48
BLOCKS = [(0, 10), (10, 14), (24, 11), (35, 13)]


@pytest.fixture(scope="module")
def uneven():
    """epic-line48 untrained but quantised, and codes of three records."""
    torch.manual_seed(5)
    config = epic_line48()
    model = Epic(config)
    codes = np.random.default_rng(5).integers(-6000, 6000, (3, FRAMES, SHOTS, RECEIVERS)).astype(np.int16)
    x = torch.from_numpy(codes).float() / (4 * config["input"]["step"])
    model.train()
    for _ in range(10):
        model(x)
    model.eval().set_stage("qat")
    quantize.calibrate(model, [x])
    return model, x, codes, quantize.IntegerEpic(*quantize.quantise(model, config))


def test_devices_of_their_own_sizes_are_encoded_as_trained(uneven):
    model, x, codes, network = uneven
    with torch.no_grad():
        expected = model.encode(x).numpy() * 127
    got = network.encode_line(codes)
    assert got.shape == (3, 4, 16, 32)
    difference = np.abs(expected - got)
    assert difference.max() <= 3 and (difference > 0.5).mean() < 0.03


def test_maps_of_lines_with_uneven_devices_are_decoded_as_trained(uneven):
    model, _, codes, network = uneven
    latents = network.encode_line(codes)
    for present in ([1, 1, 1, 1], [1, 0, 1, 0]):
        mask = torch.tensor(present, dtype=torch.bool)[None].expand(len(codes), -1)
        with torch.no_grad():
            expected = model.central(torch.from_numpy(latents).float() / 127, mask).clamp(-1, 1).numpy() * 1500 + 3000
        got = network.decode(latents, np.array(present, bool))
        assert got.shape == (3, 48, 48)
        assert np.abs(expected - got).mean() < 0.3 * expected.std()


def test_traces_of_one_device_give_the_latent_of_the_line(uneven):
    network = uneven[3]
    stage = network.config["input"]
    record = np.random.default_rng(6).normal(0, 1, (SHOTS, 500, RECEIVERS)).astype(np.float32)
    line = integer.input_stage(record, stage["taps"], stage["decimation"], stage["gain"], stage["compand"], stage["step"])
    latents = network.encode_line(line.reshape(1, FRAMES, SHOTS, RECEIVERS))[0]
    for device, (first, count) in enumerate(BLOCKS):
        own = network.encode_codes(network.input_codes(record[..., first : first + count]))
        assert np.array_equal(own, latents[device])
    changed = record.copy()
    changed[..., 10] += 1  # the first receiver of device 1, right behind device 0's last
    codes = network.input_codes(changed[..., 0:10])
    assert np.array_equal(network.encode_codes(codes), latents[0])


def test_every_model_states_a_survey_that_fits_together():
    for make in MODELS.values():
        config = make()
        geometry, blocks = config["geometry"], config["geometry"]["devices"]
        assert config["edge"]["layers"][0]["in"] == geometry["shots"] * max(b["receivers"] for b in blocks)
        ends = [b["firstReceiver"] + b["receivers"] for b in blocks]
        assert [b["firstReceiver"] for b in blocks] == [0, *ends[:-1]] and ends[-1] == geometry["receivers"]
        frames = -(-geometry["samples"] // config["input"]["decimation"])
        shape = (frames, geometry["shots"], geometry["receivers"])
        model = Epic(config).eval()
        with torch.no_grad():
            latents = model.encode(torch.zeros(1, *shape))
            assert latents.shape[1:] == (len(blocks), config["latent"]["slots"], config["latent"]["channels"])
            assert list(model.central(latents).shape[1:]) == geometry["map"]


def test_devices_stand_where_their_receivers_do():
    even = device_centres(epic_base()["geometry"])
    assert torch.allclose(even, torch.tensor([-28, -14, 0, 14, 28]) / 34.5)
    geometry = epic_line48()["geometry"]
    uneven = device_centres(geometry)
    assert torch.allclose(uneven, torch.tensor([4.5, 16.5, 29.0, 41.0]) / 23.5 - 1)
    assert torch.allclose(device_centres(geometry | {"receiverColumns": list(range(48))}), uneven)


def test_only_surveys_that_look_alike_are_mirrored():
    assert spread(5, 70) == [0, 17, 34, 52, 69] and spread(3, 48) == [0, 23, 47] and spread(1, 48) == [23]
    for make in MODELS.values():
        assert looks_alike_mirrored(make()["geometry"])
    geometry = epic_line48()["geometry"]
    assert not looks_alike_mirrored(geometry | {"sourceColumns": [0, 20, 47]})
    assert not looks_alike_mirrored(geometry | {"receiverColumns": [*range(47), 40]})


def test_some_devices_always_stay():
    torch.manual_seed(0)
    for devices, least in ((1, 1), (2, 1), (3, 2), (4, 2), (5, 2), (8, 5)):
        present = drop_devices(2000, devices, 0.5, "cpu")
        if devices == 1:
            assert present is None
            continue
        count = present.sum(1)
        assert count.min() == least and 0.45 < (count < devices).float().mean() < 0.55


def test_disturbed_records_keep_their_survey(uneven):
    _, _, codes, network = uneven
    torch.manual_seed(4)
    many = torch.from_numpy(codes).float().repeat(40, 1, 1, 1)
    disturbed = disturb(many, network.config, 1.0)
    assert disturbed.shape == many.shape and torch.equal(disturbed, disturbed.round())
    dead = (disturbed == 0).all(1).all(1).sum(1)
    assert 1 <= dead.max() <= 4  # a twelfth of 48


def test_vectors_leave_out_devices_that_are_there():
    assert device_subsets(5) == {
        "all": [1, 1, 1, 1, 1], "without1": [1, 0, 1, 1, 1], "only3": [0, 0, 0, 1, 0], "ends": [1, 0, 0, 0, 1],
    }  # fmt: skip
    assert device_subsets(4)["only3"] == [0, 0, 0, 1] and device_subsets(1) == {"all": [1]}


def test_velocities_follow_the_range_of_the_model():
    config = epic_line48()
    maps = to_unit(np.array([1500.0, 3000.0, 4500.0]), config)
    assert maps.tolist() == [-1, 0, 1] and openfwi_scale(maps, config) is maps
    config["geometry"]["velocityMps"] = [2000, 6000]
    maps = to_unit(np.array([2000.0, 4000.0, 6000.0]), config)
    assert maps.tolist() == [-1, 0, 1]
    assert np.allclose(openfwi_scale(maps, config), (np.array([2000, 4000, 6000]) - 3000) / 1500)


def test_shards_of_another_survey_are_refused(tmp_path):
    codes = np.zeros((2, FRAMES, SHOTS, RECEIVERS), np.int16)
    maps = np.full((2, 48, 48), 30000, np.uint16)
    np.savez(tmp_path / "flatvel-a.seed1.000000.2.npz", codes=codes, maps=maps, boundary=np.array("fast"))
    shards = Shards(tmp_path, ["*.npz"], epic_line48())
    assert len(shards.index) == 2 and shards.boundaries == {"fast"}
    assert not shards.batch(np.arange(2))[1].any()
    with pytest.raises(ValueError, match=r"expected codes \(125, 5, 70\) and maps \(70, 70\) of epic-base, got codes \(63, 3, 48\)"):
        Shards(tmp_path, ["*.npz"], epic_base())


def test_surveys_have_folders_of_their_own(tmp_path):
    assert shard_folder(epic_base(), tmp_path).name == "data"
    assert shard_folder(epic_line48(), tmp_path).name == "data-epic-line48"
    assert json.loads(json.dumps(epic_line48())) == epic_line48()  # it travels as JSON
