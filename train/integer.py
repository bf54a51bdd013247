"""The arithmetic of docs/numbers.md in NumPy: the same bits as the WebAssembly modules.

Integers are exact. Every float32 operation is one NumPy operation on float32 arrays, so it rounds once and is never
fused. Sums whose order matters run left to right in Python loops over the short axis; everything else is vectorised
over any leading axes, so a batch of records costs one call. Integer products go through float64 BLAS, which is exact
because the exporter keeps every sum below 2**31.
"""

import numpy as np

F32 = np.float32
S16_MAX = 2047
U7_MAX = 127
S8_MAX = 127
TRACE_MAX = 16383
PROBABILITY_ONE = 16383
BOUNDS = {"s16": (-S16_MAX, S16_MAX), "u7": (0, U7_MAX), "s8": (-S8_MAX, S8_MAX)}

# log2(1 + u) on [0, 1): u + u (1 - u) q(u), q a minimax polynomial of degree 4 (Lawson weights, 4001 Chebyshev nodes).
# Worst absolute error over all 2**23 mantissas in float32: 2.4e-6. Exact at u = 0; 1 - 2**-23 at the last mantissa.
LOG2_COEFFICIENTS = np.array(
    [
        1.442544937133789,
        -0.7181452512741089,
        0.45754918456077576,
        -0.27790534496307373,
        0.12179791182279587,
        -0.025841450318694115,
    ],
    dtype=F32,
)  # c1 .. c6

# Cephes expf (S. Moshier), http://www.netlib.org/cephes/.
EXP_COEFFICIENTS = np.array(
    [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1], dtype=F32
)
LOG2_E = F32(1.44269504)
LN2_HIGH = F32(0.693359375)
LN2_LOW = F32(-2.12194440e-4)

ROUND_MAGIC = F32(12582912.0)  # 1.5 * 2**23: adding it leaves an integer in the low mantissa bits
ROUND_MAGIC_BITS = 0x4B400000


def rint_clamp(x, lo, hi, zero=0):
    """Round float32 half to even, add zero (at most 2047 either way), clamp to [lo, hi]; saturates for any finite or infinite x. Returns int32."""
    bits = (np.asarray(x, dtype=F32) + ROUND_MAGIC).view(np.int32) + np.asarray(zero, dtype=np.int32)
    return np.clip(bits, ROUND_MAGIC_BITS + lo, ROUND_MAGIC_BITS + hi) - np.int32(ROUND_MAGIC_BITS)


def matmul_exact(a, b):
    """Integer matrix product as float64; exact while every partial sum stays below 2**53."""
    return np.matmul(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))


def igemm(a, weight, bias, scale, kind="s16", lo=None, hi=None):
    """Rows of A against int8 weights, int32 bias, float32 scale per output channel.

    a       integers [..., K]: the gathered values of each output row (see conv1d_rows and friends)
    weight  int8 [N, ...] with K values per row in order of use
    kind    "s16" (clamp to +-2047), "u7" (0..127: ReLU), "s8" (+-127) or "f32" (no rounding)
    lo, hi  override the clamp of `kind`
    Returns [..., N]: float32 for "f32", otherwise int16.
    """
    w = np.asarray(weight, dtype=np.float64).reshape(len(weight), -1)
    acc = matmul_exact(a, w.T)
    acc += np.asarray(bias, dtype=np.float64)
    if acc.size and np.abs(acc).max() >= 2**31:
        raise OverflowError(f"igemm accumulator: expected below 2^31, got {np.abs(acc).max():.0f}")
    out = acc.astype(F32) * np.asarray(scale, dtype=F32)
    if kind == "f32":
        return out
    bounds = BOUNDS[kind]
    low = bounds[0] if lo is None else lo
    high = bounds[1] if hi is None else hi
    return rint_clamp(out, low, high).astype(np.int16)


def conv1d_rows(x, kernel, stride, padding):
    """Rows of A of a conv1d over time-major x [..., T, C]: returns [..., T_out, kernel * C], tap-major."""
    x = pad_spatial(x, [padding])
    t_out = (x.shape[-2] - kernel) // stride + 1
    taps = [x[..., k : k + stride * (t_out - 1) + 1 : stride, :] for k in range(kernel)]
    return np.concatenate(taps, axis=-1)


def conv2d_rows(x, kernel=3, padding=1):
    """Rows of A of a stride-1 conv2d over NHWC x [..., H, W, C]: returns [..., H', W', kernel * kernel * C], (ky, kx, c)."""
    x = pad_spatial(x, [padding, padding])
    h, w = x.shape[-3] - kernel + 1, x.shape[-2] - kernel + 1
    taps = [x[..., ky : ky + h, kx : kx + w, :] for ky in range(kernel) for kx in range(kernel)]
    return np.concatenate(taps, axis=-1)


def conv_transpose2d(x, weight, bias, scale, kind="u7"):
    """ConvTranspose2d k4 s2 p1 over NHWC x [..., H, W, C] by four phases; weight [4][out][2][2][C], phase = 2 py + px.

    Returns [..., 2H, 2W, out].
    """
    h, w = x.shape[-3], x.shape[-2]
    patches = conv2d_rows(x, kernel=2, padding=1)  # [..., H + 1, W + 1, 4 C]: pixel (y, x) sees padded rows y, y + 1
    phases = [
        igemm(patches[..., py : py + h, px : px + w, :], weight[2 * py + px], bias, scale, kind)
        for py in range(2)
        for px in range(2)
    ]
    out = np.empty((*x.shape[:-3], 2 * h, 2 * w, len(bias)), dtype=phases[0].dtype)
    for phase, values in enumerate(phases):
        out[..., phase // 2 :: 2, phase % 2 :: 2, :] = values
    return out


def pad_spatial(x, pads):
    """Zero-pad the spatial axes (those just before the channel axis) by pads[i] on both sides."""
    widths = [(0, 0)] * (x.ndim - 1 - len(pads)) + [(p, p) for p in pads] + [(0, 0)]
    return np.pad(x, widths)


def log2_f32(a):
    """log2 of finite float32 a >= 1, within 2.4e-6; an infinite a gives 128."""
    bits = np.asarray(a, dtype=F32).view(np.int32)
    exponent = (bits >> 23) - 127
    u = ((bits & 0x7FFFFF) | 0x3F800000).view(F32) - F32(1)
    c1, c2, c3, c4, c5, c6 = LOG2_COEFFICIENTS
    p = u * c6 + c5
    for c in (c4, c3, c2, c1):
        p = p * u + c
    return p * u + exponent.astype(F32)


def exp_f32(x):
    """exp of float32 x <= 0; anything below -30 counts as -30."""
    x = np.maximum(np.asarray(x, dtype=F32), F32(-30))
    shifted = x * LOG2_E + ROUND_MAGIC
    n = shifted - ROUND_MAGIC
    f = (x - n * LN2_HIGH) - n * LN2_LOW
    p = np.full_like(f, EXP_COEFFICIENTS[0])
    for c in EXP_COEFFICIENTS[1:]:
        p = p * f + c
    p = (p * (f * f) + f) + F32(1)
    return (p.view(np.int32) + (n.astype(np.int32) << 23)).view(F32)


def input_stage(x, taps, decimation=8, gain=1.0, compand=8.0, step=1638.0):
    """Low-pass, decimate and compand traces x [..., shots, samples, receivers] float32.

    Returns int16 [..., ceil(samples / decimation), shots * receivers], channel = shot * receivers + receiver.
    Samples outside the record count as +0. Tap k of output t reads sample decimation * t + k - len(taps) // 2.
    """
    x = np.asarray(x, dtype=F32)
    taps = np.asarray(taps, dtype=F32)
    *batch, shots, samples, receivers = x.shape
    t_out = -(-samples // decimation)
    half = len(taps) // 2
    after = max(0, decimation * (t_out - 1) + len(taps) - half - samples)
    padded = np.pad(x, [(0, 0)] * (x.ndim - 2) + [(half, after), (0, 0)])
    y = None
    for k, h in enumerate(taps):
        term = padded[..., k : k + decimation * (t_out - 1) + 1 : decimation, :] * h
        y = term if y is None else y + term
    a = np.abs(y * F32(gain)) * F32(compand) + F32(1)
    q = rint_clamp(log2_f32(a) * F32(step), 0, TRACE_MAX)
    q = np.where(y < 0, -q, q).astype(np.int16)
    return np.moveaxis(q, -3, -2).reshape(*batch, t_out, shots * receivers)


def sum_by_lanes(x):
    """Sum of the last axis (a multiple of 4) in the lane order of the modules: S_l over i = l mod 4, then pairs."""
    lanes = np.zeros((*x.shape[:-1], 4), dtype=F32)
    for i in range(0, x.shape[-1], 4):
        lanes = lanes + x[..., i : i + 4]
    return (lanes[..., 0:1] + lanes[..., 1:2]) + (lanes[..., 2:3] + lanes[..., 3:4])


def layer_norm(x, eps, scale, zero, kind="s16"):
    """Normalise rows of float32 x [..., d] (d a multiple of 4) to codes of `kind`: scale codes per standard deviation, plus zero.

    scale, zero   float32 and integers, per channel or one for all
    """
    x = np.asarray(x, dtype=F32)
    inverse_d = F32(1) / F32(x.shape[-1])
    t = x - sum_by_lanes(x) * inverse_d
    variance = sum_by_lanes(t * t) * inverse_d
    r = F32(1) / np.sqrt(variance + F32(eps))
    return rint_clamp((t * r) * np.asarray(scale, dtype=F32), *BOUNDS[kind], zero).astype(np.int16)


def attention_s16(q, k, v, heads, score_scale, scale, zero, kind="s16"):
    """Multi-head attention of int16 q [..., tq, d] over k, v [..., tk, d]; tk a multiple of 8. Returns codes of `kind` [..., tq, d].

    scale, zero   of the result, as in layer_norm
    """
    q, k, v = (split_heads(t, heads) for t in (q, k, v))
    scores = matmul_exact(q, np.swapaxes(k, -1, -2)).astype(F32) * F32(score_scale)
    e = exp_f32(scores - scores.max(axis=-1, keepdims=True))
    r = F32(PROBABILITY_ONE) / sum_by_lanes(e)
    p = rint_clamp(e * r, 0, PROBABILITY_ONE)
    sums = np.swapaxes(matmul_exact(p, v).astype(F32), -2, -3)
    sums = sums.reshape(*sums.shape[:-2], -1)
    return rint_clamp(sums * np.asarray(scale, dtype=F32), *BOUNDS[kind], zero).astype(np.int16)


def split_heads(t, heads):
    """[..., tokens, d] -> [..., heads, tokens, d / heads]."""
    return np.swapaxes(np.reshape(t, (*t.shape[:-1], heads, -1)), -2, -3)


def add_f32(x, y):
    """Residual sum of two float32 arrays."""
    return np.asarray(x, dtype=F32) + np.asarray(y, dtype=F32)


def clamp_velocity(x, lo, hi):
    """The one channel of the last convolution, float32 [..., 1], clamped to [lo, hi]."""
    return np.minimum(np.maximum(np.asarray(x, dtype=F32)[..., 0], F32(lo)), F32(hi))
