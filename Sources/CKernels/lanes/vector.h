/// Vectors of 16 lanes in Clang's vector extensions: one AVX-512 register, two of AVX2, four of SSE2 or NEON.
/// Casts between them keep the bits; a cast from a scalar fills all lanes.
/// Included by the instruction sets' files, inside their target attribute.
#ifndef INGOT_VECTOR_H
#define INGOT_VECTOR_H

#define INLINE static inline __attribute__((always_inline))

typedef float v16 __attribute__((ext_vector_type(16)));
typedef float v8 __attribute__((ext_vector_type(8)));
typedef float v4 __attribute__((ext_vector_type(4)));
typedef float v2 __attribute__((ext_vector_type(2)));
typedef int32_t i16 __attribute__((ext_vector_type(16)));
typedef uint32_t u16 __attribute__((ext_vector_type(16)));
typedef uint16_t h16 __attribute__((ext_vector_type(16)));
typedef int8_t b16 __attribute__((ext_vector_type(16)));

INLINE v16 splat(float x) { return (v16)x; }
INLINE i16 bits_of(v16 x) { return (i16)x; }
INLINE v16 float_of(i16 x) { return (v16)x; }
#ifdef LANES_NO_FMA
/// Out of line, as it is a call per lane.
static __attribute__((noinline)) v16 fma16(v16 a, v16 b, v16 c) {
  for (int i = 0; i < 16; i++) c[i] = fmaf(a[i], b[i], c[i]);
  return c;
}
#else
INLINE v16 fma16(v16 a, v16 b, v16 c) { return __builtin_elementwise_fma(a, b, c); }
#endif
INLINE v16 sqrt16(v16 x) { return __builtin_elementwise_sqrt(x); }
/// The compares put NaN on one defined side: max16(x, NaN) is NaN, max16(NaN, x) is x, as `maxps` does.
INLINE v16 max16(v16 a, v16 b) { return a > b ? a : b; }
INLINE v16 min16(v16 a, v16 b) { return a < b ? a : b; }
INLINE v16 abs16(v16 x) { return float_of(bits_of(x) & 0x7FFFFFFF); }
/// Lanes of a where the mask is set, else of b.
INLINE v16 select16(i16 mask, v16 a, v16 b) { return mask ? a : b; }

INLINE v16 load16(const float *p) {
  v16 x;
  memcpy(&x, p, sizeof x);
  return x;
}
INLINE void store16(float *p, v16 x) { memcpy(p, &x, sizeof x); }
/// The first `n` < 16 lanes from memory, the others `fill`.
INLINE v16 load_part(const float *p, int64_t n, float fill) {
  float lanes[16];
  for (int i = 0; i < 16; i++) lanes[i] = fill;
  memcpy(lanes, p, (size_t)n * sizeof *p);
  return load16(lanes);
}
INLINE void store_part(float *p, v16 x, int64_t n) { memcpy(p, &x, (size_t)n * sizeof *p); }
/// Whole vectors where 16 lanes are left, else a part.
INLINE v16 load_upto(const float *p, int64_t n, float fill) { return n >= 16 ? load16(p) : load_part(p, n, fill); }
INLINE void store_upto(float *p, v16 x, int64_t n) {
  if (n >= 16) store16(p, x);
  else store_part(p, x, n);
}

INLINE i16 load_ints(const void *p) {
  i16 x;
  memcpy(&x, p, sizeof x);
  return x;
}
INLINE int64_t round16(int64_t n) { return (n + 15) / 16 * 16; }

INLINE i16 lane_index(void) { return (i16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }

/// Reductions over the lanes in one fixed tree: halves are folded.
INLINE float sum_lanes(v16 x) {
  v8 a = x.lo + x.hi;
  v4 b = a.lo + a.hi;
  v2 c = b.lo + b.hi;
  return c.x + c.y;
}
INLINE float max_lanes(v16 x) {
  v8 a = x.lo > x.hi ? x.lo : x.hi;
  v4 b = a.lo > a.hi ? a.lo : a.hi;
  v2 c = b.lo > b.hi ? b.lo : b.hi;
  return c.x > c.y ? c.x : c.y;
}
INLINE float min_lanes(v16 x) {
  v8 a = x.lo < x.hi ? x.lo : x.hi;
  v4 b = a.lo < a.hi ? a.lo : a.hi;
  v2 c = b.lo < b.hi ? b.lo : b.hi;
  return c.x < c.y ? c.x : c.y;
}

/// Half precision to float, exact.
INLINE v16 widen16(h16 h) {
#ifdef LANES_F16C
  typedef _Float16 half16 __attribute__((ext_vector_type(16)));
  return __builtin_convertvector((half16)h, v16);
#else
  u16 x = __builtin_convertvector(h, u16);
  u16 magnitude = x & 0x7FFFu, sign = (x & 0x8000u) << 16;
  // Moving the exponent's bias by a product also makes the subnormals right.
  u16 finite = (u16)((v16)(magnitude << 13) * 0x1p112f);
  u16 special = (magnitude << 13) | 0x7F800000u;
  return (v16)((magnitude >= 0x7C00u ? special : finite) | sign);
#endif
}
INLINE v16 load_half(const uint16_t *p) {
  h16 h;
  memcpy(&h, p, sizeof h);
  return widen16(h);
}
INLINE v16 load_half_part(const uint16_t *p, int64_t n) {
  h16 h = (h16)0;
  memcpy(&h, p, (size_t)n * sizeof *p);
  return widen16(h);
}

/// Float to half, to nearest even; finite values beyond the range become ±65504, NaN stays NaN.
INLINE h16 narrow16(v16 x) {
  i16 infinite = abs16(x) == splat(INFINITY);
  v16 clamped = max16(splat(-65504.0f), min16(splat(65504.0f), x));
  x = select16(infinite, x, clamped);
#ifdef LANES_F16C
  typedef _Float16 half16 __attribute__((ext_vector_type(16)));
  return (h16)(__builtin_convertvector(x, half16));
#else
  u16 b = (u16)x, sign = (b >> 16) & 0x8000u, a = b & 0x7FFFFFFFu;
  // Normal: rebias, add half of the last place less the tie, cut. Subnormal: let a float addition round.
  u16 normal = (a - (112u << 23) + 0xFFFu + ((a >> 13) & 1u)) >> 13;
  u16 subnormal = (u16)((v16)a + 0.5f) - 0x3F000000u;
  u16 special = a > 0x7F800000u ? (u16)0x7E00u : (u16)0x7C00u;
  u16 h = a < (113u << 23) ? subnormal : normal;
  h = a >= 0x7F800000u ? special : h;
  return __builtin_convertvector(h | sign, h16);
#endif
}

/// A vector as long as a register, where the accumulators of a register block are counted in registers.
typedef float reg __attribute__((ext_vector_type(LANES_REGISTER)));
typedef uint16_t half_reg __attribute__((ext_vector_type(LANES_REGISTER)));

INLINE reg load_reg(const float *p) {
  reg x;
  memcpy(&x, p, sizeof x);
  return x;
}
INLINE void store_reg(float *p, reg x) { memcpy(p, &x, sizeof x); }
INLINE reg load_half_reg(const uint16_t *p) {
#ifdef LANES_F16C
  typedef _Float16 halves __attribute__((ext_vector_type(LANES_REGISTER)));
  halves h;
  memcpy(&h, p, sizeof h);
  return __builtin_convertvector(h, reg);
#else
  return load_half(p);
#endif
}
/// Signed byte `i` of each of four bytes a lane holds, times 2^24, exact.
typedef int32_t int_reg __attribute__((ext_vector_type(LANES_REGISTER)));
INLINE int_reg load_int_reg(const void *p) {
  int_reg x;
  memcpy(&x, p, sizeof x);
  return x;
}
INLINE reg byte_of(int_reg x, int i) {
  return __builtin_convertvector((x << (24 - 8 * i)) & (int32_t)0xFF000000, reg);
}
INLINE v16 byte16(i16 x, int i) { return __builtin_convertvector((x << (24 - 8 * i)) & (int32_t)0xFF000000, v16); }

INLINE reg fma_reg(reg a, reg b, reg c) {
#ifdef LANES_NO_FMA
  return fma16(a, b, c);
#else
  return __builtin_elementwise_fma(a, b, c);
#endif
}

/// Transposes 8 × 8 floats.
INLINE void transpose8(v8 *x) {
  v8 a[8], b[8];
  for (int i = 0; i < 8; i += 2) {
    a[i] = __builtin_shufflevector(x[i], x[i + 1], 0, 8, 1, 9, 4, 12, 5, 13);
    a[i + 1] = __builtin_shufflevector(x[i], x[i + 1], 2, 10, 3, 11, 6, 14, 7, 15);
  }
  for (int i = 0; i < 8; i += 4)
    for (int j = 0; j < 2; j++) {
      b[i + 2 * j] = __builtin_shufflevector(a[i + j], a[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
      b[i + 2 * j + 1] = __builtin_shufflevector(a[i + j], a[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int i = 0; i < 4; i++) {
    x[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
    x[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

#endif
