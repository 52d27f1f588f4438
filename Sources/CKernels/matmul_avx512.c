#include "matmul_internal.h"
#if defined(__x86_64__)
void ingot_matmul_avx512(const matmul_call *call, int64_t row, int64_t rows, int64_t tile, int64_t tiles) {
  ingot_matmul_avx2(call, row, rows, tile, tiles);
}
#endif
