#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 torch==2.15.0 transformers==5.23.0 onnx==1.23.2 onnxruntime==1.31.1 onnxruntime-genai==0.18.0
"""Check an export of the `genai` preset against transformers.

    python check_genai.py EXPORT --checkpoint CHECKPOINT

onnxruntime gets every length, prompts in pieces, single tokens, and (with standard operators) batches padded left and
right; onnxruntime-genai generates greedily. The checkpoint is a folder that transformers can load.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from common import Reference, Report, check_model, inputs, random_ids, run, session


class Decoder:
    """One model.onnx with its cache passed in and out."""

    def __init__(self, folder, threads=1):
        self.session = session(Path(folder) / "model.onnx", threads)
        self.inputs = inputs(self.session)
        self.layers = sum(name.endswith(".key") for name in self.inputs)
        self.kv_dtype, shape = self.inputs["past_key_values.0.key"]
        self.kv_heads, self.head_dim = shape[1], shape[3]

    def empty(self, batch):
        past = np.zeros((batch, self.kv_heads, 0, self.head_dim), self.kv_dtype)
        return {f"past_key_values.{i}.{kind}": past for i in range(self.layers) for kind in ("key", "value")}

    def step(self, ids, mask, positions, past):
        """Logits [B, T, V] and the grown cache."""
        out = run(self.session, {"input_ids": ids, "attention_mask": mask, "position_ids": positions, **past})
        present = {f"past_key_values.{i}.{kind}": out[f"present.{i}.{kind}"]
                   for i in range(self.layers) for kind in ("key", "value")}
        return out["logits"].astype(np.float32), present

    def feed(self, ids, pieces):
        """All logits of one sequence fed in pieces of some lengths."""
        past, rows, start = self.empty(1), [], 0
        for count in pieces:
            end = start + count
            logits, past = self.step([ids[start:end]], np.ones((1, end)), [np.arange(start, end)], past)
            rows.append(logits[0])
            start = end
        return np.concatenate(rows), past


def pieces(total, *counts):
    """Pieces of the given lengths, then single tokens."""
    result = list(counts)
    return result + [1] * (total - sum(result))


def check_lengths(report, decoder, reference, lengths):
    for length in lengths:
        ids = random_ids(reference.config.vocab_size, length, seed=length)
        want = reference.logits([ids])[0]
        report.attempt(f"prefill of {length}", lambda: report.close(
            f"prefill of {length}", decoder.feed(ids, [length])[0], want))


def check_pieces(report, decoder, reference, total):
    ids = random_ids(reference.config.vocab_size, total, seed=1)
    want = reference.logits([ids])[0]
    for name, parts in [("all single tokens", pieces(total)), ("prefill and decode", pieces(total, total // 2)),
                        ("three chunks and decode", pieces(total, total // 4, total // 4, total // 4))]:
        report.attempt(name, lambda: report.close(name, decoder.feed(ids, parts)[0], want))


def check_cache(report, decoder, total):
    """The cache that pieces leave is the one of a whole prefill."""
    ids = random_ids(100, total, seed=2) % 100 + 3
    whole, parts = decoder.feed(ids, [total])[1], decoder.feed(ids, pieces(total, total // 3))[1]
    shape = next(iter(whole.values())).shape
    report.fact("cache has a row a token", shape == (1, decoder.kv_heads, total, decoder.head_dim), str(shape))
    report.close("cache of pieces", np.stack(list(parts.values())), np.stack(list(whole.values())))


def check_batch(report, decoder, reference, side, long=11, short=6, steps=4):
    """Two sequences of different length, padded, then decoded together."""
    rows = [random_ids(reference.config.vocab_size, n + steps, seed=n) for n in (long, short)]
    want = [reference.logits([row])[0] for row in rows]
    ids, mask = np.zeros((2, long), np.int64), np.zeros((2, long), np.int64)
    spans = []
    for index, count in enumerate((long, short)):
        start = long - count if side == "left" else 0
        spans.append(slice(start, start + count))
        ids[index, spans[-1]], mask[index, spans[-1]] = rows[index][:count], 1
    positions = np.maximum(mask.cumsum(1) - 1, 0)
    logits, past = decoder.step(ids, mask, positions, decoder.empty(2))
    got = [[logits[index, spans[index]]] for index in range(2)]
    for step in range(steps):
        mask = np.concatenate([mask, np.ones((2, 1), np.int64)], 1)
        places = [long + step, short + step]
        logits, past = decoder.step([[row[p]] for row, p in zip(rows, places)], mask,
                                    [[p] for p in places], past)
        for index in range(2):
            got[index].append(logits[index])
    for index, name in enumerate(("longer", "shorter")):
        report.close(f"batch of 2 padded {side}, {name} row", np.concatenate(got[index]), want[index])


def check_shared_buffer(report, decoder, reference, total=12, room=32):
    """Past and present in one buffer that is longer than the sequence, as onnxruntime-genai binds them."""
    import onnxruntime as ort
    ids = random_ids(reference.config.vocab_size, total, seed=3)
    want = reference.logits([ids])[0]
    buffers = {name: ort.OrtValue.ortvalue_from_numpy(np.zeros((1, decoder.kv_heads, room, decoder.head_dim),
                                                               decoder.kv_dtype)) for name in decoder.empty(1)}
    rows, start = [], 0
    for count in pieces(total, total // 2):
        end = start + count
        binding = decoder.session.io_binding()
        for name, value in {"input_ids": [ids[start:end]], "attention_mask": np.ones((1, end)),
                            "position_ids": [np.arange(start, end)]}.items():
            if name in decoder.inputs:
                binding.bind_cpu_input(name, np.ascontiguousarray(np.asarray(value), dtype=decoder.inputs[name][0]))
        for name, value in buffers.items():
            binding.bind_ortvalue_input(name, value)
            binding.bind_ortvalue_output(name.replace("past_key_values", "present"), value)
        binding.bind_output("logits")
        decoder.session.run_with_iobinding(binding)
        rows.append(binding.get_outputs()[-1].numpy()[0])
        start = end
    report.close("one buffer for past and present", np.concatenate(rows), want)


def check_generation(report, folder, reference, length=5, steps=12):
    """Greedy tokens of onnxruntime-genai."""
    import onnxruntime_genai as genai
    ids = list(random_ids(reference.config.vocab_size, length, seed=4))
    want = reference.greedy(ids, steps)
    model = genai.Model(str(folder))
    parameters = genai.GeneratorParams(model)
    parameters.set_search_options(do_sample=False, max_length=length + steps, min_length=0)
    generator = genai.Generator(model, parameters)
    generator.append_tokens(np.asarray(ids, np.int32))
    got = []
    while not generator.is_done() and len(got) < steps:
        generator.generate_next_token()
        got.append(int(generator.get_next_tokens()[0]))
    stops = reference.config.eos_token_id
    stops = stops if isinstance(stops, list) else [stops]
    # A stop token ends it early.
    want = want[:next((i + 1 for i, token in enumerate(want) if token in stops), steps)]
    got = got[:len(want)]
    first = next((i for i, pair in enumerate(zip(got, want)) if pair[0] != pair[1]), None)
    if first is None:
        return report.fact("onnxruntime-genai's greedy tokens", got == want, f"{len(got)} tokens")
    # What rounding may turn over: two logits that are as close as results may be apart.
    row = reference.logits([ids + want[:first]])[0, -1]
    lead = float(row.max() - row[got[first]])
    rms = max(report.rms or 0, 8e-2 if report.rounds_activations else 0)
    limit = 6 * rms * float(row.std()) or 2 * report.atol
    report.fact("onnxruntime-genai's greedy tokens", lead <= limit, f"token {first}: {lead:.1e} <= {limit:.1e}")


def check(folder, checkpoint, atol=None, lengths=(1, 2, 5, 17, 33), quiet=False, reference=None):
    """All checks of an export."""
    decoder = Decoder(folder)
    report = Report(f"{folder}", decoder.kv_dtype, atol, quiet)
    reference = Reference.of(folder, checkpoint, report, reference)
    grouped = "GroupQueryAttention" in operators(folder)
    check_model(report, Path(folder) / "model.onnx")
    longest = reference.longest
    check_lengths(report, decoder, reference, [n for n in lengths if n <= longest])
    check_pieces(report, decoder, reference, min(20, longest))
    report.attempt("cache", lambda: check_cache(report, decoder, min(12, longest)))
    if grouped:
        report.attempt("one buffer", lambda: check_shared_buffer(report, decoder, reference))
    else:
        for side in ("left", "right"):
            # Windows count slots, in transformers too, so that holes within a sequence shorten them.
            steps = 0 if side == "right" and getattr(reference.config, "sliding_window", None) else 4
            report.attempt(f"batch padded {side}",
                           lambda: check_batch(report, decoder, reference, side, steps=steps))
    report.attempt("onnxruntime-genai", lambda: check_generation(report, folder, reference))
    return report


def operators(folder):
    import onnx
    model = onnx.load(str(Path(folder) / "model.onnx"), load_external_data=False)
    return {node.op_type for node in model.graph.node}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--atol", type=float, help="bound of logits; by default the dtype's")
    parser.add_argument("--lengths", type=int, nargs="+", default=[1, 2, 5, 17, 33])
    options = parser.parse_args()
    return check(options.export, options.checkpoint, options.atol, options.lengths).finish()


if __name__ == "__main__":
    sys.exit(main())
