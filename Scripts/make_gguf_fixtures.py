#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: gguf==0.19.0 numpy==2.4.6 torch==2.15.0 transformers==5.23.0 tokenizers==0.23.3 safetensors==0.8.0
# requires: a llama.cpp source tree with convert_hf_to_gguf.py (made with the one vendored in
#           llama_cpp_python==0.3.36), and its llama-quantize for the quantised model
"""Make the golden GGUF fixtures.

    python make_gguf_fixtures.py OUT --llama-cpp LLAMA_CPP_SOURCE [--llama-quantize BINARY]

With OUT the package's Tests folder:

OUT/CheckpointsTests/Fixtures/gguf/ (the container and the tensor types; needs only the `gguf` package)

    types.gguf             one or more tensors of every type read by Ingot, and a metadata value of every kind
    types/<tensor>.npy     what gguf.quants.dequantize makes of each, float32, in row-major [rows, columns]
    types.json             per tensor its type and shape, and the metadata values
    alignment64.gguf       general.alignment 64, tensors whose sizes are not multiples of it

Tensors named *.quantized hold numbers quantised by gguf.quants; tensors named *.random hold random block
bytes with finite scales, so that every bit of a block matters (gguf cannot quantise to the K types).

OUT/IngotTests/Fixtures/gguf-models/<case>/ (whole models)

    model.gguf             what llama.cpp's own convert_hf_to_gguf.py makes of a tiny random checkpoint
    ids.json, logits.npy   prompt and float32 [T, V] logits by transformers: float32, eager, one prefill.
                           For the quantised cases transformers computes with the dequantised weights.
and a manifest.json beside the cases.

The converter recognises tokenizers by a hash over an example text and refuses others, so the tiny byte-level
BPE tokenizer trained here is passed off as "gpt-2"/"qwen2", whose splitting rule it uses; nothing else of the
converter is changed. Everything is seeded; the same versions give the same bytes.
"""

import argparse
import copy
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as T
from gguf import quants


TYPES = Path("CheckpointsTests/Fixtures/gguf")
MODELS_FOLDER = Path("IngotTests/Fixtures/gguf-models")


def rng_for(name):
    return np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))


# ---------------------------------------------------------------------------------------------------------------------
# Container and tensor types
# ---------------------------------------------------------------------------------------------------------------------

# Where in a block the f16 scales lie (byte offsets); the rest of a block may hold any bits.
F16_FIELDS = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
              T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208]}
QUANTIZABLE = [T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0]


def numbers(rng, rows, columns):
    """Normal numbers with the awkward rows: outliers, all zero, one sign, tiny."""
    x = rng.standard_normal((rows, columns)).astype(np.float32)
    x[0, :: 7] *= 8
    if rows > 1:
        x[1] = 0
    if rows > 2:
        x[2] = np.abs(x[2])
    if rows > 3:
        x[3] *= 1e-4
    return x


def random_blocks(rng, kind, rows, blocks):
    size = gguf.GGML_QUANT_SIZES[kind][1]
    raw = rng.integers(0, 256, (rows, blocks, size), dtype=np.uint8)
    for offset in F16_FIELDS[kind]:
        scale = rng.uniform(-0.05, 0.05, (rows, blocks)).astype(np.float16)
        scale[0, 0] = 0
        scale[-1, -1] = np.float16(6e-8)  # the smallest subnormal
        raw[:, :, offset:offset + 2] = scale.view(np.uint8).reshape(rows, blocks, 2)
    return raw.reshape(rows, blocks * size)


def type_tensors():
    """(name, type, array as given to the writer, float32 expectation)"""
    out = []

    def add(name, kind, raw, expected=None):
        if expected is None:
            expected = quants.dequantize(raw, kind)
        out.append((name, kind, raw, np.ascontiguousarray(expected, dtype="<f4")))

    rng = rng_for("types")
    x = numbers(rng, 5, 33)
    add("f32.matrix", T.F32, x, x)
    v = rng.standard_normal(7).astype(np.float32)
    v[:3] = [np.float32(3.4e38), np.float32(1e-45), -0.0]
    add("f32.vector", T.F32, v, v)
    c = rng.standard_normal((2, 3, 5)).astype(np.float32)
    add("f32.cube", T.F32, c, c)
    h = numbers(rng, 5, 33).astype(np.float16)
    h[4, :4] = np.array([65504, 6e-8, -0.0, 6.1e-5], dtype=np.float16)
    add("f16.matrix", T.F16, h)
    add("bf16.matrix", T.BF16, quants.quantize(numbers(rng, 5, 34), T.BF16))
    for kind in QUANTIZABLE:
        add(f"{kind.name.lower()}.quantized", kind, quants.quantize(numbers(rng, 5, 96), kind))
    for kind in F16_FIELDS:
        blocks = 3 if kind in QUANTIZABLE else 2
        add(f"{kind.name.lower()}.random", kind, random_blocks(rng, kind, 4, blocks))
    return out


METADATA = [  # (key, writer method, value)
    ("ingot.u8", "add_uint8", 255), ("ingot.i8", "add_int8", -128),
    ("ingot.u16", "add_uint16", 65535), ("ingot.i16", "add_int16", -32768),
    ("ingot.u32", "add_uint32", 4294967295), ("ingot.i32", "add_int32", -2147483648),
    ("ingot.u64", "add_uint64", 18446744073709551615), ("ingot.i64", "add_int64", -9223372036854775808),
    ("ingot.f32", "add_float32", 0.15625), ("ingot.f64", "add_float64", 0.1),
    ("ingot.bool.true", "add_bool", True), ("ingot.bool.false", "add_bool", False),
    ("ingot.string", "add_string", "ingot é 漢字 🙂"), ("ingot.array.string", "add_array", ["", "a", "\n", "é"]),
    ("ingot.array.i32", "add_array", [1, -2, 3]), ("ingot.array.f32", "add_array", [0.5, -1.25]),
    ("ingot.array.bool", "add_array", [True, False, True]),
    ("ingot.array.array", "add_array", [[1, 2], [3]]),
]


def write_types(out):
    folder = out / TYPES
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "types").mkdir(parents=True)
    writer = gguf.GGUFWriter(folder / "types.gguf", "llama")
    for key, method, value in METADATA:
        getattr(writer, method)(key, value)
    listing = []
    for name, kind, raw, expected in type_tensors():
        writer.add_tensor(name, raw, raw_dtype=kind)
        assert np.isfinite(expected).all(), name
        np.save(folder / "types" / f"{name}.npy", expected)
        listing.append({"name": name, "type": kind.name, "shape": list(expected.shape)})
    finish(writer)
    (folder / "types.json").write_text(json.dumps({
        "made_by": "Scripts/make_gguf_fixtures.py", "gguf": importlib.metadata.version("gguf"),
        "tensors": listing, "metadata": {key: value for key, _, value in METADATA}}, indent=1) + "\n")

    writer = gguf.GGUFWriter(folder / "alignment64.gguf", "llama")
    writer.add_custom_alignment(64)
    for name, count in (("a", 3), ("b", 17), ("c", 1)):
        writer.add_tensor(name, np.arange(count, dtype=np.float32) + ord(name))
    finish(writer)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


# ---------------------------------------------------------------------------------------------------------------------
# Whole models
# ---------------------------------------------------------------------------------------------------------------------

TEXT = ("The quick brown fox jumps over the lazy dog. The dog does not mind; the fox is quick, and the day is warm. "
        "for i in range(10): print(i) # the loop prints the numbers from 0 to 9\n") * 4

GPT2 = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
QWEN2 = (r"""(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"""
         r"""|\s+(?!\S)|\s+""")
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCAB = 288


def rope(kind, theta=1000.0, **parameters):
    return {"rope_type": kind, "rope_theta": theta, **parameters}


BASE = dict(vocab_size=VOCAB, hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, bos_token_id=0, eos_token_id=2)

MODELS = [
    dict(name="llama-f32", family="llama", outtype="f32", about="F32, grouped-query, untied", tokens=36,
         config={"rope_parameters": rope("default", 10000.0)}),
    dict(name="llama-f16-llama3", family="llama", outtype="f16", tokens=48,
         about="F16, tied (no output.weight), llama3 scaling stored as rope_freqs.weight",
         config={"tie_word_embeddings": True, "rope_parameters": rope(
             "llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)}),
    dict(name="llama-bf16-linear", family="llama", outtype="bf16", tokens=40,
         about="BF16, attention biases, explicit head_dim 20, rope.scaling.type linear",
         config={"tie_word_embeddings": True, "attention_bias": True, "head_dim": 20,
                 "rope_parameters": rope("linear", factor=4.0)}),
    dict(name="llama-f16-yarn", family="llama", outtype="f16", tokens=48,
         about="F16, tied, rope.scaling.type yarn, factor 4, original 32",
         config={"tie_word_embeddings": True, "max_position_embeddings": 128,
                 "rope_parameters": rope("yarn", factor=4.0, original_max_position_embeddings=32)}),
    dict(name="qwen2-f32", family="qwen2", outtype="f32", about="F32, q/k/v biases, tied", tokens=36,
         config={"tie_word_embeddings": True, "rope_parameters": rope("default", 1000000.0)}),
    dict(name="qwen2-f16", family="qwen2", outtype="f16", about="F16, q/k/v biases, untied", tokens=36,
         config={"rope_parameters": rope("default", 1000000.0)}),
    dict(name="qwen3-f16", family="qwen3", outtype="f16", tokens=36,
         about="F16, q/k norms, head_dim 24 (attention.key_length), tied",
         config={"tie_word_embeddings": True, "head_dim": 24, "rope_parameters": rope("default", 1000000.0)}),
    dict(name="llama-q8_0", family="llama", outtype="q8_0", about="Q8_0 by the converter, hidden 64", tokens=36,
         config={"hidden_size": 64, "intermediate_size": 96, "rope_parameters": rope("default", 10000.0)}),
    dict(name="llama-q4_0", family="llama", outtype="f32", quantize="Q4_0", tokens=36,
         about="Q4_0 by llama-quantize, hidden 64",
         config={"hidden_size": 64, "intermediate_size": 96, "rope_parameters": rope("default", 10000.0)}),
    dict(name="llama-q4_k_m", family="llama", outtype="f32", quantize="Q4_K_M", tokens=24,
         about="Q4_K_M by llama-quantize (Q4_K and Q6_K), hidden 256, one layer, tied",
         config={"hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 1, "tie_word_embeddings": True,
                 "rope_parameters": rope("default", 10000.0)}),
    dict(name="qwen2-q5_k_m", family="qwen2", outtype="f32", quantize="Q5_K_M", tokens=24,
         about="Q5_K_M by llama-quantize (Q5_K and Q6_K), hidden 256, one layer, tied",
         config={"hidden_size": 256, "intermediate_size": 256, "num_hidden_layers": 1, "tie_word_embeddings": True,
                 "rope_parameters": rope("default", 10000.0)}),
]

# Runs the converter with its tokenizer hash table bypassed.
CONVERT = """
import runpy, sys
pre = sys.argv.pop(1)
script = sys.argv[1]
sys.argv = sys.argv[1:]
folder = script.rsplit("/", 1)[0]
sys.path[0:0] = [folder, folder + "/gguf-py"]
import conversion.base
conversion.base.TextModel.get_vocab_base_pre = lambda self, tokenizer: pre
runpy.run_path(script, run_name="__main__")
"""


def write_tokenizer(folder, pattern):
    import tokenizers
    from tokenizers import decoders, models, pre_tokenizers, trainers
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator([TEXT], trainers.BpeTrainer(
        vocab_size=VOCAB - 2, special_tokens=SPECIAL, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False))
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": SPECIAL[0], "eos_token": SPECIAL[2],
        "add_bos_token": False}))


def tensor_names(family, layers):
    """llama.cpp's tensor name -> transformers' name, for reading the weights back from a quantised file."""
    arch = {"llama": gguf.MODEL_ARCH.LLAMA, "qwen2": gguf.MODEL_ARCH.QWEN2, "qwen3": gguf.MODEL_ARCH.QWEN3}[family]
    names = gguf.get_tensor_name_map(arch, layers)
    return lambda hf: names.get_name(hf, try_suffixes=(".weight", ".bias"))


def unpermute(x, heads):
    """Undo the converter's reordering of q and k rows (interleaved pairs -> halves)."""
    return x.reshape(heads, x.shape[0] // heads // 2, 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def load_from_gguf(model, path, spec, config):
    """Put the dequantised weights of a GGUF into `model`."""
    import torch
    stored = {t.name: t for t in gguf.GGUFReader(path).tensors}
    name_of = tensor_names(spec["family"], config["num_hidden_layers"])
    for hf, parameter in model.named_parameters():
        tensor = stored[name_of(hf)]
        value = quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        if spec["family"] == "llama" and (".q_proj." in hf or ".k_proj." in hf):
            value = unpermute(value, config["num_attention_heads" if ".q_proj." in hf else "num_key_value_heads"])
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(value.reshape(tuple(parameter.shape)).copy()))


def make_model(spec, out, llama_cpp, quantizer):
    import torch
    import transformers
    from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config, Qwen3Config
    torch.set_num_threads(2)
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    configs = {"llama": LlamaConfig, "qwen2": Qwen2Config, "qwen3": Qwen3Config}

    folder = out / MODELS_FOLDER / spec["name"]
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rng = rng_for(spec["name"])
    config = {**BASE, **copy.deepcopy(spec["config"])}
    model = AutoModelForCausalLM.from_config(configs[spec["family"]](**copy.deepcopy(config)),
                                             attn_implementation="eager")
    scale = (48 / config["hidden_size"]) ** 0.5
    for name, parameter in model.named_parameters():
        noise = rng.standard_normal(tuple(parameter.shape))
        value = 1 + 0.3 * noise if name.endswith("norm.weight") else \
            0.3 * noise if name.endswith("bias") or "embed_tokens" in name else \
            (0.22 if ".q_proj." in name or ".k_proj." in name else 0.18) * scale * noise
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(np.asarray(value, dtype=np.float32)))
    if spec["outtype"] in ("f16", "bf16"):  # so that the conversion is exact
        stored = {"f16": torch.float16, "bf16": torch.bfloat16}[spec["outtype"]]
        with torch.no_grad():
            for parameter in model.parameters():
                if parameter.dim() == 2:
                    parameter.copy_(parameter.to(stored).float())

    with tempfile.TemporaryDirectory() as temporary:
        source = Path(temporary) / "checkpoint"
        model.save_pretrained(source)
        pre = "gpt-2" if spec["family"] == "llama" else "qwen2"
        write_tokenizer(source, GPT2 if pre == "gpt-2" else QWEN2)
        made = Path(temporary) / "model.gguf"
        run([sys.executable, "-c", CONVERT, pre, f"{llama_cpp}/convert_hf_to_gguf.py", str(source),
             "--outfile", str(made), "--outtype", spec["outtype"], "--model-name", spec["name"]])
        if quantize := spec.get("quantize"):
            quantised = Path(temporary) / "quantised.gguf"
            run([str(quantizer), str(made), str(quantised), quantize, "1"])
            made = quantised
        shutil.copy(made, folder / "model.gguf")

    exact = not spec.get("quantize") and spec["outtype"] != "q8_0"
    before = {n: p.detach().clone() for n, p in model.named_parameters()}
    load_from_gguf(model, folder / "model.gguf", spec, config)
    if exact:
        for name, parameter in model.named_parameters():
            assert torch.equal(before[name], parameter), f"{spec['name']}: {name} changed in conversion"

    ids = [0] + rng.integers(3, VOCAB - 2, spec["tokens"] - 1).tolist()
    model.eval()
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].numpy()
    assert np.isfinite(logits).all()
    (folder / "ids.json").write_text(json.dumps(ids) + "\n")
    np.save(folder / "logits.npy", np.ascontiguousarray(logits.astype("<f4")))
    for path in folder.iterdir():
        path.chmod(0o644)
    kinds = {}
    for tensor in gguf.GGUFReader(folder / "model.gguf").tensors:
        kinds[tensor.tensor_type.name] = kinds.get(tensor.tensor_type.name, 0) + 1
    return {"name": spec["name"], "family": spec["family"], "about": spec["about"], "tokens": len(ids),
            "vocab": VOCAB, "tensor_types": kinds, "logits_std": round(float(logits.std()), 4),
            "bytes": sum(p.stat().st_size for p in folder.iterdir())}


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})
    if done.returncode:
        sys.exit(f"{command} failed:\n{done.stdout}\n{done.stderr}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, help="the Tests folder")
    parser.add_argument("--llama-cpp", type=Path, help="llama.cpp source tree; without it only gguf/ is made")
    parser.add_argument("--llama-quantize", type=Path, help="without it the quantised models are left out")
    arguments = parser.parse_args()
    write_types(arguments.out)
    if not arguments.llama_cpp:
        return
    import torch
    import transformers
    rows = []
    for spec in MODELS:
        if spec.get("quantize") and not arguments.llama_quantize:
            continue
        rows.append(make_model(spec, arguments.out, arguments.llama_cpp.resolve(), arguments.llama_quantize))
        print(json.dumps(rows[-1]), flush=True)
    (arguments.out / MODELS_FOLDER / "manifest.json").write_text(json.dumps({
        "made_by": "Scripts/make_gguf_fixtures.py", "transformers": transformers.__version__,
        "torch": torch.__version__, "converter": "convert_hf_to_gguf.py of llama_cpp_python 0.3.36",
        "reference": "transformers, float32, eager attention, one prefill, weights dequantised by gguf.quants",
        "cases": rows}, indent=1) + "\n")
    print("total bytes:", sum(row["bytes"] for row in rows))


if __name__ == "__main__":
    main()
