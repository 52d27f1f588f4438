/// The inner loops for any processor. On x86-64 that means SSE2 and a call per fused multiply-add: correct,
/// not fast.
#include <math.h>
#include <string.h>

#include "lanes.h"

#define LANES_TABLE ingot_lanes_portable
#define LANES_REGISTER 16
#define LANES_PANELS 1
#if !defined(__FMA__) && !defined(__aarch64__)
#define LANES_NO_FMA
#endif
#include "lanes_body.h"
