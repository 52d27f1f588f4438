# SPDX-License-Identifier: Apache-2.0
# requires: numpy==2.4.6 torch==2.15.0 transformers==5.23.0 onnx==1.23.2 onnxruntime==1.31.1
"""What the checks of exports share: the reference, sessions, and a table of differences with bounds."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
import transformers

import quantised

DTYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(int64)": np.int64,
          "tensor(int32)": np.int32}


class Report:
    """Differences by name, each with the bound it must keep."""

    def __init__(self, title, dtype=np.float32, atol=None, quiet=False):
        """`atol` is the bound of logits; else float32 sums in another order may differ by 1e-4, and halves of 11 bits
        by a hundredth of the numbers' size over some layers."""
        self.title, self.quiet, self.rows, self.rounds_activations = title, quiet, [], False
        self.atol = atol or 1e-4
        self.rms = None if atol or dtype == np.float32 else 1e-2

    def close(self, name, got, want, bound=None):
        """Two arrays of one shape: their largest difference, or with halves the ratio of root mean squares."""
        got, want = np.asarray(got, np.float32), np.asarray(want, np.float32)
        is_relative = bound is None and self.rms is not None
        bound = bound or self.rms or self.atol
        if got.shape != want.shape:
            return self.fact(name, False, f"shape {got.shape}, not {want.shape}")
        if not np.isfinite(got).all():
            return self.fact(name, False, f"{np.size(got) - np.isfinite(got).sum()} numbers are not finite")
        size = np.abs(got - want)
        value = float(size.max())
        if is_relative:
            value = float(np.sqrt((size ** 2).mean() / (want ** 2).mean()))
        self.fact(name, value <= bound, f"{value:.2e} <= {bound:.0e}{' (rms)' if is_relative else ''}")

    def fact(self, name, holds, text=""):
        """A claim that holds or not."""
        self.rows.append((name, bool(holds), text))
        if not self.quiet:
            print(f"{'ok  ' if holds else 'FAIL'}  {name:44} {text}", flush=True)

    def attempt(self, name, body):
        """Does `body`; what it raises is a failure of its own."""
        try:
            body()
        except Exception as error:  # whatever a runtime throws is a finding
            self.fact(name, False, f"{type(error).__name__}: {str(error).strip().splitlines()[0][:300]}")

    @property
    def failures(self):
        return [row for row in self.rows if not row[1]]

    def finish(self):
        """Prints the sum; the exit code."""
        if not self.rows:
            self.fact("anything checked", False)
        failed = len(self.failures)
        print(f"{self.title}: {len(self.rows) - failed} of {len(self.rows)} checks hold")
        return 1 if failed else 0


class Reference:
    """The checkpoint in transformers: float32, eager attention."""

    @staticmethod
    def of(export, checkpoint, report, known=None):
        """The reference for an export: `known`, unless the export has integer weights, which then are installed."""
        weights = quantised.read(export)
        if not weights:
            return known or Reference(checkpoint)
        reference = Reference(checkpoint)
        quantised.install(reference.model, weights, report)
        # onnxruntime-genai makes MatMulNBits of the standard form, too.
        report.rounds_activations = True
        if any(node.op_type == "MatMulNBits" for path in Path(export).glob("*.onnx")
               for node in onnx.load(str(path), load_external_data=False).graph.node):
            # Activations are rounded to 8 bits per block, which random weights do not forgive.
            report.rms = 8e-2
        return reference

    def __init__(self, checkpoint):
        torch.manual_seed(0)
        self.model = transformers.AutoModelForCausalLM.from_pretrained(
            checkpoint, dtype=torch.float32, attn_implementation="eager").eval()
        self.config = self.model.config
        rope = getattr(self.config, "rope_parameters", None) or {}
        # Longer sequences turn by another table in transformers, while an export has one.
        self.longest = min(self.config.max_position_embeddings, rope.get("original_max_position_embeddings", 1 << 40)
                           if rope.get("rope_type") == "longrope" else 1 << 40)

    @torch.no_grad()
    def logits(self, ids, mask=None, positions=None):
        """[B, T, V] of one prefill."""
        as_tensor = lambda x: None if x is None else torch.as_tensor(np.asarray(x))
        return self.model(input_ids=as_tensor(ids), attention_mask=as_tensor(mask),
                          position_ids=as_tensor(positions), use_cache=False).logits.numpy()

    def greedy(self, ids, steps):
        """The tokens that follow `ids`, each the likeliest, without stop."""
        ids = list(ids)
        for _ in range(steps):
            ids.append(int(self.logits([ids])[0, -1].argmax()))
        return ids[-steps:]


def random_ids(vocabulary, count, seed=7):
    """Token ids, the same for the same seed."""
    return np.random.Generator(np.random.PCG64(seed)).integers(3, vocabulary, count)


def session(path, threads=1):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # DequantizeLinear and MatMul are joined; by default the join rounds activations to 8 bits.
    options.add_session_config_entry("session.qdq_matmulnbits_accuracy_level", "1")
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def inputs(session):
    """Name to (numpy dtype, shape)."""
    return {i.name: (DTYPES[i.type], i.shape) for i in session.get_inputs()}


def run(session, feeds):
    """Outputs by name; feeds are cast to the dtypes of the inputs, those that are no inputs left out."""
    wanted = inputs(session)
    missing = set(wanted) - set(feeds)
    if missing:
        raise ValueError(f"the check has nothing for the inputs {sorted(missing)}")
    feeds = {name: np.ascontiguousarray(np.asarray(feeds[name]).astype(wanted[name][0])) for name in wanted}
    names = [o.name for o in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds)))


def check_model(report, path):
    """onnx.checker with shape inference, where the standard knows all operators."""
    path = Path(path)
    model = onnx.load(str(path), load_external_data=False)
    operators = {(node.domain, node.op_type) for node in model.graph.node}
    own = {name for domain, name in operators if domain not in ("", "ai.onnx")}
    own |= {name for _, name in operators if name == "SimplifiedLayerNormalization"}
    if own:
        return report.fact(f"checker {path.name}", True, f"left out: {', '.join(sorted(own))}")
    report.attempt(f"checker {path.name}", lambda: (
        onnx.checker.check_model(str(path), full_check=True), report.fact(f"checker {path.name}", True)))


def ingot_settings(folder):
    """The `ingot` object of the config.json of an export."""
    path = Path(folder) / "config.json"
    return json.loads(path.read_text()).get("ingot", {}) if path.exists() else {}
