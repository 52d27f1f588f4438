#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 onnxruntime-genai==0.18.0
"""Speed of onnxruntime-genai on an export of the `genai` preset.

    python genai_decode.py EXPORT [-p 512] [-n 64] [-t 2] [-r 5]

Prints tokens per second for a prompt of `-p` tokens and for `-n` single tokens after it: medians of `-r` rounds, with
the range. `ingot run EXPORT -t 2` on the same folder is what to compare with.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime_genai as genai


def with_threads(folder, threads):
    """A folder of links to the export whose genai_config.json asks for a number of threads."""
    copy = Path(tempfile.mkdtemp(prefix="genai-decode-"))
    for file in Path(folder).resolve().iterdir():
        if file.name != "genai_config.json":
            (copy / file.name).symlink_to(file)
    config = json.loads((Path(folder) / "genai_config.json").read_text())
    config["model"]["decoder"].setdefault("session_options", {})["intra_op_num_threads"] = threads
    (copy / "genai_config.json").write_text(json.dumps(config))
    return copy, config


def measure(model, prompt, count):
    """Seconds for the prompt with its first token, and for the tokens after it."""
    parameters = genai.GeneratorParams(model)
    # The length is what a shared cache is made for; stop tokens must not end it early.
    total = len(prompt) + count + 1
    parameters.set_search_options(do_sample=False, max_length=total, min_length=total)
    generator = genai.Generator(model, parameters)
    start = time.perf_counter()
    generator.append_tokens(prompt)
    generator.generate_next_token()
    middle = time.perf_counter()
    for _ in range(count):
        generator.generate_next_token()
    return middle - start, time.perf_counter() - middle


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path)
    parser.add_argument("-p", "--prompt", type=int, default=512)
    parser.add_argument("-n", "--tokens", type=int, default=64)
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("-r", "--rounds", type=int, default=5)
    options = parser.parse_args()

    folder, config = with_threads(options.export, options.threads)
    try:
        start = time.perf_counter()
        model = genai.Model(str(folder))
        print(f"loaded in {time.perf_counter() - start:.2f} s")
        rng = np.random.Generator(np.random.PCG64(1))
        prompt = rng.integers(3, config["model"]["vocab_size"], options.prompt).astype(np.int32)
        measure(model, prompt, 2)  # pages in the weights
        times = [measure(model, prompt, options.tokens) for _ in range(options.rounds)]
    finally:
        shutil.rmtree(folder)
    print(f"{'threads':>7}  {'work':24}  tokens/s (range)")
    for name, count, column in [(f"prompt of {options.prompt}", options.prompt, 0),
                                (f"decode {options.tokens} after it", options.tokens, 1)]:
        speeds = sorted(count / seconds[column] for seconds in times)
        print(f"{options.threads:7}  {name:24}  {statistics.median(speeds):.1f} ({speeds[0]:.1f}–{speeds[-1]:.1f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
