/// Where threads run and memory lies.
#ifndef INGOT_PLACEMENT_H
#define INGOT_PLACEMENT_H

#include <stddef.h>

/// Keeps the calling thread, and threads that it makes from now on, to the processors first...last.
/// Returns 0, or an error number: EINVAL when the process may not run on one of them, ENOSYS where the system
/// does not place threads.
int ingot_keep_to_processors(int first, int last);

/// Spreads the pages of a range that nobody has touched yet over the memory nodes of the machine, so that threads on
/// all of them together read it at the bandwidth of all. Returns the number of nodes; with one, nothing is done, nor
/// where the user has placed threads (`ingot_keep_to_processors`) or memory (`numactl`): then the answer is 1.
int ingot_interleave(void *address, size_t bytes);

#endif
