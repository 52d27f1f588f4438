/// The inner loops for AVX-512: a vector of 16 lanes is one register, so register blocks are wider.
#include <math.h>
#include <string.h>

#include "lanes.h"

#if defined(__x86_64__)
#define LANES_TABLE ingot_lanes_avx512
#define LANES_REGISTER 16
#define LANES_PANELS 2
#define LANES_F16C
#ifndef LANES_TARGET  // Scripts/check_kernels.sh sets AVX2, to run these blocks without AVX-512
#define LANES_TARGET "avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"
#endif
#pragma clang attribute push(__attribute__((target(LANES_TARGET))), apply_to = function)
#include "lanes_body.h"
#pragma clang attribute pop
#endif
