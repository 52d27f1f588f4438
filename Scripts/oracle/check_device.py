#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 torch==2.15.0 transformers==5.23.0 onnx==1.23.2 onnxruntime==1.31.1
"""Check an export of the `device` preset against transformers.

    python check_device.py EXPORT --checkpoint CHECKPOINT

The driver below keeps one buffer of N slots a layer, as a device does: the share prefix once, then questions that each
restart behind it, then decoding. All slots that nobody has written hold large numbers, so that a mask which opens one
of them shows. The heads are compared with numpy.
"""

import argparse
import re
import sys
from pathlib import Path

import numpy as np

from common import Reference, Report, check_model, inputs, random_ids, run, session

# Tokens that the penalty head draws from.
KEPT = 50


class Device:
    """The sessions of an export and the sizes they were made for."""

    def __init__(self, folder):
        self.folder = folder = Path(folder)
        count = len([f for f in folder.glob("block_*.onnx") if re.fullmatch(r"block_\d+\.onnx", f.name)])
        kinds = ("block_{}.onnx", "block_unshare_{}.onnx", "block_cache_{}.onnx")
        self.names = [kind.format(i) for kind in kinds for i in range(count)]
        heads = ["embedding.onnx", "lm_head.onnx", "greedy_head.onnx", "penalty_sample_head.onnx"]
        self.names += [name for name in heads if (folder / name).exists()]
        sessions = {name: session(folder / name) for name in self.names}
        self.share, self.unshare, self.cache = ([sessions[kind.format(i)] for i in range(count)] for kind in kinds)
        self.embedding, self.head, self.greedy, self.penalty = (sessions.get(name) for name in heads)
        first = inputs(self.share[0])
        self.S, self.dtype = first["input_states"][1][1], first["input_states"][0]
        self.mask_dtype = first["attention_mask"][0]
        self.U = inputs(self.unshare[0])["input_states"][1][1]
        _, self.N, self.kv_heads, self.head_dim = inputs(self.cache[0])["history_k"][1]

    def check_shapes(self, report, config):
        s, u, n, h = self.S, self.U, self.N, config.hidden_size
        kv, hd = config.num_key_value_heads, getattr(config, "head_dim", None) or h // config.num_attention_heads
        for name, part, t, columns, history in [("block_0", self.share[-1], s, s, 0),
                                                ("block_unshare_0", self.unshare[-1], u, s + u, s),
                                                ("block_cache_0", self.cache[-1], 1, n + 1, n)]:
            want = {"input_states": [1, t, h], "position_ids": [1, t], "attention_mask": [1, 1, t, columns]}
            if history:
                want |= {"history_k": [1, history, kv, hd], "history_v": [1, history, kv, hd]}
            got = {i.name: i.shape for i in part.get_inputs()}
            report.fact(f"inputs of {name}", got == want, "" if got == want else str(got))
            want = {"hidden_states": [1, t, h], "past_k": [1, t, kv, hd], "past_v": [1, t, kv, hd]}
            got = {o.name: o.shape for o in part.get_outputs()}
            report.fact(f"outputs of {name}", got == want, "" if got == want else str(got))

    def embed(self, ids):
        """[1, T, H], in pieces of the length that the file takes."""
        length = inputs(self.embedding)["input_ids"][1][1]
        step = length if isinstance(length, int) else len(ids)
        rows = []
        for start in range(0, len(ids), step):
            piece = np.zeros((1, step), np.int64)
            part = ids[start:start + step]
            piece[0, :len(part)] = part
            rows.append(run(self.embedding, {"input_ids": piece})["input_embed"][:, :len(part)])
        return np.concatenate(rows, 1)

    def mask(self, open_columns, rows, columns):
        """Additive; `open_columns` gives the open ones of a row."""
        mask = np.full((1, 1, rows, columns), -65504.0 if self.mask_dtype == np.float16 else -1e9, np.float32)
        for row in range(rows):
            for span in open_columns(row):
                mask[0, 0, row, span] = 0
        return mask


class Conversation:
    """One KV buffer of N slots a layer, and how much of it is what."""

    def __init__(self, device, poison):
        self.device, self.length, self.share_length = device, 0, 0
        shape = (1, device.N, device.kv_heads, device.head_dim)
        self.buffers = [[np.full(shape, poison, device.dtype) for _ in range(2)] for _ in device.share]

    def layers(self, sessions, ids, rows, mask, history):
        """Runs the layers over `ids` padded to `rows`; the new rows go to the slots from `length` on."""
        device, count, start = self.device, len(ids), self.length
        hidden = np.zeros((1, rows, device.embed(ids).shape[2]), np.float32)
        hidden[:, :count] = device.embed(ids)
        positions = start + np.minimum(np.arange(rows), count - 1)[None]
        for session, buffers in zip(sessions, self.buffers):
            feeds = {"input_states": hidden, "position_ids": positions, "attention_mask": mask}
            if history:
                feeds |= {"history_k": buffers[0][:, :history], "history_v": buffers[1][:, :history]}
            out = run(session, feeds)
            hidden = out["hidden_states"]
            for buffer, name in zip(buffers, ("past_k", "past_v")):
                buffer[:, start:start + count] = out[name][:, :count]
        self.length += count
        return hidden[:, :count]

    def share(self, ids):
        device = self.device
        self.length = 0
        mask = device.mask(lambda row: [slice(0, min(row, len(ids) - 1) + 1)], device.S, device.S)
        hidden = self.layers(device.share, ids, device.S, mask, 0)
        self.share_length = len(ids)
        return self.logits(hidden)

    def ask(self, ids):
        """A question right behind the share prefix, whatever came there before."""
        device, s = self.device, self.share_length
        self.length = s
        mask = device.mask(lambda row: [slice(0, s), slice(device.S, device.S + min(row, len(ids) - 1) + 1)],
                           device.U, device.S + device.U)
        return self.logits(self.layers(device.unshare, ids, device.U, mask, device.S))

    def decode(self, token):
        device = self.device
        mask = device.mask(lambda row: [slice(0, self.length), slice(device.N, device.N + 1)], 1, device.N + 1)
        return self.logits(self.layers(device.cache, [token], 1, mask, device.N))

    def logits(self, hidden):
        """[T, V]; the head takes a row at a time."""
        name = self.device.head.get_outputs()[0].name
        return np.concatenate([run(self.device.head, {"hidden_states": row[None]})[name] for row in hidden[0]])


def penalty_reference(logits, ids, top_p, temperature, penalty):
    """What the penalty head computes, in numpy."""
    logits = logits.astype(np.float64).copy()
    seen = np.unique(ids)
    logits[seen] = np.where(logits[seen] >= 0, logits[seen] / penalty, logits[seen] * penalty)
    order = np.argsort(-logits, kind="stable")[:KEPT]
    scaled = logits[order] / temperature
    softmax = lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum()
    # A sum that is top_p to the last bit may fall on either side.
    return [softmax(np.where((np.cumsum(softmax(scaled)) < limit) | (np.arange(len(order)) < 5), scaled, -1000.0))
            for limit in (top_p - 2e-6, top_p + 2e-6)], order


def check_heads(report, device, vocabulary):
    rng = np.random.Generator(np.random.PCG64(3))
    for case in range(6):
        logits = (rng.standard_normal((1, vocabulary)) * 3).astype(np.float32)
        if device.greedy:
            token = run(device.greedy, {"m_logits": logits})["token"]
            report.fact(f"greedy head {case}", int(np.ravel(token)[0]) == int(logits.argmax()), str(token.shape))
        if device.penalty:
            recent = rng.integers(0, vocabulary, min(32, device.N))
            ids = np.full((1, device.N), recent[-1])
            ids[0, :len(recent)] = recent
            top_p, temperature, penalty = [(1.0, 1.0, 1.2), (0.8, 0.7, 1.2), (0.5, 2.0, 1.0), (0.05, 1.0, 1.5),
                                           (0.95, 0.3, 1.1), (1.0, 1.5, 2.0)][case]
            scalar = lambda name, value: np.full([d if isinstance(d, int) else 1
                                                  for d in inputs(device.penalty)[name][1]], value)
            out = run(device.penalty, {"m_logits": logits, "input_ids": ids, "top_p": scalar("top_p", top_p),
                                       "temperature": scalar("temperature", temperature),
                                       "penalty": scalar("penalty", penalty)})
            choices, tokens = penalty_reference(logits[0].astype(device.dtype), recent, top_p, temperature,
                                                      penalty)
            probabilities = min(choices, key=lambda p: np.abs(p - out["probs"]).max())
            bound = 2e-6 if device.dtype == np.float32 else 2e-3
            report.close(f"penalty head {case}: probs", out["probs"], probabilities[None], bound)
            same = (out["token"][0] == tokens) | (np.abs(probabilities - out["probs"][0]) <= bound)
            report.fact(f"penalty head {case}: tokens", device.dtype != np.float32 and same.all() or
                        np.array_equal(out["token"][0], tokens))


def check(folder, checkpoint, atol=None, quiet=False, reference=None):
    """All checks of an export."""
    device = Device(folder)
    report = Report(f"{folder}", device.dtype, atol, quiet)
    reference = Reference.of(folder, checkpoint, report, reference)
    for name in device.names:
        check_model(report, device.folder / name)
    report.fact("a file of each kind a layer", len(device.share) == reference.config.num_hidden_layers)
    device.check_shapes(report, reference.config)
    vocabulary = reference.config.vocab_size
    report.attempt("heads", lambda: check_heads(report, device, vocabulary))
    top1 = device.head.get_outputs()[0].name == "token"

    def compare(name, got, want):
        if top1:
            return report.fact(name, np.array_equal(np.ravel(got), want.argmax(-1)), str(np.ravel(got)[:8]))
        report.close(name, got, want)

    def conversation(s, u, decoded, poison):
        name = f"s={s} u={u} poison={poison:g}"
        prefix = random_ids(vocabulary, s, seed=s)
        talk = Conversation(device, poison)
        compare(f"{name}: share", talk.share(prefix), reference.logits([prefix])[0])
        untouched = [np.copy(b[:, :s]) for layer in talk.buffers for b in layer]
        for question in range(2):
            count = max(1, u - question)
            ids = np.concatenate([prefix, random_ids(vocabulary, count + decoded, seed=100 + question)])
            rows = [talk.ask(ids[s:s + count])] + [talk.decode(token) for token in ids[s + count:]]
            compare(f"{name}: question {question + 1}", np.concatenate(rows), reference.logits([ids])[0][s:])
        after = [b[:, :s] for layer in talk.buffers for b in layer]
        report.fact(f"{name}: the prefix is never touched", all(map(np.array_equal, untouched, after)))

    S, U, N = device.S, device.U, device.N
    # Scores of such keys must stay far from the mask's filler, which for halves is 65504.
    large = 1e4 if device.dtype == np.float32 else 50.0
    for s, u, decoded, poison in [(S, U, 4, large), (max(1, S - 3), max(1, U - 2), 5, large), (1, 1, 3, -large),
                                  (max(1, S // 2), U, N - max(1, S // 2) - U, large), (S, 1, 3, 0.0)]:
        decoded = min(decoded, min(N, reference.longest) - s - u)
        report.attempt(f"s={s} u={u}", lambda: conversation(s, u, decoded, poison))
    return report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--atol", type=float, help="bound of logits; by default that of the dtype")
    options = parser.parse_args()
    return check(options.export, options.checkpoint, options.atol).finish()


if __name__ == "__main__":
    sys.exit(main())
