# SPDX-License-Identifier: Apache-2.0
"""Running programs: what they print, how long they take, how much memory they held."""

import os
import subprocess
import tempfile
import time
from dataclasses import dataclass


@dataclass
class Run:
    output: str
    seconds: float
    peak_bytes: int


def run(command, timeout=3600, environment=None):
    """Runs a program to its end; its last words are the reason when it fails."""
    command = [str(part) for part in command]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=errors, stdin=subprocess.DEVNULL,
                                   env=os.environ | (environment or {}))
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        text, complaint = output.read().decode(), errors.read().decode(errors="replace")
    if process.returncode != 0:
        last = " ".join((complaint or text).strip().splitlines()[-2:])
        raise RuntimeError(f"{os.path.basename(command[0])} ended with status {process.returncode}: {last[:300]}")
    return Run(text, seconds, usage.ru_maxrss * 1024)
