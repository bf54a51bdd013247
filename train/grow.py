"""A larger network that starts as a smaller trained one: the same maps, then more room to learn.

    python train/grow.py --from SMALL/ema.pt --model epic-base --to train/runs/grown/start.pt

First wider, then deeper. Every channel of a wider network is a copy of an old one, and what reads it splits its weight among the
copies, at random so that they part ways in training (Net2Net, arXiv:1511.05641, section 2.2). New attention blocks start with silent
outputs, new convolutions as identities between clipped ReLUs. So the grown network computes what the small one did. Layers are
matched by kind and channels, in order.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from config import MODELS, clone
from model import Block, ConvNorm, Epic, load_trained


def match_layers(old: list[dict], new: list[dict]) -> list[int | None]:
    """For each new layer the index of the old one that it continues, None for an inserted one."""
    shape = lambda layer: {k: v for k, v in layer.items() if k != "name"}  # noqa: E731
    matches, next_old = [], 0
    for layer in new:
        found = next_old < len(old) and shape(old[next_old]) == shape(layer)
        matches.append(next_old if found else None)
        next_old += found
    if next_old != len(old):
        raise ValueError(f"layers: expected every old layer in the new network, {old[next_old]['name']} has no place")
    return matches


@torch.no_grad()
def make_identity(layer: ConvNorm) -> None:
    weight = layer.conv.weight
    if weight.shape[0] != weight.shape[1] or layer.kind == "convT2d":
        raise ValueError(f"inserted {layer.kind}: expected equal channels and no stride, got {tuple(weight.shape)}")
    weight.zero_()
    nn.init.dirac_(weight)


@torch.no_grad()
def silence(block: Block) -> None:
    for layer in (block.out, block.down):
        layer.weight.zero_()
        layer.bias.zero_()


def copy_layers(old: nn.ModuleList, new: nn.ModuleList, matches: list[int | None]) -> None:
    for layer, source in zip(new, matches):
        if source is None:
            make_identity(layer)
        else:
            layer.load_state_dict(old[source].state_dict())


def copy_blocks(old: nn.ModuleList, new: nn.ModuleList) -> None:
    for i, block in enumerate(new):
        if i < len(old):
            block.load_state_dict(old[i].state_dict())
        else:
            silence(block)


def copies(count: int, wanted: int, chunks: int = 1) -> Tensor:
    """Which of `count` old channels each of `wanted` new ones continues, turn by turn within each of `chunks` equal parts."""
    if wanted % count:
        raise ValueError(f"channels: expected a multiple of {count}, got {wanted}")
    old = torch.arange(count).view(chunks, 1, -1)
    return old.expand(chunks, wanted // count, -1).reshape(-1)


def split_among_copies(weight: Tensor, source: Tensor, dimension: int) -> Tensor:
    """Repeats inputs along a dimension; the weights of the copies of one input are shares of its own, each at least half the mean."""
    shape = list(weight.shape)
    shape[dimension] = len(source)
    shares = 0.5 + torch.rand(shape)
    totals = torch.zeros_like(weight).index_add(dimension, source, shares)
    return weight.index_select(dimension, source) * shares / totals.index_select(dimension, source)


@torch.no_grad()
def widen(small: Epic, config: dict) -> Epic:
    """The same depth with more channels: `config` differs in widths, heads and channels alone."""
    wide = Epic(config)
    target, widened = wide.state_dict(), {}
    for name, old in small.state_dict().items():
        new, tensor = target[name], old
        if old.shape != new.shape:
            transposed = name.startswith("central.decoder") and small.get_submodule(name.rsplit(".", 2)[0]).kind == "convT2d"
            inputs, outputs = (0, 1) if transposed and old.dim() > 1 else (1, 0)
            if name.endswith(".table"):  # positions x channels
                inputs, outputs = None, 1
            chunks = 3 if ".qkv." in name else 2 if ".kv." in name else 1
            tensor = tensor.index_select(outputs, copies(old.shape[outputs], new.shape[outputs], chunks))
            if inputs is not None and old.dim() > 1 and old.shape[inputs] != new.shape[inputs]:
                tensor = split_among_copies(tensor, copies(old.shape[inputs], new.shape[inputs]), inputs)
        widened[name] = tensor
    wide.load_state_dict(widened)
    return wide


def as_deep_as(small: dict, large: dict) -> dict:
    """The large configuration with the small one's number of blocks and layers; both have their decoder's layers in the same order."""
    config = clone(large)
    for depth in ("fusionBlocks", "crossBlocks"):
        config["central"][depth] = small["central"][depth]
    return config


def grow(small: Epic, config: dict) -> Epic:
    if config["central"]["width"] != small.config["central"]["width"]:
        small = widen(small, as_deep_as(small.config, config))
    return deepen(small, config)


def deepen(small: Epic, config: dict) -> Epic:
    large = Epic(config)
    layers = lambda c: (c["edge"]["layers"], c["central"]["decoder"])  # noqa: E731
    (old_edge, old_decoder), (new_edge, new_decoder) = layers(small.config), layers(config)
    copy_layers(small.encoder.layers, large.encoder.layers, match_layers(old_edge, new_edge))
    copy_layers(small.central.decoder, large.central.decoder, match_layers(old_decoder, new_decoder))
    copy_blocks(small.central.fusion, large.central.fusion)
    copy_blocks(small.central.cross, large.central.cross)
    for name in ("tokens", "token_position", "query"):
        getattr(large.central, name).load_state_dict(getattr(small.central, name).state_dict())
    return large


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="start", type=Path, required=True)
    parser.add_argument("--model", default="epic-base", choices=sorted(MODELS))
    parser.add_argument("--to", type=Path, required=True)
    options = parser.parse_args()
    small, step = load_trained(options.start)
    torch.manual_seed(0)
    config = MODELS[options.model]()
    large = grow(small, config)
    options.to.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"model": large.state_dict(), "config": config, "step": step}, options.to)
    print(f"{small.parameter_count()} -> {large.parameter_count()} parameters")


if __name__ == "__main__":
    main()
