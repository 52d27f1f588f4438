// The header's static assertions are checked by compiling it.
#include "COnnxRuntime.h"
