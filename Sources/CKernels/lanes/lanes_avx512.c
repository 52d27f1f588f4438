/// The inner loops for AVX-512: a vector of 16 lanes is one register, so register blocks are wider.
#include <math.h>
#include <string.h>

#include "lanes.h"

#if defined(__x86_64__)
#define LANES_TABLE ingot_lanes_avx512
#define LANES_REGISTER 16
#define LANES_PANELS 2
#define LANES_F16C
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,f16c"))), apply_to = function)
#include "lanes_body.h"
#pragma clang attribute pop
#endif
