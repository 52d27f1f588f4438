#!/usr/bin/env bash
# Checks the style of every Swift file, then builds and runs all tests.
#
# -Xcc -O2: the C kernels are optimised although Swift is built for debugging; without it tests take ten times as long.
# Tests that run ONNX models need ONNX Runtime: that of INGOT_ORT_LIBRARY, or one that is fetched; else they are skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${INGOT_ORT_LIBRARY:-}" ]; then
  if INGOT_ORT_LIBRARY=$(Scripts/fetch_onnxruntime.sh); then
    export INGOT_ORT_LIBRARY
  else
    unset INGOT_ORT_LIBRARY
    echo "ONNX Runtime could not be fetched; tests that need it are skipped unless it is installed" >&2
  fi
fi
swift format lint --strict --recursive Package.swift Sources Tests Examples Benchmarks/Package.swift Benchmarks/Sources
exec swift test -Xcc -O2 --disable-xctest "$@"
