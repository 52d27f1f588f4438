/// The inner loops for aarch64: what the portable ones are there, but with the processor's conversions of half
/// precision, and register blocks of vectors of four.
#include <math.h>
#include <string.h>

#include "lanes.h"

#if defined(__aarch64__)
#define LANES_TABLE ingot_lanes_neon
#define LANES_REGISTER 4
#define LANES_PANELS 1
#define LANES_F16C
#include "lanes_body.h"
#endif
