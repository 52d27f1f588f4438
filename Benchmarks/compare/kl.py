# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 gguf==0.19.0 typing_extensions==4.16.0 diskcache==5.6.3 jinja2==3.1.6
"""How far Ingot and llama.cpp are from exact arithmetic on the same weights, over real text.

    python kl.py MODEL --ingot .build/release/ingot --llama-source DIR --llama-bin DIR [--text FILE] [--json FILE]

The reference multiplies the dequantised weights with activations in f32 (reference.py). Reported of each program, over
the predictions of all tokens of windows of 512: KL(reference || program) in nats, how often the likeliest token is the
reference's, perplexity, and the ratio of the mean KL to llama.cpp's. --ablate adds what each rounding does by itself.
The text is the opening of a story by Arthur Conan Doyle (1891), in the public domain.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np

from llama_logits import LlamaLogits
from programs import run
from reference import Decoder, Roundings

TEXT = Path(__file__).parent / "text" / "red_headed_league.txt"
ABLATIONS = [
    Roundings("f16 cache", half_cache=True),
    Roundings("8-bit activations", activations=True),
    Roundings("8-bit activations, not for the head", activations=True, head=False),
    Roundings("8-bit activations, f16 scales", activations=True, half_scales=True),
    Roundings("8-bit activations, f16 scales, f16 cache", activations=True, half_scales=True, half_cache=True),
]


def ingot_logits(options, ids, *arguments):
    with tempfile.TemporaryDirectory() as folder:
        run([options.ingot, "logits", options.model, "--ids", ",".join(map(str, ids)), "-t", options.threads,
             *arguments, "-o", f"{folder}/logits.npy"])
        return np.load(f"{folder}/logits.npy")


def log_softmax(logits):
    shifted = logits.astype(np.float64)
    shifted -= shifted.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


class Distance:
    """What is summed up over the windows for one program."""

    def __init__(self):
        self.kl, self.same, self.losses = [], [], []

    def add(self, reference, logits, ids):
        ours = log_softmax(logits)
        self.kl.append((np.exp(reference) * (reference - ours)).sum(-1))
        self.same.append(reference.argmax(-1) == ours.argmax(-1))
        self.losses.append(-ours[np.arange(len(ids) - 1), ids[1:]])

    def summary(self):
        kl, losses = np.concatenate(self.kl), np.concatenate(self.losses)
        return {"tokens": len(kl), "mean": float(kl.mean()), "error": float(kl.std() / len(kl) ** 0.5),
                "median": float(np.median(kl)), "p99": float(np.quantile(kl, 0.99)), "max": float(kl.max()),
                "same_top": float(np.concatenate(self.same).mean()), "perplexity": float(np.exp(losses.mean()))}


def measure(options):
    text = options.text.read_text()
    ids = [int(i) for i in run([options.ingot, "tokenize", options.model, text]).output.split()]
    windows = [np.array(ids[i:i + options.window]) for i in range(0, len(ids) - options.window + 1, options.window)]
    windows = windows[:options.windows]
    decoder = Decoder(options.model)
    llama = LlamaLogits(options.llama_source, options.llama_bin, options.model, options.threads)
    programs = {
        "llama.cpp": lambda ids: llama.logits(ids),
        "llama.cpp -fa": lambda ids: llama.logits(ids, flash=True),
        "ingot": lambda ids: ingot_logits(options, ids),
    }
    if options.ablate:
        programs["llama.cpp, f32 cache"] = lambda ids: llama.logits(ids, half_cache=False)
        programs["ingot, f32 cache"] = lambda ids: ingot_logits(options, ids, "--kv-type", "f32")
        for roundings in ABLATIONS:
            programs[f"reference with {roundings.name}"] = lambda ids, r=roundings: decoder.logits(ids, r)
    distances = {"reference": Distance(), **{name: Distance() for name in programs}}
    for number, window in enumerate(windows, 1):
        exact = decoder.logits(window)
        reference = log_softmax(exact)
        distances["reference"].add(reference, exact, window)
        for name, logits in programs.items():
            distances[name].add(reference, logits(window), window)
        print(f"window {number} of {len(windows)}: " + ", ".join(
            f"{name} {distances[name].kl[-1].mean():.5f}" for name in programs), file=sys.stderr, flush=True)
        results = {name: distance.summary() for name, distance in distances.items()}
        if options.json:
            options.json.write_text(json.dumps(results, indent=1) + "\n")
    return results


def markdown(results):
    base = min(results["llama.cpp"]["mean"], results["llama.cpp -fa"]["mean"])
    lines = ["| | mean KL, nats | of llama.cpp's | median | 99% | largest | same first choice | perplexity |",
             "|---|---|---|---|---|---|---|---|"]
    for name, r in results.items():
        lines.append(f"| {name} | {r['mean']:.6f} ± {r['error']:.6f} | {r['mean'] / base:.2f} | {r['median']:.6f} | "
                     f"{r['p99']:.4f} | {r['max']:.4f} | {r['same_top']:.2%} | {r['perplexity']:.3f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--ingot", type=Path, required=True)
    parser.add_argument("--llama-source", type=Path, required=True, help="the unpacked llama_cpp_python-0.3.36")
    parser.add_argument("--llama-bin", type=Path, required=True)
    parser.add_argument("--text", type=Path, default=TEXT)
    parser.add_argument("-t", "--threads", type=int, default=2)
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--windows", type=int, default=8)
    parser.add_argument("--ablate", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = measure(options)
    print(markdown(results))
    return 0


if __name__ == "__main__":
    sys.exit(main())
