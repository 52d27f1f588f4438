# SPDX-License-Identifier: Apache-2.0
"""Ingot's own command. All that knows the form of `ingot bench -o json` is here."""

import json
import random

from programs import run


class Ingot:
    def __init__(self, binary, threads):
        self.binary, self.threads = binary, threads
        self.machine, self.limits = {}, {}

    def bench(self, model, *, prompt=0, decode=0, depth=0, sequences=1, threads=None):
        """Tokens a second, of all sequences together where there are several, and the fraction of the limit."""
        report = json.loads(run([
            self.binary, "bench", model, "-p", prompt, "-n", decode, "-d", depth, "-b", sequences,
            "-t", threads or self.threads, "-r", 1, "-o", "json"]).output)
        self.machine = report["machine"]
        for limits in report["limits"]:
            self.limits.setdefault(limits["threads"], []).append(limits)
        sample = {}
        for row in report["tests"]:
            kind = "pp" if row["n_prompt"] > 0 else "tg"
            sample[kind] = row["avg_ts"]
            sample[f"{kind} of limit"] = row.get("limit_fraction")
        return sample

    def first_token(self, model):
        """Seconds from the start of the program to the end of one that generates a token of 8.

        Packed weights are kept beside the checkpoint by the run that warms up.
        """
        return self.generate(model, 8, 1, "--pack-cache", model.parent / "packed").seconds

    def peak(self, model, prompt, decode):
        """Most memory held while a prompt is read and tokens are decoded."""
        return self.generate(model, prompt, decode).peak_bytes

    def generate(self, model, prompt, decode, *more):
        source = random.Random(1)
        ids = ",".join(str(source.randrange(300, 150_000)) for _ in range(prompt))
        return run([self.binary, "run", model, "--raw", "--ids", ids, "-n", decode, "--temp", 0, "--ignore-eos",
                    "-c", prompt + decode, "-t", self.threads, "--output", "ids", *more])

    def export(self, model, folder):
        """A checkpoint in 4 bits for onnxruntime-genai."""
        run([self.binary, "export", model, "-o", folder, "--preset", "genai", "--quant", "int4", "--symmetric",
             "--group-size", 32, "--ops", "ort", "--no-verify"])

    def version(self):
        return run([self.binary, "--version"]).output.strip()
