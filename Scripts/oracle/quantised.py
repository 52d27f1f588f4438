# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 torch==2.15.0 onnx==1.23.2
"""Integer weights of an export as the numbers they stand for, so that transformers can compute with the same."""

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

SUFFIX = "_quantized"


def unpack(packed, bits):
    """Bytes as integers along the last axis, the low part of a byte first."""
    if bits == 8:
        return packed
    return np.stack([packed & 15, packed >> 4], -1).reshape(*packed.shape[:-1], -1)


def of_matmul(node, tensors):
    """[N, K] of a MatMulNBits: weights [N, blocks, bytes], scales [N · blocks], zero points packed by row."""
    attributes = {a.name: a.i for a in node.attribute}
    rows, columns, bits, size = (attributes[name] for name in ("N", "K", "bits", "block_size"))
    blocks = -(-columns // size)
    integers = unpack(tensors[node.input[1]].reshape(rows, blocks, -1), bits).astype(np.float32)
    scales = tensors[node.input[2]].reshape(rows, blocks, 1).astype(np.float32)
    zero = np.float32(1 << (bits - 1))
    if len(node.input) > 3 and node.input[3]:
        zero = unpack(tensors[node.input[3]].reshape(rows, -1), bits)[:, :blocks, None].astype(np.float32)
    weights = ((integers - zero) * scales).reshape(rows, -1)[:, :columns]
    return weights, np.abs(scales).max(axis=(1, 2), keepdims=True)[:, 0]


def of_dequantize(node, tensors, is_transposed):
    """[N, K] of a DequantizeLinear over a weight."""
    attributes = {a.name: a.i for a in node.attribute}
    axis, size = attributes.get("axis", 1), attributes.get("block_size", 0)
    integers = np.asarray(tensors[node.input[0]]).astype(np.float32)
    axis %= integers.ndim

    def spread(values):
        values = np.asarray(values).astype(np.float32)
        if values.ndim == integers.ndim:
            return np.repeat(values, size, axis).take(range(integers.shape[axis]), axis)
        return values.reshape([-1 if i == axis and values.ndim else 1 for i in range(integers.ndim)])

    scales = spread(tensors[node.input[1]])
    zero = spread(tensors[node.input[2]]) if len(node.input) > 2 and node.input[2] else 0
    weights, scales = (integers - zero) * scales, np.broadcast_to(scales, integers.shape)
    if is_transposed:
        weights, scales = weights.T, scales.T
    return weights, np.abs(scales).max(axis=1, keepdims=True)


def in_model_order(weights, x, nodes, tensors):
    """Columns that follow a gathered x put back where they belong: weights whose groups have an order of their own."""
    gather = nodes.get(x)
    if gather is None or gather.op_type != "Gather" or gather.input[1] not in tensors:
        return weights
    natural = np.empty_like(weights)
    natural[:, tensors[gather.input[1]]] = weights
    return natural


def read(folder):
    """Checkpoint name to (weights [N, K], largest scale [N, 1]), from all models of a folder."""
    found = {}
    for path in sorted(Path(folder).glob("*.onnx")):
        model = onnx.load(str(path))
        tensors = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}
        # Weights lie [K, N] where a MatMul takes them as they are.
        direct = {node.input[1] for node in model.graph.node if node.op_type == "MatMul"}
        direct |= {node.input[0] for node in model.graph.node if node.op_type == "Cast" and node.output[0] in direct}
        nodes = {name: node for node in model.graph.node for name in node.output}
        x_of = {node.input[1]: node.input[0] for node in model.graph.node if node.op_type == "MatMul"}
        for node in model.graph.node:
            if node.op_type == "MatMulNBits":
                weights, scales = of_matmul(node, tensors)
                weights = in_model_order(weights, node.input[0], nodes, tensors)
                found[node.input[1].removesuffix(SUFFIX)] = weights, scales
            elif node.op_type == "DequantizeLinear" and node.input[0].endswith(SUFFIX):
                weights, scales = of_dequantize(node, tensors, node.output[0] in direct)
                casts = [n.output[0] for n in model.graph.node if n.op_type == "Cast" and n.input[0] == node.output[0]]
                x = next((x_of[name] for name in [node.output[0], *casts] if name in x_of), None)
                weights = in_model_order(weights, x, nodes, tensors)
                found[node.input[0].removesuffix(SUFFIX)] = weights, scales
    return found


@torch.no_grad()
def install(model, weights, report):
    """Puts weights into a model, a tied head apart from its embedding; checks how they were rounded."""
    model.config.tie_word_embeddings = False
    heads = {name for name in weights if name in ("lm_head.weight", "model.embed_tokens.weight")}
    if heads:
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.clone())
    worst = 0.0
    for name, (values, scales) in weights.items():
        parameter = model.get_parameter("lm_head.weight" if name in heads else name)
        # Half a step, and the rounding of a zero point or of a scale to a half.
        worst = max(worst, float((np.abs(parameter.numpy() - values) / np.maximum(scales, 1e-30)).max()))
        parameter.copy_(torch.from_numpy(np.ascontiguousarray(values)))
    report.fact(f"{len(weights)} weights are rounded to the nearest", worst <= 1.02, f"{worst:.2f} steps")
    linears = {f"{name}.weight" for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    report.fact("all linear layers are quantised", linears - {"lm_head.weight"} <= set(weights),
                str(sorted(linears - set(weights))))
