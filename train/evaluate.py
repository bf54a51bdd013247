"""Scores a network with OpenFWI's metrics: the shipped integer one in NumPy, a float checkpoint, or the baseline.

    python train/evaluate.py DIR                                    int8 weights on data*.npy and model*.npy
    python train/evaluate.py DIR --float RUN/ema.pt                 a checkpoint of train.py, in float32
    python train/evaluate.py --shards DIR --seed 3001 --baseline train/checkpoints/inversionnet.pt

The int8 figures are those of `npx epic eval DIR`, from the other implementation of the arithmetic. Shards come from train/data.py
or train/forward.py; `python train/data.py --seed 3001 --boundary openfwi` makes those of `npx epic eval --all`. Also
`python -m train.evaluate`, from the root of the repository.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # for python -m train.evaluate

import numpy as np  # noqa: E402
import torch  # noqa: E402

import integer  # noqa: E402
import safetensors_io  # noqa: E402
from config import openfwi_scale  # noqa: E402
from data import Shards  # noqa: E402
from faults import fault_list  # noqa: E402
from inversionnet import make_model  # noqa: E402
from metrics import score_by_family  # noqa: E402
from quantize import IntegerEpic  # noqa: E402

BATCH = 25
ROOT = Path(__file__).resolve().parent.parent


def load_network(folder: Path) -> IntegerEpic:
    edge, _ = safetensors_io.load(folder / "edge.safetensors")
    central, metadata = safetensors_io.load(folder / "central.safetensors")
    return IntegerEpic(edge, central, json.loads(metadata["config"]))


class IntegerModel:
    """Int8 weights in NumPy. Codes (B, T, shots, receivers) -> maps on OpenFWI's scale, 1 = 1500 m/s."""

    def __init__(self, folder: Path):
        self.network = load_network(folder)
        self.config = self.network.config
        self.name = self.config["name"]
        self.parameters = self.config.get("training", {}).get("parameters")

    def __call__(self, codes: np.ndarray, present: tuple[bool, ...] | None = None) -> np.ndarray:
        flags = None if present is None else np.array(present, bool)
        velocity = self.network.decode(self.network.encode_line(codes), flags)
        return ((velocity - 3000) / 1500).astype(np.float32)


class TorchModel:
    """A checkpoint of train.py: EPIC before quantisation (or with it rounded: "qat"), or a baseline."""

    def __init__(self, path: Path, stage: str = "float"):
        checkpoint = torch.load(path, map_location="cpu")
        self.config = checkpoint["config"]
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.model = make_model(self.config)
        self.model.load_state_dict(checkpoint["model"])
        self.model.set_stage(stage)
        self.model.eval().to(self.device)
        self.name, self.parameters = self.config["name"], self.model.parameter_count()

    @torch.no_grad()
    def __call__(self, codes: np.ndarray, present: tuple[bool, ...] | None = None) -> np.ndarray:
        x = torch.from_numpy(codes).to(self.device).float() / (4 * self.config["input"]["step"])
        flags = None if present is None else torch.tensor(present, device=self.device).expand(len(x), -1)
        return openfwi_scale(self.model(x, flags).clamp(-1, 1).cpu().numpy(), self.config)


def record_codes(records: np.ndarray, config: dict) -> np.ndarray:
    """Records f32 (N, shots, samples, receivers) -> codes int16 (N, T, shots, receivers), as shards hold them."""
    stage = config["input"]
    arguments = (stage["taps"], stage["decimation"], stage["gain"], stage["compand"], stage["step"])
    codes = [integer.input_stage(np.asarray(record), *arguments) for record in records]
    return np.stack([code.reshape(len(code), records.shape[1], -1) for code in codes])


def raw_batches(folder: Path):
    """(family, records, maps in [-1, 1]) of OpenFWI's layout, also in subfolders; a folder's name is the family."""
    for data in sorted(folder.resolve().rglob("data*.npy")):
        records = np.load(data, mmap_mode="r")
        maps = np.load(data.with_name(data.name.replace("data", "model")))[:, 0]
        for start in range(0, len(records), BATCH):
            part = slice(start, start + BATCH)
            yield data.parent.name, records[part], ((maps[part] - 3000) / 1500).astype(np.float32)


def folder_batches(folder: Path, config: dict):
    """The same with codes instead of records."""
    for family, records, maps in raw_batches(folder):
        yield family, record_codes(records, config), maps


def shard_batches(folder: Path, seed: int, config: dict):
    shards = Shards(folder, [f"*.seed{seed}.*.npz"], config)
    families = np.array([shards.families[s] for s, _ in shards.index])
    for family in sorted(set(families)):
        rows = np.flatnonzero(families == family)
        for start in range(0, len(rows), BATCH):
            codes, maps = shards.batch(rows[start : start + BATCH])
            yield family, codes, openfwi_scale(maps, config)


def missing_sets(devices: int, index: int) -> list[tuple[str, tuple[int, ...]]]:
    """Which devices record `index` is decoded without: every one alone, one pair and one triple, as `epic eval --faults`."""
    chosen = [("missing1", (device,)) for device in range(devices)]
    for count in (2, 3):
        groups = list(itertools.combinations(range(devices), count))
        chosen.append((f"missing{count}", groups[index % len(groups)]))
    return chosen


def score(model, batches, faults: bool) -> dict:
    """The document that is printed: families, their mean, and with `faults` each family's variants."""
    whole, variants, counts = [], [], {}
    for family, codes, maps in batches:
        truth = maps.astype(np.float32)
        whole.append((family, model(codes), truth))
        first = counts.get(family, 0)
        counts[family] = first + len(codes)
        if faults:
            variants += fault_maps(model, family, codes, truth, first)
    families = table(whole)
    for name in sorted({name for name, *_ in variants}):
        for family, row in table([row for key, *row in variants if key == name]).items():
            families[family].setdefault("variants", {})[name] = row
    keys = ("ssim", "mae", "rmse", "maeMps")
    mean = {key: mean_of(families, key) for key in keys}
    return {"model": model.name, "parameters": model.parameters, "families": families, "mean": mean}


def fault_maps(model, family: str, codes: np.ndarray, truth: np.ndarray, first: int) -> list[tuple]:
    devices, wanted = len(model.config["geometry"]["devices"]), {}
    for i in range(len(codes)):
        for name, missing in missing_sets(devices, first + i):
            wanted.setdefault((name, missing), []).append(i)
    found = []
    for (name, missing), rows in wanted.items():
        present = tuple(device not in missing for device in range(devices))
        found.append((name, family, model(codes[rows], present), truth[rows]))
    return found


def fault_scores(model, folder: Path) -> dict:
    """Mean SSIM and MAE over the families for every fault of faults.py, and for clean records."""
    devices = model.config["geometry"]["devices"]
    found: dict[str, list] = {"clean": [], **{name: [] for name in fault_list(devices)}}
    for index, (family, records, truth) in enumerate(raw_batches(folder)):
        found["clean"].append((family, model(record_codes(records, model.config)), truth))
        for number, (name, fault) in enumerate(fault_list(devices).items()):
            faulty = fault(np.asarray(records), np.random.default_rng([index, number]))
            found[name].append((family, model(record_codes(faulty, model.config)), truth))
    scores = {name: table(rows) for name, rows in found.items()}
    return {name: {k: mean_of(families, k) for k in ("ssim", "mae")} for name, families in scores.items()}


def mean_of(families: dict, key: str) -> float:
    return sum(row[key] for row in families.values()) / len(families)


def table(rows) -> dict[str, dict]:
    names = [family for family, maps, _ in rows for _ in range(len(maps))]
    prediction, truth = (torch.from_numpy(np.concatenate([row[i] for row in rows])) for i in (1, 2))
    scores = score_by_family(prediction, truth, names)
    scores.pop("mean")
    return {family: {**row, "maeMps": 1500 * row["mae"]} for family, row in scores.items()}


def text_table(document: dict) -> str:
    lines = [f"{'':14}{'n':>6}{'SSIM':>9}{'MAE':>9}{'RMSE':>9}{'MAE m/s':>9}"]
    for name, row in [*document["families"].items(), ("mean", document["mean"])]:
        figures = f"{row['ssim']:9.4f}{row['mae']:9.4f}{row['rmse']:9.4f}{row['maeMps']:9.1f}"
        lines.append(f"{name:14}{row.get('n', ''):>6}{figures}")
    for name, row in document.get("disturbed", {}).items():
        lines.append(f"{name:18}  SSIM {row['ssim']:.4f}  MAE {row['mae']:.4f}")
    lines.append(f"\nmodel  {document['model']}, {document['parameters']:,} parameters")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="data*.npy and model*.npy")
    parser.add_argument("--shards", type=Path, help="folder of shards instead")
    parser.add_argument("--seed", type=int, default=3001, help="of the shards")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--weights", type=Path, default=ROOT / "weights/epic-base", help="folder of int8 weights")
    which.add_argument("--float", dest="checkpoint", type=Path, help="a checkpoint of train.py")
    which.add_argument("--baseline", type=Path, help="a checkpoint of train.py --model inversionnet")
    parser.add_argument("--stage", default="float", choices=["float", "qat"], help="qat: the checkpoint, rounded")
    parser.add_argument("--faults", action="store_true", help="also without one, two and three devices")
    parser.add_argument("--disturbed", action="store_true", help="also with noise, dead receivers, wrong gains and clocks (faults.py)")
    parser.add_argument("--json", action="store_true", help="one JSON document, as `epic eval --json`")
    parser.add_argument("-o", "--out", type=Path, help="write the document there as well")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if (options.folder is None) == (options.shards is None):
        parser.error("expected a folder of records, or --shards")
    if options.disturbed and options.folder is None:
        parser.error("--disturbed: expected a folder of records, faults are put on raw traces")
    if options.folder and not list(options.folder.rglob("data*.npy")):
        parser.error(f"{options.folder}: expected data*.npy and model*.npy, got none")
    if options.shards and not list(options.shards.glob(f"*.seed{options.seed}.*.npz")):
        parser.error(f"{options.shards}: expected shards of seed {options.seed}, got none")
    torch.set_num_threads(options.threads)
    path = options.checkpoint or options.baseline
    model = TorchModel(path, options.stage) if path else IntegerModel(options.weights)
    shards = options.shards
    batches = shard_batches(shards, options.seed, model.config) if shards else folder_batches(options.folder, model.config)
    document = score(model, batches, options.faults)
    if options.disturbed:
        document["disturbed"] = fault_scores(model, options.folder)
    if options.out:
        options.out.write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document, indent=1) if options.json else text_table(document))


if __name__ == "__main__":
    main()
