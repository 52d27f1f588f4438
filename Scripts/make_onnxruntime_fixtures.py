#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: onnx==1.23.2 numpy==2.4.6
"""Make the small models that the tests of ONNX Runtime's binding run.

    python make_onnxruntime_fixtures.py OUT

    add.onnx       a f32 [batch, 3] + b f32 [1, 3] -> sum; the constant `ten` [1] -> a fourth of them, `shifted`
    dtypes.onnx    copies of inputs of every element type a decoder uses
    append.onnx    past [1, 2, P, 4], rows [1, 2, N, 4] -> present [1, 2, P + N, 4], total i64 [1]: the length
    external.onnx  x f32 [1, 4] times weights in external.data
    strings.onnx   an input of strings
    gather.onnx    fails while it runs when the index is out of range
"""
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper


def save(folder, name, nodes, inputs, outputs, initializers=(), external=False):
    graph = h.make_graph(nodes, name, inputs, outputs, list(initializers))
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8, producer_name="ingot-fixtures")
    onnx.checker.check_model(model, full_check=True)
    path = os.path.join(folder, name + ".onnx")
    data = os.path.join(folder, name + ".data")
    if os.path.exists(data):
        os.remove(data)
    if external:
        onnx.save(model, path, save_as_external_data=True, location=name + ".data", size_threshold=0)
    else:
        onnx.save(model, path)


def value(name, dtype, shape):
    return h.make_tensor_value_info(name, dtype, shape)


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    save(
        folder, "add",
        [h.make_node("Add", ["a", "b"], ["sum"]), h.make_node("Add", ["sum", "ten"], ["shifted"])],
        [value("a", T.FLOAT, ["batch", 3]), value("b", T.FLOAT, [1, 3])],
        [value("sum", T.FLOAT, ["batch", 3]), value("shifted", T.FLOAT, ["batch", 3])],
        [numpy_helper.from_array(np.array([10], np.float32), "ten")])
    types = {"f16": T.FLOAT16, "bf16": T.BFLOAT16, "f32": T.FLOAT, "i64": T.INT64, "i32": T.INT32, "i8": T.INT8,
             "u8": T.UINT8, "bool": T.BOOL}
    save(
        folder, "dtypes",
        [h.make_node("Identity", [name], [name + "_out"]) for name in types],
        [value(name, dtype, ["n"]) for name, dtype in types.items()],
        [value(name + "_out", dtype, ["n"]) for name, dtype in types.items()])
    save(
        folder, "append",
        [h.make_node("Concat", ["past", "rows"], ["present"], axis=2),
         h.make_node("Shape", ["present"], ["total"], start=2, end=3)],
        [value("past", T.FLOAT, [1, 2, "P", 4]), value("rows", T.FLOAT, [1, 2, "N", 4])],
        [value("present", T.FLOAT, [1, 2, "P+N", 4]), value("total", T.INT64, [1])])
    weights = np.arange(4 * 64, dtype=np.float32).reshape(4, 64) / 256
    save(
        folder, "external", [h.make_node("MatMul", ["x", "weights"], ["y"])],
        [value("x", T.FLOAT, [1, 4])], [value("y", T.FLOAT, [1, 64])],
        [numpy_helper.from_array(weights, "weights")], external=True)
    save(
        folder, "strings", [h.make_node("Identity", ["text"], ["copy"])],
        [value("text", T.STRING, ["n"])], [value("copy", T.STRING, ["n"])])
    save(
        folder, "gather", [h.make_node("Gather", ["data", "index"], ["row"])],
        [value("data", T.FLOAT, [4, 2]), value("index", T.INT64, [])], [value("row", T.FLOAT, [2])])


main()
