# SPDX-License-Identifier: Apache-2.0
"""The shapes that the comparison is made with, with random weights."""

from dataclasses import dataclass

VOCABULARY = 151_936


@dataclass(frozen=True)
class Shape:
    """A Qwen3 dense decoder with tied embeddings."""

    name: str
    hidden: int
    intermediate: int
    layers: int = 28
    heads: int = 16
    kv_heads: int = 8
    head_dim: int = 128

    @property
    def kv_bytes_per_token(self):
        """Keys and values in f16."""
        return 2 * 2 * self.layers * self.kv_heads * self.head_dim


SHAPES = {shape.name: shape for shape in (Shape("0.6B", 1024, 3072), Shape("1.7B", 2048, 6144))}
