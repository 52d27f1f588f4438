#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: torch==2.15.0 transformers==5.23.0 numpy==2.4.6 onnx==1.23.2 onnxruntime-genai==0.18.0
# requires: onnx-ir==1.1.0 onnxscript==0.7.2
"""Make exports in ONNX as other tools write them, of one tiny Qwen3, with the logits transformers computes.

    python make_onnx_fixtures.py OUT

    OUT/ids.json, OUT/logits.npy    a text, and f32 [T, V]
    OUT/builder/                    ONNX Runtime GenAI's model builder: GroupQueryAttention, shared buffers, no config.json
    OUT/torch/                      torch.onnx: growing caches, no position_ids; config.json
    OUT/renamed/                    the same with ports of other names, told by genai_config.json, and logits of the last
                                    token alone
    OUT/uncached/                   ids to logits, without a cache
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from transformers import DynamicCache, Qwen3Config, Qwen3ForCausalLM

LAYERS, KV_HEADS, HEAD_DIM, VOCAB = 2, 1, 16, 40


class Cached(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids, mask, *cache):
        past = DynamicCache()
        for layer in range(LAYERS):
            past.update(cache[2 * layer], cache[2 * layer + 1], layer)
        out = self.model(input_ids=ids, attention_mask=mask, past_key_values=past, use_cache=True)
        return (out.logits, *[t for layer in out.past_key_values.layers for t in (layer.keys, layer.values)])


class Uncached(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, ids):
        return self.model(input_ids=ids, use_cache=False).logits


def slim(path):
    """Leaves out what only people read."""
    model = onnx.load(path)
    del model.metadata_props[:]
    del model.functions[:]
    del model.graph.value_info[:]
    for node in model.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for value in [*model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
    onnx.save(model, path)
    return model


def torch_exports(model, out):
    dynamic = torch.export.Dim.DYNAMIC
    cache = [torch.randn(1, KV_HEADS, 4, HEAD_DIM) for _ in range(2 * LAYERS)]
    sides = [f"{layer}.{side}" for layer in range(LAYERS) for side in ("key", "value")]
    os.makedirs(f"{out}/torch")
    path = f"{out}/torch/model.onnx"
    torch.onnx.export(
        Cached(model), (torch.tensor([[1, 2, 3]]), torch.ones(1, 7, dtype=torch.long), *cache), path, dynamo=True,
        external_data=False, opset_version=18, verbose=False,
        input_names=["input_ids", "attention_mask"] + [f"past_key_values.{s}" for s in sides],
        output_names=["logits"] + [f"present.{s}" for s in sides],
        dynamic_shapes=({1: dynamic}, {1: dynamic}, tuple({2: dynamic} for _ in cache)))
    cached = slim(path)
    shutil.copy(f"{out}/checkpoint/config.json", f"{out}/torch/config.json")

    os.makedirs(f"{out}/uncached")
    path = f"{out}/uncached/model.onnx"
    torch.onnx.export(
        Uncached(model), (torch.tensor([[1, 2, 3]]),), path, dynamo=True, external_data=False, opset_version=18,
        verbose=False, input_names=["input_ids"], output_names=["logits"], dynamic_shapes=({1: dynamic},))
    slim(path)
    shutil.copy(f"{out}/checkpoint/config.json", f"{out}/uncached/config.json")
    return cached


def renamed(model, out):
    names = {"input_ids": "tokens", "attention_mask": "seen", "logits": "scores"}
    for layer in range(LAYERS):
        for side in ("key", "value"):
            names[f"past_key_values.{layer}.{side}"] = f"old_{side}_{layer}"
            names[f"present.{layer}.{side}"] = f"new_{side}_{layer}"
    for node in model.graph.node:
        for values in (node.input, node.output):
            for index, name in enumerate(values):
                values[index] = names.get(name, name)
    for value in [*model.graph.input, *model.graph.output]:
        value.name = names.get(value.name, value.name)
    # Only the last row of the logits.
    for node in model.graph.node:
        node.output[:] = ["all_scores" if name == "scores" else name for name in node.output]
    model.graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), "last"))
    model.graph.node.append(helper.make_node("Gather", ["all_scores", "last"], ["scores"], axis=1))
    scores = next(value for value in model.graph.output if value.name == "scores")
    scores.type.tensor_type.shape.dim[1].dim_value = 1
    onnx.checker.check_model(model, full_check=True)
    os.makedirs(f"{out}/renamed")
    onnx.save(model, f"{out}/renamed/decoder.onnx")
    config = {
        "model": {
            "type": "qwen3", "bos_token_id": 1, "eos_token_id": [2, 3], "pad_token_id": 0, "context_length": 64,
            "vocab_size": VOCAB,
            "decoder": {
                "filename": "decoder.onnx", "head_size": HEAD_DIM, "hidden_size": 16, "num_attention_heads": 2,
                "num_hidden_layers": LAYERS, "num_key_value_heads": KV_HEADS,
                "inputs": {"input_ids": "tokens", "attention_mask": "seen", "past_key_names": "old_key_%d",
                           "past_value_names": "old_value_%d"},
                "outputs": {"logits": "scores", "present_key_names": "new_key_%d",
                            "present_value_names": "new_value_%d"}}},
        "search": {"past_present_share_buffer": False}}
    with open(f"{out}/renamed/genai_config.json", "w") as file:
        json.dump(config, file, indent=1)


def builder(out):
    with tempfile.TemporaryDirectory() as cache:
        subprocess.run(
            [sys.executable, "-m", "onnxruntime_genai.models.builder", "-m", f"{out}/checkpoint", "-o", f"{out}/builder",
             "-p", "fp32", "-e", "cpu", "-c", cache], check=True)
    for name in os.listdir(f"{out}/builder"):
        if name not in ("model.onnx", "model.onnx.data", "genai_config.json"):
            os.remove(f"{out}/builder/{name}")


def main():
    out = sys.argv[1]
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    config = Qwen3Config(
        vocab_size=VOCAB, hidden_size=16, intermediate_size=32, num_hidden_layers=LAYERS, num_attention_heads=2,
        num_key_value_heads=KV_HEADS, head_dim=HEAD_DIM, max_position_embeddings=64, bos_token_id=1, eos_token_id=2,
        pad_token_id=0, tie_word_embeddings=False, attn_implementation="eager")
    torch.manual_seed(7)
    model = Qwen3ForCausalLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0, 0.3)
    model.save_pretrained(f"{out}/checkpoint")
    # The builder insists on a tokenizer.
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast
    words = Tokenizer(models.WordLevel({f"t{i}": i for i in range(VOCAB)}, unk_token="t0"))
    PreTrainedTokenizerFast(tokenizer_object=words, eos_token="t2").save_pretrained(f"{out}/checkpoint")
    ids = np.random.default_rng(3).integers(4, VOCAB, 24).tolist()
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].numpy()
    with open(f"{out}/ids.json", "w") as file:
        json.dump(ids, file)
    np.save(f"{out}/logits.npy", logits)
    renamed(torch_exports(model, out), out)
    builder(out)
    shutil.rmtree(f"{out}/checkpoint")


main()
