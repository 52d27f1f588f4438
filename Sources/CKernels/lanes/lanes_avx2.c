/// The inner loops for AVX2 with FMA and F16C.
#include <math.h>
#include <string.h>

#include "lanes.h"

#if defined(__x86_64__)
#define LANES_TABLE ingot_lanes_avx2
#define LANES_REGISTER 8
#define LANES_PANELS 1
#define LANES_F16C
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "lanes_body.h"
#pragma clang attribute pop
#endif
