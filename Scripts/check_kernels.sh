#!/usr/bin/env bash
# Compares the C kernels of every instruction set with the portable ones, bit for bit (Scripts/kernel_checks):
#
#   natively   with all instruction sets of this processor, every shape
#   emulated   on x86-64: AVX-VNNI and AVX-512-VNNI, their intrinsics replaced by AVX2 (AVX-512 needs SIMDe)
#   aarch64    on x86-64: cross-compiled, under qemu, on a processor with everything, one with dot products only and
#              one without, where the portable kernels must do
#
# The digest of the portable results must be the same on all of them.
#
# Needs clang, as the lanes are Clang's vector extensions: $CC, else the one beside swift, else of the PATH. The emulated
# and the aarch64 part want Debian's libsimde-dev, libc6-dev-arm64-cross, gcc-aarch64-linux-gnu (its libgcc and start
# files) and qemu-user; with --install they are installed where we may, and what is missing is left out, and said.
# Usage: Scripts/check_kernels.sh [--install]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
kernels=$root/Sources/CKernels
shim=$root/Scripts/kernel_checks/emulated
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jobs=$(getconf _NPROCESSORS_ONLN)

find_clang() {
  local beside
  if [ -n "${CC:-}" ]; then echo "$CC"; return; fi
  beside=$(dirname "$(readlink -f "$(command -v swift || echo /)")")/clang
  if [ -x "$beside" ]; then echo "$beside"; else echo clang; fi
}
clang=$(find_clang)
flags="-std=gnu11 -O2 -Wall -Wextra -Wno-unused-parameter -Wno-psabi -D_GNU_SOURCE -I'$kernels/include' -I'$kernels'"

is_cross_ready() { command -v qemu-aarch64 > /dev/null && [ -e /usr/aarch64-linux-gnu/lib/libc.a ]; }
is_simde_there() { [ -e /usr/include/simde/x86/avx512.h ]; }
if [ "${1:-}" = --install ] && [ "$(uname -m)" = x86_64 ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  if ! is_cross_ready || ! is_simde_there; then
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        libsimde-dev gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user; } > "$work/apt.log" 2>&1 \
      || tail -3 "$work/apt.log" >&2
  fi
fi

# compile FOLDER "FLAGS" FILE...: objects named after the files, over those that are there.
compile() {
  local folder=$1 more=$2
  shift 2
  mkdir -p "$folder"
  for file in "$@"; do
    printf '%s\0' "$clang $flags $more -c '$file' -o '$folder/$(basename "$file" .c).o'"
  done | xargs -0 -n 1 -P "$jobs" sh -c
}

passed=0
failed=0
digest=
# run NAME COMMAND...: prints the check's report and adds its counts.
run() {
  local name=$1 report=$work/report status=0 counts
  shift
  "$@" > "$report" 2>&1 || status=$?
  sed "s/^/$name: /" "$report"
  counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$report")
  if [ -z "$counts" ]; then
    echo "$name: ended with status $status without a result"
    failed=$((failed + 1))
    return
  fi
  passed=$((passed + ${counts% *}))
  failed=$((failed + ${counts#* }))
}
# same_digest NAME: of the last report, which must have been of the reduced shapes.
same_digest() {
  local this
  this=$(sed -n 's/^portable digest //p' "$work/report")
  if [ "${digest:=$this}" = "$this" ] && [ -n "$this" ]; then
    passed=$((passed + 1))
  else
    echo "$1: the portable kernels differ from those of this processor"
    failed=$((failed + 1))
  fi
}

sources=("$kernels"/*.c "$kernels"/lanes/*.c "$root"/Scripts/kernel_checks/*.c)
compile "$work/native" "" "${sources[@]}"
$clang "$work"/native/*.o -o "$work/check" -lpthread -lm
run native "$work/check"
run "native, reduced" "$work/check" --reduced portable
same_digest native

if [ "$(uname -m)" = x86_64 ] && grep -q avx2 /proc/cpuinfo 2> /dev/null; then
  # TARGET is emptied: with the kernels' own the emulation would be compiled to what it emulates.
  emulated="-w -mavx2 -mfma -mf16c -DTARGET= -I'$shim'"
  mkdir -p "$work/emulated" && cp "$work"/native/*.o "$work/emulated"
  compile "$work/emulated" "$emulated" "$kernels"/matmul_avxvnni*.c
  sets=avxvnni
  if is_simde_there; then
    compile "$work/emulated" "$emulated -DINGOT_EMULATE_AVX512" "$kernels"/matmul_avx512*.c
    compile "$work/emulated" '-w -DLANES_TARGET="\"avx2,fma,f16c\""' "$kernels"/lanes/lanes_avx512.c
    sets="$sets avx512vnni"
  else
    echo "SIMDe (libsimde-dev) is missing: the emulated AVX-512 kernels were left out"
  fi
  $clang "$work"/emulated/*.o -o "$work/check_emulated" -lpthread -lm
  # shellcheck disable=SC2086
  run emulated "$work/check_emulated" --reduced $sets
  same_digest emulated
fi

if [ "$(uname -m)" = x86_64 ]; then
  if is_cross_ready; then
    compile "$work/aarch64" "--target=aarch64-linux-gnu" "${sources[@]}"
    # GNU's linker comes with the cross compiler; static, so that qemu needs no system of its own.
    $clang --target=aarch64-linux-gnu -static "$work"/aarch64/*.o -o "$work/check_aarch64" -lpthread -lm
    for cpu in max cortex-a76 cortex-a72; do
      run "aarch64 $cpu" qemu-aarch64 -cpu $cpu "$work/check_aarch64" --reduced
      same_digest "aarch64 $cpu"
    done
  else
    echo "qemu-user or the cross tools are missing: the aarch64 kernels were left out"
  fi
fi

echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" != 0 ]
