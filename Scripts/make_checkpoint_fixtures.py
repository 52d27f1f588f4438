#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: gguf==0.19.0 numpy==2.4.6 torch==2.15.0 transformers==5.23.0 safetensors==0.8.0
"""Make the golden files for configurations, rotary frequencies and the row order of GGUF.

    python make_checkpoint_fixtures.py OUT

With OUT the folder Tests/CheckpointsTests/Fixtures:

    configs.json     configurations in every spelling, what transformers makes of each, and its rotary
                     frequencies (float32) for several sequence lengths
    pair/hf          a tiny llama as a Hugging Face folder: config.json and two shards, F32
    pair/model.gguf  the same weights as the converter writes them: q and k (weights and biases) reordered,
                     q and k as Q4_0 and Q4_1 blocks; the folder above holds the dequantised values
"""

import copy
import json
import shutil
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType as T
from gguf import quants
from safetensors.numpy import save_file
from transformers import AutoConfig
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding
from transformers.models.mistral.modeling_mistral import MistralRotaryEmbedding
from transformers.models.qwen2.modeling_qwen2 import Qwen2RotaryEmbedding
from transformers.models.qwen3.modeling_qwen3 import Qwen3RotaryEmbedding

ROTARY = {"llama": LlamaRotaryEmbedding, "mistral": MistralRotaryEmbedding, "qwen2": Qwen2RotaryEmbedding,
          "qwen3": Qwen3RotaryEmbedding}

SIZES = dict(vocab_size=320, hidden_size=256, intermediate_size=512, num_hidden_layers=4, num_attention_heads=4)


def base(family, **more):
    config = {"model_type": family, **SIZES, "num_key_value_heads": 2, "max_position_embeddings": 4096}
    config.update(more)
    return {key: value for key, value in config.items() if value != "ABSENT"}


def longrope(**more):
    return {"short_factor": [1 + 0.01 * i for i in range(32)], "long_factor": [1 + 0.37 * i for i in range(32)],
            **more}


LLAMA3 = dict(factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=1024)

CASES = {
    "llama-plain": base("llama", rope_theta=10000.0),
    "llama-defaults": base("llama", num_key_value_heads="ABSENT", max_position_embeddings="ABSENT"),
    "llama-null-kv": base("llama", num_key_value_heads=None, head_dim=None, rope_scaling=None),
    "llama-head-dim": base("llama", head_dim=80, rope_theta=500000),
    "llama-biases": base("llama", attention_bias=True, mlp_bias=True, rms_norm_eps=1e-5),
    "llama-empty-scaling": base("llama", rope_scaling={}, rope_parameters={"rope_type": "linear", "factor": 2.0}),
    "llama-both-thetas": base("llama", rope_theta=777.0, rope_parameters={"rope_type": "default",
                                                                         "rope_theta": 999.0}),
    "llama-theta-outside": base("llama", rope_theta=777.0, rope_scaling={"type": "linear", "factor": 3.0}),
    "llama-linear-v5": base("llama", rope_parameters={"rope_type": "linear", "factor": 2.5, "rope_theta": 1e6}),
    "llama-dynamic": base("llama", rope_theta=10000.0, rope_scaling={"type": "dynamic", "factor": 2.0}),
    "llama-dynamic-4": base("llama", rope_theta=500000.0, rope_scaling={"rope_type": "dynamic", "factor": 4}),
    "llama-llama3": base("llama", rope_theta=500000.0, rope_scaling={"rope_type": "llama3", **LLAMA3}),
    "llama-llama3-v5": base("llama", head_dim=128, rope_parameters={
        "rope_type": "llama3", "rope_theta": 500000.0, **LLAMA3, "factor": 32.0}),
    "llama-llama3-outer": base("llama", original_max_position_embeddings=2048,
                               rope_scaling={"rope_type": "llama3", **LLAMA3}),
    "llama-yarn": base("llama", rope_theta=10000.0, rope_scaling={
        "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024}),
    "llama-yarn-implicit": base("llama", rope_scaling={"rope_type": "yarn", "factor": 4.0}),
    "llama-yarn-null-factor": base("llama", rope_scaling={
        "rope_type": "yarn", "factor": None, "original_max_position_embeddings": 512}),
    "llama-yarn-betas": base("llama", rope_scaling={
        "rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 256, "beta_fast": 16,
        "beta_slow": 2}),
    "llama-yarn-zero-betas": base("llama", rope_scaling={
        "rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 256, "beta_fast": 0,
        "beta_slow": None}),
    "llama-yarn-truncate": base("llama", rope_scaling={
        "rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 256, "truncate": False}),
    "llama-yarn-mscale": base("llama", rope_scaling={
        "rope_type": "yarn", "factor": 40.0, "original_max_position_embeddings": 1024, "mscale": 1.0,
        "mscale_all_dim": 0.707}),
    "llama-yarn-attention": base("llama", rope_scaling={
        "rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 512, "attention_factor": 0.9}),
    "llama-yarn-small": base("llama", head_dim=8, rope_theta=100.0, rope_scaling={
        "rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 8}),
    "llama-longrope": base("llama", rope_scaling=longrope(
        rope_type="longrope", original_max_position_embeddings=1024)),
    "llama-longrope-outer": base("llama", original_max_position_embeddings=512,
                                 rope_scaling=longrope(type="longrope")),
    "llama-longrope-outer-wins": base("llama", original_max_position_embeddings=512, rope_scaling=longrope(
        type="longrope", original_max_position_embeddings=1024)),
    "llama-longrope-factor": base("llama", rope_scaling=longrope(
        rope_type="longrope", original_max_position_embeddings=1024, factor=8.0)),
    "llama-longrope-small-factor": base("llama", rope_scaling=longrope(
        rope_type="longrope", original_max_position_embeddings=1024, factor=0.5)),
    "llama-longrope-attention": base("llama", rope_scaling=longrope(
        rope_type="longrope", original_max_position_embeddings=1024, attention_factor=1.25)),
    "llama-ignores-window": base("llama", sliding_window=128, use_sliding_window=True),
    "llama-eos-list": base("llama", eos_token_id=[2, 7, 9], bos_token_id=None, pad_token_id=5),
    "mistral-defaults": base("mistral", num_key_value_heads="ABSENT", num_attention_heads=16,
                             max_position_embeddings="ABSENT"),
    "mistral-window": base("mistral", sliding_window=100),
    "mistral-full": base("mistral", sliding_window=None, rope_theta=1e6),
    "qwen2-off": base("qwen2", sliding_window=128, use_sliding_window=False, max_window_layers=1),
    "qwen2-upper": base("qwen2", sliding_window=128, use_sliding_window=True, max_window_layers=3),
    "qwen2-upper-default": base("qwen2", use_sliding_window=True, num_hidden_layers=30),
    "qwen2-null-window": base("qwen2", use_sliding_window=True, sliding_window=None, max_window_layers=0),
    "qwen2-layer-types": base("qwen2", sliding_window=64, use_sliding_window=True, layer_types=[
        "full_attention", "sliding_attention", "full_attention", "sliding_attention"]),
    "qwen2-yarn": base("qwen2", rope_theta=1e6, rope_scaling={
        "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 1024}),
    "qwen3-defaults": base("qwen3", num_attention_heads=32, num_key_value_heads="ABSENT"),
    "qwen3-plain": base("qwen3", rope_theta=1000000, head_dim=64, tie_word_embeddings=True, rms_norm_eps=1e-6),
    "qwen3-bias": base("qwen3", attention_bias=True, head_dim=64),
}

LENGTHS = [1, 1024, 1025, 4096, 4097, 10000]


def expectation(name, config):
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(config))
        parsed = AutoConfig.from_pretrained(folder)
    family, layers = config["model_type"], parsed.num_hidden_layers
    window = getattr(parsed, "sliding_window", None)
    if family == "llama":
        windows = [None] * layers
    elif family == "mistral":
        windows = [window] * layers
    else:
        windows = [window if kind == "sliding_attention" else None for kind in parsed.layer_types]
    eos = parsed.eos_token_id
    bias = getattr(parsed, "attention_bias", False)
    frequencies = []
    for length in LENGTHS:
        rotary = ROTARY[family](copy.deepcopy(parsed))
        rotary(torch.zeros(1), torch.arange(length)[None])
        row = rotary.inv_freq.numpy()
        assert row.dtype == np.float32
        entry = {"length": length, "inv_freq": [float(x) for x in row],
                 "attention_factor": float(rotary.attention_scaling)}
        if frequencies and all(frequencies[-1][key] == entry[key] for key in ("inv_freq", "attention_factor")):
            continue
        frequencies.append(entry)
    return {
        "name": name, "config": config,
        "expected": {
            "head_dim": getattr(parsed, "head_dim", None) or parsed.hidden_size // parsed.num_attention_heads,
            "num_key_value_heads": parsed.num_key_value_heads, "rms_norm_eps": parsed.rms_norm_eps,
            "max_position_embeddings": parsed.max_position_embeddings,
            "rope_theta": parsed.rope_parameters["rope_theta"], "tie_word_embeddings": parsed.tie_word_embeddings,
            "bos_token_id": parsed.bos_token_id, "eos_token_ids": eos if isinstance(eos, list) else
            [] if eos is None else [eos], "pad_token_id": parsed.pad_token_id, "windows": windows,
            "qkv_bias": True if family == "qwen2" else bool(bias),
            "output_bias": False if family == "qwen2" else bool(bias),
            "mlp_bias": bool(getattr(parsed, "mlp_bias", False))},
        # A length between two entries has the frequencies of the one before.
        "frequencies": frequencies}


def permute(x, heads):
    """The converter's reordering. Source: LlamaModel.permute, llama.cpp convert_hf_to_gguf.py."""
    return x.reshape(heads, 2, x.shape[0] // heads // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def unpermute(x, heads):
    return x.reshape(heads, x.shape[0] // heads // 2, 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def write_pair(folder):
    rng = np.random.default_rng(7)
    hidden, heads, kv_heads, dim, inner, vocab = 32, 3, 1, 12, 16, 9
    (folder / "hf").mkdir(parents=True)
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    writer.add_vocab_size(vocab)
    writer.add_context_length(64)
    writer.add_embedding_length(hidden)
    writer.add_block_count(1)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(kv_heads)
    writer.add_key_length(dim)
    writer.add_value_length(dim)
    writer.add_rope_dimension_count(dim)
    writer.add_rope_freq_base(1000.0)
    writer.add_layer_norm_rms_eps(2.0 ** -16)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([f"t{i}" for i in range(vocab - 1)] + ["é"])
    writer.add_token_types([1] * vocab)
    writer.add_token_merges(["t 0", "t 1"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    tensors = {}

    def add(stored, name, shape, kind=T.F32, heads=None):
        x = rng.standard_normal(shape).astype(np.float32)
        raw = quants.quantize(permute(x, heads) if heads else x, kind)
        value = quants.dequantize(raw, kind).astype(np.float32).reshape(shape)
        tensors[name] = np.ascontiguousarray(unpermute(value, heads) if heads else value)
        writer.add_tensor(stored, raw, raw_dtype=kind)

    layer = "model.layers.0."
    add("token_embd.weight", "model.embed_tokens.weight", (vocab, hidden), T.Q8_0)
    add("blk.0.attn_norm.weight", layer + "input_layernorm.weight", (hidden,))
    add("blk.0.attn_q.weight", layer + "self_attn.q_proj.weight", (heads * dim, hidden), T.Q4_0, heads)
    add("blk.0.attn_q.bias", layer + "self_attn.q_proj.bias", (heads * dim,), T.F32, heads)
    add("blk.0.attn_k.weight", layer + "self_attn.k_proj.weight", (kv_heads * dim, hidden), T.Q4_1, kv_heads)
    add("blk.0.attn_k.bias", layer + "self_attn.k_proj.bias", (kv_heads * dim,), T.F32, kv_heads)
    add("blk.0.attn_v.weight", layer + "self_attn.v_proj.weight", (kv_heads * dim, hidden), T.F16)
    add("blk.0.attn_v.bias", layer + "self_attn.v_proj.bias", (kv_heads * dim,))
    add("blk.0.attn_output.weight", layer + "self_attn.o_proj.weight", (hidden, heads * dim))
    add("blk.0.attn_output.bias", layer + "self_attn.o_proj.bias", (hidden,))
    add("blk.0.ffn_norm.weight", layer + "post_attention_layernorm.weight", (hidden,))
    add("blk.0.ffn_gate.weight", layer + "mlp.gate_proj.weight", (inner, hidden), T.Q5_0)
    add("blk.0.ffn_up.weight", layer + "mlp.up_proj.weight", (inner, hidden), T.Q5_1)
    add("blk.0.ffn_down.weight", layer + "mlp.down_proj.weight", (hidden, inner), T.BF16)
    add("output_norm.weight", "model.norm.weight", (hidden,))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    shards = [{}, {}]
    for index, (name, value) in enumerate(tensors.items()):
        shards[index % 2][name] = value
    weight_map = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-0000{number}-of-00002.safetensors"
        save_file(shard, folder / "hf" / file, metadata={"format": "pt"})
        weight_map.update({name: file for name in shard})
    (folder / "hf" / "model.safetensors.index.json").write_text(json.dumps(
        {"metadata": {"total_size": sum(x.nbytes for x in tensors.values())},
         "weight_map": dict(sorted(weight_map.items()))}, indent=1) + "\n")
    (folder / "hf" / "config.json").write_text(json.dumps({
        "model_type": "llama", "vocab_size": vocab, "hidden_size": hidden, "num_hidden_layers": 1,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": dim,
        "intermediate_size": inner, "rms_norm_eps": 2.0 ** -16, "rope_theta": 1000.0,
        "max_position_embeddings": 64, "attention_bias": True, "tie_word_embeddings": True,
        "bos_token_id": 1, "eos_token_id": 2}, indent=1) + "\n")


def main():
    out = Path(sys.argv[1])
    transformers.logging.set_verbosity_error()
    cases = [expectation(name, config) for name, config in CASES.items()]
    (out / "configs.json").write_text(json.dumps({
        "made_by": "Scripts/make_checkpoint_fixtures.py", "transformers": transformers.__version__,
        "torch": torch.__version__, "cases": cases}) + "\n")
    shutil.rmtree(out / "pair", ignore_errors=True)
    write_pair(out / "pair")
    for path in (out / "pair").rglob("*"):
        if path.is_file():
            path.chmod(0o644)


if __name__ == "__main__":
    main()
