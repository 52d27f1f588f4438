/// Everything an instruction set's file compiles. No include guard: the files define LANES_TABLE,
/// LANES_REGISTER (lanes of a register), LANES_PANELS (vectors of 16 columns the gemm's register block is wide),
/// LANES_F16C and LANES_NO_FMA where they hold, and set the target attribute around this.
#pragma STDC FP_CONTRACT OFF
// Vectors pass only between functions of one file, all inlined: no ABI is at stake.
#pragma clang diagnostic ignored "-Wpsabi"
#include "vector.h"
#include "vector_math.h"

#include "norm_body.h"
#include "elementwise_body.h"
#include "reduce_body.h"
#include "rope_body.h"
#include "cache_body.h"
#include "gemm_body.h"
#include "attention_blocks.h"
#include "attention_body.h"
#include "attention_state_body.h"

const ingot_lanes LANES_TABLE = {
  .rms_norm = rms_norm,
  .layer_norm = layer_norm,
  .unary = unary,
  .binary = binary,
  .gated = gated,
  .softmax = softmax,
  .reduce_row = reduce_row,
  .reduce_columns = reduce_columns,
  .rope = rope,
  .cache_write = cache_write,
  .widen_f16 = widen_f16,
  .gemm_tile = gemm_output_tile,
  .attention_span = attention_span,
  .attention_merge = attention_merge,
  .attention_pack = attention_pack,
  .attention_finish = attention_finish,
};
