"""docs/train-your-own.md: its commands exist, and in small they make a model that the engine runs to the same bits."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluate import load_network, record_codes

ROOT = Path(__file__).resolve().parent.parent
EPIC = ROOT / "dist/cli/main.js"
COMMANDS = [
    shlex.split(line.split("   ")[0])  # what a command is for stands behind it
    for line in re.findall(r"^    ((?:python|npx) .*)$", (ROOT / "docs/train-your-own.md").read_text(), re.MULTILINE)
]
pytestmark = pytest.mark.skipif(not EPIC.exists() or not shutil.which("node"), reason="needs Node and `npm run build`")


def run(command: list[str]) -> str:
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, f"{shlex.join(command)}\n{ended.stderr}"
    return ended.stdout


def epic(*arguments: object) -> str:
    return run(["node", str(EPIC), *map(str, arguments)])


def of(script: str) -> list[list[str]]:
    """The page's commands of one script, without `python`."""
    return [command[1:] for command in COMMANDS if command[1] == f"train/{script}"]


def test_every_command_of_the_page_exists():
    used = {(command[0], command[1] if command[0] == "python" else command[2]) for command in COMMANDS}
    assert {name for tool, name in used if tool == "python"} >= {f"train/{name}.py" for name in ("config", "data", "train", "export")}
    assert {name for tool, name in used if tool == "npx"} >= {"simulate", "demo", "eval", "infer", "encode", "decode", "inspect"}
    for tool, name in used:
        known = (ROOT / name).read_text() if tool == "python" else epic(name, "--help")
        for command in COMMANDS:
            if command[0] == tool and name in command[1:3]:
                for option in [word for word in command if re.match("-[a-z-]", word)]:
                    assert f'"{option}"' in known if tool == "python" else re.search(rf"{option}\b", known), f"{name} {option}"


def test_the_page_in_small(tmp_path):
    data, weights = tmp_path / "data", tmp_path / "weights"
    # The page's own commands; the last of an option given twice counts.
    small = {
        "data.py": f"--count 3 --rounds 1 --families flatvel-a curvefault-a --threads 1 --out {data}",
        "train.py": f"--minutes 0.03 --batch 2 --threads 1 --no-bf16 --data {data}",
        "export.py": f"--from {tmp_path}/qat/ema.pt --data {data} --out {weights} --vectors {tmp_path}/vectors",
    }
    first, last = of("train.py")
    for command in of("data.py"):
        run([sys.executable, *command, *shlex.split(small["data.py"])])
    run([sys.executable, *first, *shlex.split(small["train.py"]), "--run", f"{tmp_path}/float"])
    run([sys.executable, *last, *shlex.split(small["train.py"]), "--run", f"{tmp_path}/qat", "--from", f"{tmp_path}/float/ema.pt"])
    for command in of("export.py"):
        run([sys.executable, *command, *shlex.split(small["export.py"])])

    network = load_network(weights)
    assert network.config["training"]["steps"] > 0 and network.config["training"]["boundary"] == "fast and openfwi"
    epic("simulate", "--model", weights, "--family", "curvefault-a", "-n", 2, "--seed", 5, "--boundary", "fast", "-o", tmp_path / "records")
    records, maps = tmp_path / "records/data1.npy", tmp_path / "maps"
    summary = json.loads(epic("infer", records, "--model", weights, "-o", maps, "--json"))
    assert summary["devicesPresent"] == 4 and summary["payloadBytes"] == 4 * 512
    latents = network.encode_line(record_codes(np.load(records), network.config))
    (velocity,) = maps.glob("*.npy")
    assert np.array_equal(np.load(velocity).reshape(2, 48, 48), network.decode(latents))
