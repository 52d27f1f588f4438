#!/usr/bin/env python3
"""Writes the decompositions of Sources/Tokenizers/Text/Normalization*.swift.

Hugging Face tokenizers normalize by Unicode 9, whatever the rest of them knows, and models have been
trained so: what their library leaves alone is left out. Hangul syllables are computed, not listed.

Needs: pip install tokenizers==0.23.3 unicodedata2==16.0.0
"""
import pathlib
import unicodedata2 as unicode
from tokenizers import normalizers

OLD = normalizers.NFKD()

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(value):
    text = ""
    while True:
        value, digit = divmod(value, 36)
        text = DIGITS[digit] + text
        if value == 0:
            return text


def entries(compatible):
    previous, result = 0, []
    for value in range(0x110000):
        mapping = unicode.decomposition(chr(value))
        if not mapping or mapping.startswith("<") != compatible or OLD.normalize_str(chr(value)) == chr(value):
            continue
        parts = [int(p, 16) for p in mapping.split() if not p.startswith("<")]
        composes = len(parts) == 2 and not compatible and \
            unicode.normalize("NFC", "".join(map(chr, parts))) == chr(value)
        words = [base36(value - previous)] + [base36(p) for p in parts]
        result.append(",".join(words) + ("+" if composes else ""))
        previous = value
    return result


def write(name, doc, compatible):
    lines, line = [], ""
    for entry in entries(compatible):
        if len(line) + len(entry) + 1 > 104:
            lines.append(line)
            line = ""
        line += (" " if line else "") + entry
    text = "\n".join("    " + l for l in lines + [line])
    path = pathlib.Path(__file__).parent.parent / f"Sources/Tokenizers/Text/NormalizationData+{name}.swift"
    path.write_text(f'''extension NormalizationData {{
  /// {doc} of Unicode 9, the version of Hugging Face tokenizers 0.23.
  /// Made by Scripts/make_normalization_tables.py.
  static let {name.lower()} = """
{text}
    """
}}
''')
    print(path.name, len(lines))


write("Canonical", "The canonical decompositions", False)
write("Compatible", "The compatibility decompositions", True)
