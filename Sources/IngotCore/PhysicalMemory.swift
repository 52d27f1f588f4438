#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Bytes of memory the machine has; nil where the system does not say.
package var physicalMemory: Int? {
  let bytes = max(0, sysconf(Int32(_SC_PHYS_PAGES))) * max(0, sysconf(Int32(_SC_PAGESIZE)))
  return bytes > 0 ? bytes : nil
}
