"""The PyTorch modeller against the golden vectors and against `epic simulate`."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

import forward
from forward import ForwardModeller

torch.set_num_threads(1)

ROOT = Path(__file__).resolve().parent.parent
VECTORS = ROOT / "test/vectors/physics"
EPIC = ROOT / "dist/cli/main.js"
needs_epic = pytest.mark.skipif(not EPIC.exists() or not shutil.which("node"), reason="needs Node and `npm run build`")


def misfit(got, expected) -> float:
    return float(np.linalg.norm(got - expected) / np.linalg.norm(expected))


def epic(*arguments: str) -> None:
    subprocess.run(["node", str(EPIC), *arguments], check=True, stdout=subprocess.DEVNULL)


def small_maps(count: int) -> torch.Tensor:
    random = np.random.default_rng(4)
    return torch.from_numpy(random.uniform(1500, 4500, (count, 12, 20)).astype(np.float32))


def small(boundary: str, **options) -> ForwardModeller:
    return ForwardModeller(boundary, sources=(0, 7, 19), samples=90, size=(12, 20), **options)


def test_openfwi_boundary_gives_the_golden_vectors():
    index = json.loads((VECTORS / "index.json").read_text())
    name = "faulted"  # one map of five shots takes seconds on a CPU
    record = ForwardModeller("openfwi", 1)(torch.from_numpy(np.load(VECTORS / f"{name}.map.npy"))[None])[0].numpy()
    kept = record[:, index["samples"]][:, :, index["receivers"]]
    assert record.shape == (5, 1000, 70)
    assert misfit(kept, np.load(VECTORS / f"{name}.record.npy")) < 1e-5


@needs_epic
@pytest.mark.parametrize("boundary", ["fast", "openfwi"])
def test_records_equal_those_of_the_webassembly_modeller(boundary, tmp_path):
    count = 2 if boundary == "fast" else 1
    epic(*f"simulate --family curvefault-b -n {count} --seed 5 --boundary {boundary} --threads 1 -o {tmp_path}".split())
    maps = torch.from_numpy(np.load(tmp_path / "model1.npy")[:, 0])
    records = ForwardModeller(boundary, count)(maps).numpy()
    for got, expected in zip(records, np.load(tmp_path / "data1.npy")):
        assert misfit(got, expected) < 3e-5  # the contract is 1e-4; "fast" leaves out cells of under 6e-6


@pytest.mark.parametrize("boundary", ["fast", "openfwi"])
def test_batches_change_nothing(boundary):
    maps = small_maps(3)
    one = torch.cat([small(boundary, maps=1)(m[None]) for m in maps])
    for size in (2, 3, 4):  # a chunk and a rest, one whole chunk, a chunk that is not full
        assert torch.equal(small(boundary, maps=size)(maps), one)
    modeller = small(boundary, maps=3)
    modeller(maps.flip(0))
    assert torch.equal(modeller(maps), one)  # nothing is left from the call before


@pytest.mark.parametrize("boundary", ["fast", "openfwi"])
def test_mirrored_maps_give_mirrored_records(boundary):
    maps = small_maps(1)
    record = ForwardModeller(boundary, 1, sources=(3, 16), samples=90, size=(12, 20))(maps)
    mirrored = ForwardModeller(boundary, 1, sources=(16, 3), samples=90, size=(12, 20))(maps.flip(2))
    # The profile of the sponge's left and right side holds in the corners: the mirror image is exact but for rounding.
    assert misfit(mirrored.flip(3).numpy(), record.numpy()) < 1e-5


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="needs PyTorch 2")
@pytest.mark.parametrize("boundary", ["fast", "openfwi"])
def test_a_step_traces_as_one_graph(boundary):
    maps = small_maps(1)
    modeller = small(boundary, maps=1)
    expected = modeller(maps)
    modeller.advance = torch.compile(modeller.propagator.advance, backend="eager", fullgraph=True)
    assert torch.equal(modeller(maps), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("boundary", ["fast", "openfwi"])
def test_cuda_graph_gives_the_records_of_the_cpu(boundary):
    maps = small_maps(3)
    expected = small(boundary, maps=1)(maps)
    for graph in (False, True):
        got = small(boundary, maps=2, device="cuda", graph=graph)(maps)
        assert misfit(got.cpu().numpy(), expected.numpy()) < 1e-5


def test_bad_maps_are_refused():
    modeller = small("fast", maps=1)
    for maps, message in (
        (torch.ones(12, 20), r"expected \(N, 12, 20\)"),
        (torch.zeros(1, 12, 20), "expected velocities in m/s up to 6124, got 0"),
        (torch.full((1, 12, 20), 9000.0), "got 9000"),
        (torch.full((1, 12, 20), float("nan")), "got nan"),
    ):
        with pytest.raises(ValueError, match=message):
            modeller(maps)
    with pytest.raises(ValueError, match="boundary: expected openfwi or fast"):
        ForwardModeller("none")


@needs_epic
def test_shards_of_map_files_equal_those_of_simulate(tmp_path):
    import data
    from config import MODELS

    epic(*f"maps --family style-a -n 2 --seed 9 --packed -o {tmp_path}/style-a.seed9.npy".split())
    assert forward.make_shards(tmp_path / "style-a.seed9.npy", ForwardModeller("fast", 2), tmp_path, 100) == 2
    folder = tmp_path / "reference"
    folder.mkdir()
    reference = data.make_shard(folder, "style-a", 9, 0, 2, 1, "fast", MODELS["epic-base"]())
    with np.load(tmp_path / reference.name) as got, np.load(reference) as expected:
        assert np.array_equal(got["maps"], expected["maps"])
        # Maps in steps of 0.1 m/s and another order of sums: codes differ by rounding, of 15 bits.
        difference = np.abs(got["codes"].astype(int) - expected["codes"])
        assert difference.mean() < 2 and misfit(got["codes"].astype(float), expected["codes"].astype(float)) < 2e-3
