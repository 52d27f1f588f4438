#!/usr/bin/env bash
# Sets up the peers, makes the checkpoints and prints the table of Ingot beside llama.cpp, onnxruntime-genai and
# OpenVINO GenAI. All of it is kept in Benchmarks/.peers, or in --peers FOLDER: a second run starts at once.
#
#   Benchmarks/compare/run.sh [--peers FOLDER] [--llama-bin DIR] [--setup-only] [--quick] [--only int4,depth] [--help]
#
# Needs python3 (3.11 or later) with venv and pip, a C++ compiler (else apt fetches one) and a release build of ingot.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
peers=$here/../.peers
jobs=$(nproc)
llama=()
rest=()
setup_only=
while [ $# -gt 0 ]; do
  case $1 in
    --peers) peers=$2; shift 2 ;;
    --llama-bin) llama=(--llama-bin "$2"); shift 2 ;;
    -j|--jobs) jobs=$2; shift 2 ;;
    --setup-only) setup_only=yes; shift ;;
    *) rest+=("$1"); shift ;;
  esac
done
mkdir -p "$peers"
peers=$(cd "$peers" && pwd)

found=$(python3 "$here/peers.py" "$peers" -j "$jobs" ${llama[@]+"${llama[@]}"})
python=$(sed -n 1p <<<"$found")
binaries=$(sed -n 2p <<<"$found")
source=$(sed -n 3p <<<"$found")
"$here/../../Scripts/fetch_smollm2.sh" >&2
if [ -n "$setup_only" ]; then
  "$python" "$here/checkpoints.py" "$peers/checkpoints" --quantize "$binaries/llama-quantize"
  exit
fi
exec "$python" "$here/table.py" --llama-bin "$binaries" --llama-source "$source" --checkpoints "$peers/checkpoints" \
  ${rest[@]+"${rest[@]}"}
