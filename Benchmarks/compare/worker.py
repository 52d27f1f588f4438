# SPDX-License-Identifier: Apache-2.0
"""A peer that is a Python library, in a process of its own: it loads once and then measures at request, so that
rounds alternate without loading again. Requests and replies are JSON lines; what libraries print goes to stderr."""

import json
import os
import subprocess
import sys
from pathlib import Path


class Worker:
    """The driver's end; the process starts at the first request."""

    def __init__(self, python, script, *arguments):
        self.command = [str(python), str(Path(__file__).parent / script), *map(str, arguments)]
        self.process = None

    def ask(self, **request):
        if self.process is None:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL, text=True)
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.command[1]} ended with status {self.process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process = None


def serve(load):
    """The peer's end: `load()` gives a function of `prompt` and `decode` that returns seconds for both."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    measure = None
    for line in sys.stdin:
        try:
            measure = measure or load()
            prefill, decode = measure(**json.loads(line))
            reply = {"prefill_s": prefill, "decode_s": decode}
        except Exception as problem:  # whatever a library throws is the reason that the table gives
            reply = {"error": f"{type(problem).__name__}: {' '.join(str(problem).split())[:300]}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()
