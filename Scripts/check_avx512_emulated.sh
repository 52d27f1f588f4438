#!/bin/sh
# Runs the AVX-512 kernels on a processor without AVX-512 (it needs AVX2): SIMDe emulates the intrinsics, and the
# products are compared bit for bit with the portable kernels.
# Needs: apt-get install libsimde-dev (0.7.4 tried), and a C compiler (clang or gcc).
# Usage: Scripts/check_avx512_emulated.sh [number of random products]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
kernels=$root/Sources/CKernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compiler=${CC:-clang}
flags="-std=gnu11 -O2 -ffp-contract=off -I$kernels/include -D_GNU_SOURCE"
for file in pool isa pack quantize_rows matmul matmul_portable matmul_avx2 matmul_avx2_integer; do
  $compiler $flags -c "$kernels/$file.c" -o "$work/$file.o"
done
# TARGET is emptied: with the target attribute the emulation itself would be compiled to AVX-512.
for file in matmul_avx512 matmul_avx512_integer matmul_avx512_panel; do
  $compiler $flags -w -mavx2 -mfma -mf16c -DTARGET= -I"$root/Scripts/avx512_emulated" \
    -c "$kernels/$file.c" -o "$work/$file.o"
done
$compiler $flags "$root/Scripts/avx512_emulated/check.c" "$work"/*.o -o "$work/check" -lpthread -lm
"$work/check" "${1:-2000}"
