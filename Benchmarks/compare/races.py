# SPDX-License-Identifier: Apache-2.0
"""Who runs in which race, and with which settings."""

import shutil

from checkpoints import path_of
from race import Contestant, Race
from worker import Worker

SHORT_PROMPT = 8


class Races:
    """Makes races; `setup` holds the programs, folders and counts of the command line."""

    def __init__(self, setup):
        self.setup = setup

    def path(self, shape, kind):
        return path_of(self.setup.checkpoints, shape, kind)

    def ours(self, model, work):
        return Contestant("ingot", lambda: self.setup.ingot.bench(model, **work))

    def llama(self, model, work, *settings):
        def contestant(flash, cache):
            setting = f"-fa {int(flash)}" + (f" -ctk {cache} -ctv {cache}" if cache != "f16" else "")
            return Contestant("llama.cpp",
                              lambda: self.setup.llama.bench(model, flash=flash, cache=cache, **work), setting)

        return [contestant(*setting) for setting in settings or [(False, "f16"), (True, "f16")]]

    def library(self, program, worker, work, setting=""):
        """A peer in a process of its own. Decoding starts behind a short prompt, as llama-bench's from nothing."""

        def measure():
            sample = {}
            if work.get("prompt"):
                sample["pp"] = work["prompt"] / worker.ask(prompt=work["prompt"], decode=1)["prefill_s"]
            if work.get("decode"):
                sample["tg"] = work["decode"] / worker.ask(prompt=SHORT_PROMPT, decode=work["decode"])["decode_s"]
            return sample

        return Contestant(program, measure, setting)

    def openvino(self, model, work, workers):
        worker = Worker(self.setup.python, "openvino_worker.py", model, self.setup.threads)
        workers.append(worker)
        return self.library("OpenVINO", worker, work)

    def genai(self, shape, work, workers):
        """onnxruntime-genai reads an export of the 4-bit checkpoint, which Ingot makes once."""
        folder = self.setup.checkpoints / f"qwen3-{shape.name.lower()}-random.genai"
        worker = Worker(self.setup.python, "genai_worker.py", folder, self.setup.threads)
        workers.append(worker)
        contestant = self.library("ORT-genai", worker, work)
        if not (folder / "genai_config.json").exists():
            try:
                self.setup.ingot.export(self.path(shape, "Q4_0"), folder)
            except Exception as problem:
                shutil.rmtree(folder, ignore_errors=True)
                contestant.problem = f"no export: {problem}"
        return contestant

    def run(self, title, contestants, workers=()):
        try:
            return Race(title, contestants).run(self.setup.rounds)
        finally:
            for worker in workers:
                worker.close()

    def weights(self, shape, kind):
        """Prefill and decode with one type of weights."""
        model, workers = self.path(shape, kind), []
        work = {"prompt": self.setup.prompt, "decode": self.setup.decode}
        contestants = [self.ours(model, work), *self.llama(model, work)]
        if kind != "F16":
            contestants.append(self.openvino(model, work, workers))
        if kind == "Q4_0":
            contestants.append(self.genai(shape, work, workers))
        return self.run(f"{shape.name} {kind}", contestants, workers)

    def deep(self, shape):
        model = self.path(shape, "Q4_0")
        work = {"decode": max(self.setup.decode // 4, 8), "depth": self.setup.depth}
        settings = [(False, "f16"), (True, "f16"), (True, "q8_0")]
        return self.run(f"{shape.name} Q4_0 at depth {self.setup.depth}",
                        [self.ours(model, work), *self.llama(model, work, *settings)])

    def batched(self, shape):
        model, decode = self.path(shape, "Q4_0"), self.setup.decode // 2
        peers = [Contestant("llama.cpp", lambda flash=flash: self.setup.llama.batched(
            model, sequences=8, prompt=SHORT_PROMPT, decode=decode, flash=flash), f"-fa {int(flash)}")
            for flash in (False, True)]
        return self.run(f"{shape.name} Q4_0, 8 sequences",
                        [self.ours(model, {"decode": decode, "sequences": 8}), *peers])

    def small(self):
        model, work = self.setup.smollm2, {"prompt": self.setup.prompt, "decode": self.setup.decode}
        return self.run("SmolLM2-135M Q4_1", [self.ours(model, work), *self.llama(model, work)])

    def threads(self, shape):
        """Ingot against itself: all threads first, then one."""
        model, work = self.path(shape, "Q4_0"), {"prompt": self.setup.prompt}
        alone = Contestant("ingot, 1 thread", lambda: self.setup.ingot.bench(model, threads=1, **work))
        return self.run(f"{shape.name} Q4_0, threads", [self.ours(model, work), alone])
