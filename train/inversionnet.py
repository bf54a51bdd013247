"""OpenFWI's InversionNet (lanl/OpenFWI, network.py): the centralised baseline that sees every trace.

Trained by train.py on the same shards, loss and schedule as EPIC (`--model inversionnet`), so it gets the same information:
companded codes of the whole line at 8 ms, which hold all of a record below 62.5 Hz (a noise-free record has 2e-5 of its
amplitude above that). The original stem brings 1000 samples to 125 in its first three stages; here they come as 125 and
those three stages keep their kernels and channels with a stride of 1. Everything behind them, and the number of
parameters, is the original's.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from config import epic_base

STEM_SAMPLES = 125  # what the first three stages hand on


def inversionnet(width: float = 1.0) -> dict:
    """Configuration of a baseline: EPIC's survey and input stage. `width` scales all channels; 1 is OpenFWI's."""
    base = epic_base()
    name = "inversionnet" if width == 1 else f"inversionnet-{width:g}"
    return {"name": name, "inversionnet": {"width": width}, "geometry": base["geometry"], "input": base["input"]}


BASELINES = {
    "inversionnet": inversionnet,
    "inversionnet-0.5": lambda: inversionnet(0.5),
    "inversionnet-0.25": lambda: inversionnet(0.25),
}


class Block(nn.Sequential):
    """Convolution (or its transpose), batch norm, LeakyReLU(0.2)."""

    def __init__(self, cin: int, cout: int, kernel, stride=1, padding=1, transposed: bool = False):
        convolution = nn.ConvTranspose2d if transposed else nn.Conv2d
        super().__init__(convolution(cin, cout, kernel, stride, padding), nn.BatchNorm2d(cout), nn.LeakyReLU(0.2))


def along_time(cin: int, cout: int, kernel: int, stride: int) -> Block:
    return Block(cin, cout, (kernel, 1), (stride, 1), (kernel // 2, 0))


class InversionNet(nn.Module):
    """Records -> maps in [-1, 1]. The call is Epic's: traces (B, T, shots, receivers), optional `present` (B, devices).

    samples   T: 125 as the shards hold it, or the original's 1000 (also 250 and 500)
    width     factor on all channels, rounded to multiples of 8
    """

    def __init__(self, config: dict, samples: int = STEM_SAMPLES):
        super().__init__()
        self.config, geometry = config, config["geometry"]
        if samples not in [STEM_SAMPLES << halvings for halvings in range(4)]:
            raise ValueError(f"samples: expected 125, 250, 500 or 1000, got {samples}")
        if geometry["receivers"] != 70 or tuple(geometry["map"]) != (70, 70):
            raise ValueError("geometry: expected OpenFWI's 70 receivers and 70 x 70 map, for which the network is drawn")
        halvings = int(math.log2(samples // STEM_SAMPLES))
        s1, s2, s3 = (2 if halvings > i else 1 for i in (2, 1, 0))
        c32, c64, c128, c256, c512 = (self.channels(c, config["inversionnet"]["width"]) for c in (32, 64, 128, 256, 512))
        self.encoder = nn.Sequential(
            along_time(geometry["shots"], c32, 7, s1),
            along_time(c32, c64, 3, s2), along_time(c64, c64, 3, 1),
            along_time(c64, c64, 3, s3), along_time(c64, c64, 3, 1),
            along_time(c64, c128, 3, 2), along_time(c128, c128, 3, 1),
            Block(c128, c128, 3, 2), Block(c128, c128, 3),
            Block(c128, c256, 3, 2), Block(c256, c256, 3),
            Block(c256, c256, 3, 2), Block(c256, c256, 3),
            Block(c256, c512, (8, 9), padding=0),
        )  # fmt: skip
        stages = [Block(c512, c512, 5, 2, 0, transposed=True), Block(c512, c512, 3)]
        for cin, cout in ((c512, c256), (c256, c128), (c128, c64), (c64, c32)):
            stages += [Block(cin, cout, 4, 2, 1, transposed=True), Block(cout, cout, 3)]
        self.decoder = nn.Sequential(*stages)
        self.last = nn.Sequential(nn.Conv2d(c32, 1, 3, padding=1), nn.BatchNorm2d(1), nn.Tanh())
        blocks = [torch.full((block["receivers"],), i) for i, block in enumerate(geometry["devices"])]
        self.register_buffer("device_of", torch.cat(blocks), persistent=False)

    @staticmethod
    def channels(count: int, width: float) -> int:
        return max(8, 8 * round(count * width / 8))

    def forward(self, traces: Tensor, present: Tensor | None = None, coarse: Tensor | None = None) -> Tensor:
        """`present`: traces of absent devices are silenced. `coarse` is EPIC's; nothing here is sent in 4 bits."""
        if present is not None:
            traces = traces * present[:, self.device_of][:, None, None, :].to(traces)
        x = self.decoder(self.encoder(traces.transpose(1, 2)))
        with torch.autocast(x.device.type, enabled=False):  # as EPIC's last convolution
            return self.last(F.pad(x.float(), (-5, -5, -5, -5)))[:, 0]

    def set_stage(self, stage: str) -> None:
        if stage != "float":
            raise ValueError(f"stage: expected float, the baseline has no quantised form, got {stage}")

    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())

    def mac_count(self, samples: int = STEM_SAMPLES) -> int:
        """Multiply-accumulates of the convolutions per record."""
        total, hooks = 0, []

        def count(layer, inputs, output):
            nonlocal total
            area = (inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output)[0, 0].numel()
            total += area * layer.weight.numel()

        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
                hooks.append(module.register_forward_hook(count))
        geometry, training = self.config["geometry"], self.training
        self.eval()
        with torch.no_grad():
            self(torch.zeros(1, samples, geometry["shots"], geometry["receivers"]))
        self.train(training)
        for hook in hooks:
            hook.remove()
        return total


def make_model(config: dict) -> nn.Module:
    """The network that a configuration describes: Epic, or a baseline."""
    from model import Epic

    return InversionNet(config) if "inversionnet" in config else Epic(config)
