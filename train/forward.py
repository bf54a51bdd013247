"""OpenFWI's forward modelling in PyTorch, batched over maps and shots: the physics module's twin for a GPU.

    python train/forward.py maps/*.npy --out train/runs/data            maps of `epic maps` -> training shards
    python train/forward.py maps/*.npy --out ... --boundary openfwi     with the data sets' own boundary
    python train/forward.py --bench [--boundary fast] [--batch 32]      maps per second on this machine

The scheme is that of assembly/acousticStep.ts, in float32 and in increment form (d = p - p_before):

    d <- keep d + (v dt / dx)^2 / 12 (12 dx^2 laplacian(p) + boundary terms);    p <- p + d

"openfwi": 120 cells of sponge, the grid wrapped round at its outer edge. "fast": 14 cells of CPML. Records agree with those
of `epic simulate` to 1e-5 (train/test_forward.py). A time step changes tensors of fixed size in place and asks the
tensors nothing, so it compiles whole (`--compile`) and fits a CUDA graph, which is used on CUDA.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SPACING_M = 10.0
SAMPLE_S = 0.001
SAMPLES = 1000
PEAK_HZ = 15.0
SOURCE_COLUMNS = (0, 17, 34, 52, 69)
DEPTH_ROW = 1  # sources and receivers
PADDING = {"openfwi": 120, "fast": 14}
HALO = 2  # cells that the stencil reaches
STEPS_PER_GRAPH = 50
COURANT_MAX = math.sqrt(3 / 8)


def ricker() -> Tensor:
    """The source pulse, peak 1, float64 (147)."""
    half = int(math.floor(2.2 / (PEAK_HZ * SAMPLE_S) / 2))
    b = (math.pi * PEAK_HZ * SAMPLE_S * torch.arange(-half, half + 1, dtype=torch.float64)) ** 2
    return (1 - 2 * b) * torch.exp(-b)


def sponge_keep(slowest: Tensor, rows: int, columns: int) -> Tensor:
    """1 - kappa of OpenFWI's sponge, (N, rows, columns); `slowest` (N) m/s. Corners take the left and right profile."""
    pad = PADDING["openfwi"]
    thickness = (pad - 1) * SPACING_M
    kappa0 = 3 * slowest.double() * math.log(1e7) / (2 * thickness)

    def distance(n: int) -> Tensor:  # cells into the sponge over its thickness, 0 inside
        i = torch.arange(n, dtype=torch.float64, device=slowest.device)
        outer = torch.minimum(i, n - 1 - i)
        return ((pad - 1 - outer) / (pad - 1)).clamp_min(0)

    column = distance(columns)
    inside = torch.arange(columns, device=slowest.device)
    inside = (inside >= pad) & (inside < columns - pad)
    profile = torch.where(inside[None, :], distance(rows)[:, None], column[None, :])
    return 1 - kappa0[:, None, None] * profile**2 * SAMPLE_S


def cpml_profiles(fastest: Tensor, n: int) -> tuple[Tensor, Tensor]:
    """Decay b and gain a along an axis of n padded cells, (N, n), zero outside the absorbing cells; `fastest` (N) m/s."""
    cells = PADDING["fast"]
    i = torch.arange(n, dtype=torch.float64, device=fastest.device)
    depth = ((cells - torch.minimum(i, n - 1 - i)) / cells).clamp_min(0)
    damping = (3 * fastest.double() * math.log(1e3) / (2 * cells * SPACING_M))[:, None] * depth**2
    shift = math.pi * 3 * (1 - depth)
    decay = torch.exp(-(damping + shift) * SAMPLE_S)
    gain = damping / (damping + shift) * (decay - 1)
    return torch.where(depth > 0, decay, torch.zeros_like(decay)), gain


def neighbours(x: Tensor, axis: int, distance: int) -> tuple[Tensor, Tensor]:
    """Views of the cells `distance` before and after each inner cell of a haloed (B, rows, columns)."""
    inner = [slice(None), slice(HALO, -HALO), slice(HALO, -HALO)]

    def shifted(by: int) -> Tensor:
        place = list(inner)
        place[axis] = slice(HALO + by, x.shape[axis] - HALO + by)
        return x[tuple(place)]

    return shifted(-distance), shifted(distance)


def slope(x: Tensor, axis: int) -> Tensor:
    """12 dx times the first derivative along an axis."""
    (l1, r1), (l2, r2) = neighbours(x, axis, 1), neighbours(x, axis, 2)
    return 8 * (r1 - l1) - (r2 - l2)


def curvature(x: Tensor, axis: int) -> Tensor:
    """12 dx^2 times the second derivative along an axis."""
    (l1, r1), (l2, r2) = neighbours(x, axis, 1), neighbours(x, axis, 2)
    return 16 * (l1 + r1) - (l2 + r2) - 30 * x[:, HALO:-HALO, HALO:-HALO]


class Propagator:
    """Wavefields of a fixed batch of shots on the padded grid; `advance` is one time step of all of them.

    B shots in all: `courant` (B, rows, columns), `source` (B) flat cells of the inner grid, `gain` (B).
    """

    def __init__(self, boundary: str, maps: int, shots: int, rows: int, columns: int, samples: int, receivers: int, device):
        self.boundary, self.shots = boundary, shots
        pad, batch = PADDING[boundary], maps * shots
        height, width = rows + 2 * pad, columns + 2 * pad

        def field(*shape: int) -> Tensor:
            return torch.zeros(shape, device=device)

        self.p = field(batch, height + 2 * HALO, width + 2 * HALO)
        self.d = field(batch, height, width)
        self.courant = field(batch, height, width)
        self.state = [self.p, self.d]
        if boundary == "openfwi":
            self.keep = field(batch, height, width)
        else:
            # Along rows (axis 1) and columns (axis 2): memories and coefficients.
            self.psi = {axis: torch.zeros_like(self.p) for axis in (1, 2)}
            self.zeta = {axis: torch.zeros_like(self.d) for axis in (1, 2)}
            self.decay = {1: field(batch, height, 1), 2: field(batch, 1, width)}
            self.absorb = {1: field(batch, height, 1), 2: field(batch, 1, width)}
            self.state += [*self.psi.values(), *self.zeta.values()]
        self.pulse = field(samples)
        pulse = ricker()[:samples]
        self.pulse[: len(pulse)] = pulse.float().to(device)
        self.gain = field(batch)
        self.row = pad + DEPTH_ROW
        self.receivers = slice(HALO + pad, HALO + pad + receivers)
        self.shot = torch.arange(batch, device=device)
        self.source_column = torch.zeros(batch, dtype=torch.long, device=device)
        self.step_index = torch.zeros(1, dtype=torch.long, device=device)
        self.record = field(samples, batch, receivers)

    def reset(self) -> None:
        for field in self.state:
            field.zero_()
        self.step_index.zero_()

    def advance(self) -> None:
        """One step of the scheme, the source, and one row of the record."""
        inner = self.p[:, HALO:-HALO, HALO:-HALO]
        if self.boundary == "openfwi":
            self.wrap()
            change = curvature(self.p, 1) + curvature(self.p, 2)
            self.d.mul_(self.keep)
        else:
            change = self.absorbed()
        self.d.addcmul_(self.courant, change)
        inner.add_(self.d)
        self.inject()
        row = self.p[:, HALO + self.row, self.receivers]
        self.record.index_copy_(0, self.step_index, row[None])
        self.step_index.add_(1)

    def wrap(self) -> None:
        """Fills the halo from the opposite edges: OpenFWI's code shifts its arrays in a circle."""
        p = self.p
        p[:, :HALO] = p[:, -2 * HALO : -HALO]
        p[:, -HALO:] = p[:, HALO : 2 * HALO]
        p[:, :, :HALO] = p[:, :, -2 * HALO : -HALO]
        p[:, :, -HALO:] = p[:, :, HALO : 2 * HALO]

    def absorbed(self) -> Tensor:
        """12 dx^2 laplacian(p) with both coordinates stretched: psi and zeta remember the strips' past."""
        change = torch.zeros_like(self.d)
        for axis in (1, 2):
            psi = self.psi[axis][:, HALO:-HALO, HALO:-HALO]
            psi.mul_(self.decay[axis]).add_(self.absorb[axis] / 12 * slope(self.p, axis))
        for axis in (1, 2):
            curve, extra = curvature(self.p, axis), slope(self.psi[axis], axis)
            self.zeta[axis].mul_(self.decay[axis]).add_(self.absorb[axis] * (curve + extra))
            change = change + curve + extra + self.zeta[axis]
        return change

    def inject(self) -> None:
        amount = self.gain * self.pulse[self.step_index]
        self.p[self.shot, HALO + self.row, HALO + self.source_column] += amount
        self.d[self.shot, self.row, self.source_column] += amount


class ForwardModeller:
    """Velocity maps (N, rows, columns) in m/s -> pressure (N, shots, samples, receivers), float32.

    maps      most maps that are modelled at once; memory is about 40 (openfwi) or 12 (fast) MB per map of five shots
    sources   columns of the shots; the mirror image of a record needs column 35 as well as 34
    compiled  compile the time step (PyTorch 2)
    graph     replay steps as a CUDA graph; by default on CUDA
    """

    def __init__(
        self, boundary: str = "openfwi", maps: int = 8, device: str | torch.device = "cpu", sources=SOURCE_COLUMNS,
        samples: int = SAMPLES, size: tuple[int, int] = (70, 70), compiled: bool = False, graph: bool | None = None,
    ):
        if boundary not in PADDING:
            raise ValueError(f"boundary: expected {' or '.join(PADDING)}, got {boundary}")
        self.boundary, self.maps, self.size = boundary, maps, size
        self.device, self.sources, self.samples = torch.device(device), tuple(sources), samples
        self.propagator = Propagator(boundary, maps, len(self.sources), *size, samples, size[1], self.device)
        columns = torch.tensor(self.sources, device=self.device) + PADDING[boundary]
        self.propagator.source_column.copy_(columns.repeat(maps))
        self.advance = torch.compile(self.propagator.advance) if compiled else self.propagator.advance
        self.graph = self.capture() if (self.device.type == "cuda" if graph is None else graph) else None

    def capture(self):
        """STEPS_PER_GRAPH steps as one CUDA graph. The steps before it warm the allocator and the compiler up."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self.advance()
        torch.cuda.current_stream().wait_stream(side)
        self.propagator.reset()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for _ in range(math.gcd(STEPS_PER_GRAPH, self.samples)):
                self.advance()
        return graph

    @torch.no_grad()
    def __call__(self, maps: Tensor) -> Tensor:
        maps = self.check(maps).to(self.device)
        parts = []
        for start in range(0, len(maps), self.maps):
            chunk = maps[start : start + self.maps]
            # Tensors keep their size: a last chunk is filled up with copies of its first map.
            filled = torch.cat([chunk, chunk[:1].expand(self.maps - len(chunk), -1, -1)])
            parts.append(self.model(filled)[: len(chunk)])
        return torch.cat(parts)

    def check(self, maps: Tensor) -> Tensor:
        maps = torch.as_tensor(maps, dtype=torch.float32)
        if maps.dim() != 3 or tuple(maps.shape[1:]) != self.size or len(maps) == 0:
            raise ValueError(f"maps: expected (N, {self.size[0]}, {self.size[1]}), got {tuple(maps.shape)}")
        fastest = COURANT_MAX * SPACING_M / SAMPLE_S
        if not bool(((maps > 0) & (maps <= fastest)).all()):
            raise ValueError(f"maps: expected velocities in m/s up to {fastest:.0f}, got {maps.min():g} to {maps.max():g}")
        return maps

    def model(self, maps: Tensor) -> Tensor:
        self.load(maps)
        steps = 1 if self.graph is None else math.gcd(STEPS_PER_GRAPH, self.samples)
        for _ in range(self.samples // steps):
            self.advance() if self.graph is None else self.graph.replay()
        record = self.propagator.record.unflatten(1, (self.maps, len(self.sources)))
        return record.permute(1, 2, 0, 3).contiguous()

    def load(self, maps: Tensor) -> None:
        """Fills everything that depends on the maps; the same for all shots of one."""
        g, shots, pad = self.propagator, len(self.sources), PADDING[self.boundary]
        g.reset()
        padded = F.pad(maps[:, None].double(), (pad,) * 4, mode="replicate")[:, 0]

        def per_shot(x: Tensor) -> Tensor:
            return x.repeat_interleave(shots, 0).float()

        g.courant.copy_(per_shot((padded * SAMPLE_S / SPACING_M) ** 2 / 12))
        at = maps[:, DEPTH_ROW, list(self.sources)].double()
        g.gain.copy_(((at * SAMPLE_S) ** 2).flatten().float())
        rows, columns = padded.shape[1:]
        if self.boundary == "openfwi":
            g.keep.copy_(per_shot(sponge_keep(maps.flatten(1).amin(1), rows, columns)))
            return
        fastest = maps.flatten(1).amax(1)
        for axis, length in ((1, rows), (2, columns)):
            decay, gain = (per_shot(x) for x in cpml_profiles(fastest, length))
            g.decay[axis].copy_(decay.view(g.decay[axis].shape))
            g.absorb[axis].copy_(gain.view(g.absorb[axis].shape))


def load_maps(path: Path) -> np.ndarray:
    """Maps (N, 70, 70) float32, m/s, from .npy: float32 in m/s or uint16 in units of 0.1 m/s, with or without a channel axis."""
    maps = np.load(path)
    if maps.dtype == np.uint16:
        maps = maps.astype(np.float32) / np.float32(10)
    return np.ascontiguousarray(maps.reshape(-1, *maps.shape[-2:]), np.float32)


def make_shards(path: Path, modeller: ForwardModeller, out: Path, count: int) -> int:
    """Shards of `count` records as train/data.py writes them, named after the map file; returns the number of maps."""
    import integer
    from config import MODELS

    name = re.fullmatch(r"([a-z0-9-]+\.seed\d+)(?:\.(\d+)\.\d+)?", path.stem)
    if not name:
        raise SystemExit(f"{path}: expected a name as flatvel-a.seed1.npy or flatvel-a.seed1.000000.500.npy")
    stem, first = name[1], int(name[2] or 0)
    maps, stage = load_maps(path), MODELS["epic-base"]()["input"]
    arguments = (stage["taps"], stage["decimation"], stage["gain"], stage["compand"], stage["step"])
    for start in range(0, len(maps), count):
        part = maps[start : start + count]
        shard = out / f"{stem}.{first + start:06d}.{len(part)}.npz"
        if shard.exists():
            continue
        codes = []
        for i in range(0, len(part), modeller.maps):
            for record in modeller(torch.from_numpy(part[i : i + modeller.maps])).cpu().numpy():
                code = integer.input_stage(record, *arguments)
                codes.append(code.reshape(len(code), len(modeller.sources), -1))
        temporary = shard.with_suffix(".tmp.npz")
        tenths = np.round(part * 10).astype(np.uint16)
        np.savez(temporary, codes=np.stack(codes), maps=tenths, boundary=np.array(modeller.boundary))
        temporary.rename(shard)
    return len(maps)


def bench(modeller: ForwardModeller) -> dict:
    """Maps per second on random layered maps, the first call not counted."""
    random = np.random.default_rng(0)
    layers = np.sort(random.uniform(1500, 4500, (modeller.maps, 7)), 1)
    maps = torch.from_numpy(layers.repeat(10, 1)[:, :, None].repeat(70, 2).astype(np.float32))
    modeller(maps)

    def timed() -> float:
        began = time.perf_counter()
        modeller(maps).sum().item()  # waits for the device
        return time.perf_counter() - began

    seconds = sorted(timed() for _ in range(3))
    kind = torch.cuda.get_device_name() if modeller.device.type == "cuda" else f"cpu, {torch.get_num_threads()} threads"
    return {
        "boundary": modeller.boundary, "device": kind, "torch": torch.__version__, "batch": modeller.maps,
        "mapsPerSecond": round(modeller.maps / seconds[1], 2), "best": round(modeller.maps / seconds[0], 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("maps", nargs="*", type=Path, help="map files of `epic maps`")
    parser.add_argument("--out", type=Path, help="folder of the shards")
    parser.add_argument("--bench", action="store_true", help="print maps per second instead")
    parser.add_argument("--boundary", default="fast", choices=sorted(PADDING))
    parser.add_argument("--batch", type=int, help="maps at once (default: 32 on CUDA, 1 on a CPU)")
    parser.add_argument("--count", type=int, default=100, help="records per shard")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="compile the time step")
    parser.add_argument("--threads", type=int, default=1, help="on a CPU")
    options = parser.parse_args()
    if options.bench == bool(options.maps) or (options.maps and not options.out):
        parser.error("expected --bench, or map files and --out")
    torch.set_num_threads(options.threads)
    batch = options.batch or (32 if options.device.startswith("cuda") else 1)
    modeller = ForwardModeller(options.boundary, batch, options.device, compiled=options.compile)
    if options.bench:
        print(json.dumps(bench(modeller)))
        return
    options.out.mkdir(parents=True, exist_ok=True)
    for path in options.maps:
        print(json.dumps({"file": path.name, "maps": make_shards(path, modeller, options.out, options.count)}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
