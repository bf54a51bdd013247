"""Writes the shipped files of a trained model: weights, model card figures and the engine's golden vectors.

    python train/export.py --from train/runs/base-qat/ema.pt

The name, the survey and where the shards lie come from the checkpoint's configuration: weights/NAME, test/vectors/model/NAME.safetensors.
Calibrates the central node's steps on training shards, quantises, measures the integer network on held-out shards
beside the float one, and prints the worst rounding error of every tensor.

    python train/export.py --from train/checkpoints/epic-base.pt --edge weights/epic-base/edge.safetensors \\
        --training weights/epic-base/central.safetensors --data-seed 14 15

writes a central node again for the end devices that are in the field, calibrated on shards of other seeds than it was trained on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch

import safetensors_io
from config import mac_counts, openfwi_scale, shard_folder, to_unit
from data import ROOT, Shards, simulate
from entropy import bits_per_value, latent_tables
from metrics import score_by_family
from model import ConvNorm, Epic, QuantLinear, load_trained
from quantize import IntegerEpic, calibrate, quantise
from train import evaluate, to_input

TRACE_STEP = 2.0**-8  # vectors store traces as int16 multiples of this, exact in float32


def load_model(path: Path) -> tuple[Epic, dict, int]:
    model, steps = load_trained(path)
    model.eval().set_stage("qat")
    return model, model.config, steps


def print_rounding(model: Epic) -> None:
    """Worst and RMS weight rounding error per layer, relative to the layer's largest weight."""
    for name, module in model.named_modules():
        if isinstance(module, (ConvNorm, QuantLinear)):
            weight = module.folded()[0].detach().flatten(1)
            step = weight.abs().amax(1, keepdim=True).clamp_min(1e-8) / 127
            error = (weight / step - (weight / step).round()) * step
            print(f"  {name:32s} worst {error.abs().max() / weight.abs().max():.5f}  rms {error.square().mean().sqrt() / weight.abs().max():.5f}")


def integer_scores(network: IntegerEpic, shards: Shards, present=None, batch: int = 50) -> dict:
    outputs, truths = [], []
    for start in range(0, len(shards.index), batch):
        codes, maps = shards.batch(np.arange(start, min(start + batch, len(shards.index))))
        velocity = network.decode(network.encode_line(codes), present)
        outputs.append(torch.from_numpy(to_unit(velocity, network.config)))
        truths.append(torch.from_numpy(maps))
    families = [shards.families[s] for s, _ in shards.index]
    predicted, true = (openfwi_scale(torch.cat(maps), network.config) for maps in (outputs, truths))
    return score_by_family(predicted, true, families)


def line_latents(network: IntegerEpic, shards: Shards, rows: np.ndarray) -> np.ndarray:
    """Int8 latents (records x devices, slots, channels) of some records."""
    parts = [network.encode_line(shards.batch(part)[0]) for part in np.array_split(rows, max(1, len(rows) // 50))]
    latents = np.concatenate(parts)
    return latents.reshape(-1, *latents.shape[-2:])


def frequency_tables(network: IntegerEpic, train_shards: Shards, test_shards: Shards, count: int) -> dict:
    """Tables of the latents' entropy coding from `count` training records; prints what they reach on held-out ones."""
    rows = np.random.default_rng(1).permutation(len(train_shards.index))[:count]
    tables = latent_tables(line_latents(network, train_shards, rows))
    unseen = line_latents(network, test_shards, np.arange(min(200, len(test_shards.index))))
    print(f"entropy coding: {bits_per_value(unseen, tables):.3f} bits per value on held-out records, 4 without")
    return tables


def rounded(scores: dict) -> dict:
    return {f: {k: v if k == "n" else round(v, 4) for k, v in s.items()} for f, s in scores.items()}


def file_texts(config: dict, edge: dict, central: dict) -> tuple[bytes, bytes]:
    text = json.dumps(config, separators=(",", ":"))
    edge_bytes = safetensors_io.dump(edge, {"format": "epic-edge", "config": text})
    digest = hashlib.sha256(edge_bytes).hexdigest()
    central_bytes = safetensors_io.dump(central, {"format": "epic-central", "config": text, "edge_sha256": digest})
    return edge_bytes, central_bytes


def central_for(edge_path: Path, config: dict, edge: dict, central: dict) -> tuple[bytes, bytes]:
    """(edge file as it is, central file for it, with its frequency tables): a central node for end devices that are in the field already.

    Raises ValueError unless the trained network's encoder is the file's, tensor by tensor.
    """
    shipped, _ = safetensors_io.load(edge_path)
    for name, tensor in edge.items():
        if name not in shipped or not np.array_equal(shipped[name], tensor):
            raise ValueError(f"{edge_path}: expected the encoder that the network was trained on, {name} differs (train.py --keep-encoder)")
    tables = {name: tensor for name, tensor in shipped.items() if name not in edge}
    text, edge_bytes = json.dumps(config, separators=(",", ":")), edge_path.read_bytes()
    metadata = {"format": "epic-central", "config": text, "edge_sha256": hashlib.sha256(edge_bytes).hexdigest()}
    return edge_bytes, safetensors_io.dump(central | tables, metadata)


def training_record(options, commit: str, steps: int, shards: Shards, model: Epic, config: dict) -> dict:
    """The file's account of its training: what `--training` says, else what the shards and the checkpoint say; of this commit."""
    if options.training:
        _, metadata = safetensors_io.load(options.training)
        return json.loads(metadata["config"])["training"] | {"commit": commit}
    return {
        "commit": commit, "steps": steps, "maps": len(shards.index), "dataSeed": options.data_seed, "testSeed": options.test_seed,
        "boundary": " and ".join(sorted(shards.boundaries)) or "not recorded", "recipe": "train/train.py: float stage, then qat stage",
        "parameters": model.parameter_count(), "macs": mac_counts(config),
    }


def device_subsets(devices: int) -> dict[str, list[int]]:
    """Which devices take part in the vectors' maps: all, and where there are enough all but the second, one alone, the ends."""
    subsets = {"all": [1] * devices}
    if devices > 2:
        alone = min(3, devices - 1)
        subsets["without1"] = [int(i != 1) for i in range(devices)]
        subsets[f"only{alone}"] = [int(i == alone) for i in range(devices)]
        subsets["ends"] = [int(i in (0, devices - 1)) for i in range(devices)]
    return subsets


def write_vectors(network: IntegerEpic, folder: Path, seed: int) -> None:
    """Whole-model vectors: rounded traces of one record, latents, maps with all and with missing devices."""
    folder.mkdir(parents=True, exist_ok=True)
    geometry = network.config["geometry"]
    with tempfile.TemporaryDirectory() as scratch:
        simulate(network.config, "curvefault-a", seed, 0, 1, Path(scratch) / "one", 1, "fast")
        record = np.load(Path(scratch) / "one/data1.npy")[0]
    codes16 = np.clip(np.rint(record / TRACE_STEP), -32767, 32767).astype(np.int16)
    traces = codes16.astype(np.float32) * np.float32(TRACE_STEP)
    blocks = [traces[..., b["firstReceiver"] : b["firstReceiver"] + b["receivers"]] for b in geometry["devices"]]
    latents = np.stack([network.encode_codes(network.input_codes(block)) for block in blocks])
    tensors = {"traces": codes16, "latents": latents}
    subsets = device_subsets(len(geometry["devices"]))
    for name, present in subsets.items():
        tensors[f"map.{name}"] = network.decode(latents[None], np.array(present, bool))[0]
    random = np.random.default_rng(7).integers(-127, 128, latents.shape).astype(np.int8)
    tensors |= {"latents.random": random, "map.random": network.decode(random[None])[0]}
    metadata = {"traceStep": str(TRACE_STEP), "subsets": json.dumps(subsets), "made_by": "train/export.py"}
    (folder / f"{network.config['name']}.safetensors").write_bytes(safetensors_io.dump(tensors, metadata))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="start", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="default: weights/NAME")
    parser.add_argument("--edge", type=Path, help="an edge.safetensors whose encoder the network was trained on (--keep-encoder): taken as it is")
    parser.add_argument("--vectors", type=Path, default=ROOT / "test/vectors/model")
    parser.add_argument("--data", type=Path, help="folder of shards; default as train/data.py writes them for the model")
    parser.add_argument("--data-seed", type=int, nargs="+", default=[1, 2], help="of the shards to calibrate on: the training's, unless --training is given")
    parser.add_argument("--training", type=Path, help="a central.safetensors of the same checkpoint, whose account of the training is kept")
    parser.add_argument("--test-seed", type=int, default=1002)
    parser.add_argument("--calibration", type=int, default=500, help="records that the central node's steps are chosen on")
    parser.add_argument("--entropy", type=int, default=1500, help="training records for the latents' frequency tables")
    parser.add_argument("--activations", choices=["s16", "u7"], default="u7", help="what dense layers of the central node read")
    options = parser.parse_args()
    model, config, steps = load_model(options.start)
    config["central"].pop("activations", None)
    if options.activations != "s16":  # which files without the entry are
        config["central"]["activations"] = options.activations
    out, data = options.out or ROOT / "weights" / config["name"], options.data or shard_folder(config, ROOT)
    print_rounding(model)
    train_shards = Shards(data, [f"*.seed{seed}.*.npz" for seed in options.data_seed], config)
    if len(train_shards.index) == 0:
        parser.error(f"{data}: expected shards of seeds {options.data_seed}, got none (train/data.py makes them)")
    rows = np.random.default_rng(0).permutation(len(train_shards.index))[: options.calibration]
    calibrate(model, (to_input(train_shards.batch(part)[0], config, "cpu") for part in np.array_split(rows, min(10, len(rows)))))
    edge, central, config = quantise(model, config)
    network = IntegerEpic(edge, central, config)
    test_shards = Shards(data, [f"*.seed{options.test_seed}.*.npz"], config)
    if len(test_shards.index) == 0:
        parser.error(f"{data}: expected held-out shards of seed {options.test_seed}, got none (train/data.py makes them)")
    scores = integer_scores(network, test_shards)
    reference = evaluate(model, test_shards, config, "cpu")
    print("integer ", json.dumps(rounded(scores)["mean"]), "\nqat float", json.dumps(rounded(reference)["mean"]))
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    config["training"] = training_record(options, commit, steps, train_shards, model, config)
    config["metrics"] = {"integer": rounded(scores), "dataSet": f"generated, seed {options.test_seed}"}
    out.mkdir(parents=True, exist_ok=True)
    if options.edge:
        edge_bytes, central_bytes = central_for(options.edge, config, edge, central)
    else:
        tables = frequency_tables(network, train_shards, test_shards, options.entropy)
        edge_bytes, central_bytes = file_texts(config, edge | tables, central | tables)
    (out / "edge.safetensors").write_bytes(edge_bytes)
    (out / "central.safetensors").write_bytes(central_bytes)
    write_vectors(network, options.vectors, options.test_seed)
    print(f"edge {len(edge_bytes)} bytes, central {len(central_bytes)} bytes, model id {hashlib.sha256(edge_bytes).hexdigest()[:16]}")


if __name__ == "__main__":
    main()
