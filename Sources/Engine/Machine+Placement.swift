internal import CKernels
public import IngotCore

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension Machine {
  /// Keeps the calling thread, and all threads made from now on, to some processors; to be called before the first
  /// engine is made, and before `current` is asked.
  /// - Throws: `.argument` for processors that the process may not use; `.unsupported` where the system does not
  ///   place threads.
  public static func keep(to processors: ClosedRange<Int>) throws(IngotError) {
    let most = Int(Int32.max)
    let status =
      processors.upperBound > most
      ? EINVAL : ingot_keep_to_processors(Int32(processors.lowerBound), Int32(processors.upperBound))
    switch status {
    case 0: return
    case ENOSYS: throw IngotError(.unsupported, "this system does not keep threads to processors")
    default:
      throw IngotError(
        .argument, "cannot keep to the processors \(processors.lowerBound)-\(processors.upperBound)",
        hint: "`nproc` and `taskset -p $$` show which ones the process may use")
    }
  }
}
