/// Which instruction sets this processor has.
#include "ingot_context.h"

#if defined(__x86_64__)
#include <cpuid.h>

static bool has_avx2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
}

/// Asked of the processor itself: older support libraries do not know the name.
static bool has_avx_vnni(void) {
  unsigned a, b, c, d;
  if (!has_avx2() || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || a < 1) return false;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1) != 0;
}

static bool has_avx512_vnni(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
      && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
      && __builtin_cpu_supports("avx512vnni");
}
#elif defined(__aarch64__) && defined(__APPLE__)
#include <sys/sysctl.h>

static bool has_feature(const char *name) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, NULL, 0) == 0 && value != 0;
}
static bool has_dotprod(void) { return has_feature("hw.optional.arm.FEAT_DotProd"); }
static bool has_i8mm(void) { return has_feature("hw.optional.arm.FEAT_I8MM"); }
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>

/// HWCAP_ASIMDDP and HWCAP2_I8MM, which older headers lack.
static bool has_dotprod(void) { return (getauxval(AT_HWCAP) >> 20 & 1) != 0; }
static bool has_i8mm(void) { return (getauxval(AT_HWCAP2) >> 13 & 1) != 0; }
#elif defined(__aarch64__)
static bool has_dotprod(void) { return false; }
static bool has_i8mm(void) { return false; }
#endif

bool ingot_isa_available(ingot_isa isa) {
  switch (isa) {
    case INGOT_ISA_PORTABLE: return true;
#if defined(__x86_64__)
    case INGOT_ISA_AVX2: return has_avx2();
    case INGOT_ISA_AVX_VNNI: return has_avx_vnni();
    case INGOT_ISA_AVX512_VNNI: return has_avx512_vnni();
    case INGOT_ISA_NEON:
    case INGOT_ISA_I8MM: return false;
#elif defined(__aarch64__)
    case INGOT_ISA_NEON: return has_dotprod();
    case INGOT_ISA_I8MM: return has_dotprod() && has_i8mm();
    case INGOT_ISA_AVX2:
    case INGOT_ISA_AVX_VNNI:
    case INGOT_ISA_AVX512_VNNI: return false;
#else
    case INGOT_ISA_NEON:
    case INGOT_ISA_I8MM:
    case INGOT_ISA_AVX2:
    case INGOT_ISA_AVX_VNNI:
    case INGOT_ISA_AVX512_VNNI: return false;
#endif
  }
  return false;
}

ingot_isa ingot_isa_best(void) {
  int isa = INGOT_ISA_COUNT - 1;
  while (!ingot_isa_available((ingot_isa)isa)) isa--;
  return (ingot_isa)isa;
}

const char *ingot_isa_name(ingot_isa isa) {
  switch (isa) {
    case INGOT_ISA_PORTABLE: return "portable";
    case INGOT_ISA_NEON: return "neon";
    case INGOT_ISA_I8MM: return "i8mm";
    case INGOT_ISA_AVX2: return "avx2";
    case INGOT_ISA_AVX_VNNI: return "avxvnni";
    case INGOT_ISA_AVX512_VNNI: return "avx512vnni";
  }
  return "unknown";
}
