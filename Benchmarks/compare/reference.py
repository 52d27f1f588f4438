# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 gguf==0.19.0
"""A Llama decoder in numpy with the weights of a GGUF file, dequantised: what exact arithmetic on them gives, and what
each rounding of a real engine does to it when it is switched on alone."""

from dataclasses import dataclass

import gguf
import numpy as np


@dataclass(frozen=True)
class Roundings:
    """What is rounded as an engine would; nothing of it is the reference."""

    name: str
    activations: bool = False  # inputs of matrices to 8 bits per 32 values
    half_scales: bool = False  # ... with scales in half precision
    half_cache: bool = False  # keys and values to half precision
    head: bool = True  # the head's input too, where activations are


def eight_bits(x, half_scales):
    """Rounds rows to signed 8 bits with a scale per 32 values, and back."""
    groups = x.reshape(-1, 32)
    scale = np.abs(groups).max(1, keepdims=True) / np.float32(127)
    inverse = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    levels = np.rint(groups * inverse)
    if half_scales:
        scale = scale.astype(np.float16).astype(np.float32)
    return (levels * scale).reshape(x.shape)


class Decoder:
    def __init__(self, path):
        reader = gguf.GGUFReader(path)

        def value(key):
            return reader.fields[key].contents()

        self.layers, self.heads = value("llama.block_count"), value("llama.attention.head_count")
        self.kv_heads = value("llama.attention.head_count_kv")
        self.epsilon = value("llama.attention.layer_norm_rms_epsilon")
        self.theta = value("llama.rope.freq_base")
        self.weights = {t.name: gguf.quants.dequantize(t.data, t.tensor_type).astype(np.float32).reshape(
            [int(n) for n in reversed(t.shape)]) for t in reader.tensors}
        self.head_dim = self.weights["blk.0.attn_q.weight"].shape[0] // self.heads

    def norm(self, x, name):
        mean = np.mean(np.square(x, dtype=np.float64), -1, keepdims=True)
        return (x / np.sqrt(mean + self.epsilon)).astype(np.float32) * self.weights[name]

    def linear(self, x, name, roundings):
        if roundings.activations and (roundings.head or name != "token_embd.weight"):
            x = eight_bits(x, roundings.half_scales)
        return x @ self.weights[name].T

    def rotate(self, x):
        """Turns neighbouring values together, as GGUF orders the rows of Llama's matrices."""
        half = self.head_dim // 2
        angles = np.outer(np.arange(x.shape[1]), self.theta ** (-np.arange(half) / half))
        cosine, sine = np.cos(angles), np.sin(angles)
        even, odd = x[..., 0::2].astype(np.float64), x[..., 1::2].astype(np.float64)
        turned = np.stack([even * cosine - odd * sine, even * sine + odd * cosine], -1)
        return turned.reshape(x.shape).astype(np.float32)

    def attention(self, x, block, roundings):
        count = len(x)

        def heads(name, number):
            return self.linear(x, f"{block}.{name}.weight", roundings).reshape(count, number, -1).transpose(1, 0, 2)

        query = self.rotate(heads("attn_q", self.heads))
        key, value = self.rotate(heads("attn_k", self.kv_heads)), heads("attn_v", self.kv_heads)
        if roundings.half_cache:
            key, value = (part.astype(np.float16).astype(np.float32) for part in (key, value))
        share = self.heads // self.kv_heads
        scores = query @ key.repeat(share, 0).transpose(0, 2, 1) / np.float32(np.sqrt(self.head_dim))
        scores = np.where(np.tri(count, dtype=bool), scores, -np.inf)
        shares = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = shares / shares.sum(-1, keepdims=True) @ value.repeat(share, 0)
        return self.linear(mixed.transpose(1, 0, 2).reshape(count, -1), f"{block}.attn_output.weight", roundings)

    def logits(self, ids, roundings=Roundings("exact")):
        """Logits of all positions, float32 [T, V]."""
        x = self.weights["token_embd.weight"][ids]
        for layer in range(self.layers):
            block = f"blk.{layer}"
            x = x + self.attention(self.norm(x, f"{block}.attn_norm.weight"), block, roundings)
            h = self.norm(x, f"{block}.ffn_norm.weight")
            gate = self.linear(h, f"{block}.ffn_gate.weight", roundings)
            up = self.linear(h, f"{block}.ffn_up.weight", roundings)
            x = x + self.linear(gate / (1 + np.exp(-gate)) * up, f"{block}.ffn_down.weight", roundings)
        return self.linear(self.norm(x, "output_norm.weight"), "token_embd.weight", roundings)
