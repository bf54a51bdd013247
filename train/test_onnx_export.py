"""The ONNX form of the shipped model against the engine's golden vectors, through onnxruntime."""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

import integer  # noqa: E402
import onnx_export  # noqa: E402
import safetensors_io  # noqa: E402
from onnx_export import Builder, Weights, calibrate, companded, compare, join_phases, session  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
# Rounding alone, with room for other weights than today's; any wrong scale, order or sign costs hundreds of m/s.
LATENT_CODES, FLOAT_MPS, INT8_MPS = 4, 40, 60
PEER_OPS = {
    *("Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "Relu", "Softmax", "Reshape", "Transpose", "Slice"),
    *("LayerNormalization", "QuantizeLinear", "DequantizeLinear"),
}


@pytest.fixture(scope="module")
def weights() -> Weights:
    return Weights(ROOT / "weights/epic-base")


@pytest.fixture(scope="module")
def golden(weights) -> dict[str, np.ndarray]:
    tensors, metadata = safetensors_io.load(ROOT / "test/vectors/model/epic-base.safetensors")
    return {**tensors, "traces": tensors["traces"].astype(np.float32) * np.float32(metadata["traceStep"])}


def test_transposed_convolution_is_the_engines():
    random = np.random.default_rng(1)
    codes = random.integers(-127, 128, (4, 3, 2, 2, 5), np.int8)
    x = random.integers(0, 128, (6, 7, 5))
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.int32)
    expected = integer.conv_transpose2d(x, codes, zeros, ones, "f32")
    graph = onnx_export.Graph("one", False, None)
    kernel = graph.constant(join_phases(codes).astype(np.float32), "w")
    attributes = {"kernel_shape": [4, 4], "strides": [2, 2], "pads": [1, 1, 1, 1]}
    y = graph.op("ConvTranspose", [graph.input("x", (1, 5, 6, 7)), kernel], **attributes)
    model = graph.model(y, (1, 3, 12, 14), {"name": "one", "geometry": {}})
    (out,) = session(model).run(None, {"x": x.transpose(2, 0, 1)[None].astype(np.float32)})
    assert np.array_equal(out[0].transpose(1, 2, 0), expected)


def test_latents_are_the_engines_but_for_rounding(weights, golden):
    _, model = Builder(weights).build("encoder", traces=False, peers=False)
    run = session(model)
    for device, codes in enumerate(companded(weights, golden["traces"])):
        (latent,) = run.run(None, {"x": codes[None]})
        error = np.abs(latent[0] * 127 - golden["latents"][device])
        assert error.mean() < LATENT_CODES, (error.max(), error.mean())


def test_central_part_from_the_engines_latents(weights, golden):
    _, central = Builder(weights).build("central", traces=False, peers=False)
    _, decoder = Builder(weights).build("decoder", traces=False, peers=False)
    for name in ("all", "random"):
        latents = golden["latents" if name == "all" else "latents.random"]
        x = latents.reshape(-1, latents.shape[-1]).astype(np.float32) / 127
        (tokens,) = session(central).run(None, {"x": x})
        (velocity,) = session(decoder).run(None, {"x": tokens})
        error = np.abs(velocity[0, 0] - golden[f"map.{name}"])
        assert error.mean() < FLOAT_MPS, (name, error.max(), error.mean())


@pytest.mark.parametrize("traces", [False, True])
def test_full_graph_in_float(weights, golden, traces):
    _, model = Builder(weights).build("full", traces=traces, peers=False)
    result = compare(model, weights, golden["traces"][None], golden["map.all"][None])
    assert result["meanMps"] < FLOAT_MPS, result


def test_full_graph_in_int8(weights, golden):
    builder, record = Builder(weights), golden["traces"][None]
    ranges = calibrate(builder, record)
    _, model = builder.build("full", False, False, ranges)
    result = compare(model, weights, record, golden["map.all"][None])
    assert result["meanMps"] < INT8_MPS, result
    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    quantised = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    assert len(quantised) > 20
    assert all(types[node.input[2]] == onnx.TensorProto.UINT8 for node in quantised)
    int8 = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.INT8 and t.name.endswith("_w")]
    assert sum(np.prod(t.dims) for t in int8) > 200_000


@pytest.mark.parametrize("first_u8", [False, True])
@pytest.mark.parametrize("part", onnx_export.PARTS)
def test_peers_form_keeps_to_its_operators(weights, golden, part, first_u8):
    builder = Builder(weights, first_u8, attention_u8=first_u8)
    ranges = calibrate(builder, golden["traces"][None])
    for form in (None, ranges):
        _, model = builder.build(part, False, True, form)
        assert {node.op_type for node in model.graph.node} <= PEER_OPS
        assert len(model.graph.input) == len(model.graph.output) == 1


def test_uneven_devices_are_filled_with_zeros(weights, golden):
    uneven = Weights(ROOT / "weights/epic-base")
    blocks = [(0, 14), (14, 10), (24, 14), (38, 4), (42, 14)]
    uneven.config["geometry"]["devices"] = [{"firstReceiver": f, "receivers": n} for f, n in blocks]
    _, model = Builder(uneven).build("full", traces=True, peers=False)
    _, codes = Builder(uneven).build("full", traces=False, peers=False)
    (one,) = session(model).run(None, {"traces": golden["traces"]})
    (other,) = session(codes).run(None, {"x": companded(uneven, golden["traces"])})
    assert np.abs(one - other).max() < 5
