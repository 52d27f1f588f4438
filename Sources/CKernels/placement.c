#ifndef _GNU_SOURCE
#define _GNU_SOURCE  // affinity
#endif
#include "ingot_placement.h"

#include <errno.h>

#if defined(__linux__)
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/// Threads were placed by the user: memory then lies best where they first touch it.
static atomic_bool threads_are_placed;

/// From <linux/mempolicy.h>; libnuma would be a dependency for two calls.
enum { POLICY_DEFAULT = 0, POLICY_INTERLEAVE = 3, FLAG_MEMORIES_ALLOWED = 4, NODE_WORDS = 16 };

int ingot_keep_to_processors(int first, int last) {
  if (first < 0 || last < first) return EINVAL;
  // Masks of any machine there is; the kernel refuses shorter ones than its own.
  enum { PROCESSORS = 1 << 14 };
  if (last >= PROCESSORS) return EINVAL;
  cpu_set_t allowed[PROCESSORS / CPU_SETSIZE], wanted[PROCESSORS / CPU_SETSIZE];
  memset(allowed, 0, sizeof allowed), memset(wanted, 0, sizeof wanted);
  if (sched_getaffinity(0, sizeof allowed, allowed) != 0) return errno;
  for (int processor = first; processor <= last; processor++) {
    if (!CPU_ISSET_S((size_t)processor, sizeof allowed, allowed)) return EINVAL;
    CPU_SET_S((size_t)processor, sizeof wanted, wanted);
  }
  if (sched_setaffinity(0, sizeof wanted, wanted) != 0) return errno;
  atomic_store(&threads_are_placed, true);
  return 0;
}

int ingot_interleave(void *address, size_t bytes) {
  int policy = POLICY_DEFAULT;
  if (atomic_load(&threads_are_placed) || syscall(SYS_get_mempolicy, &policy, NULL, 0, NULL, 0) != 0) return 1;
  if (policy != POLICY_DEFAULT) return 1;  // chosen by the user, as with numactl
  unsigned long nodes[NODE_WORDS] = {0};
  const unsigned long bits = NODE_WORDS * 8 * sizeof(unsigned long);
  if (syscall(SYS_get_mempolicy, NULL, nodes, bits, NULL, FLAG_MEMORIES_ALLOWED) != 0) return 1;
  int count = 0;
  for (int i = 0; i < NODE_WORDS; i++) count += __builtin_popcountl(nodes[i]);
  uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), start = ((uintptr_t)address + page - 1) / page * page;
  uintptr_t end = (uintptr_t)address + bytes;
  if (count > 1 && end > start) syscall(SYS_mbind, start, end - start, POLICY_INTERLEAVE, nodes, bits, 0);
  return count > 0 ? count : 1;
}
#else
int ingot_keep_to_processors(int first, int last) {
  (void)first, (void)last;
  return ENOSYS;
}
int ingot_interleave(void *address, size_t bytes) {
  (void)address, (void)bytes;
  return 1;
}
#endif
