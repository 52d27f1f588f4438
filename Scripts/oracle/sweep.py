#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 torch==2.15.0 transformers==5.23.0 onnx==1.23.2 onnxruntime==1.31.1 onnxruntime-genai==0.18.0
"""Export tiny checkpoints in every way and check each export.

    python sweep.py --ingot .build/debug/ingot [--presets genai staged packed device] [--models llama-gqa …]
        [--opsets 13 15 … 23] [--dtypes f32 f16] [--ops standard ort] [--keep FOLDER]

Without further options: every checkpoint by every preset with the oldest, the usual and the newest opset in turn, then
three of them over all opsets, dtypes, operator sets and kinds of integer weights: an hour or two. Prints the failures
of an export below its line; the exit code is 1 if there are any.
"""

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import check_device
import check_genai
import check_packed
import check_staged
from common import Reference, Report

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "Tests/IngotTests/Fixtures/models"
FEW = ["llama-gqa", "llama-rope-llama3-head-dim", "qwen3-sliding"]
OPSETS = list(range(13, 24))
# Integer weights: by ONNX Runtime's operator, or by standard ones, which know groups from opset 21 on.
QUANTISED = [["--quant", "int8"], ["--quant", "int8", "--symmetric", "--group-size", "64"],
             ["--quant", "int4"], ["--quant", "int4", "--symmetric"], ["--quant", "int4", "--group-size", "128"]]
STANDARD = [["--quant", "int8", "--symmetric"], ["--quant", "int4", "--group-size", "32"],
            ["--quant", "int8", "--group-size", "32"]]

# Sizes that divide nothing evenly. Each preset has variants, of which the first is the usual one.
VARIANTS = {
    "genai": [[]],
    "staged": [["--blocks", "2", "--seq-len", "7", "--max-cache-len", "40"],
               ["--blocks", "1", "--seq-len", "16", "--max-cache-len", "24"]],
    "packed": [["--kv-layout", "bhsd"], ["--kv-layout", "bshd", "--decoder-pack-size", "1"],
               ["--kv-layout", "bshd", "--top-k", "5"]],
    "device": [["--share-length", "9", "--unshare-length", "6", "--seq-length", "24", "--max-pos-len", "40"],
               ["--share-length", "4", "--unshare-length", "8", "--seq-length", "32", "--max-pos-len", "64"]],
}


def option(arguments, name, kind=str):
    return kind(arguments[arguments.index(name) + 1]) if name in arguments else None


def check(preset, folder, checkpoint, arguments, reference):
    """The report of one export."""
    if preset == "genai":
        return check_genai.check(folder, checkpoint, quiet=True, reference=reference)
    if preset == "packed":
        return check_packed.check(folder, checkpoint, quiet=True, reference=reference,
                                  layout=option(arguments, "--kv-layout"),
                                  pack=option(arguments, "--decoder-pack-size", int),
                                  top_k=option(arguments, "--top-k", int))
    if preset == "device":
        return check_device.check(folder, checkpoint, quiet=True, reference=reference)
    return check_staged.check(folder / "prefill", folder / "decode", checkpoint, quiet=True, reference=reference)


def head_dim(model):
    config = json.loads((MODELS / model / "config.json").read_text())
    return config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]


def planned_length(checkpoint):
    """Where rotary angles depend on the length: one for which the usual table holds."""
    config = json.loads((checkpoint / "config.json").read_text())
    rope = config.get("rope_parameters") or {}
    lengths = {"longrope": rope.get("original_max_position_embeddings"), "dynamic": config["max_position_embeddings"]}
    return lengths.get(rope.get("rope_type"))


def cases(options):
    """(model, preset, arguments of the export): every model, then a few in depth, then integer weights."""
    names = options.models or sorted(p.name for p in MODELS.iterdir() if (p / "config.json").exists())
    deep, newest = options.models or FEW, options.opsets[-1]
    few = [opset for opset in (options.opsets[0], 17, newest) if opset in options.opsets]

    def case(name, preset, opset, dtype, ops, more):
        arguments = ["--preset", preset, "--dtype", dtype, "--opset", str(opset)]
        return name, preset, arguments + (["--ops", ops] if ops else []) + more

    def all_cases():
        for i, name in enumerate(names):
            for j, preset in enumerate(options.presets):
                opset = few[(i + j) % len(few)]
                yield case(name, preset, opset, options.dtypes[0], options.ops[0], VARIANTS[preset][0])
        for name, preset, dtype in itertools.product(deep, options.presets, options.dtypes):
            for opset in options.opsets if "standard" in options.ops else []:
                yield case(name, preset, opset, dtype, "standard", VARIANTS[preset][0])
            for variant in VARIANTS[preset][1:]:
                yield case(name, preset, newest, dtype, options.ops[0], variant)
            # ONNX Runtime's own operators do not depend on the opset; they take such heads only.
            if preset == "genai" and "ort" in options.ops and head_dim(name) % 8 == 0:
                yield case(name, preset, newest, dtype, "ort", [])
        for name, preset, dtype in itertools.product(deep, options.presets, options.dtypes):
            for ops, more in [(None, m) for m in QUANTISED] + [("standard", m) for m in STANDARD]:
                # Groups need opset 21 in the standard.
                opset = 17 if "--group-size" not in more and "int8" in more or ops is None else 21
                if options.quant:
                    yield case(name, preset, opset, dtype, ops, VARIANTS[preset][0] + more)

    seen = set()
    for name, preset, arguments in all_cases():
        if (key := (name, *arguments)) not in seen:
            seen.add(key)
            yield name, preset, arguments


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ingot", type=Path, default=ROOT / ".build/debug/ingot")
    parser.add_argument("--presets", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--models", nargs="+")
    parser.add_argument("--opsets", nargs="+", type=int, default=OPSETS)
    parser.add_argument("--dtypes", nargs="+", default=["f32", "f16"])
    parser.add_argument("--ops", nargs="+", default=["standard", "ort"])
    parser.add_argument("--quant", action=argparse.BooleanOptionalAction, default=True, help="integer weights too")
    parser.add_argument("--keep", type=Path, help="where failing exports are kept")
    options = parser.parse_args()

    # The export's own comparison would only take time here.
    usage = subprocess.run([options.ingot, "export", "--help"], capture_output=True, text=True).stdout
    extra = ["--no-verify"] if "--no-verify" in usage else []
    failures, count, start = [], 0, time.time()
    references = {}
    for model, preset, arguments in cases(options):
        count += 1
        arguments += extra
        if length := planned_length(MODELS / model):
            arguments += ["--max-length", str(length)]
        line = f"{model:36} {' '.join(arguments)}"
        checkpoint = MODELS / model
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "export"
            done = subprocess.run([options.ingot, "export", checkpoint, "-o", folder, *arguments],
                                  capture_output=True, text=True)
            if done.returncode:
                report = Report(line, quiet=True)
                report.fact("ingot export", False, done.stderr.strip().replace("\n", " | ")[:400])
            else:
                if model not in references:
                    references[model] = Reference(checkpoint)
                report = Report(line, quiet=True)
                try:
                    report = check(preset, folder, checkpoint, arguments, references[model])
                except Exception as error:  # an export that a check cannot even open
                    report.fact("open", False, f"{type(error).__name__}: {str(error).splitlines()[0][:300]}")
                if report.failures and options.keep:
                    shutil.copytree(folder, options.keep / f"{count:04}-{model}-{preset}", dirs_exist_ok=True)
        print(f"{'FAIL' if report.failures else 'ok  '}  {line}  ({len(report.rows)} checks)", flush=True)
        for name, _, text in report.failures:
            print(f"          {name}: {text}", flush=True)
        if report.failures:
            failures.append(line)
    print(f"{count - len(failures)} of {count} exports pass, {time.time() - start:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
