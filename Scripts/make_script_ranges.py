#!/usr/bin/env python3
"""Writes Sources/Tokenizers/Regex/UnicodeScript.swift: the scripts that split patterns name.

Swift's standard library does not know scripts. Needs: pip install regex==2026.11.15 (Unicode 17).
"""
import pathlib
import regex

SCRIPTS = ["Han", "Hiragana", "Katakana", "Hangul", "Bopomofo", "Latin", "Greek", "Cyrillic", "Arabic",
           "Hebrew", "Devanagari", "Thai", "Lao", "Khmer", "Myanmar"]


def ranges(script):
    pattern = regex.compile(r"\p{Script=%s}" % script)
    result, start = [], None
    for value in range(0x110001):
        inside = value < 0x110000 and not 0xD800 <= value < 0xE000 and pattern.match(chr(value))
        if inside and start is None:
            start = value
        elif not inside and start is not None:
            result += [start, value - 1]
            start = None
    return result


def literal(values):
    words = [f"0x{v:X}," for v in values]
    lines, line = [], "     "
    for word in words:
        if len(line) + 1 + len(word) > 108:
            lines.append(line)
            line = "     "
        line += " " + word
    return "\n".join(lines + [line])


cases = "\n".join("  case " + ", ".join(s.lower() for s in part) for part in (SCRIPTS[:11], SCRIPTS[11:]))
switch = "\n".join(f"    case .{s.lower()}: Self.{s.lower()}Ranges" for s in SCRIPTS)
tables = "\n\n".join(
    f"  private static let {s.lower()}Ranges: [UInt32] = [\n{literal(ranges(s))}\n  ]" for s in SCRIPTS)
pathlib.Path(__file__).parent.parent.joinpath(
    "Sources/Tokenizers/Regex/UnicodeScript.swift").write_text(f"""\
/// The scripts a split pattern may name, as in `\\p{{Han}}`: Unicode 17.
/// Made by Scripts/make_script_ranges.py.
enum UnicodeScript: String, Sendable, Hashable, CaseIterable {{
{cases}

  /// Whether a scalar's `Script` property is this one.
  func contains(_ value: UInt32) -> Bool {{
    let ranges = self.ranges
    var (low, high) = (0, ranges.count / 2)
    while low < high {{
      let middle = (low + high) / 2
      if value > ranges[2 * middle + 1] {{ low = middle + 1 }} else {{ high = middle }}
    }}
    return low < ranges.count / 2 && value >= ranges[2 * low]
  }}

  /// First and last scalars of its ranges, alternating and ascending.
  private var ranges: [UInt32] {{
    switch self {{
{switch}
    }}
  }}

{tables}
}}
""")
