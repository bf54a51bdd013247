"""A trained network with another number of latent channels, to be trained on: the points of the rate-distortion curve.

    python train/resize_latent.py --from train/checkpoints/epic-base.pt --model epic-base-512 --to train/runs/latent-512/start.pt
    python train/train.py --stage qat --from train/runs/latent-512/start.pt --model epic-base-512 --run train/runs/latent-512 ...

Fewer channels: those stay that weigh most in the central node's tokens. More: fresh random ones that the central node does not
listen to yet, so the larger network starts as the trained one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from config import MODELS
from data import ROOT, Shards
from model import Epic, load_trained
from train import to_input

LATENT_KEYS = ["conv.weight", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"]


def latent_weight(model: Epic) -> torch.Tensor:
    """(channels,) how much each latent channel moves the tokens: its standard deviation times its column's length."""
    return model.encoder.layers[-1].norm.weight.detach().abs() * model.central.tokens.weight.detach().norm(dim=0)


@torch.no_grad()
def resize(old: Epic, config: dict) -> Epic:
    """`old` with the latent channels of `config`; all else must be equal."""
    new = Epic(config)
    have, want = (c["latent"]["channels"] for c in (old.config, config))
    kept = latent_weight(old).topk(min(have, want)).indices.sort().values
    last, state = f"encoder.layers.{len(old.encoder.layers) - 1}.", new.state_dict()
    for key, value in old.state_dict().items():
        if key.startswith(last) and key.removeprefix(last) in LATENT_KEYS:
            state[key][: len(kept)] = value[kept]
        elif key == "central.tokens.weight":
            state[key].zero_()
            state[key][:, : len(kept)] = value[:, kept]
        elif state[key].shape == value.shape:
            state[key].copy_(value)
        else:
            raise ValueError(f"{key}: expected {tuple(state[key].shape)}, got {tuple(value.shape)}; only latent channels may differ")
    new.load_state_dict(state)
    return new


@torch.no_grad()
def settle_norm(model: Epic, x: torch.Tensor, first: int) -> None:
    """Running statistics of the latent channels from `first` on, which the quantised stage freezes, from records `x`."""
    layer = model.encoder.layers[-1]
    seen = []
    handle = layer.conv.register_forward_hook(lambda _, __, output: seen.append(output))
    model.eval().encode(x)
    handle.remove()
    layer.norm.running_mean[first:] = seen[0].mean((0, 2))[first:]
    layer.norm.running_var[first:] = seen[0].var((0, 2))[first:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="start", type=Path, required=True)
    parser.add_argument("--model", required=True, choices=sorted(MODELS))
    parser.add_argument("--to", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=ROOT / "train/runs/data")
    parser.add_argument("--data-seed", type=int, nargs="+", default=[1, 2])
    options = parser.parse_args()
    old, step = load_trained(options.start)
    torch.manual_seed(0)
    config = MODELS[options.model]()
    new, have = resize(old, config), old.config["latent"]["channels"]
    if config["latent"]["channels"] > have:
        shards = Shards(options.data, [f"*.seed{seed}.*.npz" for seed in options.data_seed], config)
        rows = np.random.default_rng(0).permutation(len(shards.index))[:256]
        settle_norm(new, to_input(shards.batch(rows)[0], config, "cpu"), have)
    options.to.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": new.state_dict(), "config": config, "step": step}, options.to)
    print(f"{have} -> {config['latent']['channels']} latent channels, {new.parameter_count()} parameters")


if __name__ == "__main__":
    main()
