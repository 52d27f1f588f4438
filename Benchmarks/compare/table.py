# SPDX-License-Identifier: Apache-2.0
"""Runs all races and prints the table; run.sh calls it with the Python that peers.py made."""

import argparse
import json
import os
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import checkpoints
import kl
import report
import rows
from ingot import Ingot
from llama import LlamaCpp
from races import Races
from shapes import SHAPES

SECTIONS = ["int4", "int8", "f16", "depth", "batch", "small", "threads", "load", "memory", "kl"]
REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Setup:
    """Programs, folders and counts of one run."""

    ingot: Ingot
    llama: LlamaCpp
    python: str
    checkpoints: Path
    smollm2: Path
    threads: int
    rounds: int
    prompt: int
    decode: int
    depth: int
    load: float
    ingot_version: str = ""
    versions: list = field(default_factory=list)


def arguments():
    parser = argparse.ArgumentParser(prog="run.sh", description="Ingot beside its peers: the whole table.")
    parser.add_argument("--ingot", type=Path, default=REPOSITORY / ".build" / "release" / "ingot")
    parser.add_argument("--llama-bin", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--llama-source", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--checkpoints", type=Path, required=True, help="folder of the random checkpoints")
    parser.add_argument("--smollm2", type=Path, default=REPOSITORY / "Models" / "SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("-t", "--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("-r", "--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round of fewer tokens: a look, not a result")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, of " + ", ".join(SECTIONS))
    parser.add_argument("--shapes", default="0.6B,1.7B", help="shapes of the int4 section")
    parser.add_argument("-p", "--prompt", type=int, default=512)
    parser.add_argument("-n", "--decode", type=int, default=128)
    parser.add_argument("-d", "--depth", type=int, default=4096)
    parser.add_argument("--markdown", type=Path, help="write the table here too")
    parser.add_argument("--json", type=Path, help="write all that was measured here")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.prompt, options.decode = 1, min(options.prompt, 128), min(options.decode, 32)
        options.depth = min(options.depth, 512)
    unknown = set(options.only.split(",")) - set(SECTIONS)
    if unknown:
        parser.error(f"no section is called {', '.join(sorted(unknown))}")
    if not options.ingot.exists():
        parser.error(f"{options.ingot} is missing: swift build -c release --product ingot, or --ingot PATH")
    return options


def prepared(options):
    """The checkpoints that the chosen sections need, and what else the run is about."""
    sections, quantize = options.only.split(","), options.llama_bin / "llama-quantize"
    for name in options.shapes.split(",") if "int4" in sections else []:
        checkpoints.make(options.checkpoints, SHAPES[name], ["Q4_0"], quantize)
    kinds = ["Q4_0"] + [kind for section, kind in (("int8", "Q8_0"), ("f16", "F16")) if section in sections]
    if set(sections) - {"small", "int4", "kl"}:
        checkpoints.make(options.checkpoints, SHAPES["0.6B"], kinds, quantize)
    ingot = Ingot(options.ingot, options.threads)
    return Setup(
        ingot, LlamaCpp(options.llama_bin, options.threads), sys.executable, options.checkpoints, options.smollm2,
        options.threads, options.rounds, options.prompt, options.decode, options.depth, os.getloadavg()[0],
        ingot.version(), ["llama.cpp of llama-cpp-python 0.3.36"] + [
            f"{name} {version(name)}" for name in ("onnxruntime-genai", "onnxruntime", "openvino-genai")])


def attempts(count, measure):
    """Values of several tries after one that warms up, or the reason that there are none."""
    try:
        measure()
        return [measure() for _ in range(count)], ""
    except Exception as problem:
        return [], str(problem)


def absolute(setup, section):
    """Rows that no peer is needed for."""
    shape = SHAPES["0.6B"]
    model = checkpoints.path_of(setup.checkpoints, shape, "Q4_0")
    if section == "load":
        values, problem = attempts(setup.rounds + 2, lambda: setup.ingot.first_token(model))
        return rows.measured(f"load to first token of 8, warm, packed cache, {shape.name} Q4_0", values, 0.2, "s", problem)
    held = model.stat().st_size + (setup.prompt + setup.decode) * shape.kv_bytes_per_token
    values, problem = attempts(
        1, lambda: (setup.ingot.peak(model, setup.prompt, setup.decode) - held) / 1e6)
    return rows.measured(f"peak memory over weights and KV, {shape.name} Q4_0", values, 200, "MB", problem)


def accuracy(options, setup):
    """KL against exact arithmetic on real text, ours over llama.cpp's."""
    row = rows.Row("mean KL to f32 activations, SmolLM2-135M Q4_1, real text", "llama.cpp", 1, at_most=True)
    asked = argparse.Namespace(
        model=options.smollm2, ingot=options.ingot, llama_source=options.llama_source, llama_bin=options.llama_bin,
        text=kl.TEXT, threads=options.threads, window=512, windows=1 if options.quick else 8, ablate=False, json=None)
    try:
        found = kl.measure(asked)
    except Exception as problem:
        row.note = str(problem)
        return row
    theirs = min(found[name]["mean"] for name in ("llama.cpp", "llama.cpp -fa"))
    row.value = found["ingot"]["mean"] / theirs
    row.note = "; ".join(f"{name} KL {r['mean']:.5f}, PPL {r['perplexity']:.3f}" for name, r in found.items())
    return row


def compare(setup, sections, shapes):
    """All races and all rows, in the order of the sections."""
    races, table, kept = Races(setup), [], []
    pp, tg, base = f"pp{setup.prompt}", f"tg{setup.decode}", SHAPES["0.6B"]
    everyone = ["llama.cpp", "ORT-genai", "OpenVINO"]
    bandwidth, peak = "read bandwidth", "int8 peak, all of the prefill's time"

    def keep(race, *new):
        kept.append(race)
        table.extend(new)

    for shape in [SHAPES[name] for name in shapes] if "int4" in sections else []:
        race, name = races.weights(shape, "Q4_0"), f"{shape.name} int4"
        keep(race, rows.against(race, f"{tg} {name}", "tg", 1.6, everyone),
             rows.of_limit(race, f"{tg} {name}", "tg", 0.8, bandwidth, aim=0.92),
             rows.against(race, f"{pp} {name}", "pp", 2.2, ["OpenVINO"]),
             rows.against(race, f"{pp} {name}", "pp", 4, ["llama.cpp"]),
             rows.against(race, f"{pp} {name}", "pp", 1, ["ORT-genai"]),
             rows.of_limit(race, f"{pp} {name}", "pp", 0.45, peak, aim=0.65))
    if "int8" in sections:
        race = races.weights(base, "Q8_0")
        keep(race, rows.against(race, f"{pp} {base.name} int8", "pp", 3, ["OpenVINO"]),
             rows.against(race, f"{pp} {base.name} int8", "pp", 1, ["llama.cpp"]),
             rows.against(race, f"{tg} {base.name} int8", "tg", 1, ["llama.cpp", "OpenVINO"]))
    if "f16" in sections:
        race = races.weights(base, "F16")
        keep(race, rows.against(race, f"{pp} {base.name} f16", "pp", 2, ["llama.cpp"]),
             rows.against(race, f"{tg} {base.name} f16", "tg", 2, ["llama.cpp"]),
             rows.of_limit(race, f"{tg} {base.name} f16", "tg", 0.9, bandwidth))
    if "depth" in sections:
        race, work = races.deep(base), f"tg at depth {setup.depth}, {base.name} int4"
        keep(race, rows.against(race, work, "tg", 3, ["llama.cpp"]),
             rows.of_limit(race, work, "tg", 0.8, "read bandwidth, weights and KV"))
    if "batch" in sections:
        race = races.batched(base)
        keep(race, rows.against(race, f"8 sequences decoded together, {base.name} int4", "tg", 3, ["llama.cpp"]))
    if "small" in sections:
        race = races.small()
        keep(race, rows.against(race, f"{tg} SmolLM2-135M Q4_1", "tg", 1.5, ["llama.cpp"]),
             rows.against(race, f"{pp} SmolLM2-135M Q4_1", "pp", 1, ["llama.cpp"]))
    if "threads" in sections and setup.threads > 1:
        race = races.threads(base)
        keep(race, rows.against(race, f"{pp}, 1 → {setup.threads} threads, {base.name} int4", "pp",
                                0.9 * setup.threads, ["ingot, 1 thread"]))
    table += [absolute(setup, section) for section in ("load", "memory") if section in sections]
    return table, kept


def main():
    options = arguments()
    setup = prepared(options)
    table, races = compare(setup, options.only.split(","), options.shapes.split(","))
    if "kl" in options.only.split(","):
        table.append(accuracy(options, setup))
    facts = report.machine(setup)
    text = report.markdown(facts, table)
    if options.markdown:
        options.markdown.write_text(text + "\n")
    if options.json:
        options.json.write_text(json.dumps(report.plain(facts, table, races), indent=1) + "\n")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
