#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 torch==2.15.0 transformers==5.23.0 onnx==1.23.2 onnxruntime==1.31.1
"""Check an export of the `packed` preset against transformers.

    python check_packed.py EXPORT --checkpoint CHECKPOINT

Drives embedding.onnx, decoders.onnx or decoders_{k}.onnx, norm.onnx and lm_head.onnx with caches of any length, from
empty on. Layout of the caches and size of the packs are read off the files. A head that ends in TopK is compared by
its values, and its indices by the logits they name.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np

from common import Reference, Report, check_model, inputs, random_ids, run, session


class Parts:
    """The sessions of an export."""

    def __init__(self, folder):
        self.folder = folder = Path(folder)
        if (folder / "decoders.onnx").exists():
            self.packs = ["decoders.onnx"]
        else:
            self.packs = sorted((f.name for f in folder.glob("decoders_*.onnx")),
                                key=lambda n: int(re.findall(r"\d+", n)[0]))
            if not self.packs or self.packs != [f"decoders_{i}.onnx" for i in range(len(self.packs))]:
                raise ValueError(f"{folder} has the packs {self.packs}")
        self.names = ["embedding.onnx", *self.packs, "norm.onnx", "lm_head.onnx"]
        self.embedding, *self.decoders, self.norm, self.head = [session(folder / n) for n in self.names]
        self.layers = [sum(name.startswith("past_key_in") for name in inputs(d)) for d in self.decoders]
        self.dtype, shape = inputs(self.decoders[0])["past_key_in0"]
        # The heads are the axis of fixed size.
        self.is_bshd = not isinstance(shape[1], int)
        self.kv_heads, self.head_dim = (shape[2] if self.is_bshd else shape[1]), shape[3]
        self.mask_dtype = inputs(self.decoders[0])["attention_mask"][0]
        self.head_outputs = [o.name for o in self.head.get_outputs()]

    def empty(self, batch):
        shape = ((batch, 0, self.kv_heads, self.head_dim) if self.is_bshd else
                 (batch, self.kv_heads, 0, self.head_dim))
        return [[[np.zeros(shape, self.dtype) for _ in range(2)] for _ in range(n)] for n in self.layers]

    def step(self, ids, past, allowed, positions):
        """What the head says, and the grown caches. `allowed` is [B, N, sumN] of booleans."""
        hidden = run(self.embedding, {"input_ids": ids})["hidden_out"]
        filler = -65504.0 if self.mask_dtype == np.float16 else -1e9
        mask = np.where(np.asarray(allowed)[:, None], 0.0, filler)
        present = []
        for decoder, layers in zip(self.decoders, past):
            feeds = {"hidden_in": hidden, "attention_mask": mask, "position_ids": positions}
            for i, (key, value) in enumerate(layers):
                feeds |= {f"past_key_in{i}": key, f"past_value_in{i}": value}
            out = run(decoder, feeds)
            hidden = out["hidden_out"]
            present.append([[out[f"past_key{i}"], out[f"past_value{i}"]] for i in range(len(layers))])
        return run(self.head, {"input": run(self.norm, {"input": hidden})["output"]}), present


def causal(start, count, batch=1):
    """[B, N, start + N]"""
    return np.repeat((np.arange(start + count) <= start + np.arange(count)[:, None])[None], batch, 0)


def compare(report, parts, name, outputs, want):
    """Logits, or the best of them."""
    if parts.head_outputs == ["lm_logits"]:
        return report.close(name, outputs["lm_logits"], want)
    values, indices = (outputs[n] for n in parts.head_outputs)
    if np.issubdtype(values.dtype, np.integer):
        values, indices = indices, values
    count = values.shape[-1]
    report.close(f"{name}: top {count}", values, -np.sort(-want, axis=-1)[..., :count])
    report.close(f"{name}: their indices", np.take_along_axis(want, indices.astype(np.int64), -1),
                 -np.sort(-want, axis=-1)[..., :count])


def join(outputs):
    return {name: np.concatenate([o[name] for o in outputs], 1) for name in outputs[0]}


def feed(parts, ids, pieces):
    past, rows, start = parts.empty(1), [], 0
    for count in pieces:
        out, past = parts.step([ids[start:start + count]], past, causal(start, count),
                               [np.arange(start, start + count)])
        rows.append(out)
        start += count
    return join(rows), past


def check_cache(report, parts, past, total):
    want = (1, total, parts.kv_heads, parts.head_dim) if parts.is_bshd else (1, parts.kv_heads, total,
                                                                             parts.head_dim)
    shapes = {array.shape for pack in past for layer in pack for array in layer}
    report.fact("caches hold every token", shapes == {want}, str(shapes))


def check_batch(report, parts, reference, long=9, short=5, steps=3):
    """Two sequences, the shorter padded left by mask and positions."""
    vocabulary = reference.config.vocab_size
    rows = [random_ids(vocabulary, n + steps, seed=n) for n in (long, short)]
    want = [reference.logits([row])[0] for row in rows]
    pads = [0, long - short]
    ids = np.array([np.concatenate([np.zeros(p, np.int64), r[:long - p]]) for p, r in zip(pads, rows)])
    past, got = parts.empty(2), []
    for start, count in [(0, long)] + [(long + i, 1) for i in range(steps)]:
        allowed = causal(start, count, 2).copy()
        for row, pad in enumerate(pads):
            allowed[row, :, :pad] = False
        if start > 0:
            ids = np.array([[row[start - pad]] for row, pad in zip(rows, pads)])
        positions = np.maximum(np.arange(start, start + count)[None] - np.array(pads)[:, None], 0)
        out, past = parts.step(ids, past, allowed, positions)
        got.append(out)
    out = join(got)
    for row, pad in enumerate(pads):
        compare(report, parts, f"batch of 2, row {row}", {n: v[row, pad:] for n, v in out.items()}, want[row])


def check_submodel(report, parts, reference, total=6):
    """The packs alone, driven by hidden states: the caches of a prefill do not need embedding or head."""
    ids = random_ids(reference.config.vocab_size, total, seed=9)
    hidden = reference.model.get_input_embeddings().weight.detach().numpy()[ids][None]
    report.close("embedding", run(parts.embedding, {"input_ids": [ids]})["hidden_out"], hidden)


def check(folder, checkpoint, atol=None, quiet=False, reference=None, layout=None, pack=None, top_k=None):
    """All checks of an export, and that it is what was asked for."""
    parts = Parts(folder)
    report = Report(f"{folder}", parts.dtype, atol, quiet)
    reference = Reference.of(folder, checkpoint, report, reference)
    for name in parts.names:
        check_model(report, parts.folder / name)
    layers = reference.config.num_hidden_layers
    report.fact("layers of the packs", sum(parts.layers) == layers and len(set(parts.layers[:-1])) <= 1 and
                parts.layers[-1] <= parts.layers[0], str(parts.layers))
    if layout:
        report.fact("layout of the caches", parts.is_bshd == (layout == "bshd"))
    if pack:
        report.fact("size of the packs", parts.layers[0] == min(pack, layers), str(parts.layers))
    report.fact("outputs of the head", (len(parts.head_outputs) == 2) if top_k else
                parts.head_outputs == ["lm_logits"], str(parts.head_outputs))
    longest = reference.longest
    for length in (n for n in (1, 4, 18) if n <= longest):
        ids = random_ids(reference.config.vocab_size, length, seed=length)
        want = reference.logits([ids])
        report.attempt(f"prefill of {length}", lambda: compare(
            report, parts, f"prefill of {length}", feed(parts, ids, [length])[0], want))
    total = min(16, longest)
    ids = random_ids(reference.config.vocab_size, total, seed=1)

    def in_pieces():
        out, past = feed(parts, ids, [total // 2, 2] + [1] * (total - total // 2 - 2))
        compare(report, parts, "two chunks and decode", out, reference.logits([ids]))
        check_cache(report, parts, past, total)
    report.attempt("pieces", in_pieces)
    report.attempt("batch", lambda: check_batch(report, parts, reference))
    report.attempt("embedding", lambda: check_submodel(report, parts, reference))
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--atol", type=float, help="bound of logits; by default that of the dtype")
    parser.add_argument("--kv-layout", choices=["bhsd", "bshd"], help="what was asked for")
    parser.add_argument("--decoder-pack-size", type=int)
    parser.add_argument("--top-k", type=int)
    options = parser.parse_args()
    return check(options.export, options.checkpoint, options.atol, layout=options.kv_layout,
                 pack=options.decoder_pack_size, top_k=options.top_k).finish()


if __name__ == "__main__":
    sys.exit(main())
