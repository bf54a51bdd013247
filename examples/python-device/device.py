"""An end device in Python: wasmtime runs the encoder, the standard library frames its latent.

    epic export-edge build/edge && python device.py build/edge RECORD.npy 2 latent.epic

RECORD.npy holds one device's traces, float32 (shots, samples, receivers); `epic decode` takes the frame.
"""
import json, re, struct, sys
from math import prod
from pathlib import Path
from wasmtime import Engine, Instance, Module, Store

def open_encoder(folder: Path):
    """The exported encoder in a WebAssembly host: docs/abi.md, "A device in any host"."""
    plan = json.loads((folder / "edge.plan.json").read_text())
    image = (folder / "edge.bin").read_bytes()
    store = Store(Engine())
    exports = Instance(store, Module.from_file(store.engine, str(folder / "edge.wasm")), []).exports(store)
    if exports["abi_version"](store) != plan["abi"]:
        sys.exit(f"{folder}: expected ABI {plan['abi']}, got another")
    memory = exports["memory"]
    memory.grow(store, max(0, -(-(plan["memory"]["bytes"] - memory.data_len(store)) // 65536)))
    for part in plan["memory"]["segments"]:
        memory.write(store, image[part["offset"] : part["offset"] + part["bytes"]], part["address"])
    latent, end = plan["latent"]["address"], plan["latent"]["address"] + prod(plan["latent"]["shape"])

    def encode(traces: bytes) -> bytes:
        memory.write(store, traces, plan["traces"]["address"])
        for call in plan["calls"]:
            args = [float(arg) if i in call["f32"] else arg for i, arg in enumerate(call["args"])]
            exports[call["export"]](store, *args)
        return bytes(memory.read(store, latent, end))

    return plan, encode

def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for bit in (byte >> i & 1 for byte in data for i in range(8)):
        crc = crc >> 1 ^ (0x82F63B78 if (crc ^ bit) & 1 else 0)
    return crc ^ 0xFFFFFFFF

def frame(plan: dict, latent: bytes, device: int, survey: bytes = b"line-1", record: int = 0) -> bytes:
    """A latent frame, int8: docs/protocol.md."""
    devices, model = plan["geometry"]["devices"], bytes.fromhex(plan["model"]["id"])
    place = device, len(devices), devices[device]["firstReceiver"], devices[device]["receivers"]
    head = struct.pack("<4sBBH8s16sQ4HQI", b"EPIC", 1, 0, 60, model, survey, record, *place, 0, len(latent))
    return head + latent + struct.pack("<I", crc32c(head + latent))

if __name__ == "__main__":
    folder, record, device, out = sys.argv[1:]
    plan, encode = open_encoder(Path(folder))
    npy = Path(record).read_bytes()
    start = 10 + int.from_bytes(npy[8:10], "little")  # .npy, version 1
    shape = tuple(plan["traces"]["shape"])
    if not re.search(rb"'<f4', 'fortran_order': False, 'shape': .*" + re.escape(str(shape)[1:].encode()), npy[:start]):
        sys.exit(f"{record}: expected float32 {shape}, got {npy[10:start].decode().strip()}")
    Path(out).write_bytes(frame(plan, encode(npy[start:]), int(device)))
