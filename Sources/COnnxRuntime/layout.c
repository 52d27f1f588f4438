// Compiling this checks the header's static assertions.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "COnnxRuntime.h"

#include <dlfcn.h>

const char *ingot_file_of_symbol(const void *symbol) {
  Dl_info info;
  return dladdr(symbol, &info) != 0 ? info.dli_fname : NULL;
}
