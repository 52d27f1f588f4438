# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6
"""Writes a tiny file of log-probabilities and the statistics that comparing a made-up model with it must give.

The format is llama-perplexity's (see Sources/Inspection/Quality/LogitsBase.swift). Run from the repository's root.
"""

import json
import struct
from pathlib import Path

import numpy as np

LENGTH, VOCAB, WINDOWS = 8, 11, 40
FOLDER = Path("Tests/IngotTests/Fixtures/quality")
FRACTIONS = [1, 0.999, 0.99, 0.95, 0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.01, 0.001, 0]


def logits(token, position):
    """What the tests' model thinks after a token; exact in binary floats. The first token is as likely as can be."""
    v = np.arange(VOCAB)
    x = ((7 * token + 5 * position + 3 * v * v + v) % 97) / 16.0 - 3.0
    x[0] -= 40.0 * (position % 2)
    return x


def base_logits(token, position):
    v = np.arange(VOCAB)
    return logits(token, position) + ((token + 2 * position + 5 * v) % 13) / 8.0 - 0.75


def log_softmax(x):
    return x - x.max() - np.log(np.exp(x - x.max()).sum())


def mean(values):
    return values.mean(), np.sqrt(values.var() / (len(values) - 1))


def estimate(value, error):
    return {"value": float(value), "error": float(error)}


def distribution(values):
    value, error = mean(values)
    return {"mean": estimate(value, error), "quantiles": [float(np.quantile(values, f)) for f in FRACTIONS]}


def main():
    tokens = (np.arange(LENGTH * WINDOWS) * 37 + np.arange(LENGTH * WINDOWS) ** 2 // 5) % VOCAB
    file = b"_logits_" + struct.pack("<iii", LENGTH, VOCAB, WINDOWS) + tokens.astype("<i4").tobytes()
    nll, nll_base, kl, same = [], [], [], []
    for window in tokens.reshape(WINDOWS, LENGTH):
        for position in range(LENGTH // 2, LENGTH - 1):
            x = base_logits(window[position], position)
            low = max(x.min(), x.max() - 16)
            step = np.float32((x.max() - low) / 65535)
            offset = np.float32(low - x.max() - np.log(np.exp(x - x.max()).sum()))
            q = np.floor(np.clip((x - low) / float(step), 0, 65535) + 0.5).astype("<u2")
            file += struct.pack("<ff", step, offset) + q.tobytes() + b"\0\0" * (VOCAB % 2)
            stored = q * float(step) + float(offset)
            own = log_softmax(logits(window[position], position))
            target = window[position + 1]
            nll.append(-own[target])
            nll_base.append(-stored[target])
            known = stored > -16
            kl.append((np.exp(stored) * (stored - own))[known].sum())
            same.append(own.argmax() == stored.argmax())
    nll, nll_base, kl, same = map(np.array, (nll, nll_base, kl, same))
    n = len(nll)
    (a, ea), (b, eb) = mean(nll), mean(nll_base)
    cov = np.cov(nll, nll_base, bias=True)[0, 1] / (n - 1)
    dp = np.exp(-nll) - np.exp(-nll_base)
    square, square_error = mean(dp ** 2)
    ratio_error = np.sqrt(ea ** 2 + eb ** 2 - 2 * cov)
    pa, pb = np.exp(a), np.exp(b)
    report = {
        "tokens": n, "windows": WINDOWS, "ppl": estimate(pa, pa * ea), "ppl_base": estimate(pb, pb * eb),
        "ppl_correlation": float(cov / (ea * eb)), "ln_ppl_ratio": estimate(a - b, ratio_error),
        "ppl_ratio": estimate(np.exp(a - b), np.exp(a - b) * ratio_error),
        "ppl_difference": estimate(
            pa - pb, np.sqrt((pa * ea) ** 2 + (pb * eb) ** 2 - 2 * pa * pb * cov)),
        "kl": distribution(kl), "delta_p": distribution(dp),
        "rms_delta_p": estimate(np.sqrt(square), 0.5 / np.sqrt(square) * square_error),
        "same_top_p": estimate(same.mean(), np.sqrt(same.mean() * (1 - same.mean()) / (n - 1))),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "base.bin").write_bytes(file)
    (FOLDER / "report.json").write_text(json.dumps(report, indent=1) + "\n")


main()
