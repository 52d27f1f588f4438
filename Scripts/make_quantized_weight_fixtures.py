"""Digests of small integer weights, made with numpy from the operators' definitions and run by ONNX Runtime.

Prints the table of Tests/ONNXTests/QuantizedLayoutTests.swift. Made with numpy 2.4, onnx 1.23.2, onnxruntime 1.31.1.
"""
import hashlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

N, K = 7, 600


def weights():
    """[N, K], with a row of zeros and one of one sign; every element is exact in 32 bits."""
    n, k = np.meshgrid(np.arange(N), np.arange(K), indexing="ij")
    w = ((n * 7919 + k * 104729 + n * k * 31) % 2003 - 1001).astype(np.float32) / np.float32(1024)
    w[2] = 0
    w[4] = np.abs(w[4])
    return w


def quantize(group, bits, symmetric, scale_type):
    """Codes of one group, its scale and its zero."""
    low, high = group.min(), group.max()
    last = 2**bits - 1
    if symmetric and bits == 4:
        scale = (high if high > -low else low) / np.float32(-8)
    elif symmetric:
        scale = max(high, -low) / np.float32(127)
    else:
        scale = (max(high, 0) - min(low, 0)) / np.float32(last)
    scale = np.float32(np.float32(scale).astype(scale_type))
    if scale == 0:
        scale = np.float32(1)
    zero = 2 ** (bits - 1) if symmetric else int(min(np.floor(-min(low, np.float32(0)) / scale + np.float32(0.5)), last))
    codes = np.rint(group / scale).astype(np.int64) + zero
    return np.clip(codes, 1 if symmetric and bits == 8 else 0, last), scale, zero


def nibbles(codes):
    flat = codes.astype(np.uint8).ravel() & 15
    if flat.size % 2:
        flat = np.append(flat, np.uint8(0))
    return flat[::2] | flat[1::2] << 4


def run(nodes, constants, output_type, shape, opset, x=None):
    inputs = [] if x is None else [helper.make_tensor_value_info("a", output_type, x.shape)]
    graph = helper.make_graph(nodes, "g", inputs, [helper.make_tensor_value_info("y", output_type, shape)], constants)
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {} if x is None else {"a": x})[0]


def raw(name, element, dims, array):
    return helper.make_tensor(name, element, dims, array.tobytes(), raw=True)


def case(layout, bits, group, symmetric, scale_type):
    w = weights()
    size = group or K
    groups = (K + size - 1) // size
    stored = group or min(256, 1 << max(4, (K - 1).bit_length()))
    codes = np.zeros((N, K), np.int64)
    scales, zeros = np.zeros((N, groups), np.float32), np.zeros((N, groups), np.int64)
    for n in range(N):
        for g in range(groups):
            part = slice(g * size, min((g + 1) * size, K))
            codes[n, part], scales[n, g], zeros[n, g] = quantize(w[n, part], bits, symmetric, scale_type)
    wide = np.minimum(np.arange(K) // size, groups - 1)
    exact = (codes - zeros[:, wide]) * scales[:, wide].astype(np.float64)
    element = TensorProto.FLOAT if scale_type == np.float32 else TensorProto.FLOAT16
    tensors, constants = [], []
    if layout == "matMulNBits":
        # The runtime knows no blocks beyond 256: one scale per output stands once per block.
        blocks = (K + stored - 1) // stored
        if not group:
            scales, zeros, groups = scales.repeat(blocks, axis=1), zeros.repeat(blocks, axis=1), blocks
        padded = np.repeat(zeros[:, -1:], groups * stored, axis=1)
        padded[:, :K] = codes
        b = padded.astype(np.uint8) if bits == 8 else nibbles(padded)
        tensors = [b, scales.astype(scale_type)]
        constants = [raw("b", TensorProto.UINT8, [N, groups, stored * bits // 8], b), raw("s", element, [N, groups], tensors[1])]
        if not symmetric:
            z = zeros.astype(np.uint8) if bits == 8 else np.concatenate([nibbles(row) for row in zeros])
            tensors.append(z)
            constants.append(raw("z", TensorProto.UINT8, [N, z.size // N], z))
        node = helper.make_node(
            "MatMulNBits", ["a", "b", "s"] + ([] if symmetric else ["z"]), ["y"], domain="com.microsoft", K=K, N=N,
            bits=bits, block_size=stored, accuracy_level=1)
        got = run([node], constants, element, [K, N], 21, np.eye(K, dtype=scale_type)).T
    else:
        element_of = {(4, True): TensorProto.INT4, (4, False): TensorProto.UINT4,
                      (8, True): TensorProto.INT8, (8, False): TensorProto.UINT8}[bits, symmetric]
        middle = 2 ** (bits - 1) if symmetric else 0
        pack = nibbles if bits == 4 else lambda c: c.astype(np.uint8)
        x = pack((codes - middle).T)
        s = scales.T.astype(scale_type)
        dims = [groups, N] if group else [N]
        tensors = [x, s]
        constants = [raw("x", element_of, [K, N], x), raw("s", element, dims, np.ascontiguousarray(s))]
        if not symmetric:
            z = pack(zeros.T)
            tensors.append(z)
            constants.append(raw("z", element_of, dims, z))
        attributes = dict(axis=0, block_size=group) if group else dict(axis=1)
        node = helper.make_node("DequantizeLinear", ["x", "s"] + ([] if symmetric else ["z"]), ["y"], **attributes)
        opset = 21 if group or bits == 4 or scale_type == np.float16 else 13
        got = run([node], constants, element, [K, N], opset).T
    error = np.abs(got - exact).max()
    assert error < (1e-6 if scale_type == np.float32 else 2e-3), (layout, bits, group, symmetric, scale_type, error)
    return hashlib.sha256(b"".join(np.ascontiguousarray(t).tobytes() for t in tensors)).hexdigest()


for layout in ["matMulNBits", "dequantizeLinear"]:
    for bits in [4, 8]:
        for group in [32, 64, None]:
            for symmetric in [True, False]:
                for name, scale_type in [("f32", np.float32), ("f16", np.float16)]:
                    try:
                        digest = case(layout, bits, group, symmetric, scale_type)
                    except Exception as error:
                        digest = f"FAILED {str(error)[:200]}"
                    key = f"{layout} {bits} {group or 'channel'} {'symmetric' if symmetric else 'asymmetric'} {name}"
                    print(f'    "{key}":\n      "{digest}",')
