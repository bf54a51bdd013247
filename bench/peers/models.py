"""What the race needs beside the networks: inputs for measuring and comparing, and the float graphs as JSON for TensorFlow.js,
which reads no ONNX.

    python bench/peers/models.py join RECORDS --out calibration.npy
    python bench/peers/models.py inputs weights/epic-base RECORDS --onnx DIR --out DIR

RECORDS holds cal*/data1.npy and test*/{data1,model1}.npy of `npx epic simulate`. `join` puts the first kind into one file.
`inputs` writes calibration.npz (for tflite.py), inputs.{x,latents,answers}.f32 (of the test records, raw float32), records.npy,
truth.npy and tfjs-{encoder,central,decoder,full}.{json,bin}. Needs numpy, onnx and onnxruntime.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "train"))
import onnx_export  # noqa: E402

F32 = np.float32


def inputs_of(records: np.ndarray, weights: onnx_export.Weights, folder: Path) -> dict[str, np.ndarray]:
    """What each part takes, by the float graphs: companded traces, latents, answers of the map's positions."""
    x = np.stack([onnx_export.companded(weights, record) for record in records]).astype(F32)
    encoder, central = (onnx_export.session(onnx.load(folder / f"{part}.fp32.onnx")) for part in ("encoder", "central"))
    latents = [np.concatenate([encoder.run(None, {"x": device[None]})[0][0] for device in record]) for record in x]
    answers = [central.run(None, {"x": record})[0] for record in latents]
    return {"x": x, "latents": np.stack(latents), "answers": np.stack(answers)}


def write_json(path: Path, out: Path) -> None:
    """One ONNX graph as a list of nodes and one file of constants."""
    graph, data, offset, constants = onnx.load(path).graph, [], 0, {}
    for tensor in graph.initializer:
        value = numpy_helper.to_array(tensor)
        if value.dtype == np.int64:
            constants[tensor.name] = {"shape": list(value.shape), "values": value.reshape(-1).tolist()}
            continue
        constants[tensor.name] = {"shape": list(value.shape), "offset": offset, "count": value.size}
        data.append(value.astype(F32).tobytes())
        offset += value.size * 4
    nodes = [
        {
            "op": node.op_type,
            "in": list(node.input),
            "out": node.output[0],
            "attributes": {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute},
        }
        for node in graph.node
    ]
    document = {"input": graph.input[0].name, "output": graph.output[0].name, "nodes": nodes, "constants": constants}
    out.with_suffix(".json").write_text(json.dumps(document))
    out.with_suffix(".bin").write_bytes(b"".join(data))


def load(records: Path, kind: str, file: str) -> np.ndarray:
    return np.concatenate([np.load(folder / file) for folder in sorted(records.glob(f"{kind}*"))])


def write_inputs(options: argparse.Namespace) -> None:
    weights = onnx_export.Weights(options.model)
    options.out.mkdir(parents=True, exist_ok=True)
    np.savez(options.out / "calibration.npz", **inputs_of(load(options.records, "cal", "data1.npy"), weights, options.onnx))
    test = load(options.records, "test", "data1.npy")
    np.save(options.out / "records.npy", test)
    np.save(options.out / "truth.npy", load(options.records, "test", "model1.npy"))
    for name, value in inputs_of(test, weights, options.onnx).items():
        value.astype(F32).tofile(options.out / f"inputs.{name}.f32")
    for part in onnx_export.PARTS:
        write_json(options.onnx / f"{part}.fp32.onnx", options.out / f"tfjs-{part}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    join = commands.add_parser("join")
    join.add_argument("records", type=Path)
    join.add_argument("--out", type=Path, required=True)
    inputs = commands.add_parser("inputs")
    inputs.add_argument("model", type=Path)
    inputs.add_argument("records", type=Path)
    inputs.add_argument("--onnx", type=Path, required=True, help="folder of onnx_export.py's files")
    inputs.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.command == "join":
        np.save(options.out, load(options.records, "cal", "data1.npy"))
    else:
        write_inputs(options)


if __name__ == "__main__":
    main()
