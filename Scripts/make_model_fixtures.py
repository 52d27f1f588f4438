#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: torch==2.15.0 transformers==5.23.0 numpy==2.4.6 safetensors==0.8.0
"""Make the golden model fixtures: tiny checkpoints with the logits Hugging Face computes for them.

    python make_model_fixtures.py OUT [--only NAME ...]

Every case becomes a folder OUT/<case>/ with

    config.json           written by transformers' save_pretrained
    config.legacy.json    (some cases) the same model in the spelling of transformers 4.x
    model.safetensors     random weights, or shards with model.safetensors.index.json
    ids.json              the prompt, a JSON array of token ids
    logits.npy            float32 [T, V], little endian, C order: the logits at every position

and OUT/manifest.json lists them. A case reads its weights back from disk before computing the
reference, so the reference is of what the file stores (BF16 and F16 included). The reference is
one prefill of the whole prompt in float32, eager attention, no cache.

The script also checks, and records in the manifest:

    incremental_max_abs_diff  prefill of half the prompt, then one token at a time through the KV
                              cache, against the single prefill; null where the two legitimately
                              differ (rope kinds whose frequencies depend on the current length)
    float64_max_abs_diff      the same model with float64 weights and activations: how far a correct
                              implementation may drift (RMSNorm and rope stay float32 in transformers)
    ablation_max_abs_diff     logits with the feature under test switched off: how far an
                              implementation that ignores the feature would be

Weights come from numpy's PCG64 seeded by the case's name, so a case does not depend on the others.
"""

import argparse
import copy
import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

torch.set_num_threads(2)
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()

CONFIGS = {"llama": LlamaConfig, "mistral": MistralConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config}

# Two base shapes. `BASIC` is for the architecture cases, `SMALL` for the many rope cases.
BASIC = dict(vocab_size=137, hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=512, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2)
SMALL = dict(vocab_size=101, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
             num_key_value_heads=1, max_position_embeddings=512, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2,
             tie_word_embeddings=True)

LONG_SHORT = dict(  # head_dim 16 -> 8 factors each
    short_factor=[1.0, 1.05, 1.1, 1.2, 1.35, 1.5, 1.7, 2.0],
    long_factor=[1.0, 1.4, 2.1, 3.0, 4.2, 5.5, 7.0, 9.0],
)


def rope(kind, theta=1000.0, **parameters):
    """`rope_parameters` in the spelling of transformers 5."""
    return {"rope_type": kind, "rope_theta": theta, **parameters}


def case(name, family, about, length, config, base=BASIC, *, dtype="float32", ablate=None, legacy=None,
         incremental=True, shard=None, edit_tensors=None):
    return dict(name=name, family=family, about=about, length=length, config={**copy.deepcopy(base), **config},
                dtype=dtype, ablate=ablate, legacy=legacy, incremental=incremental, shard=shard,
                edit_tensors=edit_tensors)


def drop_head(tensors):
    tensors.pop("lm_head.weight", None)


def drop_embedding(tensors):
    tensors["lm_head.weight"] = tensors.pop("model.embed_tokens.weight")


def distinct_head(tensors):
    embed = tensors["model.embed_tokens.weight"]
    noise = np.random.Generator(np.random.PCG64(7)).standard_normal(embed.shape) * 0.25
    tensors["lm_head.weight"] = torch.tensor(noise).to(embed.dtype)


def equal_head(tensors):
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()


DEFAULT_ROPE = {"rope_parameters": rope("default")}

CASES = [
    # --- llama: shapes, biases, embeddings, storage -----------------------------------------------------------------
    case("llama-gqa", "llama", "grouped-query attention, untied head, F32", 40,
         {"rope_parameters": rope("default", 10000.0)},
         legacy={"rope_theta": 10000.0, "rope_scaling": None}),
    case("llama-mha-odd", "llama", "multi-head, hidden 50, intermediate 97, vocab 131, head_dim 10; the old spelling "
         "leaves out every key whose default holds (head_dim, num_key_value_heads, rope_theta, ...)", 37,
         {"vocab_size": 131, "hidden_size": 50, "intermediate_size": 97, "num_attention_heads": 5,
          "num_key_value_heads": 5, "rope_parameters": rope("default", 10000.0)},
         legacy={key: ... for key in ("head_dim", "num_key_value_heads", "attention_bias", "mlp_bias", "rope_scaling",
                                      "tie_word_embeddings", "hidden_act", "pretraining_tp", "pad_token_id")}),
    case("llama-mqa-3-layers", "llama", "one KV head for four query heads, three layers, large rms_norm_eps, BF16", 33,
         {"num_hidden_layers": 3, "num_key_value_heads": 1, "rms_norm_eps": 0.05,
          "rope_parameters": rope("default", 500000.0)}, dtype="bfloat16"),
    case("llama-head-dim", "llama", "explicit head_dim 20, not hidden_size/num_attention_heads = 12", 40,
         {"head_dim": 20, "rope_parameters": rope("default", 10000.0)}, dtype="bfloat16"),
    case("llama-bias", "llama", "attention_bias and mlp_bias", 40,
         {"attention_bias": True, "mlp_bias": True, **DEFAULT_ROPE}),
    case("llama-attention-bias", "llama", "attention_bias only (q, k, v and o all carry one)", 24,
         {"attention_bias": True, **DEFAULT_ROPE}, SMALL, dtype="bfloat16"),
    case("llama-tied", "llama", "tie_word_embeddings true, no lm_head.weight in the file", 40,
         {"tie_word_embeddings": True, **DEFAULT_ROPE}, legacy={"rope_theta": 1000.0}),
    case("llama-tied-distinct-head", "llama",
         "tie_word_embeddings true but the file has a different lm_head.weight: transformers 5 does not tie, "
         "it uses the file's head", 24, DEFAULT_ROPE, SMALL, dtype="bfloat16", edit_tensors=distinct_head),
    case("llama-tied-equal-head", "llama",
         "tie_word_embeddings true and the file repeats the embedding as lm_head.weight", 24, DEFAULT_ROPE, SMALL,
         dtype="bfloat16", edit_tensors=equal_head),
    case("llama-tied-head-only", "llama",
         "tie_word_embeddings true and the file has lm_head.weight but no embedding: transformers 5 ties the other "
         "way round", 24, DEFAULT_ROPE, SMALL, dtype="bfloat16", edit_tensors=drop_embedding),
    case("llama-bf16", "llama", "stored as BF16", 40, {"rope_parameters": rope("default", 10000.0)},
         dtype="bfloat16"),
    case("llama-f16", "llama", "stored as F16", 40, {"rope_parameters": rope("default", 10000.0)}, dtype="float16"),
    case("llama-sharded", "llama", "several safetensors shards with an index", 40,
         {"rope_parameters": rope("default", 10000.0)}, dtype="bfloat16", shard="30KB"),
    case("llama-one-token", "llama", "a prompt of one token", 1, {"rope_parameters": rope("default", 10000.0)}, SMALL,
         dtype="bfloat16", incremental=False),
    case("llama-partial-rotary-ignored", "llama",
         "partial_rotary_factor 0.5 in rope_parameters: transformers' llama ignores it for the default rope", 32,
         {"rope_parameters": rope("default", partial_rotary_factor=0.5)}, SMALL, dtype="bfloat16"),
    # --- llama: rope kinds ------------------------------------------------------------------------------------------
    case("llama-rope-default", "llama", "rope_type default, theta 1000", 48, DEFAULT_ROPE, SMALL, dtype="bfloat16"),
    case("llama-rope-linear", "llama", "linear, factor 4", 48, {"rope_parameters": rope("linear", factor=4.0)}, SMALL,
         dtype="bfloat16", ablate=DEFAULT_ROPE,
         legacy={"rope_theta": 1000.0, "rope_scaling": {"type": "linear", "factor": 4.0}}),
    case("llama-rope-dynamic-below", "llama", "dynamic, factor 4, T == max_position_embeddings: no scaling yet", 32,
         {"max_position_embeddings": 32, "rope_parameters": rope("dynamic", factor=4.0)}, SMALL, dtype="bfloat16"),
    case("llama-rope-dynamic-above", "llama", "dynamic, factor 4, T = 56 beyond max_position_embeddings = 24", 56,
         {"max_position_embeddings": 24, "rope_parameters": rope("dynamic", factor=4.0)}, SMALL, dtype="bfloat16",
         ablate=DEFAULT_ROPE, incremental=False,
         legacy={"rope_theta": 1000.0, "rope_scaling": {"type": "dynamic", "factor": 4.0}}),
    case("llama-rope-llama3", "llama", "llama3, factor 8, low 1, high 4, original 32", 48,
         {"rope_parameters": rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                                  original_max_position_embeddings=32)}, SMALL, dtype="bfloat16", ablate=DEFAULT_ROPE,
         legacy={"rope_theta": 1000.0, "rope_scaling": {
             "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
             "original_max_position_embeddings": 32, "rope_type": "llama3"}}),
    case("llama-rope-llama3-head-dim", "llama",
         "llama3 with an explicit head_dim 24, factor 32, low 1.5, high 6, original 64, theta 500000", 48,
         {"head_dim": 24, "rope_parameters": rope("llama3", 500000.0, factor=32.0, low_freq_factor=1.5,
                                                  high_freq_factor=6.0, original_max_position_embeddings=64)},
         SMALL, dtype="bfloat16", ablate={"rope_parameters": rope("default", 500000.0)}),
    case("llama-rope-yarn", "llama", "yarn, factor 4, original 32, everything else default", 48,
         {"max_position_embeddings": 128,
          "rope_parameters": rope("yarn", factor=4.0, original_max_position_embeddings=32)}, SMALL, dtype="bfloat16",
         ablate=DEFAULT_ROPE,
         legacy={"rope_theta": 1000.0, "rope_scaling": {
             "type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}}),
    case("llama-rope-yarn-betas", "llama", "yarn, factor 8, beta_fast 4, beta_slow 0.25, original 64", 48,
         {"rope_parameters": rope("yarn", factor=8.0, beta_fast=4.0, beta_slow=0.25,
                                  original_max_position_embeddings=64)}, SMALL, dtype="bfloat16",
         ablate={"rope_parameters": rope("yarn", factor=8.0, original_max_position_embeddings=64)}),
    case("llama-rope-yarn-attention-factor", "llama", "yarn, factor 4, attention_factor 1.3, original 32", 48,
         {"rope_parameters": rope("yarn", factor=4.0, attention_factor=1.3,
                                  original_max_position_embeddings=32)}, SMALL, dtype="bfloat16",
         ablate={"rope_parameters": rope("yarn", factor=4.0, original_max_position_embeddings=32)}),
    case("llama-rope-yarn-mscale", "llama", "yarn, factor 16, mscale 2, mscale_all_dim 0.5, original 32", 48,
         {"rope_parameters": rope("yarn", factor=16.0, mscale=2.0, mscale_all_dim=0.5,
                                  original_max_position_embeddings=32)}, SMALL, dtype="bfloat16",
         ablate={"rope_parameters": rope("yarn", factor=16.0, original_max_position_embeddings=32)}),
    case("llama-rope-yarn-mscale-only", "llama",
         "yarn, factor 16, mscale 2 without mscale_all_dim: mscale is then ignored, original 32", 48,
         {"rope_parameters": rope("yarn", factor=16.0, mscale=2.0, original_max_position_embeddings=32)}, SMALL,
         dtype="bfloat16"),
    case("llama-rope-yarn-untruncated", "llama", "yarn, factor 4, truncate false, beta_fast 8, original 64", 48,
         {"rope_parameters": rope("yarn", factor=4.0, truncate=False, beta_fast=8.0,
                                  original_max_position_embeddings=64)}, SMALL, dtype="bfloat16",
         ablate={"rope_parameters": rope("yarn", factor=4.0, beta_fast=8.0, original_max_position_embeddings=64)}),
    case("llama-rope-yarn-implicit-original", "llama",
         "yarn, factor 4; the old spelling does not say original_max_position_embeddings: it is then "
         "max_position_embeddings = 48", 40,
         {"max_position_embeddings": 48,
          "rope_parameters": rope("yarn", factor=4.0, original_max_position_embeddings=48)}, SMALL, dtype="bfloat16",
         ablate=DEFAULT_ROPE, legacy={"rope_theta": 1000.0, "rope_scaling": {"rope_type": "yarn", "factor": 4.0}}),
    case("llama-rope-longrope-below", "llama",
         "longrope, T == original_max_position_embeddings = 32: short factors; attention factor from the ratio 128/32",
         32, {"max_position_embeddings": 128,
              "rope_parameters": rope("longrope", original_max_position_embeddings=32, **LONG_SHORT)}, SMALL,
         dtype="bfloat16", ablate=DEFAULT_ROPE),
    case("llama-rope-longrope-above", "llama",
         "longrope, T = 48 beyond original_max_position_embeddings = 32: long factors at every position", 48,
         {"max_position_embeddings": 128,
          "rope_parameters": rope("longrope", original_max_position_embeddings=32, **LONG_SHORT)}, SMALL,
         dtype="bfloat16", ablate=DEFAULT_ROPE, incremental=False,
         legacy={"rope_theta": 1000.0, "original_max_position_embeddings": 32,
                 "rope_scaling": {"type": "longrope", **LONG_SHORT}}),
    case("llama-rope-longrope-factor", "llama",
         "longrope with an explicit factor 2 (the attention factor then comes from it, not from the ratio), T = 40 "
         "beyond original 32", 40,
         {"max_position_embeddings": 128,
          "rope_parameters": rope("longrope", factor=2.0, original_max_position_embeddings=32, **LONG_SHORT)}, SMALL,
         dtype="bfloat16", incremental=False,
         ablate={"rope_parameters": rope("longrope", original_max_position_embeddings=32, **LONG_SHORT)}),
    case("llama-rope-longrope-attention-factor", "llama", "longrope with attention_factor 1.5, T = 40 beyond 32", 40,
         {"max_position_embeddings": 128,
          "rope_parameters": rope("longrope", attention_factor=1.5, original_max_position_embeddings=32,
                                  **LONG_SHORT)}, SMALL, dtype="bfloat16", incremental=False,
         ablate={"rope_parameters": rope("longrope", original_max_position_embeddings=32, **LONG_SHORT)}),
    # --- mistral ----------------------------------------------------------------------------------------------------
    case("mistral-sliding", "mistral", "sliding_window 9 in every layer, T = 44", 44,
         {"sliding_window": 9, **DEFAULT_ROPE}, dtype="bfloat16", ablate={"sliding_window": None},
         legacy={"rope_theta": 1000.0}),
    case("mistral-sliding-head-dim", "mistral", "sliding_window 16, explicit head_dim 20, T = 40", 40,
         {"sliding_window": 16, "head_dim": 20, **DEFAULT_ROPE}, dtype="bfloat16", ablate={"sliding_window": None}),
    case("mistral-full", "mistral", "sliding_window null", 40, {"sliding_window": None, **DEFAULT_ROPE},
         dtype="bfloat16", ablate={"sliding_window": 9}),
    # --- qwen2 ------------------------------------------------------------------------------------------------------
    case("qwen2-full", "qwen2", "q, k, v biases, no sliding window; the old spelling says sliding_window 8 with "
         "use_sliding_window false, which means none", 40,
         {"rope_parameters": rope("default", 1000000.0)},
         legacy={"rope_theta": 1000000.0, "use_sliding_window": False, "sliding_window": 8, "max_window_layers": 1,
                 "layer_types": ...}),
    case("qwen2-tied-f16", "qwen2", "tied, MHA, F16", 30,
         {"rope_parameters": rope("default", 10000.0), "tie_word_embeddings": True, "num_key_value_heads": 4},
         dtype="float16"),
    case("qwen2-sliding", "qwen2", "use_sliding_window, window 7, max_window_layers 1 of 3: layers 1 and 2 slide", 40,
         {"num_hidden_layers": 3, "use_sliding_window": True, "sliding_window": 7, "max_window_layers": 1,
          **DEFAULT_ROPE}, dtype="bfloat16", ablate={"use_sliding_window": False},
         legacy={"rope_theta": 1000.0, "layer_types": ...}),
    case("qwen2-layer-types", "qwen2", "explicit layer_types: layer 0 slides (window 7), layer 1 is full", 40,
         {"use_sliding_window": True, "sliding_window": 7, "max_window_layers": 0,
          "layer_types": ["sliding_attention", "full_attention"], **DEFAULT_ROPE}, dtype="bfloat16",
         ablate={"layer_types": ["full_attention", "sliding_attention"]}),
    case("qwen2-yarn", "qwen2", "yarn on qwen2, factor 4, original 32", 48,
         {"max_position_embeddings": 128,
          "rope_parameters": rope("yarn", 1000000.0, factor=4.0, original_max_position_embeddings=32)}, SMALL,
         dtype="bfloat16", ablate={"rope_parameters": rope("default", 1000000.0)},
         legacy={"rope_theta": 1000000.0, "rope_scaling": {
             "factor": 4.0, "original_max_position_embeddings": 32, "type": "yarn"}}),
    # --- qwen3 ------------------------------------------------------------------------------------------------------
    case("qwen3-tied", "qwen3", "q/k norm, head_dim 24, not hidden_size/num_attention_heads = 12, tied", 40,
         {"head_dim": 24, "tie_word_embeddings": True, "rope_parameters": rope("default", 1000000.0)},
         dtype="bfloat16", legacy={"rope_theta": 1000000.0, "rope_scaling": None, "layer_types": ...}),
    case("qwen3-bias", "qwen3", "q/k norm, untied, attention_bias, F32", 30,
         {"head_dim": 16, "attention_bias": True, "rope_parameters": rope("default", 1000000.0)}),
    case("qwen3-sliding", "qwen3", "use_sliding_window, window 6, max_window_layers 1 of 2: layer 1 slides", 40,
         {"head_dim": 16, "use_sliding_window": True, "sliding_window": 6, "max_window_layers": 1, **DEFAULT_ROPE},
         dtype="bfloat16", ablate={"use_sliding_window": False}),
]


def random_tensors(model, rng):
    """Weights large enough that attention is peaked and the logits spread; the default std of 0.02 hides errors."""
    for name, parameter in model.named_parameters():
        noise = rng.standard_normal(tuple(parameter.shape))
        if name.endswith("norm.weight"):
            value = 1.0 + 0.3 * noise
        elif name.endswith("bias"):
            value = 0.3 * noise
        elif "embed_tokens" in name or "lm_head" in name:
            value = 0.3 * noise
        elif "q_proj" in name or "k_proj" in name:
            value = 0.22 * noise
        else:
            value = 0.18 * noise
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(np.asarray(value, dtype=np.float32)))


def load(folder, config=None, dtype=torch.float32):
    model, info = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=dtype, attn_implementation="eager", output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"], info
    return model.eval()


@torch.no_grad()
def prefill(model, ids):
    return model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].to(torch.float32).numpy()


@torch.no_grad()
def incremental(model, ids):
    """Half the prompt at once, the rest token by token through the cache."""
    half = max(1, len(ids) // 2)
    output = model(input_ids=torch.tensor([ids[:half]]), use_cache=True)
    rows = [output.logits[0]]
    for token in ids[half:]:
        output = model(input_ids=torch.tensor([[token]]), past_key_values=output.past_key_values, use_cache=True)
        rows.append(output.logits[0])
    return torch.cat(rows).numpy()


def max_diff(a, b):
    return float(np.abs(a.astype(np.float64) - b.astype(np.float64)).max())


def legacy_config(folder, edits):
    """config.json as transformers 4.x wrote it: top-level rope_theta, rope_scaling, torch_dtype."""
    config = json.loads((folder / "config.json").read_text())
    config.pop("rope_parameters", None)
    config["torch_dtype"] = config.pop("dtype")
    config["rope_scaling"] = None
    for key, value in edits.items():
        if value is ...:
            config.pop(key, None)
        else:
            config[key] = value
    config["transformers_version"] = "4.51.3"
    return dict(sorted(config.items()))


def make(spec, out):
    folder = out / spec["name"]
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    rng = np.random.Generator(np.random.PCG64(zlib.crc32(spec["name"].encode())))
    build = CONFIGS[spec["family"]]
    dtype = getattr(torch, spec["dtype"])

    model = AutoModelForCausalLM.from_config(build(**copy.deepcopy(spec["config"])), attn_implementation="eager")
    random_tensors(model, rng)
    model = model.to(dtype)
    model.save_pretrained(folder, **({"max_shard_size": spec["shard"]} if spec["shard"] else {}))
    (folder / "generation_config.json").unlink(missing_ok=True)
    if spec["edit_tensors"]:
        path = folder / "model.safetensors"
        tensors = safetensors.torch.load_file(path)
        spec["edit_tensors"](tensors)
        safetensors.torch.save_file(tensors, path, metadata={"format": "pt"})

    vocab = spec["config"]["vocab_size"]
    ids = [1] + rng.integers(3, vocab, spec["length"] - 1).tolist()
    if len(ids) > 4:
        ids[2], ids[3] = vocab - 1, 0  # both ends of the table

    model = load(folder)
    logits = prefill(model, ids)
    assert logits.shape == (len(ids), vocab) and logits.dtype == np.float32 and np.isfinite(logits).all()

    row = {"name": spec["name"], "family": spec["family"], "about": spec["about"], "tokens": len(ids), "vocab": vocab,
           "dtype": spec["dtype"], "legacy_config": bool(spec["legacy"]),
           "logits_std": round(float(logits.std()), 4),
           "float64_max_abs_diff": max_diff(prefill(load(folder, dtype=torch.float64), ids), logits),
           "incremental_max_abs_diff": None, "ablation_max_abs_diff": None}
    if spec["incremental"]:
        row["incremental_max_abs_diff"] = max_diff(incremental(load(folder), ids), logits)
        assert row["incremental_max_abs_diff"] < 1e-3, row
    if spec["ablate"]:
        other = build(**copy.deepcopy({**spec["config"], **spec["ablate"]}))
        row["ablation_max_abs_diff"] = max_diff(prefill(load(folder, other), ids), logits)
        assert row["ablation_max_abs_diff"] > 0.02, row
    if spec["legacy"]:
        (folder / "config.legacy.json").write_text(
            json.dumps(legacy_config(folder, spec["legacy"]), indent=2) + "\n")
        other = AutoConfig.for_model(**json.loads((folder / "config.legacy.json").read_text()))
        assert np.array_equal(prefill(load(folder, other), ids), logits), spec["name"]

    (folder / "ids.json").write_text(json.dumps(ids) + "\n")
    np.save(folder / "logits.npy", np.ascontiguousarray(logits.astype("<f4")))
    for path in folder.iterdir():
        path.chmod(0o644)
    row["bytes"] = sum(p.stat().st_size for p in folder.iterdir())
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="folder for the case folders and manifest.json")
    parser.add_argument("--only", nargs="*", help="make only these cases, and leave manifest.json alone")
    arguments = parser.parse_args()
    rows = []
    for spec in CASES:
        if arguments.only and spec["name"] not in arguments.only:
            continue
        rows.append(make(spec, arguments.out))
        print(json.dumps({k: v for k, v in rows[-1].items() if k not in ("about", "family")}), flush=True)
    if not arguments.only:
        manifest = {"made_by": "Scripts/make_model_fixtures.py",
                    "transformers": transformers.__version__, "torch": torch.__version__,
                    "reference": "float32, eager attention, one prefill of the whole prompt",
                    "cases": rows}
        (arguments.out / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
        print("total bytes:", sum(row["bytes"] for row in rows))


if __name__ == "__main__":
    main()
