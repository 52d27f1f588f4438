#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The most memory the process has held.
enum ProcessMemory {
  /// Lets the peak begin anew from what is held now.
  /// - Returns: whether the system could.
  static func resetPeak() -> Bool {
    #if os(Linux)
      let descriptor = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return false }
      defer { close(descriptor) }
      return write(descriptor, "5", 1) == 1
    #else
      return false
    #endif
  }

  /// Bytes resident at most since then, mapped files counted in; nil where the system does not tell.
  static var peak: Int? {
    #if canImport(Darwin)
      var usage = rusage()
      return getrusage(RUSAGE_SELF, &usage) == 0 ? Int(usage.ru_maxrss) : nil
    #else
      guard let file = fopen("/proc/self/status", "re") else { return nil }
      defer { fclose(file) }
      var line = [CChar](repeating: 0, count: 256)
      while fgets(&line, Int32(line.count), file) != nil {
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        guard text.hasPrefix("VmHWM:") else { continue }
        let words = text.split(whereSeparator: \.isWhitespace)
        return words.count > 1 ? Int(words[1]).map { $0 << 10 } : nil
      }
      return nil
    #endif
  }
}
