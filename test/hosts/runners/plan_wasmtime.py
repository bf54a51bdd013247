"""wasmtime: examples/python-device/device.py encodes every device of the job. Output as encode.mjs.

    python plan_wasmtime.py JOB DEVICES
"""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "examples/python-device"))
from device import open_encoder

job, devices = Path(sys.argv[1]), int(sys.argv[2])
results = {}
for module in ("scalar", "simd"):
    _, encode = open_encoder(job / module)
    results[module] = {"latents": [encode((job / f"traces-{i}.f32").read_bytes()).hex() for i in range(devices)]}
print(json.dumps(results))
