/// Umbrella header of the inner kernels.
#include "ingot_attention.h"
#include "ingot_context.h"
#include "ingot_convert.h"
#include "ingot_matmul.h"
#include "ingot_ops.h"
#include "ingot_quantize.h"
#include "ingot_repack.h"
#include "ingot_transpose.h"
