#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Writes a file under a temporary name and renames it when it is whole, so that a reader never sees
/// half a file and a failure leaves what was there.
public struct AtomicFile: ~Copyable {
  private let path: String
  private let temporary: String
  private var descriptor: Int32

  /// Opens a temporary file beside `path`.
  /// - Throws: `.io` when the folder cannot be written.
  public init(path: String) throws(IngotError) {
    self.path = path
    temporary = "\(path).\(getpid()).tmp"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system("cannot create the file", path: path) }
  }

  deinit {
    // Reached without `commit`: nothing half-written stays.
    if descriptor >= 0 {
      close(descriptor)
      unlink(temporary)
    }
  }

  /// Appends bytes.
  /// - Throws: `.io`, for example when the disk is full.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(IngotError) {
    var rest = bytes
    while let base = rest.baseAddress, rest.count > 0 {
      #if canImport(Darwin)
        let written = Darwin.write(descriptor, base, rest.count)
      #else
        let written = Glibc.write(descriptor, base, rest.count)
      #endif
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw .system("cannot write", path: path) }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  /// Appends text as UTF-8.
  /// - Throws: `.io`, as `write(_:)` for bytes.
  public func write(_ text: String) throws(IngotError) {
    let bytes = Array(text.utf8)
    let result: Result<Void, IngotError> = bytes.withUnsafeBytes { buffer in
      do throws(IngotError) { return .success(try write(buffer)) } catch { return .failure(error) }
    }
    try result.get()
  }

  /// Flushes the file to disk and gives it its name.
  /// - Throws: `.io` when either fails; the temporary file is removed.
  public consuming func commit() throws(IngotError) {
    guard fsync(descriptor) == 0 else { throw .system("cannot flush", path: path) }
    guard rename(temporary, path) == 0 else { throw .system("cannot rename into place", path: path) }
    close(descriptor)
    descriptor = -1
  }
}
