#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6; for the models' logits also torch==2.15.0 transformers==5.23.0
"""Make the golden fixtures of packed weights: AWQ, GPTQ and compressed-tensors in all layouts that Ingot reads.

    python make_packed_fixtures.py OUT [--check]

Codes, zero points and scales are drawn at random and packed here by each format's formula, with numpy alone; what the
weights are follows from them directly, w = (code - zero) * scale in float32, before anything is packed.

    OUT/matrices/<case>/   a config.json, a model.safetensors of one packed weight [24, 256], and expected.npy
    OUT/models/<case>/     a two-layer model, ids.json, and logits.npy as transformers computes them in float32 from a
                           checkpoint with the same weights unpacked

`--check` unpacks what was packed once more with compressed-tensors 0.20.0 and AutoAWQ 0.2.9's unpacking, where they
can be imported.

Sources of the formulas: AutoAWQ 0.2.9 (`awq/modules/linear/gemm.py`, `gemv.py`), GPTQModel 7.7.0
(`nn_modules/qlinear/__init__.py`, `utils/model.py`), compressed-tensors 0.20.0 (`compressors/pack_quantized`).
"""

import json
import struct
import sys
import zlib
from pathlib import Path

import numpy as np

AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]
DTYPES = {"int32": "I32", "int64": "I64", "int8": "I8", "float16": "F16", "float32": "F32", "uint16": "BF16"}


def save(path, tensors):
    """Writes a safetensors file; uint16 stands for bfloat16."""
    header, data = {}, b""
    for name, array in tensors.items():
        raw = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": DTYPES[str(array.dtype)], "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def bfloat16(values):
    """Float32 to the bits of bfloat16, to nearest even."""
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    return ((bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def from_bfloat16(bits):
    return (bits.astype(np.uint32) << 16).view(np.float32)


def words(codes, bits, order=None):
    """The last axis packed into 32-bit words, lowest bits first."""
    per = 32 // bits
    grouped = codes.astype(np.uint64).reshape(*codes.shape[:-1], -1, per)
    if order is not None:
        grouped = grouped[..., order]
    shifts = np.arange(per, dtype=np.uint64) * np.uint64(bits)
    return (grouped << shifts).sum(-1).astype(np.uint32).view(np.int32)


class Weight:
    """Codes [N, K], zeros [N, G], scales [N, G], and the group of each input."""

    def __init__(self, random, n, k, bits, group, symmetric, scale="float16", act_order=None, groups=None):
        self.bits, self.n, self.k = bits, n, k
        self.groups = groups or (k // group if group else 1)
        self.size = k // self.groups
        half = 1 << (bits - 1)
        # Signed symmetric codes of compressed-tensors and GPTQ reach from one end of the range to the other.
        self.codes = random.integers(0, 2 * half, (n, k))
        self.zeros = np.full((n, self.groups), half) if symmetric else random.integers(0, 2 * half, (n, self.groups))
        spread = 1.3 / (half * np.sqrt(k)) * random.uniform(0.5, 1.5, (n, self.groups))
        if scale == "tensor":
            spread = np.full((n, 1), spread[0, 0])
        spread = spread.astype(np.float32)
        if scale == "bfloat16":
            self.scales = bfloat16(spread)
            real = from_bfloat16(self.scales)
        else:
            self.scales = spread.astype(np.float32 if scale in ("float32", "tensor") else np.float16)
            real = self.scales.astype(np.float32)
        self.group_of = (np.arange(k) // self.size if act_order is None else act_order).astype(np.int32)
        self.real_scales = real
        difference = (self.codes - self.zeros[:, self.group_of]).astype(np.float32)
        self.values = difference * real[:, self.group_of]


def gptq(w, name, v2, raw=None):
    ones = 0x11111111 if w.bits == 4 else 0x01010101
    zeros = words(w.zeros.T, w.bits).view(np.uint32)
    if not v2:
        zeros = zeros - np.uint32(ones)  # wraps, as the conversion of a whole word does
    if raw is not None:
        zeros = np.full_like(zeros, raw)
    return {
        f"{name}.qweight": np.ascontiguousarray(words(w.codes, w.bits).T),
        f"{name}.qzeros": zeros.view(np.int32),
        f"{name}.scales": np.ascontiguousarray(w.scales.T),
        f"{name}.g_idx": w.group_of,
    }


def awq_gemm(w, name):
    return {
        f"{name}.qweight": words(w.codes.T, 4, AWQ_ORDER),
        f"{name}.qzeros": words(w.zeros.T, 4, AWQ_ORDER),
        f"{name}.scales": np.ascontiguousarray(w.scales.T),
    }


def awq_gemv(w, name):
    factor = {128: 1, 64: 2, 32: 4}[min(w.size, 128)]
    width = -(-(w.k // w.size) // 8)
    width = -(-width // factor) * factor
    zeros, scales = np.zeros((w.n, 8 * width), np.int64), np.zeros((w.n, 8 * width), np.float16)
    zeros[:, : w.groups], scales[:, : w.groups] = w.zeros, w.scales
    return {f"{name}.qweight": words(w.codes, 4), f"{name}.qzeros": words(zeros, 4), f"{name}.scales": scales}


def compressed(w, name, symmetric, order=False, plain_zeros=False):
    tensors = {
        f"{name}.weight_packed": words(w.codes, w.bits),
        f"{name}.weight_scale": w.scales,
        f"{name}.weight_shape": np.array([w.n, w.k], np.int64),
    }
    if not symmetric and plain_zeros:
        tensors[f"{name}.weight_zero_point"] = (w.zeros - (1 << (w.bits - 1))).astype(np.int8)
    elif not symmetric:
        tensors[f"{name}.weight_zero_point"] = np.ascontiguousarray(words(w.zeros.T, w.bits).T)
    if order:
        tensors[f"{name}.weight_g_idx"] = w.group_of
    return tensors


def compressed_bytes(w, name, symmetric):
    tensors = {f"{name}.weight": (w.codes - 128).astype(np.int8), f"{name}.weight_scale": w.scales}
    if w.scales.size and np.all(w.scales == w.scales.flat[0]) and w.groups == 1:
        tensors[f"{name}.weight_scale"] = w.scales.flatten()[:1]
    if not symmetric:
        tensors[f"{name}.weight_zero_point"] = (w.zeros - 128).astype(np.int8)
    return tensors


def gptq_config(bits, group, symmetric, form="gptq", desc=False, key="checkpoint_format"):
    return {"quant_method": "gptq", "bits": bits, "group_size": group, "sym": symmetric, "desc_act": desc, key: form}


def awq_config(group, version="gemm", legacy=False):
    names = ("w_bit", "q_group_size") if legacy else ("bits", "group_size")
    return {"quant_method": "awq", names[0]: 4, names[1]: group, "zero_point": True, "version": version,
            "modules_to_not_convert": None}


def ct_config(bits, group, symmetric, form="pack-quantized"):
    strategy = "tensor" if group == 0 else "channel" if group is None else "group"
    weights = {"num_bits": bits, "type": "int", "symmetric": symmetric, "strategy": strategy,
               "group_size": group or None, "dynamic": False, "actorder": None}
    return {"quant_method": "compressed-tensors", "format": form, "ignore": ["lm_head"],
            "quantization_status": "compressed", "kv_cache_scheme": None,
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights, "input_activations": None,
                                          "output_activations": None}}}


def shuffled(random, k, groups):
    """The group of each input, of groups of one size, as GPTQ with desc_act leaves them."""
    group_of = np.empty(k, np.int32)
    group_of[random.permutation(k)] = np.arange(k) // (k // groups)
    return group_of


NAME = "model.layers.0.self_attn.q_proj"
N, K = 24, 256


def matrices():
    """Name, configuration, tensors, values."""
    def random(name):
        return np.random.default_rng(zlib.crc32(name.encode()))

    def one(name, config, pack, **options):
        w = Weight(random(name), N, K, **options)
        return name, config, pack(w), w

    def actorder(name, groups):
        return shuffled(random(name + "-order"), K, groups)

    yield one("awq-gemm", awq_config(128), lambda w: awq_gemm(w, NAME), bits=4, group=128, symmetric=False)
    yield one("awq-gemm-symmetric", awq_config(64, legacy=True), lambda w: awq_gemm(w, NAME), bits=4, group=64,
              symmetric=True)
    yield one("awq-gemm-channel", awq_config(-1), lambda w: awq_gemm(w, NAME), bits=4, group=None, symmetric=False)
    yield one("awq-gemv", awq_config(64, "gemv"), lambda w: awq_gemv(w, NAME), bits=4, group=64, symmetric=False)
    yield one("gptq", gptq_config(4, 128, True), lambda w: gptq(w, NAME, v2=False), bits=4, group=128, symmetric=True)
    yield one("gptq-asymmetric", gptq_config(4, 32, False), lambda w: gptq(w, NAME, v2=False), bits=4, group=32,
              symmetric=False)
    yield one("gptq-v2-asymmetric", gptq_config(4, 64, False, "gptq_v2"), lambda w: gptq(w, NAME, v2=True), bits=4,
              group=64, symmetric=False)
    # Labels that are wrong: the zero points say themselves what they are.
    yield one("gptq-v2-called-v1", gptq_config(4, 64, True), lambda w: gptq(w, NAME, v2=True), bits=4, group=64,
              symmetric=True)
    yield one("gptq-v1-called-v2", gptq_config(8, 64, True, "gptq_v2", key="format"),
              lambda w: gptq(w, NAME, v2=False), bits=8, group=64, symmetric=True)
    yield one("gptq-channel", gptq_config(4, -1, True), lambda w: gptq(w, NAME, v2=False), bits=4, group=None,
              symmetric=True)
    yield one("gptq-8", gptq_config(8, 128, True), lambda w: gptq(w, NAME, v2=False), bits=8, group=128, symmetric=True)
    yield one("gptq-8-asymmetric", gptq_config(8, 32, False, "gptq_v2"), lambda w: gptq(w, NAME, v2=True), bits=8,
              group=32, symmetric=False)
    yield one("gptq-act-order", gptq_config(4, 64, True, desc=True), lambda w: gptq(w, NAME, v2=False), bits=4,
              group=64, symmetric=True, act_order=actorder("gptq-act-order", 4))
    yield one("gptq-8-act-order", gptq_config(8, 32, False, "gptq_v2", desc=True), lambda w: gptq(w, NAME, v2=True),
              bits=8, group=32, symmetric=False, act_order=actorder("gptq-8-act-order", 8))
    yield one("ct-pack", ct_config(4, 128, True), lambda w: compressed(w, NAME, True), bits=4, group=128,
              symmetric=True, scale="bfloat16")
    yield one("ct-pack-asymmetric", ct_config(4, 32, False), lambda w: compressed(w, NAME, False), bits=4, group=32,
              symmetric=False)
    yield one("ct-pack-plain-zeros", ct_config(4, 64, False), lambda w: compressed(w, NAME, False, plain_zeros=True),
              bits=4, group=64, symmetric=False)
    yield one("ct-pack-8-channel", ct_config(8, None, True), lambda w: compressed(w, NAME, True), bits=8, group=None,
              symmetric=True, scale="float32")
    yield one("ct-pack-8-asymmetric", ct_config(8, 64, False), lambda w: compressed(w, NAME, False), bits=8, group=64,
              symmetric=False)
    yield one("ct-pack-g-idx", ct_config(4, 32, True), lambda w: compressed(w, NAME, True, order=True), bits=4,
              group=32, symmetric=True, act_order=actorder("ct-pack-g-idx", 8))
    yield one("ct-bytes", ct_config(8, None, True, "int-quantized"), lambda w: compressed_bytes(w, NAME, True), bits=8,
              group=None, symmetric=True, scale="bfloat16")
    yield one("ct-bytes-asymmetric", ct_config(8, None, False, "int-quantized"),
              lambda w: compressed_bytes(w, NAME, False), bits=8, group=None, symmetric=False)
    yield one("ct-bytes-tensor", ct_config(8, 0, True, "naive-quantized"), lambda w: compressed_bytes(w, NAME, True),
              bits=8, group=None, symmetric=True, scale="tensor")


MODEL = {"vocab_size": 64, "hidden_size": 128, "intermediate_size": 192, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "max_position_embeddings": 128,
         "rms_norm_eps": 1e-5, "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": True,
         "attention_bias": False, "hidden_act": "silu", "torch_dtype": "float16"}


def matrix_config(scheme):
    return {"architectures": ["LlamaForCausalLM"], "model_type": "llama", **MODEL, "quantization_config": scheme}


def models():
    """Name, config.json, packed tensors, unpacked tensors."""
    hidden, inner, kv = 128, 192, 64
    shapes = {"self_attn.q_proj": (128, hidden), "self_attn.k_proj": (kv, hidden), "self_attn.v_proj": (kv, hidden),
              "self_attn.o_proj": (hidden, 128), "mlp.gate_proj": (inner, hidden), "mlp.up_proj": (inner, hidden),
              "mlp.down_proj": (hidden, inner)}
    ways = {
        "awq-llama": ("llama", awq_config(32), dict(bits=4, group=32, symmetric=False),
                      lambda w, name: awq_gemm(w, name), False),
        "gptq-act-order-qwen3": ("qwen3", gptq_config(4, 32, True, desc=True), dict(bits=4, group=32, symmetric=True),
                                 lambda w, name: gptq(w, name, v2=False), True),
        "ct-llama": ("llama", ct_config(4, 32, True), dict(bits=4, group=32, symmetric=True, scale="bfloat16"),
                     lambda w, name: compressed(w, name, True), False),
    }
    for case, (family, scheme, options, pack, acts) in ways.items():
        random = np.random.default_rng(zlib.crc32(case.encode()))
        packed, plain = {}, {}

        def both(name, values):
            packed[name] = values
            plain[name] = values.astype(np.float32)

        both("model.embed_tokens.weight", random.normal(0, 0.5, (64, hidden)).astype(np.float16))
        both("model.norm.weight", random.uniform(0.8, 1.2, hidden).astype(np.float16))
        for layer in range(2):
            at = f"model.layers.{layer}."
            for norm in ("input_layernorm", "post_attention_layernorm"):
                both(f"{at}{norm}.weight", random.uniform(0.8, 1.2, hidden).astype(np.float16))
            if family == "qwen3":
                for norm in ("q_norm", "k_norm"):
                    both(f"{at}self_attn.{norm}.weight", random.uniform(0.8, 1.2, 32).astype(np.float16))
            order = None
            for name, (n, k) in shapes.items():
                # What reads one x has one order, but for q in the second layer, which has its own.
                if acts and name in ("self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj") \
                        or acts and layer == 1 and name == "self_attn.k_proj":
                    order = shuffled(random, k, k // 32)
                w = Weight(random, n, k, act_order=order, **options)
                packed |= pack(w, at + name)
                plain[f"{at}{name}.weight"] = w.values
        names = {"llama": "LlamaForCausalLM", "qwen3": "Qwen3ForCausalLM"}
        config = {"architectures": [names[family]], "model_type": family, **MODEL}
        yield case, config, scheme, packed, plain


def logits(config, plain, ids):
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    settings = {k: v for k, v in config.items() if k not in ("architectures", "model_type", "torch_dtype")}
    model = AutoModelForCausalLM.from_config(
        AutoConfig.for_model(config["model_type"], **settings, dtype="float32"), attn_implementation="eager")
    model = model.to(torch.float32)
    state = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in plain.items()}
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    missing = model.load_state_dict(state, strict=False)
    assert not missing.missing_keys and not missing.unexpected_keys, missing
    with torch.no_grad():
        return model.eval()(torch.tensor([ids])).logits[0].numpy()


def check(cases):
    """Unpacks with the packages that define the formats."""
    import torch
    from compressed_tensors.compressors.pack_quantized.helpers import unpack_from_int32

    for name, _, tensors, w in cases:
        if name.startswith("ct-pack"):
            packed = torch.from_numpy(tensors[f"{NAME}.weight_packed"])
            codes = unpack_from_int32(packed, w.bits, torch.Size([N, K])).numpy()
            assert np.array_equal(codes.astype(np.int64) + (1 << (w.bits - 1)), w.codes), name
            zeros = tensors.get(f"{NAME}.weight_zero_point")
            if zeros is not None and zeros.dtype == np.int32:
                zeros = unpack_from_int32(torch.from_numpy(zeros), w.bits, torch.Size([N, w.groups]), packed_dim=0)
                assert np.array_equal(zeros.numpy().astype(np.int64) + (1 << (w.bits - 1)), w.zeros), name
        elif name.startswith("awq-gemm"):
            from packing_utils import dequantize_gemm  # AutoAWQ's awq/utils/packing_utils.py
            values = dequantize_gemm(
                *(torch.from_numpy(tensors[f"{NAME}.{piece}"]) for piece in ("qweight", "qzeros", "scales")), 4, w.size)
            assert np.array_equal(values.numpy(), (w.values.T).astype(np.float16)), name
        else:
            continue
        print("unpacked again:", name)


def main():
    out = Path(sys.argv[1])
    cases = list(matrices())
    if "--check" in sys.argv:
        check(cases)
    for name, scheme, tensors, w in cases:
        folder = out / "matrices" / name
        folder.mkdir(parents=True, exist_ok=True)
        config = matrix_config(scheme)
        (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
        save(folder / "model.safetensors",
             {"model.embed_tokens.weight": np.zeros((2, 4), np.float16), **tensors})
        np.save(folder / "expected.npy", w.values.astype(np.float32))
    for name, config, scheme, packed, plain in models():
        folder = out / "models" / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps({**config, "quantization_config": scheme}, indent=1) + "\n")
        save(folder / "model.safetensors", packed)
        ids = [int(i) for i in np.random.default_rng(7).integers(3, 64, 21)]
        (folder / "ids.json").write_text(json.dumps(ids) + "\n")
        np.save(folder / "logits.npy", logits(config, plain, ids).astype(np.float32))


if __name__ == "__main__":
    main()
