# SPDX-License-Identifier: Apache-2.0
# requires: onnxruntime-genai==0.18.0 numpy==2.4.6
"""onnxruntime-genai on an export of the `genai` preset: python genai_worker.py FOLDER THREADS."""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from worker import serve


def linked(folder, threads, into):
    """Links to the export beside a genai_config.json that asks for a number of threads."""
    for file in Path(folder).resolve().iterdir():
        if file.name != "genai_config.json":
            (Path(into) / file.name).symlink_to(file)
    config = json.loads((Path(folder) / "genai_config.json").read_text())
    config["model"]["decoder"].setdefault("session_options", {})["intra_op_num_threads"] = threads
    (Path(into) / "genai_config.json").write_text(json.dumps(config))
    return config["model"]["vocab_size"]


def load():
    import onnxruntime_genai as genai

    with tempfile.TemporaryDirectory() as folder:
        vocabulary = linked(sys.argv[1], int(sys.argv[2]), folder)
        model = genai.Model(folder)
    generator = np.random.Generator(np.random.PCG64(1))

    def measure(prompt, decode):
        ids = generator.integers(300, vocabulary - 1000, prompt).astype(np.int32)
        total = prompt + decode + 1
        parameters = genai.GeneratorParams(model)
        parameters.set_search_options(do_sample=False, max_length=total, min_length=total)
        run = genai.Generator(model, parameters)
        start = time.perf_counter()
        run.append_tokens(ids)
        run.generate_next_token()
        middle = time.perf_counter()
        for _ in range(decode):
            run.generate_next_token()
        return middle - start, time.perf_counter() - middle

    measure(64, 2)
    return measure


if __name__ == "__main__":
    serve(load)
