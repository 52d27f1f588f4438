#!/usr/bin/env bash
# Fetches ONNX Runtime's shared library, and nothing else of its wheel, into ThirdParty/onnxruntime/; prints its path.
set -euo pipefail
cd "$(dirname "$0")/.."
version=1.31.1
folder=ThirdParty/onnxruntime

library() {
  find "$folder" -maxdepth 1 -name 'libonnxruntime.*' ! -name '*.tmp' 2>/dev/null | sort | tail -1
}

if [ -z "$(library)" ]; then
  echo "fetching ONNX Runtime $version" >&2
  wheels=$(mktemp -d)
  trap 'rm -rf "$wheels"' EXIT
  download() {
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$wheels" "$1" >&2
  }
  # Not every Python has a wheel of that version.
  download "onnxruntime==$version" || download onnxruntime
  mkdir -p "$folder"
  # Written under a temporary name, so that what is in the folder is whole.
  python3 - "$wheels"/onnxruntime-*.whl "$folder" <<'PYTHON'
import os, re, shutil, sys, zipfile

wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    names = [n for n in archive.namelist()
             if re.fullmatch(r"onnxruntime/capi/libonnxruntime\.(so|[\d.]*dylib)[\d.]*", n)]
    if not names:
        sys.exit(f"error: {os.path.basename(wheel)} has no libonnxruntime")
    target = os.path.join(folder, os.path.basename(max(names, key=len)))
    with archive.open(max(names, key=len)) as source, open(target + ".tmp", "wb") as copy:
        shutil.copyfileobj(source, copy)
os.rename(target + ".tmp", target)
PYTHON
fi
echo "$PWD/$(library)"
