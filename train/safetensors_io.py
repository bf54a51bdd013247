"""Reads and writes .safetensors files: 8-byte header length, JSON header, raw little-endian tensors."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np

NAMES = {"int8": "I8", "uint8": "U8", "uint16": "U16", "int16": "I16", "int32": "I32", "float32": "F32"}
TYPES = {name: np.dtype(dtype).newbyteorder("<") for dtype, name in NAMES.items()}


def dump(tensors: dict[str, np.ndarray], metadata: dict[str, str]) -> bytes:
    """Tensors in the given order, wide types first so that all are aligned; header padded with spaces.

    Metadata gains `content_sha256`, the SHA-256 of the `config` text (if any) and all tensor bytes: a reader finds damage.
    """
    order = sorted(tensors, key=lambda name: -tensors[name].dtype.itemsize)
    header, chunks, offset = {"__metadata__": metadata}, [], 0
    for name in order:
        tensor = np.ascontiguousarray(tensors[name])
        data = tensor.astype(tensor.dtype.newbyteorder("<")).tobytes()
        header[name] = {
            "dtype": NAMES[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + len(data)],
        }
        chunks.append(data)
        offset += len(data)
    digest = hashlib.sha256(metadata.get("config", "").encode() + b"".join(chunks)).hexdigest()
    header["__metadata__"] = metadata | {"content_sha256": digest}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(chunks)


def load(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(body[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata
