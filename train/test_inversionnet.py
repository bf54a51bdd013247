"""The baseline: OpenFWI's sizes, the call that train.py makes, and what its checkpoints score."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import evaluate
from config import MODELS, epic_base
from inversionnet import BASELINES, InversionNet, inversionnet, make_model
from model import Epic

torch.set_num_threads(1)
HERE = Path(__file__).resolve().parent


def shapes(model: InversionNet, samples: int) -> list[tuple[int, ...]]:
    """Height and width after each block of the encoder and the decoder."""
    found, x = [], torch.zeros(1, 5, samples, 70)
    model.eval()
    with torch.no_grad():
        for block in [*model.encoder, *model.decoder]:
            x = block(x)
            found.append(tuple(x.shape[1:]))
    return found


def test_original_stem_has_openfwi_sizes():
    model = InversionNet(inversionnet(), samples=1000)
    assert model.parameter_count() == pytest.approx(24.4e6, rel=0.005)
    narrow = shapes(InversionNet(inversionnet(0.25), samples=1000), 1000)
    sizes = [(s[1], s[2]) for s in narrow]
    assert [sizes[i] for i in (0, 2, 4, 6, 8, 10, 12, 13)] == [
        (500, 70), (250, 70), (125, 70), (63, 70), (32, 35), (16, 18), (8, 9), (1, 1),
    ]  # fmt: skip
    assert [sizes[14 + i] for i in (1, 3, 5, 7, 9)] == [(5, 5), (10, 10), (20, 20), (40, 40), (80, 80)]


def test_decimated_stem_keeps_the_parameters_and_what_lies_behind_it():
    original, decimated = (InversionNet(inversionnet(0.25), samples=n) for n in (1000, 125))
    assert decimated.parameter_count() == original.parameter_count()
    assert shapes(decimated, 125)[4:] == shapes(original, 1000)[4:]
    with pytest.raises(ValueError, match="samples: expected 125, 250, 500 or 1000, got 100"):
        InversionNet(inversionnet(), samples=100)


def test_it_is_called_as_epic_is():
    torch.manual_seed(0)
    model = make_model(BASELINES["inversionnet-0.25"]())
    assert isinstance(model, InversionNet) and isinstance(make_model(epic_base()), Epic)
    model.set_stage("float")
    with pytest.raises(ValueError, match="stage: expected float"):
        model.set_stage("qat")
    x, present = torch.randn(2, 125, 5, 70), torch.tensor([[True] * 5, [True, False, True, True, True]])
    model.eval()
    with torch.no_grad():
        whole, without = model(x), model(x, present, coarse=present)
        silenced = x.clone()
        silenced[1, :, :, 14:28] = 0
        assert whole.shape == (2, 70, 70) and whole.abs().max() <= 1
        assert torch.equal(without, model(silenced)) and not torch.equal(without[1], whole[1])
    assert set(BASELINES).isdisjoint(MODELS)


def test_width_scales_cost():
    model = InversionNet(inversionnet(0.25))
    assert 0.05 < model.parameter_count() / 24.4e6 < 0.08
    assert model.mac_count() == sum(
        layer.weight.numel() * area
        for layer, area in zip(
            [m for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.ConvTranspose2d))],
            # Output cells of convolutions, input cells of transposed ones.
            [8750] * 5 + [63 * 70] * 2 + [32 * 35] * 2 + [16 * 18] * 2 + [72] * 2 + [1]
            + [1, 25, 25, 100, 100, 400, 400, 1600, 1600, 6400] + [4900],
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    """Shards of random records and maps: sizes are real, contents are not."""
    folder, random = tmp_path_factory.mktemp("shards"), np.random.default_rng(2)
    for family in ("flatvel-a", "style-b"):
        for seed in (1, 7):
            codes = random.integers(-9000, 9000, (3, 125, 5, 70)).astype(np.int16)
            maps = random.integers(15000, 45000, (3, 70, 70)).astype(np.uint16)
            np.savez(folder / f"{family}.seed{seed}.000000.3.npz", codes=codes, maps=maps)
    return folder


def test_it_trains_and_scores_in_the_same_loop(shards, tmp_path):
    run = tmp_path / "run"
    command = [sys.executable, str(HERE / "train.py"), "--model", "inversionnet-0.25", "--run", str(run)]
    command += ["--data", str(shards), "--data-seed", "1", "--test-seed", "7", "--batch", "3"]
    command += ["--minutes", "0.02", "--no-bf16", "--optimiser", "adamw", "--lr", "1e-3"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    logged = json.loads((run / "log.jsonl").read_text().splitlines()[-1])
    assert logged["step"] >= 1
    command = [sys.executable, "-m", "train.evaluate", "--baseline", str(run / "ema.pt"), "--json"]
    command += ["--shards", str(shards), "--seed", "7", "--faults"]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=HERE.parent).stdout
    scores = json.loads(printed)
    assert scores["model"] == "inversionnet-0.25" and scores["parameters"] == InversionNet(inversionnet(0.25)).parameter_count()
    for family in ("flatvel-a", "style-b"):
        mine, logs = scores["families"][family], logged["test"][family]
        assert mine["n"] == 3 and mine["ssim"] == pytest.approx(logs["ssim"], abs=1e-4)
        assert mine["maeMps"] == pytest.approx(1500 * mine["mae"])
        assert mine["variants"]["missing1"]["n"] == 15 and mine["variants"]["missing3"]["n"] == 3
    assert scores["mean"]["ssim"] == pytest.approx(np.mean([f["ssim"] for f in scores["families"].values()]))


def test_masks_are_those_of_epic_eval():
    assert evaluate.missing_sets(5, 13) == [
        ("missing1", (0,)), ("missing1", (1,)), ("missing1", (2,)), ("missing1", (3,)), ("missing1", (4,)),
        ("missing2", (0, 4)), ("missing3", (0, 2, 3)),
    ]  # fmt: skip


def test_bad_arguments_are_one_line(tmp_path, monkeypatch, capsys):
    for arguments, message in (
        ([], "expected a folder of records, or --shards"),
        ([str(tmp_path)], "expected data*.npy and model*.npy, got none"),
        (["--shards", str(tmp_path), "--seed", "9"], "expected shards of seed 9, got none"),
        ([str(tmp_path), "--float", "a", "--baseline", "b"], "not allowed with argument"),
    ):
        monkeypatch.setattr(sys, "argv", ["evaluate.py", *arguments])
        with pytest.raises(SystemExit) as ended:
            evaluate.main()
        assert ended.value.code == 2 and message in capsys.readouterr().err.splitlines()[-1]
