#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 torch==2.15.0 transformers==5.23.0 safetensors==0.8.0 compressed-tensors==0.20.0 loguru==0.7.3
# requires: autoawq==0.2.9 auto-gptq==0.7.1 gptqmodel==7.7.0, all with --no-deps
# requires: for gptqmodel accelerate==1.15.0 pypcre==0.6.4 logbar==0.4.15 tokenicer==0.0.14 device-smi==0.5.7
# requires: defuser==0.0.28 threadpoolctl==3.8.0 pillow==13.0.0 datasets==5.2.0 torchao==0.18.0
"""Check the packed fixtures with the libraries that define the formats, on a CPU.

    python check_quantisers.py Tests/CheckpointsTests/Fixtures/packed [--autoawq FOLDER] [--auto-gptq FOLDER]

The fixtures come from formulas of our own (`Scripts/make_packed_fixtures.py`). Here each one is unpacked by the
library's code and compared with the weights it was made from, bit for bit; of AWQ it is also packed by the library
and compared word for word, since nothing of the library's unpacks gemv on a CPU. The models are unpacked so and run in
transformers, and their logits compared with the golden ones.

AutoAWQ and AutoGPTQ import names that today's transformers lacks, so only the modules in question are loaded, past the
packages' own `__init__`. `--autoawq` and `--auto-gptq` name unpacked distributions, where they are not installed.
compressed-tensors no longer reads an order of groups: `--only ct-pack-g-idx` with 0.12.2 first in PYTHONPATH does.
"""

import argparse
import importlib.machinery
import importlib.util
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

NAME = "model.layers.0.self_attn.q_proj"


def bare(name, folder):
    """A package whose submodules can be imported although its `__init__` cannot run."""
    if folder is None:
        found = importlib.util.find_spec(name)
        if found is None:
            sys.exit(f"{name} is not installed")
        folder = found.submodule_search_locations[0]
    else:
        folder = str(Path(folder) / name)
    module = types.ModuleType(name)
    module.__path__ = [folder]
    module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
    module.__spec__.submodule_search_locations = [folder]
    sys.modules[name] = module


class Layer:
    """The pieces of one packed weight, and what the configuration says of it."""

    def __init__(self, tensors, name, scheme):
        self.name, self.scheme = name, scheme
        self.pieces = {key[len(name) + 1:]: value for key, value in tensors.items()
                       if key.startswith(name + ".")}

    def __getitem__(self, piece):
        return self.pieces[piece]

    def option(self, *names):
        return next(self.scheme[name] for name in names if self.scheme.get(name) is not None)


def gptq_by_gptqmodel(layer):
    """[N, K] by GPTQModel's kernel in torch, which wants zero points of v2 and converts those of v1."""
    from gptqmodel.nn_modules.qlinear.torch import TorchLinear
    from gptqmodel.utils.model import convert_gptq_v1_to_v2_format_module

    inputs, outputs, bits = len(layer["g_idx"]), layer["scales"].shape[1], layer.option("bits")
    linear = TorchLinear(bits=bits, group_size=layer.option("group_size"), sym=layer.option("sym"),
                         desc_act=layer.option("desc_act"), in_features=inputs, out_features=outputs,
                         register_buffers=True)
    for piece in ("qweight", "qzeros", "g_idx"):
        setattr(linear, piece, layer[piece].clone())
    linear.scales = layer["scales"].float()
    if layer.option("checkpoint_format", "format") == "gptq":
        linear.qzero_format(format=1)
        convert_gptq_v1_to_v2_format_module(linear, bits=bits, pack_dtype=torch.int32)
    return linear.eval().dequantize_weight().T


def gptq_by_autogptq(layer):
    """[N, K] by AutoGPTQ's layer, which knows v1 only: what it makes of the unit matrix."""
    from auto_gptq.nn_modules.qlinear.qlinear_cuda import QuantLinear

    inputs, outputs = len(layer["g_idx"]), layer["scales"].shape[1]
    linear = QuantLinear(layer.option("bits"), layer.option("group_size"), inputs, outputs, bias=False)
    for piece in ("qweight", "qzeros", "g_idx"):
        setattr(linear, piece, layer[piece].clone())
    linear.scales = layer["scales"].float()
    linear.autogptq_cuda_available = False
    with torch.no_grad():
        return linear(torch.eye(inputs)).T


def awq_by_autoawq(layer):
    """[N, K] of gemm."""
    from awq.utils.packing_utils import dequantize_gemm

    inputs, groups = layer["qweight"].shape[0], layer["scales"].shape[0]
    return dequantize_gemm(layer["qweight"], layer["qzeros"], layer["scales"].float(), 4, inputs // groups).T


def awq_packed(layer, values, zeros):
    """The pieces as AutoAWQ packs values [N, K] with zero points [N, G]; the scales are the fixture's own.

    It counts words of zero points by 32 outputs, so the values are filled up to that, and cut again.
    """
    from awq.modules.linear.gemm import WQLinear_GEMM
    from awq.modules.linear.gemv import WQLinear_GEMV

    outputs, inputs = values.shape
    groups = zeros.shape[1]
    is_gemv = layer.scheme["version"] == "gemv"
    scales = layer["scales"][:, :groups] if is_gemv else layer["scales"].T
    more = torch.arange(-(-outputs // 32) * 32) % outputs
    values, zeros, scales = values[more], zeros[more], scales[more]
    linear = torch.nn.Linear(inputs, len(more), bias=False)
    linear.weight.data = values
    if is_gemv:
        packed = WQLinear_GEMV.from_linear(linear, 4, inputs // groups, scales=scales, zeros=zeros)
        return {piece: getattr(packed, piece)[:outputs] for piece in ("qweight", "qzeros", "scales")}
    packed = WQLinear_GEMM.from_linear(linear, 4, inputs // groups, scales=scales.T.contiguous(),
                                       zeros=zeros.T.contiguous())
    widths = {"qweight": outputs // 8, "qzeros": outputs // 8, "scales": outputs}
    return {piece: getattr(packed, piece)[:, :width] for piece, width in widths.items()}


def compressed(layer):
    """[N, K] by the compressor that the format names; of 0.12.2 where an order of groups is among the pieces, which
    later versions neither write nor read."""
    state = dict(layer.pieces)
    state["weight_scale"] = state["weight_scale"].float()
    group = layer.scheme["config_groups"]["group_0"]
    if "weight_g_idx" in state:
        return compressed_in_order(state, group["weights"])
    from compressed_tensors.compressors import BaseCompressor
    from compressed_tensors.quantization import QuantizationScheme

    scheme = QuantizationScheme(targets=group["targets"], weights=group["weights"])
    zeros = state.get("weight_zero_point")
    if "weight_packed" in state and zeros is not None and zeros.dtype == torch.int8:
        # As 0.9.2 left them beside packed weights; what reads now wants them packed.
        from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32

        state["weight_zero_point"] = pack_to_int32(zeros, group["weights"]["num_bits"], packed_dim=0)
    return BaseCompressor.get_value_from_registry(layer.scheme["format"]).decompress(state, scheme)["weight"]


def compressed_in_order(state, weights):
    import inspect

    from compressed_tensors.quantization import QuantizationArgs
    from compressed_tensors.quantization.lifecycle.forward import dequantize

    if "g_idx" not in inspect.signature(dequantize).parameters:
        raise Skipped("needs compressed-tensors 0.12.2 (PYTHONPATH)")
    from compressed_tensors.compressors.quantized_compressors.pack_quantized import unpack_from_int32

    args = QuantizationArgs(**weights)
    codes = unpack_from_int32(state["weight_packed"], args.num_bits, torch.Size(state["weight_shape"].tolist()))
    return dequantize(codes, state["weight_scale"], None, args, g_idx=state["weight_g_idx"])


class Skipped(Exception):
    """A fixture that this version of a library cannot read."""


class Checks:
    def __init__(self):
        self.failed = self.held = self.skipped = 0

    def equal(self, name, got, want):
        got, want = (np.asarray(value) for value in (got, want))
        holds = got.shape == want.shape and got.dtype == want.dtype and np.array_equal(got, want)
        self.held, self.failed = self.held + holds, self.failed + (not holds)
        text = "" if holds else f"  {got.dtype} {got.shape} and {want.dtype} {want.shape}"
        if not holds and got.shape == want.shape:
            text += f", {(got != want).sum()} of {got.size} differ"
        print(f"{'ok  ' if holds else 'FAIL'}  {name}{text}", flush=True)

    def attempt(self, name, make, want):
        try:
            got = make()
        except Skipped as why:
            self.skipped += 1
            print(f"skip  {name}: {why}")
        except Exception as error:  # whatever a library throws is a finding
            self.failed += 1
            print(f"FAIL  {name}: {type(error).__name__}: {str(error).splitlines()[:1]}")
        else:
            self.equal(name, got, want)


def readers(layer):
    """The libraries that read a layer."""
    method = layer.scheme["quant_method"]
    if method == "compressed-tensors":
        return [("compressed-tensors", compressed)]
    if method == "awq":
        return [] if layer.scheme["version"] == "gemv" else [("AutoAWQ", awq_by_autoawq)]
    found = [("GPTQModel", gptq_by_gptqmodel)]
    # AutoGPTQ counts a zero point of 15 on to 16, and has no format but the first.
    if layer.option("checkpoint_format", "format") == "gptq" and layer.option("sym"):
        found.append(("AutoGPTQ", gptq_by_autogptq))
    return found


def zero_points(layer, outputs):
    """[N, G] of AWQ, from the pieces, in the order of the outputs."""
    words = layer["qzeros"].numpy().view(np.uint32)
    nibbles = (words[:, :, None] >> (4 * np.arange(8, dtype=np.uint32))) & 15
    if layer.scheme["version"] == "gemv":
        groups = layer["qweight"].shape[1] * 8 // layer.option("group_size", "q_group_size")
        return torch.from_numpy(nibbles.reshape(outputs, -1)[:, :groups].astype(np.float32))
    order = np.argsort([0, 2, 4, 6, 1, 3, 5, 7])
    return torch.from_numpy(np.ascontiguousarray(nibbles[:, :, order].reshape(len(words), -1).T.astype(np.float32)))


def check_matrix(folder, checks):
    scheme = json.loads((folder / "config.json").read_text())["quantization_config"]
    if scheme["quant_method"] == "awq" and "w_bit" in scheme:
        scheme |= {"bits": scheme["w_bit"], "group_size": scheme["q_group_size"]}
    if folder.name.endswith("-called-v1") or folder.name.endswith("-called-v2"):
        # Labels that are wrong on purpose: the library goes by them.
        key = "checkpoint_format" if "checkpoint_format" in scheme else "format"
        scheme[key] = "gptq_v2" if folder.name.startswith("gptq-v2") else "gptq"
    layer = Layer(load_file(folder / "model.safetensors"), NAME, scheme)
    expected = np.load(folder / "expected.npy")
    for library, read in readers(layer):
        checks.attempt(f"{folder.name} by {library}", lambda: read(layer).detach().numpy(), expected)
    if scheme["quant_method"] == "awq":
        values = torch.from_numpy(expected)
        packed = awq_packed(layer, values, zero_points(layer, len(values)))
        for piece, tensor in packed.items():
            checks.equal(f"{folder.name}: {piece} packed by AutoAWQ", tensor.numpy(), layer[piece].numpy())


@torch.no_grad()
def check_model(folder, checks):
    from transformers import AutoConfig, AutoModelForCausalLM

    config = json.loads((folder / "config.json").read_text())
    scheme = config.pop("quantization_config")
    tensors = load_file(folder / "model.safetensors")
    names = {key.rsplit(".", 1)[0] for key in tensors if key.endswith((".qweight", ".weight_packed"))}
    state = {key: value.float() for key, value in tensors.items() if key.rsplit(".", 1)[0] not in names}
    for name in names:
        layer = Layer(tensors, name, scheme)
        state[f"{name}.weight"] = readers(layer)[0][1](layer).detach().float().contiguous()
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    settings = {k: v for k, v in config.items() if k not in ("architectures", "model_type", "torch_dtype")}
    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(config["model_type"], **settings, dtype="float32"), attn_implementation="eager")
    model = model.to(torch.float32).eval()
    model.load_state_dict(state)
    ids = json.loads((folder / "ids.json").read_text())
    logits = model(torch.tensor([ids])).logits[0].numpy()
    largest = float(np.abs(logits - np.load(folder / "logits.npy")).max())
    # Sums in another order on another machine.
    checks.equal(f"{folder.name}: logits within 1e-4 ({largest:.1e})", np.array(largest <= 1e-4), np.array(True))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fixtures", type=Path)
    parser.add_argument("--autoawq", type=Path, help="an unpacked distribution of AutoAWQ")
    parser.add_argument("--auto-gptq", type=Path, help="an unpacked distribution of AutoGPTQ")
    parser.add_argument("--only", default="", help="fixtures whose name begins so")
    arguments = parser.parse_args()
    bare("awq", arguments.autoawq)
    bare("auto_gptq", arguments.auto_gptq)
    checks = Checks()
    for folder in sorted((arguments.fixtures / "matrices").iterdir()):
        if folder.name.startswith(arguments.only):
            check_matrix(folder, checks)
    for folder in sorted((arguments.fixtures / "models").iterdir()):
        if folder.name.startswith(arguments.only):
            check_model(folder, checks)
    print(f"{checks.held} checks hold, {checks.failed} do not, {checks.skipped} skipped")
    return 1 if checks.failed or not checks.held else 0


if __name__ == "__main__":
    sys.exit(main())
