#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6
"""Writes Tests/IngotTests/Fixtures/sampling/penalty_head.json: what the sampling head of compiled models makes of logits.

The head as its graph computes it, in 32-bit floats: logits of the tokens in `input_ids` (N slots filled with the newest
token, the first of them overwritten by the last `repeat_last_n`) are divided by the penalty when not negative, else
multiplied; the 50 largest, sorted; divided by the temperature; kept where the cumulative softmax is below top_p and for
the first 5, else -1000; softmax.
"""
import json
import pathlib

import numpy as np

SLOTS = 64
TOP_K = 50
KEPT = 5


def softmax(values):
    weights = np.exp(values - values.max(), dtype=np.float32)
    return weights / weights.sum(dtype=np.float32)


def head(logits, recent, last_n, penalty, temperature, top_p):
    logits = logits.astype(np.float32).copy()
    input_ids = np.full(SLOTS, recent[-1])
    window = recent[-last_n:]
    input_ids[: len(window)] = window
    gathered = logits[input_ids]
    penalty = np.float32(penalty)
    logits[input_ids] = np.where(gathered >= 0, gathered / penalty, gathered * penalty)
    token = np.argsort(-logits, kind="stable")[:TOP_K]
    values = logits[token] / np.float32(temperature)
    cumulative = np.cumsum(softmax(values), dtype=np.float32)
    keep = (cumulative < np.float32(top_p)) | (np.arange(len(values)) < KEPT)
    # A sum that rounding could carry across top_p would make the fixture depend on the machine. Where top_p is 1 the
    # last tokens are always at that border; there all must be probable enough to stay in sight of it.
    distance = np.abs(cumulative[KEPT:] - np.float32(top_p))
    assert top_p >= 1 or (distance > 1e-5).all()
    return token, softmax(np.where(keep, values, np.float32(-1000)))


def main():
    random = np.random.default_rng(11)
    cases = []
    for vocabulary, spread, last_n, penalty, temperature, top_p in [
        (120, 1, 32, 1.2, 1, 0.999),
        (120, 2, 32, 1.2, 1, 0.9),
        (120, 4, 32, 1.2, 0.7, 0.5),
        (120, 1, 8, 2.5, 1.3, 0.8),
        (120, 0.5, 32, 1.2, 1, 0.01),
        (90, 3, 4, 0.8, 0.3, 0.95),
        (40, 2, 32, 1.2, 2, 0.7),
        (120, 8, 32, 1.0, 1, 0.9),
    ]:
        logits = random.normal(0, spread, vocabulary).astype(np.float32)
        logits[5:9] = logits[4]  # equal ones
        recent = [int(i) for i in random.integers(0, vocabulary, 41)] + [3, 3, 7]
        if last_n == 4:
            recent = recent[-4:]
        token, probs = head(logits, recent, last_n, penalty, temperature, top_p)
        cases.append({
            "last_n": last_n, "penalty": penalty, "temperature": temperature, "top_p": top_p, "recent": recent,
            "logits": [float(f"{x:.9g}") for x in logits], "token": token.tolist(),
            "probs": [float(f"{x:.9g}") for x in probs],
        })
    folder = pathlib.Path(__file__).resolve().parents[2] / "Tests/IngotTests/Fixtures/sampling"
    folder.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(case) for case in cases)
    (folder / "penalty_head.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
