# SPDX-License-Identifier: Apache-2.0
"""The rows of the table: what is claimed, against whom, and what was found."""

from dataclasses import dataclass, field

from race import ratios, spread


@dataclass
class Row:
    """One claim. `value` is in the unit of `target`; a claim that could not be measured says why."""

    work: str
    against: str
    target: float
    unit: str = "×"
    aim: float | None = None
    at_most: bool = False
    value: float | None = None
    range: tuple = ()
    ours: float | None = None
    theirs: float | None = None
    note: str = ""
    # Whether some peers could not run, so that the best of all is not known.
    incomplete: bool = False
    others: list = field(default_factory=list)

    @property
    def met(self):
        if self.value is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def reaches_aim(self):
        if self.value is None or self.aim is None:
            return None
        return self.value <= self.aim if self.at_most else self.value >= self.aim


def against(race, work, kind, target, programs, aim=None):
    """Ours over the best of some programs, as the median of the ratios of rounds."""
    ours = race.contestants[0]
    row = Row(work, " or ".join(programs), target, aim=aim)
    rivals = [best for best in (race.best(program, kind) for program in programs) if best]
    absent = [f"{program}: {race.why_not(program)}" for program in programs if not race.best(program, kind)]
    row.others = [(rival.label, rival.median(kind)) for rival in rivals]
    row.note, row.incomplete = "; ".join(absent), bool(absent)
    if not ours.samples:
        row.note = f"ingot: {ours.problem}"
    elif rivals:
        best = max(rivals, key=lambda rival: rival.median(kind))
        found = ratios(ours, best, kind)
        row.against, row.ours, row.theirs = best.label, ours.median(kind), best.median(kind)
        row.value, *row.range = spread(found)
    return row


def of_limit(race, work, kind, target, limit, aim=None):
    """Ours as a part of what the machine can do, which Ingot measures in the same run."""
    ours = race.contestants[0]
    row = Row(work, limit, target * 100, unit="%", aim=aim and aim * 100)
    fractions = [sample[f"{kind} of limit"] for sample in ours.samples if sample.get(f"{kind} of limit")]
    if fractions:
        row.value, *row.range = (100 * part for part in spread(fractions))
        row.ours = ours.median(kind)
    else:
        row.note = f"ingot: {ours.problem or 'bench told no fraction of a limit'}"
    return row


def measured(work, values, target, unit, problem=""):
    """A number of ours that is to stay below a bound."""
    row = Row(work, "absolute", target, unit=unit, at_most=True, note=problem)
    if values:
        row.value, *row.range = spread(values)
    return row
