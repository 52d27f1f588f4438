#!/usr/bin/env bash
# Checks the style of every Swift file, then builds and runs all tests.
#
# -Xcc -O2: the C kernels are optimised although Swift is built for debugging; without it tests take ten times as long.
set -euo pipefail
cd "$(dirname "$0")/.."
swift format lint --strict --recursive Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources
exec swift test -Xcc -O2 --disable-xctest "$@"
