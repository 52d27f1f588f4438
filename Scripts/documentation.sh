#!/usr/bin/env bash
# Builds the documentation of the Ingot library with the toolchain's own DocC:
#
#   Scripts/documentation.sh             # into .build/Ingot.doccarchive
#   Scripts/documentation.sh FOLDER
#
# A warning, as of a link that leads nowhere, is an error. SCRATCH names another build folder than .build.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=${SCRATCH:-.build}
output=${1:-$scratch/Ingot.doccarchive}
toolchain=$(dirname "$(readlink -f "$(command -v swift)")")
graphs=$scratch/symbol-graphs
swift build -Xcc -O2 --scratch-path "$scratch" --target Ingot >&2
products=$(swift build -Xcc -O2 --scratch-path "$scratch" --show-bin-path)

# An application imports Ingot alone, so the symbols of what Ingot exports count as its own.
exported=$(sed -n 's/^@_exported public import //p' Sources/Ingot/Ingot.swift | paste -sd, -)
maps=()
while read -r map; do maps+=(-Xcc "-fmodule-map-file=$map"); done < <(
  find "$products" -maxdepth 2 -name module.modulemap
  find Sources "$scratch"/checkouts/*/Sources -name module.modulemap)
triple=$(swift -print-target-info | sed -n 's/.*"triple" *: *"\([^"]*\)".*/\1/p' | head -1)
rm -rf "$graphs" && mkdir -p "$graphs"
"$toolchain/swift-symbolgraph-extract" -module-name Ingot -target "$triple" -I "$products/Modules" "${maps[@]}" \
  -minimum-access-level public -experimental-allowed-reexported-modules="$exported" -output-dir "$graphs"
"$toolchain/docc" convert Sources/Ingot/Ingot.docc --additional-symbol-graph-dir "$graphs" \
  --fallback-display-name Ingot --fallback-bundle-identifier ingot --warnings-as-errors --output-path "$output"
echo "$output"
