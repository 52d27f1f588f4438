/// Which instruction set to run.
#include "ingot_context.h"

ingot_isa ingot_isa_best(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") || !__builtin_cpu_supports("f16c"))
    return INGOT_ISA_PORTABLE;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw")
      || !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512dq")
      || !__builtin_cpu_supports("avx512vnni"))
    return INGOT_ISA_AVX2;
  return INGOT_ISA_AVX512_VNNI;
#else
  return INGOT_ISA_PORTABLE;
#endif
}

const char *ingot_isa_name(ingot_isa isa) {
  switch (isa) {
    case INGOT_ISA_PORTABLE: return "portable";
    case INGOT_ISA_AVX2: return "avx2";
    case INGOT_ISA_AVX512_VNNI: return "avx512vnni";
  }
  return "unknown";
}
