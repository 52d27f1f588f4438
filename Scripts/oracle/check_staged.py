#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 torch==2.15.0 transformers==5.23.0 onnx==1.23.2 onnxruntime==1.31.1
"""Check an export of the `staged` preset against transformers.

    python check_staged.py PREFILL_FOLDER [DECODE_FOLDER] --checkpoint CHECKPOINT

The driver below knows only the layout of the files: embed.onnx, block0.onnx …, output.onnx of fixed shapes, a mask over
[cache | new tokens], caches to which only the new rows are written. Prompts are fed in chunks of the prefill folder's
length, the last one padded; the decode folder, where there is one, goes on with the same caches. Caches are kept both
in the dtype of the graph and as the float16 that goes through files.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np

from common import Reference, Report, check_model, ingot_settings, inputs, random_ids, run, session


class Parts:
    """The sessions of one folder."""

    def __init__(self, folder):
        folder = Path(folder)
        self.folder = folder
        names = sorted((f.name for f in folder.glob("block*.onnx")), key=lambda n: int(re.findall(r"\d+", n)[0]))
        if names != [f"block{i}.onnx" for i in range(len(names))] or not names:
            raise ValueError(f"{folder} has the blocks {names}")
        self.names = ["embed.onnx", *names, "output.onnx"]
        self.embed, *self.blocks, self.output = [session(folder / name) for name in self.names]
        _, self.length = inputs(self.embed)["input_ids"][1]
        self.caches = [inputs(block)["past_key"][1] for block in self.blocks]
        self.dtype = inputs(self.blocks[0])["past_key"][0]
        self.cache_length = self.caches[0][3]
        self.mask_dtype = inputs(self.blocks[0])["attention_mask"][0]

    def check_shapes(self, report, config):
        """Every input and output has the name and shape of the layout."""
        s, c = self.length, self.cache_length
        h, kv, v = config.hidden_size, config.num_key_value_heads, config.vocab_size
        hd = getattr(config, "head_dim", None) or h // config.num_attention_heads

        def ports(session):
            return ({i.name: i.shape for i in session.get_inputs()}, {o.name: o.shape for o in session.get_outputs()})

        report.fact("ports of embed", ports(self.embed) == ({"input_ids": [1, s]}, {"hidden_states": [1, s, h]}),
                    str(ports(self.embed)))
        report.fact("ports of output", ports(self.output) == ({"hidden_states": [1, s, h]}, {"logits": [1, s, v]}),
                    str(ports(self.output)))
        layers = [shape[0] for shape in self.caches]
        even = sorted(layers, reverse=True) == layers and max(layers) - min(layers) <= 1
        report.fact("layers split evenly", sum(layers) == config.num_hidden_layers and even, str(layers))
        for index, block in enumerate(self.blocks):
            n = layers[index]
            want = ({"hidden_states": [1, s, h], "attention_mask": [1, 1, s, c + s], "position_ids": [1, s],
                     "past_key": [n, 1, kv, c, hd], "past_value": [n, 1, kv, c, hd]},
                    {"hidden_states_out": [1, s, h], "present_key": [n, 1, kv, s, hd],
                     "present_value": [n, 1, kv, s, hd]})
            report.fact(f"ports of block{index}", ports(block) == want, "" if ports(block) == want else
                        str(ports(block)))


class Cache:
    """past_key_block{i} and past_value_block{i}."""

    def __init__(self, parts, dtype, poison=0.0):
        self.arrays = [[np.full(shape, poison, dtype) for _ in range(2)] for shape in parts.caches]
        self.length = 0


def step(parts, cache, tokens, pad=0):
    """One call of every part with up to `parts.length` tokens; logits [q_len, V]."""
    s, c, past, count = parts.length, parts.cache_length, cache.length, len(tokens)
    if past + count > c:
        raise ValueError(f"{past} + {count} tokens in a cache of {c}")
    ids = np.full((1, s), pad, np.int64)
    ids[0, :count] = tokens
    positions = past + np.minimum(np.arange(s), count - 1)[None]
    filler = -65504.0 if parts.mask_dtype == np.float16 else -1e9
    mask = np.full((1, 1, s, c + s), filler, np.float32)
    for row in range(count):
        mask[0, 0, row, :past] = 0
        mask[0, 0, row, c:c + row + 1] = 0
    hidden = run(parts.embed, {"input_ids": ids})["hidden_states"]
    for block, (keys, values) in zip(parts.blocks, cache.arrays):
        out = run(block, {"hidden_states": hidden, "attention_mask": mask, "position_ids": positions,
                          "past_key": keys, "past_value": values})
        hidden = out["hidden_states_out"]
        for array, name in ((keys, "present_key"), (values, "present_value")):
            array[:, :, :, past:past + count] = out[name][:, :, :, :count]
    cache.length += count
    return run(parts.output, {"hidden_states": hidden})["logits"][0, :count].astype(np.float32)


def prefill(parts, cache, ids):
    return np.concatenate([step(parts, cache, ids[i:i + parts.length]) for i in range(0, len(ids), parts.length)])


def check_run(report, name, first, second, ids, want, split, dtype, poison=0.0, bound=None):
    """Prefill of `split` tokens by the first folder, the rest token by token by the second."""
    def body():
        cache = Cache(first, dtype, poison)
        rows = [prefill(first, cache, ids[:split])]
        rows += [step(second, cache, [token]) for token in ids[split:]]
        report.close(name, np.concatenate(rows), want, bound)
    report.attempt(name, body)


def check(prefill_folder, decode_folder, checkpoint, atol=None, quiet=False, reference=None):
    """All checks of an export."""
    first = Parts(prefill_folder)
    second = Parts(decode_folder) if decode_folder else first
    report = Report(f"{prefill_folder}", first.dtype, atol, quiet)
    reference = Reference.of(prefill_folder, checkpoint, report, reference)
    for parts in dict.fromkeys((first, second)):
        for name in parts.names:
            check_model(report, parts.folder / name)
        parts.check_shapes(report, reference.config)
        settings = ingot_settings(parts.folder)
        report.fact("config.json says how it was cut", settings.get("blocks") == len(parts.blocks), str(settings))
    report.fact("both folders have the same caches", first.caches == second.caches)

    s, c = first.length, first.cache_length
    longest = min(c, reference.longest)
    total = min(longest, 2 * s + 7)
    ids = random_ids(reference.config.vocab_size, total)
    want = reference.logits([ids])[0]
    splits = {"one token": 1, "less than a chunk": max(1, s - 1), "a chunk": s, "a chunk and a token": s + 1,
              "nearly all": total - 1}
    for name, split in splits.items():
        if split < total:
            check_run(report, f"prefill of {name}, then decode", first, second, ids, want, split, first.dtype)
    check_run(report, "unwritten slots stay unseen", first, second, ids, want, min(s, total - 2), first.dtype,
              # Scores of such keys must stay far from the mask's filler, which for halves is 65504.
              poison=1e4 if first.dtype == np.float32 else 50.0)
    check_run(report, "caches in float16", first, second, ids, want, min(s, total - 2), np.float16,
              bound=None if report.rms else 3e-2)
    if longest == c:
        full = random_ids(reference.config.vocab_size, c, seed=5)
        check_run(report, "cache filled to its end", first, second, full, reference.logits([full])[0],
                  c - min(c - 1, 4), first.dtype)
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("prefill", type=Path)
    parser.add_argument("decode", type=Path, nargs="?")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--atol", type=float, help="bound of logits; by default that of the dtype")
    options = parser.parse_args()
    return check(options.prefill, options.decode, options.checkpoint, options.atol).finish()


if __name__ == "__main__":
    sys.exit(main())
