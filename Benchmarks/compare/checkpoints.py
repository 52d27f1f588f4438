# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 gguf==0.19.0
"""Makes the checkpoints of the named shapes: random weights, the same at every run, as GGUF in F16, Q8_0 and Q4_0.

    python checkpoints.py FOLDER --quantize path/to/llama-quantize [--shapes 0.6B,1.7B] [--types Q4_0,Q8_0,F16]

Matrices are normal with variance 1/inputs, so that activations keep their size and logits spread over a few units.
Quantised files hold every matrix in the one type (`llama-quantize --pure`), so that all programs read the same bits.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import gguf
import numpy as np

from shapes import SHAPES, VOCABULARY

SEED = 5
CONTEXT = 40_960
EMBEDDING_DEVIATION = 0.06
BLOCK = 1 << 24


def byte_characters():
    """The printable character that stands for each byte in a byte-level vocabulary."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    table = {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(rest)}
    return [table[byte] for byte in range(256)]


def add_tokenizer(writer):
    """Bytes, a few merges, three marks where Qwen has them; the other ids are fillers that no text gives."""
    tokens = byte_characters()
    merges = ["Ġ t", "h e", "i n", "e r", "a n", "Ġt he"]
    tokens += [merge.replace(" ", "") for merge in merges]
    types = [gguf.TokenType.NORMAL] * len(tokens)
    marks = {151_643: "<|endoftext|>", 151_644: "<|im_start|>", 151_645: "<|im_end|>"}
    for index in range(len(tokens), VOCABULARY):
        tokens.append(marks.get(index, f"[PAD{index}]"))
        types.append(gguf.TokenType.CONTROL if index in marks else gguf.TokenType.UNUSED)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(151_643)
    writer.add_eos_token_id(151_645)
    writer.add_pad_token_id(151_643)
    writer.add_add_bos_token(False)
    writer.add_chat_template(
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] }}"
        "{{ '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}")


def tensors(shape):
    """Name, rows and columns of every tensor; norms have no rows."""
    query, key = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    yield "token_embd.weight", VOCABULARY, shape.hidden
    yield "output_norm.weight", 0, shape.hidden
    for layer in range(shape.layers):
        for name, rows, columns in [
            ("attn_norm", 0, shape.hidden), ("attn_q", query, shape.hidden), ("attn_k", key, shape.hidden),
            ("attn_v", key, shape.hidden), ("attn_output", shape.hidden, query), ("attn_q_norm", 0, shape.head_dim),
            ("attn_k_norm", 0, shape.head_dim), ("ffn_norm", 0, shape.hidden),
            ("ffn_gate", shape.intermediate, shape.hidden), ("ffn_up", shape.intermediate, shape.hidden),
            ("ffn_down", shape.hidden, shape.intermediate),
        ]:
            yield f"blk.{layer}.{name}.weight", rows, columns


def values(generator, name, rows, columns):
    if rows == 0:
        return generator.uniform(0.8, 1.2, columns).astype(np.float32)
    deviation = EMBEDDING_DEVIATION if name.startswith("token_embd") else columns ** -0.5
    matrix = np.empty(rows * columns, np.float16)
    for start in range(0, matrix.size, BLOCK):
        part = matrix[start:start + BLOCK]
        part[:] = generator.standard_normal(part.size, np.float32) * np.float32(deviation)
    return matrix.reshape(rows, columns)


def write(shape, path):
    writer = gguf.GGUFWriter(str(path), "qwen3")
    writer.add_name(f"random weights, Qwen3-{shape.name} shape")
    writer.add_type("model")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    writer.add_block_count(shape.layers)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.intermediate)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_dim)
    writer.add_value_length(shape.head_dim)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_vocab_size(VOCABULARY)
    add_tokenizer(writer)
    for name, rows, columns in tensors(shape):
        dtype = np.dtype(np.float16 if rows else np.float32)
        dimensions = (rows, columns) if rows else (columns,)
        writer.add_tensor_info(name, dimensions, dtype, int(np.prod(dimensions)) * dtype.itemsize)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    generator = np.random.Generator(np.random.PCG64(SEED))
    for name, rows, columns in tensors(shape):
        writer.write_tensor_data(values(generator, name, rows, columns))
    writer.close()


def path_of(folder, shape, kind):
    return Path(folder) / f"qwen3-{shape.name.lower()}-random.{kind}.gguf"


def make(folder, shape, kinds, quantize):
    """The files that are missing; each appears whole or not at all."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    missing = [kind for kind in kinds if not path_of(folder, shape, kind).exists()]
    if not missing:
        return
    source = path_of(folder, shape, "F16")
    if not source.exists():
        print(f"making {source.name}", file=sys.stderr, flush=True)
        temporary = source.with_suffix(".tmp")
        write(shape, temporary)
        os.replace(temporary, source)
    for kind in missing:
        target = path_of(folder, shape, kind)
        if kind == "F16" or target.exists():
            continue
        print(f"making {target.name}", file=sys.stderr, flush=True)
        temporary = target.with_suffix(".tmp")
        done = subprocess.run([str(quantize), "--pure", str(source), str(temporary), kind],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"llama-quantize failed on {source}:\n{done.stdout[-2000:]}")
        os.replace(temporary, target)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quantize", type=Path, required=True)
    parser.add_argument("--shapes", default="0.6B,1.7B")
    parser.add_argument("--types", default="Q4_0,Q8_0,F16")
    options = parser.parse_args()
    for name in options.shapes.split(","):
        make(options.folder, SHAPES[name], options.types.split(","), options.quantize)
    return 0


if __name__ == "__main__":
    sys.exit(main())
