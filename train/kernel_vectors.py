"""Writes test/vectors/kernels/*.safetensors: inputs and exact outputs of every kernel, computed by train/integer.py.

    python3 train/kernel_vectors.py [output folder]

One file per kernel. Tensors are named "<case>/<tensor>"; the metadata entry "cases" lists the cases as JSON, each with
its name and scalar arguments. Seeds are fixed: running it again writes the same bytes.
"""

import json
import sys
from pathlib import Path

import numpy as np

import integer

DTYPES = {"int8": "I8", "int16": "I16", "int32": "I32", "uint32": "U32", "float32": "F32"}


def write_safetensors(path, tensors, metadata):
    """Little-endian safetensors: u64 header length, JSON header, tensors in order."""
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name, array in tensors.items():
        blob = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {
            "dtype": DTYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [offset, offset + len(blob)],
        }
        blobs.append(blob)
        offset += len(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(blobs))


def codes(rng, shape, lo, hi, extremes=0.3):
    """Integers in [lo, hi], a share of them at the two ends."""
    values = rng.integers(lo, hi + 1, shape)
    ends = np.where(rng.random(shape) < 0.5, lo, hi)
    return np.where(rng.random(shape) < extremes, ends, values)


def gather(flat, a_off, segments, seg_stride, seg_values):
    """The values igemm reads for each row: a[a_off[m] + seg * seg_stride + k]."""
    index = np.arange(segments)[:, None] * seg_stride + np.arange(seg_values)
    return flat[a_off[:, None] + index.reshape(-1)[None, :]]


def igemm_case(name, a, rows, a_off, seg, weight, rng, kind, sum_scale):
    """One igemm problem; `rows` are the gathered values by the direct definition and must equal the offsets' view."""
    segments, seg_stride, seg_values = seg
    a_off = np.asarray(a_off)
    flat = a.reshape(-1)
    np.testing.assert_array_equal(gather(flat, a_off, *seg), rows)
    n = len(weight)
    bias = rng.integers(-5000, 5001, n).astype(np.int32)
    spread = sum_scale / max(1.0, float(np.abs(rows.astype(np.float64) @ weight.reshape(n, -1).T).std()))
    scale = (spread * rng.uniform(0.5, 2, n)).astype(np.float32)
    out = integer.igemm(rows, weight, bias, scale, kind)
    args = {"segments": segments, "segStride": seg_stride, "segValues": seg_values, "n": n, "outKind": kind}
    tensors = {
        "a": flat.astype(np.int16),
        "aOff": a_off.astype(np.uint32),
        "weight": weight.reshape(n, -1).astype(np.int8),
        "bias": bias,
        "scale": scale,
        "out": out,
    }
    return {"name": name, **args}, tensors


def igemm_cases(rng):
    """Dense, conv1d, conv2d and one transposed-convolution phase, over s16 and u7 activations and every output kind."""
    for kind, sum_scale in (("s16", 1500), ("u7", 100), ("s8", 100), ("f32", 1)):
        for domain, lo, hi in (("s16", -2047, 2047), ("u7", 0, 127)):
            label = f"{domain}-{kind}"
            weight = codes(rng, (13, 48), -127, 127)
            a = codes(rng, (10, 48), lo, hi)
            yield igemm_case(f"dense-{label}", a, a, np.arange(10) * 48, (1, 0, 48), weight, rng, kind, sum_scale)

            x = codes(rng, (19, 12), lo, hi)
            weight = codes(rng, (16, 5, 12), -127, 127)
            rows = integer.conv1d_rows(x, 5, 2, 2)
            starts = np.arange(len(rows)) * 2 * 12
            padded = integer.pad_spatial(x, [2])
            yield igemm_case(f"conv1d-{label}", padded, rows, starts, (1, 0, 60), weight, rng, kind, sum_scale)

            x = codes(rng, (5, 6, 8), lo, hi)
            weight = codes(rng, (8, 3, 3, 8), -127, 127)
            rows = integer.conv2d_rows(x).reshape(30, -1)
            starts = ((np.arange(5) * 8)[:, None] + np.arange(6)).reshape(-1) * 8
            padded = integer.pad_spatial(x, [1, 1])
            yield igemm_case(f"conv2d-{label}", padded, rows, starts, (3, 64, 24), weight, rng, kind, sum_scale)

            rows = integer.conv2d_rows(x, 2, 1)[1:6, 0:6].reshape(30, -1)
            starts = ((np.arange(5) + 1)[:, None] * 8 + np.arange(6)).reshape(-1) * 8
            weight = codes(rng, (8, 2, 2, 8), -127, 127)
            yield igemm_case(f"convT-phase2-{label}", padded, rows, starts, (2, 64, 16), weight, rng, kind, sum_scale)
    trace = codes(rng, (4, 630), -16383, 16383)
    weight = codes(rng, (8, 630), -127, 127)
    yield igemm_case("traces", trace, trace, np.arange(4) * 630, (1, 0, 630), weight, rng, "u7", 100)


def rounding_case():
    """Sums whose scaled value falls on halves, next to the clamps and far outside the range of the magic number."""
    sums = np.array([-7, -5, -3, -1, 0, 1, 3, 5, 7, 253, 254, 255, 4093, 4094, 4095, 4096, -4093, -4094, -4095, -4096])
    a = np.zeros((20, 4), dtype=np.int64)
    a[:, 0] = sums // 2
    a[:, 1] = sums - sums // 2
    weight = np.zeros((8, 4), dtype=np.int64)
    weight[:, :2] = 1
    scale = np.array([0.5, -0.5, 1.0, 0.25, 3e4, -3e4, 1e30, 1e-30], dtype=np.float32)
    bias = np.array([0, 0, 0, 2, 0, 0, 0, 0], dtype=np.int32)
    out = integer.igemm(a, weight, bias, scale, "s16")
    args = {"segments": 1, "segStride": 0, "segValues": 4, "n": 8, "outKind": "s16"}
    tensors = {
        "a": a.reshape(-1).astype(np.int16),
        "aOff": (np.arange(20) * 4).astype(np.uint32),
        "weight": weight.astype(np.int8),
        "bias": bias,
        "scale": scale,
        "out": out,
    }
    return {"name": "rounding", **args}, tensors


def input_stage_cases(rng):
    """Traces over twelve decades, with zeros, infinities of the level (clamped) and signs; odd receiver counts."""
    taps = np.hamming(13) / np.hamming(13).sum()
    for name, shots, samples, receivers in (("device", 2, 200, 14), ("tail", 1, 61, 5), ("row", 1, 100, 70), ("one", 3, 8, 4)):
        x = rng.normal(size=(shots, samples, receivers)) * 10.0 ** rng.uniform(-6, 3, (shots, samples, receivers))
        x[rng.random(x.shape) < 0.1] = 0
        if name == "tail":
            x[0, 30] = [1e30, -1e30, 3e38, -3e38, 1e-38]
        x, gain = x.astype(np.float32), np.float32(1.25 if name == "tail" else 1)
        out = integer.input_stage(x, taps, 8, gain, 8, 1638)
        args = {"shots": shots, "samples": samples, "receivers": receivers, "decimation": 8}
        yield (
            {"name": name, **args, "gain": float(gain), "compand": 8, "step": 1638, "outRows": len(out)},
            {"x": x, "taps": taps.astype(np.float32), "out": out},
        )


def code_forms(rng, d, scale, most):
    """(label, outKind, scale, zero) of results: one scale for all as the s16 models have it; up to `most` per channel, for both kinds."""
    yield "one", "s16", np.full(d, scale, np.float32), np.zeros(d, np.int32)
    for kind, zero in (("s16", rng.integers(-2047, 2048, d)), ("u7", rng.integers(0, 128, d))):
        spread = 1 if kind == "s16" else integer.U7_MAX / integer.S16_MAX
        yield kind, kind, (most * spread * rng.uniform(0.1, 1, d)).astype(np.float32), zero.astype(np.int32)


def form_args(kind):
    return {"outKind": kind, "lo": integer.BOUNDS[kind][0], "hi": integer.BOUNDS[kind][1]}


def layer_norm_cases(rng):
    """Ordinary rows, constant rows (variance 0), one outlier, very large and very small values."""
    for d in (4, 12, 96):
        x = rng.normal(size=(9, d)) * 10.0 ** rng.uniform(-3, 3, (9, 1)) + rng.normal(size=(9, 1)) * 5
        x[1] = 3.25
        x[2] = 0
        x[3, d // 2] = 1e4
        x = x.astype(np.float32)
        for label, kind, scale, zero in code_forms(rng, d, 210, 840):
            out = integer.layer_norm(x, 1e-5, scale, zero, kind)
            args = {"name": f"d{d}-{label}", "rows": 9, "d": d, "eps": 1e-5, **form_args(kind)}
            yield args, {"x": x, "scale": scale, "zero": zero, "out": out}


def attention_cases(rng):
    """Flat to one-hot score rows, one query, query counts around the block of four, the shapes of epic-base."""
    shapes = [(1, 8, 1, 8, 1e-6), (5, 16, 2, 8, 1e-5), (7, 24, 1, 16, 1e-3), (8, 8, 3, 24, 1e-9), (81, 80, 4, 24, 2e-6)]
    for tq, tk, heads, head_dim, score_scale in shapes:
        d = heads * head_dim
        q, k, v = (codes(rng, (rows, d), -2047, 2047, 0.1).astype(np.int16) for rows in (tq, tk, tk))
        sizes = {"tq": tq, "tk": tk, "heads": heads, "headDim": head_dim}
        for label, kind, scale, zero in code_forms(rng, d, 3.0 / integer.PROBABILITY_ONE, 1.0 / integer.PROBABILITY_ONE):
            out = integer.attention_s16(q, k, v, heads, score_scale, scale, zero, kind)
            args = {"name": f"q{tq}-k{tk}-{label}", **sizes, "scoreScale": score_scale, **form_args(kind)}
            yield args, {"q": q, "k": k, "v": v, "scale": scale, "zero": zero, "out": out}


def simple_cases(rng):
    """add_f32, pack_s8 and unpack_s8."""
    x, y = (rng.normal(size=36).astype(np.float32) for _ in range(2))
    yield "add_f32", {"name": "n36", "n": 36}, {"x": x, "y": y, "out": integer.add_f32(x, y)}
    s8 = codes(rng, 40, -127, 127)
    yield "pack_s8", {"name": "n40", "n": 40}, {"x": s8.astype(np.int16), "out": s8.astype(np.int8)}
    yield "unpack_s8", {"name": "n40", "n": 40}, {"x": s8.astype(np.int8), "out": s8.astype(np.int16)}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "test" / "vectors" / "kernels"
    folder.mkdir(parents=True, exist_ok=True)
    families = {
        "igemm": [*igemm_cases(np.random.default_rng(1)), rounding_case()],
        "input_stage": list(input_stage_cases(np.random.default_rng(2))),
        "layer_norm": list(layer_norm_cases(np.random.default_rng(3))),
        "attention_s16": list(attention_cases(np.random.default_rng(4))),
    }
    for kernel, args, tensors in simple_cases(np.random.default_rng(5)):
        families[kernel] = [(args, tensors)]
    for kernel, cases in families.items():
        tensors = {f"{args['name']}/{key}": value for args, values in cases for key, value in values.items()}
        path = folder / f"{kernel}.safetensors"
        write_safetensors(path, tensors, {"cases": json.dumps([args for args, _ in cases])})
        print(f"{path}: {len(cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
