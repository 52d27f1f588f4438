#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Writes a file apart from its name, which it gets when it is whole, so that a reader never sees half a
/// file and a failure leaves what was there. Where the system can, the file has no name until then, so that
/// even a process that is killed leaves nothing behind.
///
/// A path that is a device or a pipe is written to as it stands; behind a symbolic link its target is replaced.
public struct AtomicFile: ~Copyable {
  private enum Form { case unnamed, named, inPlace }

  private let path: String
  private let target: String
  private let temporary: String
  private let form: Form
  private var descriptor: Int32

  /// Opens a temporary file beside `path`.
  /// - Throws: `.io` when `path` is a folder, or its folder cannot be written.
  public init(path: String) throws(IngotError) {
    var status = stat()
    let kind = stat(path, &status) == 0 ? status.st_mode & S_IFMT : S_IFREG
    guard kind != S_IFDIR else {
      throw IngotError(.io, "cannot write a file where a folder is", at: .init(file: path))
    }
    let target = resolved(path) ?? path
    let folder = target.lastIndex(of: "/").map { String(target[...$0]) } ?? "./"
    let temporary = folder + ".ingot-\(UInt64.random(in: .min ... .max)).tmp"
    let opened: (form: Form, descriptor: Int32)
    if kind != S_IFREG {
      opened = (.inPlace, open(path, O_WRONLY | O_CLOEXEC))
    } else if let unnamed = openUnnamed(in: folder) {
      opened = (.unnamed, unnamed)
    } else {
      opened = (.named, open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644))
    }
    guard opened.descriptor >= 0 else { throw .system("cannot create the file", path: path) }
    (self.path, self.target, self.temporary) = (path, target, temporary)
    (form, descriptor) = (opened.form, opened.descriptor)
  }

  deinit {
    // Reached without `commit`: nothing half-written stays.
    if descriptor >= 0 {
      close(descriptor)
      if form != .inPlace { unlink(temporary) }
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

  /// Makes sure that the disk has room for the file, where the system can tell: better now than after an hour.
  /// - Throws: `.io` when it has not.
  public func reserve(byteCount: Int) throws(IngotError) {
    #if os(Linux)
      guard form != .inPlace, byteCount > 0 else { return }
      var code: Int32
      repeat { code = posix_fallocate(descriptor, 0, off_t(byteCount)) } while code == EINTR
      // A file system that cannot promise room may still have it.
      guard [ENOSPC, EDQUOT, EFBIG].contains(code) else { return }
      errno = code
      throw .system("cannot reserve \(byteCount) bytes", path: path)
    #endif
  }

  /// What writes at places of the file's from several threads; valid until the file is committed or given up.
  package var places: FilePlaces { FilePlaces(descriptor: descriptor, path: path) }

  /// Maps what has been written so far, before the file has its name. What is written later to other places does not
  /// concern the mapping.
  /// - Throws: `.io`, also for a device or a pipe.
  package func mapped() throws(IngotError) -> (file: MappedFile, identity: FileIdentity) {
    guard form != .inPlace else {
      throw IngotError(
        .io, "what is written to a device or a pipe cannot be read back", at: .init(file: path),
        hint: "write to a regular file")
    }
    return (
      try MappedFile(descriptor: descriptor, path: path),
      try FileIdentity(descriptor: descriptor, path: path)
    )
  }

  /// Appends text as UTF-8.
  /// - Throws: `.io`, as `write(_:)` for bytes.
  public func write(_ text: String) throws(IngotError) { try write(Array(text.utf8)) }

  /// Appends bytes.
  /// - Throws: `.io`, as `write(_:)` for a buffer.
  public func write(_ bytes: [UInt8]) throws(IngotError) {
    let result: Result<Void, IngotError> = bytes.withUnsafeBytes { buffer in
      do throws(IngotError) { return .success(try write(buffer)) } catch { return .failure(error) }
    }
    try result.get()
  }

  /// Flushes the file to disk and gives it its name.
  /// - Parameter flushes: false for a file whose digest is checked before it is trusted, so that a power cut costs no
  ///   more than writing it again.
  /// - Throws: `.io` when either fails; the temporary file is removed.
  public consuming func commit(flushes: Bool = true) throws(IngotError) {
    if form != .inPlace {
      guard !flushes || fsync(descriptor) == 0 else { throw .system("cannot flush", path: path) }
      if form == .unnamed, !name(descriptor, temporary) { throw .system("cannot name", path: path) }
      guard rename(temporary, target) == 0 else { throw .system("cannot rename into place", path: path) }
    }
    close(descriptor)
    descriptor = -1
  }
}

/// Writes at places of an `AtomicFile`, in any order.
package struct FilePlaces: Sendable {
  fileprivate let descriptor: Int32
  fileprivate let path: String

  /// Writes bytes so that they begin at an offset.
  /// - Throws: `.io`, for example when the disk is full.
  package func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(IngotError) {
    var rest = bytes
    var offset = offset
    while let base = rest.baseAddress, rest.count > 0 {
      let written = pwrite(descriptor, base, rest.count, off_t(offset))
      if written < 0 && errno == EINTR { continue }
      guard written > 0 else { throw .system("cannot write", path: path) }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      offset += written
    }
  }
}

/// The path behind symbolic links; nil when nothing is there yet.
private func resolved(_ path: String) -> String? {
  guard let resolved = realpath(path, nil) else { return nil }
  defer { free(resolved) }
  return String(cString: resolved)
}

/// Opens a file without a name, which vanishes with its descriptor; nil where the system cannot.
private func openUnnamed(in folder: String) -> Int32? {
  #if os(Linux)
    // `O_TMPFILE`, which is not visible from Swift.
    let descriptor = open(folder, 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { return nil }
    // It can be named only by way of /proc.
    if access("/proc/self/fd/\(descriptor)", F_OK) == 0 { return descriptor }
    close(descriptor)
  #endif
  return nil
}

/// Names a file that has none.
private func name(_ descriptor: Int32, _ path: String) -> Bool {
  linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0
}
