# SPDX-License-Identifier: Apache-2.0
"""Measuring in turns: each round asks every contestant once, so that all see the same machine."""

import statistics
import sys
import time
from dataclasses import dataclass, field

# Prefill and decode, in tokens a second.
KINDS = ("pp", "tg")


@dataclass
class Contestant:
    """One program with one setting; `measure` gives tokens a second by kind of work."""

    program: str
    measure: object
    setting: str = ""
    samples: list = field(default_factory=list)
    problem: str = ""

    @property
    def label(self):
        return f"{self.program} {self.setting}".strip()

    def median(self, kind):
        values = [sample[kind] for sample in self.samples if sample.get(kind) is not None]
        return statistics.median(values) if values else None


@dataclass
class Race:
    """What all contestants did on one piece of work; the first contestant is Ingot."""

    title: str
    contestants: list

    def run(self, rounds):
        for number in range(1, rounds + 1):
            for contestant in self.contestants:
                if contestant.problem:
                    continue
                start = time.perf_counter()
                try:
                    sample = contestant.measure()
                except Exception as problem:  # one that fails is reported in its rows, and the race goes on
                    contestant.problem = str(problem) or type(problem).__name__
                    print(f"{self.title}: {contestant.label} failed: {contestant.problem}", file=sys.stderr, flush=True)
                    continue
                contestant.samples.append(sample)
                shown = ", ".join(f"{kind} {value:.1f}" for kind, value in sample.items() if kind in KINDS)
                print(f"{self.title}, round {number}: {contestant.label}: {shown} t/s"
                      f" ({time.perf_counter() - start:.0f} s)", file=sys.stderr, flush=True)
            if number == 1:
                self.keep_best_settings()
        return self

    def keep_best_settings(self):
        """Later rounds only ask the settings of a program that are best at something, or within a tenth of it."""
        for contestant in self.contestants:
            rivals = [other for other in self.contestants if other.program == contestant.program and other.samples]
            if contestant.samples and all(
                    contestant.samples[0][kind] < 0.9 * max(other.samples[0][kind] for other in rivals)
                    for kind in KINDS if kind in contestant.samples[0]):
                contestant.problem = "slower than another setting in the first round"

    def best(self, program, kind):
        """A program's setting with the highest median, or nil."""
        ran = [c for c in self.contestants if c.program == program and c.samples and kind in c.samples[0]]
        return max(ran, key=lambda c: c.median(kind), default=None)

    def why_not(self, program):
        return "; ".join(sorted({c.problem for c in self.contestants if c.program == program and not c.samples}))


def spread(values):
    """Median, smallest and largest."""
    return statistics.median(values), min(values), max(values)


def ratios(ours, theirs, kind):
    """Ratios round by round, of the rounds that both have."""
    return [a[kind] / b[kind] for a, b in zip(ours.samples, theirs.samples)]
