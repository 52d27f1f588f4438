# SPDX-License-Identifier: Apache-2.0
# requires: openvino-genai==2026.4.1.0 numpy==2.4.6
"""OpenVINO GenAI on a GGUF file, by its own metrics: python openvino_worker.py MODEL.gguf THREADS [PA|SDPA]."""

import sys

import numpy as np

from shapes import VOCABULARY
from worker import serve


def load():
    import openvino
    import openvino_genai as genai

    path, threads, attention = sys.argv[1], int(sys.argv[2]), (sys.argv[3:] or ["PA"])[0]
    pipeline = genai.LLMPipeline(path, "CPU", INFERENCE_NUM_THREADS=threads, ATTENTION_BACKEND=attention)
    generator = np.random.Generator(np.random.PCG64(1))

    def measure(prompt, decode):
        # New tokens each time: the pipeline keeps the cache of prompts that it has seen.
        ids = generator.integers(300, VOCABULARY - 1000, (1, prompt))
        config = genai.GenerationConfig(max_new_tokens=decode + 1, ignore_eos=True, do_sample=False)
        metrics = pipeline.generate(openvino.Tensor(ids), config).perf_metrics
        if metrics.get_num_generated_tokens() != decode + 1:
            raise RuntimeError(f"{metrics.get_num_generated_tokens()} tokens where {decode + 1} were asked for")
        return metrics.get_ttft().mean / 1e3, metrics.get_tpot().mean / 1e3 * decode

    measure(64, 2)
    return measure


if __name__ == "__main__":
    serve(load)
