"""Trains an EPIC model on generated maps, on a CPU (bfloat16 where it is faster) or CUDA.

    python train/train.py --model epic-base --minutes 90 --run train/runs/base
    python train/train.py --stage qat --from train/runs/base/ema.pt --minutes 20 --run train/runs/base-qat

The schedule runs on wall time, so a slow or shared machine ends where a fast one does, with fewer steps. Shards that
appear in the data folder while it runs join at the next pass. A run resumes from its last checkpoint.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import torch

from augment import coarse_devices, disturb, drop_devices, mirror
from config import MODELS, looks_alike_mirrored, openfwi_scale, shard_folder
from data import ROOT, Shards
from inversionnet import BASELINES, make_model
from metrics import score_by_family, ssim
from model import Epic
from muon import Muon


def to_input(codes: np.ndarray, config: dict, device: str, disturbed: float = 0.0) -> torch.Tensor:
    """int16 codes -> network input: log2 units over 4, (B, T, shots, receivers). `disturbed`: share of faulty records."""
    floats = torch.from_numpy(codes).to(device).float()
    if disturbed > 0:
        floats = disturb(floats, config, disturbed)
    return floats / (4 * config["input"]["step"])


def loss_of(prediction: torch.Tensor, truth: torch.Tensor, ssim_weight: float) -> torch.Tensor:
    error = prediction - truth
    loss = error.abs().mean() + error.square().mean()
    return loss + ssim_weight * (1 - ssim(prediction.clamp(-1.2, 1.2), truth)) if ssim_weight else loss


class Ema:
    """Exponential moving average of all parameters and norm statistics, with a short memory at the start."""

    def __init__(self, model: torch.nn.Module, decay: float):
        self.model, self.decay, self.steps = copy.deepcopy(model).eval(), decay, 0

    @torch.no_grad()
    def update(self, model: torch.nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        for mine, theirs in zip(self.model.state_dict().values(), model.state_dict().values()):
            if mine.dtype.is_floating_point:
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)


@torch.no_grad()
def evaluate(model: Epic, shards: Shards, config: dict, device: str, batch: int = 64) -> dict:
    model.eval()
    outputs, truths = [], []
    for start in range(0, len(shards.index), batch):
        codes, maps = shards.batch(np.arange(start, min(start + batch, len(shards.index))))
        outputs.append(model(to_input(codes, config, device)).float().clamp(-1, 1).cpu())
        truths.append(torch.from_numpy(maps))
    families = [shards.families[s] for s, _ in shards.index]
    predicted, true = (openfwi_scale(torch.cat(maps), config) for maps in (outputs, truths))
    return score_by_family(predicted, true, families)


def make_optimisers(model: Epic, options: argparse.Namespace) -> list[torch.optim.Optimizer]:
    """Muon for inner matrices and kernels; AdamW for the last convolution, position tables, biases and norms."""
    inner, outer, plain = [], [], []
    for name, p in model.named_parameters():
        if not p.requires_grad:
            continue
        is_matrix = name.endswith("weight") and p.dim() > 1 and min(p.shape[:2]) > 1
        (plain if p.dim() <= 1 else inner if is_matrix else outer).append(p)
    if options.optimiser == "adamw":
        inner, outer = [], inner + outer
    groups = [{"params": outer, "weight_decay": options.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.98))
    return [adamw, Muon(inner, options.lr, weight_decay=options.weight_decay)] if inner else [adamw]


class Trainer:
    def __init__(self, options: argparse.Namespace):
        self.options = options
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(options.seed)
        self.random = np.random.default_rng(options.seed)
        self.config = (MODELS | BASELINES)[options.model]()
        self.model = make_model(self.config)
        self.elapsed, self.step = 0.0, 0
        if options.start:
            self.model.load_state_dict(torch.load(options.start, map_location="cpu")["model"])
        # Two-dimensional convolutions are a third faster with channels last, on CPU and GPU.
        self.model.to(self.device, memory_format=torch.channels_last)
        self.model.set_stage(options.stage)
        if options.keep_encoder:
            self.model.encoder.requires_grad_(False)
        self.optimisers = make_optimisers(self.model, options)
        self.ema = Ema(self.model, options.ema)
        data = options.data or shard_folder(self.config, ROOT)
        self.train_shards = Shards(data, [f"*.seed{seed}.*.npz" for seed in options.data_seed], self.config)
        self.test_shards = Shards(data, [f"*.seed{options.test_seed}.*.npz"], self.config)
        if options.mirror and not looks_alike_mirrored(self.config["geometry"]):
            print("mirror: left out, sources and receivers do not stand where their mirror images do")
            options.mirror = 0
        self.log = options.run / "log.jsonl"
        self.resume()

    def resume(self) -> None:
        path = self.options.run / "last.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location=self.device, weights_only=False)
        self.model.load_state_dict(state["model"])
        self.ema.model.load_state_dict(state["ema"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"]):
            optimiser.load_state_dict(saved)
        self.elapsed, self.step, self.ema.steps = state["elapsed"], state["step"], state["step"]

    def save(self) -> None:
        state = {"model": self.model.state_dict(), "ema": self.ema.model.state_dict()}
        state |= {"optimisers": [optimiser.state_dict() for optimiser in self.optimisers]}
        state |= {"elapsed": self.elapsed, "step": self.step, "config": self.config}
        self.write(state, "last.pt")
        self.write({"model": self.ema.model.state_dict(), "config": self.config, "step": self.step}, "ema.pt")

    def write(self, state: dict, name: str) -> None:
        temporary = self.options.run / (name + ".tmp")
        torch.save(state, temporary)
        temporary.rename(self.options.run / name)

    def learning_rate(self) -> float:
        o = self.options
        warm = min(1.0, (self.step + 1) / o.warmup)
        progress = min(1.0, self.elapsed / (60 * o.minutes))
        return o.lr * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))

    def train_mode(self) -> None:
        self.model.train()
        if self.options.stage == "qat":  # norms stay as they are folded
            for module in self.model.modules():
                if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
                    module.eval()

    def train_step(self, rows: np.ndarray) -> float:
        o = self.options
        codes, maps = mirror(*self.train_shards.batch(rows), self.random.random(len(rows)) < o.mirror)
        x = to_input(codes, self.config, self.device, o.disturb)
        truth = torch.from_numpy(maps).to(self.device)
        devices = len(self.config["geometry"]["devices"])
        present = drop_devices(len(x), devices, o.drop, self.device)
        coarse = coarse_devices(len(x), devices, o.coarse, self.device)
        rate = self.learning_rate()
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate
        with torch.autocast(self.device, dtype=torch.bfloat16, enabled=o.bf16):
            prediction = self.model(x, present, coarse)
        loss = loss_of(prediction.float(), truth, o.ssim)
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        self.ema.update(self.model)
        return (prediction.detach().float() - truth).abs().mean().item()

    def report(self, errors: list[float]) -> None:
        scores = evaluate(self.ema.model, self.test_shards, self.config, self.device) if len(self.test_shards.index) else {}
        row = {"minutes": round(self.elapsed / 60, 2), "step": self.step, "maps": len(self.train_shards.index)}
        row |= {"lr": self.learning_rate(), "trainMae": round(float(np.mean(errors)), 4) if errors else None}
        row |= {"test": {f: {k: round(v, 4) for k, v in s.items()} for f, s in scores.items()}}
        with self.log.open("a") as f:
            f.write(json.dumps(row) + "\n")
        mean = scores.get("mean", {})
        print({k: row[k] for k in ("minutes", "step", "maps", "trainMae")} | {k: round(v, 4) for k, v in mean.items()}, flush=True)
        print("   " + " ".join(f"{f}:{s['ssim']:.3f}" for f, s in scores.items()), flush=True)

    def run(self) -> None:
        o = self.options
        errors, next_report = [], self.elapsed + 60 * o.report_minutes
        while self.elapsed < 60 * o.minutes:
            self.train_shards.refresh()
            self.test_shards.refresh()
            order = self.random.permutation(len(self.train_shards.index))[: o.pass_size]
            for start in range(0, len(order) - o.batch + 1, o.batch):
                self.train_mode()
                began = time.monotonic()
                errors.append(self.train_step(order[start : start + o.batch]))
                self.elapsed += time.monotonic() - began
                self.step += 1
                if self.elapsed >= next_report:
                    self.report(errors)
                    self.save()
                    errors, next_report = [], self.elapsed + 60 * o.report_minutes
                if self.elapsed >= 60 * o.minutes:
                    break
        self.report(errors)
        self.save()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="epic-base", choices=sorted(MODELS | BASELINES))
    parser.add_argument("--stage", default="float", choices=["float", "qat"])
    parser.add_argument("--from", dest="start", type=Path, help="weights to start from (an ema.pt)")
    parser.add_argument("--keep-encoder", action="store_true", help="train the central node alone: end devices stay as they are")
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoints and log.jsonl")
    parser.add_argument("--data", type=Path, help="folder of shards; default as train/data.py writes them for the model")
    parser.add_argument("--data-seed", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--test-seed", type=int, default=1002)
    parser.add_argument("--minutes", type=float, default=90)
    parser.add_argument("--report-minutes", type=float, default=3)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--pass-size", type=int, default=8000, help="samples between looks for new shards")
    parser.add_argument("--optimiser", default="muon", choices=["muon", "adamw"])
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=0.01)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--ema", type=float, default=0.998)
    parser.add_argument("--drop", type=float, default=0.15, help="share of samples that lose devices")
    parser.add_argument("--mirror", type=float, default=0.5, help="share of samples with left and right swapped")
    parser.add_argument("--disturb", type=float, default=0.1, help="share of samples with noise, gain, clock or dead receivers")
    parser.add_argument("--coarse", type=float, default=0.2, help="share of samples with 4-bit latents")
    parser.add_argument("--ssim", type=float, default=0.2, help="weight of 1 - SSIM in the loss")
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    options.run.mkdir(parents=True, exist_ok=True)
    (options.run / "options.json").write_text(json.dumps(vars(options), default=str, indent=1))
    Trainer(options).run()


if __name__ == "__main__":
    sys.exit(main())
