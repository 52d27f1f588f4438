#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What tells whether a file is still the one it was, and one from another, without reading it.
package struct FileIdentity: Hashable, Sendable {
  private let device: UInt64
  private let number: UInt64
  /// Size in bytes.
  package let byteCount: Int
  /// When it was last written, in nanoseconds since 1970.
  package let modified: Int

  /// Looks at what a path leads to.
  /// - Throws: `.io`.
  package init(path: String) throws(IngotError) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw .system("cannot stat the file", path: path) }
    self.init(status)
  }

  /// Looks at a file that is open.
  /// - Parameter path: stands in errors.
  /// - Throws: `.io`.
  init(descriptor: Int32, path: String) throws(IngotError) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .system("cannot stat the file", path: path) }
    self.init(status)
  }

  /// The file that a path leads to; nil when there is none, or it is not a regular one.
  package static func ofRegularFile(_ path: String) -> FileIdentity? {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return FileIdentity(status)
  }

  private init(_ status: stat) {
    #if canImport(Darwin)
      let time = status.st_mtimespec
    #else
      let time = status.st_mtim
    #endif
    (device, number) = (UInt64(truncatingIfNeeded: status.st_dev), UInt64(status.st_ino))
    byteCount = Int(status.st_size)
    modified = Int(time.tv_sec) &* 1_000_000_000 &+ Int(time.tv_nsec)
  }

  /// Whether two paths lead to one file; false where one leads nowhere.
  package static func isSame(_ a: String, _ b: String) -> Bool {
    guard let first = try? FileIdentity(path: a), let second = try? FileIdentity(path: b) else {
      return false
    }
    return first.device == second.device && first.number == second.number
  }
}
