/// Exponential, hyperbolic tangent and error function on 16 lanes, from fused multiply-adds alone, so that all
/// instruction sets agree.
#ifndef INGOT_VECTOR_MATH_H
#define INGOT_VECTOR_MATH_H

#include "vector.h"

/// Adding 1.5 · 2^23 rounds to an integer, which then stands in the low bits; 127 more, and they are ready to be
/// an exponent.
#define EXP_SHIFT (12582912.0f + 127.0f)

/// e^(x - n ln 2) for the integer n in `shifted`; 1 at 0.
INLINE v16 exp_fraction(v16 x, v16 shifted) {
  v16 n = shifted - EXP_SHIFT;
  v16 r = fma16(n, splat(-0x1.62e430p-1f), x);
  r = fma16(n, splat(0x1.05c610p-29f), r);
  v16 p = splat(0x1.6a2352p-10f);
  p = fma16(p, r, splat(0x1.123a6cp-7f));
  p = fma16(p, r, splat(0x1.5558f4p-5f));
  p = fma16(p, r, splat(0x1.555490p-3f));
  p = fma16(p, r, splat(0x1.fffffcp-2f));
  p = fma16(p, r, splat(1.0f));
  return fma16(p, r, splat(1.0f));
}

/// e^x within 1 ulp, down to the subnormals; exact at 0. NaN stays NaN.
INLINE v16 exp16(v16 x) {
  x = x > splat(89.0f) ? splat(89.0f) : x;
  x = x < splat(-105.0f) ? splat(-105.0f) : x;
  v16 shifted = fma16(x, splat(0x1.715476p+0f), splat(EXP_SHIFT));
  // Two steps, as 2^n alone may be out of range.
  i16 n = bits_of(shifted) - 0x4B40007F, half = n >> 1;
  return exp_fraction(x, shifted) * float_of((half + 127) << 23) * float_of((n - half + 127) << 23);
}

/// e^x for x ≤ 0 within 1 ulp, exact at 0; 0 below -87, where the result would leave the normal numbers.
INLINE v16 exp_negative16(v16 x) {
  v16 shifted = fma16(x, splat(0x1.715476p+0f), splat(EXP_SHIFT));
  v16 y = exp_fraction(x, shifted) * float_of(bits_of(shifted) << 23);
  return select16(x < splat(-87.0f), splat(0), y);
}

/// tanh within 2 ulp: an odd polynomial (Cephes) near 0, else by exp.
INLINE v16 tanh16(v16 x) {
  v16 a = abs16(x), z = x * x;
  v16 p = splat(-5.70498872745e-3f);
  p = fma16(p, z, splat(2.06390887954e-2f));
  p = fma16(p, z, splat(-5.37397155531e-2f));
  p = fma16(p, z, splat(1.33314422036e-1f));
  p = fma16(p, z, splat(-3.33332819422e-1f));
  v16 small = fma16(p * z, x, x);
  v16 large = 1.0f - 2.0f / (exp16(a + a) + 1.0f);
  large = float_of(bits_of(large) | (bits_of(x) & (int32_t)0x80000000));
  return select16(a < splat(0.625f), small, large);
}

/// erf within 1e-7: an odd polynomial near 0, else 1 - e^polynomial (Juffa's minimax coefficients).
INLINE v16 erf16(v16 x) {
  v16 a = min16(abs16(x), splat(4.0f)), z = a * a;
  v16 p = fma16(splat(-1.72853470e-5f), a, splat(3.83197126e-4f));
  v16 q = fma16(splat(-3.88396438e-3f), a, splat(2.42546219e-2f));
  p = fma16(p, z, q);
  p = fma16(p, a, splat(-1.06777877e-1f));
  p = fma16(p, a, splat(-6.34846687e-1f));
  p = fma16(p, a, splat(-1.28717512e-1f));
  v16 large = 1.0f - exp16(fma16(p, a, -a));
  v16 s = fma16(splat(-5.96761703e-4f), z, splat(4.99119423e-3f));
  s = fma16(s, z, splat(-2.67681349e-2f));
  s = fma16(s, z, splat(1.12819925e-1f));
  s = fma16(s, z, splat(-3.76125336e-1f));
  s = fma16(s, z, splat(1.28379166e-1f));
  v16 y = select16(a > splat(0.927734375f), large, fma16(s, a, a));
  y = select16(x != x, x, y);
  return float_of(bits_of(y) | (bits_of(x) & (int32_t)0x80000000));
}

/// x (1 + erf(x / √2)) / 2.
INLINE v16 gelu16(v16 x) { return 0.5f * x * (1.0f + erf16(x * 0x1.6a09e6p-1f)); }

/// 1 / (1 + e^-x).
INLINE v16 sigmoid16(v16 x) { return 1.0f / (1.0f + exp16(-x)); }
/// x / (1 + e^-x), as torch computes it.
INLINE v16 silu16(v16 x) { return x / (1.0f + exp16(-x)); }

/// x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2.
INLINE v16 gelu_tanh16(v16 x) {
  v16 inner = splat(0x1.988454p-1f) * (x + 0.044715f * (x * x * x));
  return 0.5f * x * (1.0f + tanh16(inner));
}

#endif
