# SPDX-License-Identifier: Apache-2.0
"""llama.cpp's own programs, one run at a time."""

import json
from pathlib import Path

from programs import run


class LlamaCpp:
    def __init__(self, binaries, threads):
        self.binaries, self.threads = Path(binaries), threads

    def bench(self, model, *, prompt=0, decode=0, depth=0, flash=False, cache="f16"):
        """Tokens a second by llama-bench, which warms up before it measures."""
        rows = json.loads(run([
            self.binaries / "llama-bench", "-m", model, "-p", prompt, "-n", decode, "-d", depth, "-t", self.threads,
            "-fa", int(flash), "-ctk", cache, "-ctv", cache, "-r", 1, "-o", "json"]).output)
        return {kind: row["avg_ts"] for row in rows
                for kind, count in (("pp", row["n_prompt"]), ("tg", row["n_gen"])) if count > 0}

    def batched(self, model, *, sequences, prompt, decode, flash=False):
        """Tokens a second of all sequences together by llama-batched-bench."""
        lines = run([
            self.binaries / "llama-batched-bench", "-m", model, "-c", sequences * (prompt + decode), "-npp", prompt,
            "-ntg", decode, "-npl", sequences, "-t", self.threads, "-tb", self.threads,
            "-fa", "on" if flash else "off", "--output-format", "jsonl"]).output.splitlines()
        rows = [json.loads(line) for line in lines if line.startswith("{")]
        if not rows:
            raise RuntimeError("llama-batched-bench printed no row: " + " ".join(lines)[-200:])
        return {"tg": rows[-1]["speed_tg"]}
