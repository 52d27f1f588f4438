#include "ingot_context.h"
