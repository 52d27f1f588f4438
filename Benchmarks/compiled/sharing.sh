#!/usr/bin/env bash
# What of a process is in memory with one compiled file, with a second of other lengths and the same weights while a text
# goes back and forth between them, and with a third file of other weights, for comparison. Linux only.
#
#   Benchmarks/compiled/sharing.sh [--bin FOLDER] [--quant MODE] MODEL
#
# FOLDER has ingot and SwitchSets, by default those of a release build. Files go to a folder that is removed at the end.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=$here/../../.build/release
quant=int4
while [ $# -gt 1 ]; do
  case $1 in
    --bin) bin=$2; shift 2 ;;
    --quant) quant=$2; shift 2 ;;
    *) break ;;
  esac
done
[ $# -eq 1 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
folder=$(mktemp -d "${TMPDIR:-/tmp}/ingot-sharing-XXXXXX")
trap 'rm -rf "$folder"' EXIT

# Some 1300 tokens.
head -c 6000 "$here/../compare/text/red_headed_league.txt" >"$folder/text.txt"
compile() { "$bin/ingot" compile --no-gate --max-pos-len 2560 "$@" >/dev/null; }
compile "$1" --quant "$quant" --stages 1664+128+256 -o "$folder/first.ingot"
compile "$folder/first.ingot" --stages 1792+256+512 -o "$folder/second.ingot"
compile "$1" --quant "$quant" --override "lm_head=int8:64" --stages 1664+128+256 -o "$folder/third.ingot"
"$bin/ingot" info "$folder/first.ingot" "$folder/second.ingot" --weights
"$bin/SwitchSets" "$folder/first.ingot" "$folder/second.ingot" "$folder/text.txt" "Who is Jabez Wilson?" \
  "$folder/third.ingot" | grep -aE '^(memory|weights in memory once|shared [0-9]+ tokens|[0-9]+ of [0-9]+ tokens)'
