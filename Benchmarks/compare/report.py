# SPDX-License-Identifier: Apache-2.0
"""The table as Markdown and as JSON."""

import dataclasses
import os
import platform
import statistics


def number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def verdict(row):
    if row.met is None:
        return "not measured"
    if not row.met:
        return "**no**"
    return ("yes, and the aim" if row.reaches_aim else "yes") + " (of those that ran)" * row.incomplete


def line(row):
    sign = "≤ " if row.at_most else ""
    found = "–"
    if row.value is not None:
        found = f"{number(row.value)} {row.unit}"
        if row.range and row.range[0] != row.range[1]:
            found += f" ({number(row.range[0])}–{number(row.range[1])})"
    speeds = f"{number(row.ours)}" if row.ours is not None else ""
    if row.theirs is not None:
        speeds += f" : {number(row.theirs)}"
    aim = f"{number(row.aim)} {row.unit}" if row.aim is not None else "–"
    others = ", ".join(f"{name} {number(speed)}" for name, speed in row.others if name != row.against)
    note = "; ".join(part for part in (others, row.note) if part)
    return (f"| {row.work} | {row.against} | {speeds} | {found} | {sign}{number(row.target)} {row.unit} | {aim} | "
            f"{verdict(row)} | {note} |")


def processor():
    with open("/proc/cpuinfo") as file:
        facts = dict([part.strip() for part in entry.split(":", 1)] for entry in file if ":" in entry)
    wanted = ["avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8"]
    flags = facts.get("flags", facts.get("Features", "")).split()
    return facts.get("model name", platform.processor()), [flag for flag in wanted if flag in flags]


def machine(setup):
    """What the figures were measured on."""
    name, flags = processor()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = []
    for threads, found in sorted(setup.ingot.limits.items()):
        limits.append({"threads": threads} | {
            key: statistics.median(entry[key] for entry in found)
            for key in ("read_bytes_per_s", "int8_ops_per_s", "f32_ops_per_s", "fork_join_s")})
    return {"cpu": name, "flags": flags, "cores": os.cpu_count(), "memory_bytes": memory,
            "system": f"{platform.system()} {platform.release()}", "threads": setup.threads,
            "load_before": setup.load, "load_after": os.getloadavg()[0], "peers": setup.versions,
            "ingot": setup.ingot_version, "rounds": setup.rounds, "limits": limits}


def head(facts):
    lines = [f"{facts['cpu']} ({', '.join(facts['flags'])}), {facts['cores']} cores, "
             f"{facts['memory_bytes'] / 2**30:.0f} GiB, {facts['system']}; {facts['threads']} threads, "
             f"{facts['rounds']} rounds."]
    for limits in facts["limits"]:
        lines.append(f"Limits on {limits['threads']} thread{'s' * (limits['threads'] > 1)}: "
                     f"{limits['read_bytes_per_s'] / 1e9:.1f} GB/s read, {limits['int8_ops_per_s'] / 1e9:.0f} GOPS "
                     f"int8, {limits['f32_ops_per_s'] / 1e9:.0f} GFLOPS f32, fork-join "
                     f"{limits['fork_join_s'] * 1e6:.1f} µs.")
    if not facts["limits"]:
        lines.append("Limits: `ingot bench` told none.")
    lines.append("Programs: ingot " + facts["ingot"] + ", " + ", ".join(facts["peers"]) + ".")
    if max(facts["load_before"], facts["load_after"] - facts["threads"]) > 0.5:
        lines.append(f"**The machine was busy** (load {facts['load_before']:.1f} before the first round, "
                     f"{facts['load_after']:.1f} after the last): provisional.")
    return "\n".join(lines)


def markdown(facts, rows):
    table = ["| work | against | tokens/s, ours : theirs | found (range) | at least | aim | met | others |",
             "|---|---|---|---|---|---|---|---|"]
    return "\n".join([head(facts), "", *table, *map(line, rows)])


def plain(facts, rows, races):
    """For programs."""
    return {"machine": facts,
            "rows": [dataclasses.asdict(row) | {"met": row.met, "reaches_aim": row.reaches_aim} for row in rows],
            "races": [{"title": race.title, "contestants": [
                {"program": c.program, "setting": c.setting, "samples": c.samples, "problem": c.problem}
                for c in race.contestants]} for race in races]}
